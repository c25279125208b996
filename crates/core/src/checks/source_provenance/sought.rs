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

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::super::identity::tests::rule;
    use super::*;
    use crate::policy::{ImagePattern, Origin, SourceRule};

    fn image(number: usize) -> String {
        format!("ghcr.io/example/web-{number}@sha256:{number:064x}")
    }

    fn policy() -> SourcePolicy {
        let rule = SourceRule {
            image: ImagePattern::Rest,
            expected: ExpectedSource::Built(Box::new(rule())),
            is_optional: false,
            origin: Origin::Option("--provenance"),
        };
        SourcePolicy {
            rules: vec![rule].into(),
            ..SourcePolicy::default()
        }
    }

    /// Each image costs a look-up. Of too many none is looked up: which ones would be for the host to choose.
    #[test]
    fn all_images_are_looked_up_or_none() {
        for (count, found) in [
            (0, 0),
            (1, 1),
            (MAX_LOOKED_UP, MAX_LOOKED_UP),
            (MAX_LOOKED_UP + 1, 0),
            (MAX_LOOKED_UP + 2, 0),
        ] {
            let images = (0..count).map(image).collect();
            assert_eq!(sought_in(&images, &policy()).len(), found, "{count}");
        }
    }

    #[test]
    fn an_image_that_no_file_is_about_is_looked_up_elsewhere() {
        let sought = sought_in(&(0..3).map(image).collect(), &policy());
        let about = |one: &Sought| {
            let statement = format!("{{\"sha256\":\"{}\"}}", hex::encode(one.digest));
            let payload = base64::engine::general_purpose::STANDARD.encode(statement);
            let bundle = format!("{{\"dsseEnvelope\":{{\"payload\":\"{payload}\"}}}}");
            StatementFile::parse("a.json", bundle.as_bytes()).unwrap()
        };
        let files = [about(&sought[0]), about(&sought[2])];
        let (recorded, missing) = statements_of_files(sought.clone(), &files, 0);
        let missing: Vec<&str> = missing.iter().map(|one| one.image.as_str()).collect();
        assert_eq!(missing, [sought[1].image.as_str()]);
        assert_eq!(recorded.len(), 6);
        let (recorded, missing) = statements_of_files(sought, &[], 0);
        assert_eq!((recorded.len(), missing.len()), (0, 3));
    }
}
