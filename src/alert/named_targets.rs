//! The targets of a message that is about several.

/// The targets of a message that is about several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// How many they are.
    pub count: usize,
    /// The names of the first ten, each of at most 60 characters.
    pub named: Vec<String>,
}

impl Digest {
    /// The targets in one line. The caller escapes it.
    #[must_use]
    pub fn line(&self) -> String {
        let (named, count) = (self.named.len(), self.count);
        format!("The first {named} of {count} targets: {}", self.named.join(", "))
    }
}
