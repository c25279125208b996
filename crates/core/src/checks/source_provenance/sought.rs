//! Which images have a rule that names their source, and where statements about them may be.

use std::collections::BTreeSet;

use super::records::images;
use super::rules::rule_of;
use crate::evidence::{MAX_LOOKED_UP, RecordedStatements, StatementFile, StatementSource};
use crate::policy::{ExpectedSource, SourcePolicy};
use crate::report::rfc3339;
use crate::verify::{Claims, name_and_digest};

/// An image of a proven compose document, and where statements about it may be.
#[derive(Debug, Clone)]
pub struct Sought {
    /// `NAME@sha256:HEX`.
    pub image: String,
    /// Its digest.
    pub digest: [u8; 32],
    /// `OWNER/NAME` of the repository that GitHub stores the statements of.
    pub repository: String,
    /// Whether a signature without provenance is enough.
    pub signature_suffices: bool,
    /// The sources, asked in this order until the statements meet the rule.
    pub from: Vec<StatementSource>,
    /// Whether the statement may be about BuildKit's attestation.
    pub via_buildkit: bool,
}

/// The images that a rule expects a source of. None where the compose document is not proven.
#[must_use]
pub fn sought_sources(claims: &Claims, policy: &SourcePolicy) -> Vec<Sought> {
    images(claims).map_or_else(|_| Vec::new(), |images| sought_in(&images, policy))
}

/// The same of images that are known otherwise.
#[must_use]
pub fn sought_in(images: &BTreeSet<String>, policy: &SourcePolicy) -> Vec<Sought> {
    if images.len() > MAX_LOOKED_UP {
        return Vec::new();
    }
    let sought = |image: &String| {
        let (name, digest) = name_and_digest(image)?;
        let ExpectedSource::Built(source) = &rule_of(name, policy)?.expected else {
            return None;
        };
        let repository = source
            .attestation_repository
            .as_ref()
            .unwrap_or(&source.repository);
        Some(Sought {
            image: format!("{name}@sha256:{}", hex::encode(digest)),
            digest,
            repository: repository.clone(),
            signature_suffices: source.signature_suffices,
            from: source.from.clone(),
            via_buildkit: source.via_buildkit,
        })
    };
    images.iter().filter_map(sought).collect()
}

/// What the user's files say of them, at a time (Unix seconds), and the images that no file holds a statement about.
#[must_use]
pub fn statements_of_files(
    sought: Vec<Sought>,
    files: &[StatementFile],
    at: u64,
) -> (Vec<RecordedStatements>, Vec<Sought>) {
    let about = |image: &Sought| {
        let about = |file: &StatementFile| file.about(&image.image, &image.digest, rfc3339(at));
        files.iter().map(about).collect::<Vec<_>>()
    };
    let recorded: Vec<RecordedStatements> = sought.iter().flat_map(about).collect();
    let is_missing = |image: &Sought| {
        let of_image = |found: &RecordedStatements| found.image == image.image && !found.bundles.is_empty();
        !recorded.iter().any(of_image)
    };
    let missing = sought.into_iter().filter(is_missing).collect();
    (recorded, missing)
}
