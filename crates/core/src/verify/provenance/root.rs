//! The Sigstore instances that are trusted, and from when that knowledge is.

use std::fmt;
use std::sync::{Arc, LazyLock};

use sigstore_verify::Verifier;
use sigstore_verify::crypto::Keyring;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{TimeRange, TsaAuthority};

use super::{provider, strict_json};
use crate::evidence::json_problem;
use crate::verify::digest::sha256;

/// The public-good instance. Source: `sigstore-trust-root` 0.15.1, `src/trusted_root.json` (Apache-2.0), as
/// <https://tuf-repo-cdn.sigstore.dev> served it; minified.
const PUBLIC_GOOD: &str = include_str!("roots/public-good.json");
/// GitHub's instance, for private and internal repositories. Source: `sigstore-trust-root` 0.15.1,
/// `src/trusted_root_github.json` (Apache-2.0), as <https://tuf-repo.github.com> served it; minified.
const GITHUB: &str = include_str!("roots/github.json");
/// When the two were read: 2026-10-23T00:00:00Z, Unix seconds.
pub const SNAPSHOT: u64 = 1_792_713_600;
/// After this many seconds the snapshot is old: GitHub changes its instance every six to eight months.
pub(crate) const SNAPSHOT_GROWS_OLD: u64 = 274 * 86_400;

/// Largest file of roots, in bytes: both instances have 40 KB.
const MAX_FILE: usize = 1024 * 1024;
/// Most instances of a file.
const MAX_INSTANCES: usize = 8;
/// Values of a root in JSON. GitHub's has about 400.
const MAX_VALUES: usize = 10_000;

/// The instances that are compiled in. They are read when a statement is verified: most runs verify none.
static BUILT_IN: LazyLock<Vec<Instance>> = LazyLock::new(|| {
    // None where one cannot be read: then everything is refused. A test reads them.
    let read =
        || Ok::<_, SigstoreRootError>(vec![Instance::read(1, PUBLIC_GOOD)?, Instance::read(2, GITHUB)?]);
    read().unwrap_or_default()
});

/// The Sigstore instances that bundles may rely on.
pub struct SigstoreRoots(Roots);

/// Where they come from.
enum Roots {
    BuiltIn,
    File {
        instances: Vec<Instance>,
        sha256: [u8; 32],
        /// When the newest key or authority of the file began to count, Unix seconds.
        newest: u64,
    },
}

/// One instance: its certificate authorities, logs and timestamp authorities.
pub(super) struct Instance {
    pub(super) root: TrustedRoot,
    pub(super) verifier: Verifier,
    pub(super) log_keys: Keyring,
    pub(super) timestamp_authorities: Vec<TsaAuthority>,
}

impl fmt::Debug for SigstoreRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigstoreRoots")
            .field("file_sha256", &self.sha256().map(hex::encode))
            .finish()
    }
}

/// Why a file is not a trusted root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigstoreRootError {
    /// Too large, not UTF-8, no document at all, or too many.
    #[error(
        "it is not one to {MAX_INSTANCES} trusted_root.json documents of at most {MAX_FILE} bytes in all"
    )]
    NotRoots,
    /// A document that is not a trusted root.
    #[error("document {number} is not a usable trusted_root.json: {problem}")]
    Unusable {
        /// Which one, from 1.
        number: usize,
        /// What is wrong.
        problem: String,
    },
}

impl SigstoreRoots {
    /// The instances that are compiled in: the public-good one and GitHub's.
    #[must_use]
    pub fn built_in() -> Arc<Self> {
        static SHARED: LazyLock<Arc<SigstoreRoots>> =
            LazyLock::new(|| Arc::new(SigstoreRoots(Roots::BuiltIn)));
        Arc::clone(&SHARED)
    }

    /// The instances.
    pub(super) fn instances(&self) -> &[Instance] {
        match &self.0 {
            Roots::BuiltIn => &BUILT_IN,
            Roots::File { instances, .. } => instances,
        }
    }

