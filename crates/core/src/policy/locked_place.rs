//! A place of the compose document that something outside it can fill with code, as a lock holds it.

/// A place of the compose document that decides code, as a lock holds it.
#[derive(Debug, Clone)]
pub struct LockedPlace {
    /// Its keys joined by dots: `services.web.healthcheck.test[1]`.
    pub path: String,
    /// SHA-256 of the text that stood there.
    pub sha256: [u8; 32],
    /// Why a person accepts it. Empty until one does: then it is not reviewed.
    pub reason: String,
    /// The line of its `reason` in the file. Absent in a lock that was not read from one.
    pub line: Option<usize>,
}

/// Where it is in the file is not part of it.
impl PartialEq for LockedPlace {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, self.sha256, &self.reason) == (&other.path, other.sha256, &other.reason)
    }
}

impl Eq for LockedPlace {}

impl LockedPlace {
    /// Whether a person wrote down why it is accepted.
    #[must_use]
    pub fn is_reviewed(&self) -> bool {
        !self.reason.trim().is_empty()
    }
}
