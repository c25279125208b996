//! Which images have a rule that names their source, and where statements about them may be.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::{ImageOutcome, judge};
use super::records::images;
use super::rules::rule_of;
use crate::evidence::{MAX_LOOKED_UP, RecordedStatements, StatementFile, StatementSource};
use crate::policy::{ExpectedSource, SourcePolicy};
use crate::report::rfc3339;
use crate::verify::{Claims, ImageStatements, name_and_digest, verify_statements};

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

/// What the user's files say of them, at a time (Unix seconds).
#[must_use]
pub fn statements_of_files(sought: &[Sought], files: &[StatementFile], at: u64) -> Vec<RecordedStatements> {
    let about = |image: &Sought| {
        let about = |file: &StatementFile| file.about(&image.image, &image.digest, rfc3339(at));
        files.iter().map(about).collect::<Vec<_>>()
    };
    sought.iter().flat_map(about).collect()
}

/// Whether the rule of an image is met by provenance: then no other statement could say more of it. `Some(false)` where a signature meets
/// it, which grants no tier: another source may have the provenance. `None` where nothing meets it.
#[must_use]
pub fn met_by_provenance(
    image: &str,
    statements: &BTreeMap<String, ImageStatements>,
    policy: &SourcePolicy,
) -> Option<bool> {
    match judge(image, statements, policy).outcome {
        ImageOutcome::Proven(matched) => Some(!matched.lacks_provenance()),
        _ => None,
    }
}

/// The images of which something is open after what was found so far: a statement of another signer or of another kind ends nothing,
/// because another source may have the right one.
#[must_use]
pub fn still_sought(
    mut sought: Vec<Sought>,
    found: &[RecordedStatements],
    policy: &SourcePolicy,
    at: u64,
) -> Vec<Sought> {
    let statements = verify_statements(found, &policy.roots, at);
    sought.retain(|image| met_by_provenance(&image.image, &statements, policy) != Some(true));
    sought
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use simulator::{Sigstore, Workflow};

    use super::super::identity::tests::rule;
    use super::*;
    use crate::policy::{BuildSource, ImagePattern, Origin, SourceRule};
    use crate::verify::provenance::SigstoreRoots;

    /// When everything is signed, Unix seconds.
    const AT: u64 = 1_700_000_000;

    fn image(number: usize) -> String {
        format!("ghcr.io/example/web-{number}@sha256:{number:064x}")
    }

    fn policy() -> SourcePolicy {
        let rule = SourceRule {
            image: ImagePattern::Rest,
            expected: ExpectedSource::Built(Box::new(BuildSource {
                repository_id: None,
                workflow_ref: None,
                environment: None,
                ..rule()
            })),
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

    /// Whether a statement is about the right digest and of the right kind is for the rule to say.
    #[test]
    fn an_image_whose_rule_no_file_meets_is_looked_up_elsewhere() {
        let built = Workflow::default();
        let sigstore = Sigstore::new(7, AT);
        let mut policy = policy();
        let root = sigstore.trusted_root().to_string();
        policy.roots = SigstoreRoots::of_file(root.as_bytes()).unwrap().into();
        let sought = sought_in(&(0..4).map(image).collect(), &policy);
        let file = |statement: &Value| {
            let bundle = sigstore.sign(&built, statement).to_string();
            StatementFile::parse("a.json", bundle.as_bytes()).unwrap()
        };
        let of = |one: &Sought| built.provenance("image", &hex::encode(one.digest));
        let mut release = of(&sought[1]);
        release["predicateType"] = "https://in-toto.io/attestation/release/v0.1".into();
        // Provenance of the first image that names the third one as what it was built from.
        let mut right = of(&sought[0]);
        right["predicate"]["buildDefinition"]["resolvedDependencies"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "uri": "base", "digest": { "sha256": hex::encode(sought[2].digest) } }));
        let files = [file(&right), file(&release)];
        let found = statements_of_files(&sought, &files, AT);
        let counts: Vec<usize> = found.iter().map(|found| found.bundles.len()).collect();
        assert_eq!(counts, [1, 0, 0, 1, 0, 0, 0, 0]);
        let still = still_sought(sought.clone(), &found, &policy, AT);
        let still: Vec<&str> = still.iter().map(|one| one.image.as_str()).collect();
        let expected: Vec<&str> = sought[1..].iter().map(|one| one.image.as_str()).collect();
        assert_eq!(still, expected);
    }
}