    /// Until when the roots are known to be complete, Unix seconds: until they were read. A file does not say when that was, but not
    /// before its newest key began to count.
    pub(super) const fn complete_until(&self) -> u64 {
        match self.0 {
            Roots::BuiltIn => SNAPSHOT,
            Roots::File { newest, .. } => newest,
        }
    }

    /// The instances of a file: one `trusted_root.json`, or JSON lines of them as `gh attestation trusted-root` prints.
    ///
    /// # Errors
    /// `SigstoreRootError` where it holds something else.
    pub fn of_file(file: &[u8]) -> Result<Self, SigstoreRootError> {
        if file.len() > MAX_FILE {
            return Err(SigstoreRootError::NotRoots);
        }
        let documents: Vec<&serde_json::value::RawValue> = serde_json::Deserializer::from_slice(file)
            .into_iter()
            .take(MAX_INSTANCES + 1)
            .collect::<Result<_, _>>()
            .map_err(|_| SigstoreRootError::NotRoots)?;
        if documents.is_empty() || documents.len() > MAX_INSTANCES {
            return Err(SigstoreRootError::NotRoots);
        }
        let instances: Vec<Instance> = documents
            .iter()
            .enumerate()
            .map(|(index, document)| Instance::read(index + 1, document.get()))
            .collect::<Result<_, _>>()?;
        let starts = instances
            .iter()
            .flat_map(|instance| windows(&instance.root))
            .filter_map(|window| u64::try_from(window?.start.as_second()).ok());
        Ok(Self(Roots::File {
            newest: starts.max().unwrap_or_default(),
            instances,
            sha256: sha256(file),
        }))
    }

    /// SHA-256 of the file that the roots come from; `None` for those that are compiled in.
    #[must_use]
    pub const fn sha256(&self) -> Option<&[u8; 32]> {
        match &self.0 {
            Roots::BuiltIn => None,
            Roots::File { sha256, .. } => Some(sha256),
        }
    }

    /// Whether the roots that are compiled in are so old at `now` (Unix seconds) that new certificates may be missing.
    #[must_use]
    pub(crate) fn grow_old(&self, now: u64) -> bool {
        matches!(self.0, Roots::BuiltIn) && now > SNAPSHOT.saturating_add(SNAPSHOT_GROWS_OLD)
    }
}

/// When each key and authority of an instance counts.
fn windows(root: &TrustedRoot) -> impl Iterator<Item = Option<TimeRange>> + '_ {
    let (logs, timestamps) = (root.tlogs.iter(), root.timestamp_authorities.iter());
    logs.map(|log| log.public_key.valid_for)
        .chain(root.ctlogs.iter().map(|log| log.public_key.valid_for))
        .chain(root.certificate_authorities.iter().map(|ca| ca.valid_for))
        .chain(timestamps.map(|authority| authority.valid_for))
}

impl Instance {
    fn read(number: usize, document: &str) -> Result<Self, SigstoreRootError> {
        provider::install();
        let unusable = |problem: String| SigstoreRootError::Unusable { number, problem };
        let value = strict_json::read(document.as_bytes(), MAX_VALUES)
            .ok_or_else(|| unusable("it is not JSON, or a member occurs twice".to_owned()))?;
        let root: TrustedRoot =
            serde_json::from_value(value).map_err(|error| unusable(json_problem(&error)))?;
        // A window that has no start is refused when it is parsed; a key without a window would be good at any time.
        if windows(&root).any(|window| window.is_none()) {
            return Err(unusable("a key or an authority has no validFor".to_owned()));
        }
        if root.certificate_authorities.is_empty() {
            return Err(unusable("it has no certificate authority".to_owned()));
        }
        Ok(Self {
            verifier: Verifier::new(&root).map_err(|error| unusable(error.to_string()))?,
            log_keys: root.rekor_keys().map_err(|error| unusable(error.to_string()))?,
            timestamp_authorities: root.tsa_authorities(),
            root,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_that_are_compiled_in_grow_old_after_their_last_day() {
        let roots = SigstoreRoots::built_in();
        let last = SNAPSHOT + SNAPSHOT_GROWS_OLD;
        assert!(!roots.grow_old(SNAPSHOT));
        assert!(!roots.grow_old(last));
        assert!(roots.grow_old(last + 1));
    }
}
