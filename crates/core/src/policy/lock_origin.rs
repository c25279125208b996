//! A lock file as the origin of expectations.

use std::fmt;
use std::sync::Arc;

use super::expected::Origin;
use super::lock_key::LockKey;
use crate::toml_text::KeyPositions;
use crate::toml_text::literal::key as toml_key;

/// A lock file as the origin of expectations: its path, the target in it, and where its keys stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockOrigin {
    path: Arc<str>,
    /// The name of the target, if the file holds several.
    target: Option<String>,
    keys: Arc<KeyPositions>,
    is_file: bool,
}

impl LockOrigin {
    /// The same, of a lock that is not in the file yet: `pin` asks what a verification with it would say.
    #[doc(hidden)]
    #[must_use]
    pub fn not_written_yet(self) -> Self {
        Self {
            is_file: false,
            ..self
        }
    }

    /// The lock of this path, with the text that was read from it.
    #[must_use]
    pub fn with_text(path: &str, text: &str) -> Self {
        Self {
            keys: Arc::new(KeyPositions::of(text)),
            ..Self::from(path)
        }
    }

    /// The same file, and the target of this name in it.
    #[must_use]
    pub fn of_target(&self, name: &str) -> Self {
        Self {
            target: Some(name.to_owned()),
            ..self.clone()
        }
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A key of it, as the origin of an expectation.
    #[must_use]
    pub fn key(&self, key: &[&str]) -> Origin {
        let of_target: Vec<&str> = match &self.target {
            Some(name) => ["target", name].into_iter().chain(key.iter().copied()).collect(),
            None => key.to_vec(),
        };
        let names: Vec<String> = of_target.iter().map(|name| toml_key(name)).collect();
        Origin::Lock(LockKey {
            path: Arc::clone(&self.path),
            key: names.join("."),
            place: self.keys.nearest(&of_target),
            is_file: self.is_file,
        })
    }
}

impl From<&str> for LockOrigin {
    fn from(path: &str) -> Self {
        Self {
            path: path.into(),
            target: None,
            keys: Arc::default(),
            is_file: true,
        }
    }
}

impl fmt::Display for LockOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_its_own_target() {
        let lock = LockOrigin::with_text(
            "cvm.lock",
            "[target.a]\napp_id = \"1\"\n[target.\"b.c\"]\napp_id = \"2\"\n",
        );
        let of = |name: &str| match lock.of_target(name).key(&["app_id"]) {
            Origin::Lock(key) => (key.key, key.place.map(|place| place.line)),
            other => panic!("{other:?}"),
        };
        assert_eq!(of("a"), ("target.a.app_id".to_owned(), Some(2)));
        assert_eq!(of("b.c"), ("target.\"b.c\".app_id".to_owned(), Some(4)));
        assert_eq!(of("absent"), ("target.absent.app_id".to_owned(), Some(1)));
        assert_eq!(lock.to_string(), "cvm.lock");
    }
}
