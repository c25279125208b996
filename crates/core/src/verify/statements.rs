//! What is proven of who built the images: the recorded look-ups, with every bundle verified.

use std::collections::BTreeMap;

use super::oci::{self, Index, OciDocuments};
use super::provenance::{self, Refusal, SignedStatement, SigstoreRoots};
use crate::evidence::{LookupProblem, MAX_STATEMENTS, RecordedStatements, StatementSource};

/// What was found about one image.
#[derive(Debug, Clone, Default)]
pub struct ImageStatements {
    /// Every bundle, in the order in which it was found.
    pub bundles: Vec<FoundStatement>,
    /// Who was asked.
    pub asked: Vec<StatementSource>,
    /// What could not be looked up.
    pub problems: Vec<LookupProblem>,
    /// Whether BuildKit put an attestation next to the image. Unless somebody signed it, it proves nothing.
    pub has_attestation: bool,
    /// Whether the registry has a signature of cosign's old format, which is not read.
    pub has_legacy_signature: bool,
}

impl ImageStatements {
    /// The same of an image that a container runs for another platform than linux/amd64: what was stated of that one says nothing of it.
    #[must_use]
    pub(crate) fn for_any_platform(mut self) -> Self {
        for bundle in &mut self.bundles {
            if bundle.about != AboutImage::Pinned && bundle.proven.is_ok() {
                bundle.proven = Err(Refusal::OtherPlatform);
            }
        }
        self
    }
}

/// What a statement is about, of what an image's digest vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AboutImage {
    /// The digest itself.
    Pinned,
    /// What an index has for linux/amd64.
    Platform,
    /// The attestation that BuildKit put next to that one.
    Attestation,
}

/// A bundle that was found.
#[derive(Debug, Clone)]
pub struct FoundStatement {
    /// Who had it.
    pub from: StatementSource,
    /// What it is about, if it proves a statement.
    pub about: AboutImage,
    /// The statement that it proves, or why it proves none.
    pub proven: Result<SignedStatement, Refusal>,
}

/// An image's name without tag and digest, and its digest; `None` where it has none.
#[must_use]
pub fn name_and_digest(reference: &str) -> Option<(&str, [u8; 32])> {
    let (name, hex) = reference.split_once("@sha256:")?;
    let lower = hex
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let digest = hex::decode(hex).ok()?.try_into().ok().filter(|_| lower)?;
    let last = name.rsplit('/').next().unwrap_or(name);
    let name = match last.split_once(':') {
        Some((_, tag)) => name.get(..name.len() - tag.len() - 1).unwrap_or(name),
        None => name,
    };
    Some((name, digest))
}

/// Verifies what was recorded, at `at` (Unix seconds). By image, `NAME@sha256:HEX` without a tag.
#[must_use]
pub fn verify_statements(
    recorded: &[RecordedStatements],
    roots: &SigstoreRoots,
    at: u64,
) -> BTreeMap<String, ImageStatements> {
    let mut found: BTreeMap<String, ImageStatements> = BTreeMap::new();
    for record in recorded {
        let Some((name, digest)) = name_and_digest(&record.image) else {
            continue;
        };
        let image = found
            .entry(format!("{name}@sha256:{}", hex::encode(digest)))
            .or_default();
        image.asked.push(record.from);
        image.problems.extend(record.problem.clone());
        let read = image.bundles.iter().filter(|bundle| bundle.from == record.from);
        let room = MAX_STATEMENTS.saturating_sub(read.count());
        if record.bundles.len() > room {
            image.problems.push(LookupProblem::too_many(record.from));
        }
        let subjects = Subjects::of(digest, &record.documents);
        image.has_attestation |= subjects.attestation.is_some();
        image.has_legacy_signature |= record.legacy_signature;
        for bundle in record.bundles.iter().take(room) {
            let (about, proven) = subjects.verify(bundle.get().as_bytes(), roots, at);
            let from = record.from;
            image.bundles.push(FoundStatement { from, about, proven });
        }
    }
    found
}

/// What a statement may be about, to be about an image.
struct Subjects<'a> {
    /// The digest by which it is pinned.
    pinned: [u8; 32],
    /// The manifest that an index has for the guest's platform.
    platform: Option<[u8; 32]>,
    /// The manifest of what BuildKit attests about that one.
    attestation: Option<[u8; 32]>,
    /// The provenance in it.
    layer: Option<&'a str>,
}

impl<'a> Subjects<'a> {
    fn of(pinned: [u8; 32], documents: &'a [String]) -> Self {
        let documents = OciDocuments::of(documents);
        let index = documents.get(&pinned).and_then(Index::read);
        let attestation = index.as_ref().and_then(|index| index.attestation);
        let manifest = attestation.and_then(|digest| documents.get(&digest));
        Self {
            pinned,
            platform: index.map(|index| index.image),
            attestation,
            layer: manifest
                .and_then(oci::provenance_layer)
                .and_then(|digest| documents.get(&digest)),
        }
    }

    /// Verifies a bundle over the first of them that it is about, and which one that is.
    fn verify(
        &self,
        bundle: &[u8],
        roots: &SigstoreRoots,
        at: u64,
    ) -> (AboutImage, Result<SignedStatement, Refusal>) {
        let over = |digest: &[u8; 32]| provenance::verify(bundle, digest, roots, at);
        let direct = over(&self.pinned);
        let (Err(Refusal::OtherSubject), Some(platform)) = (&direct, &self.platform) else {
            return (AboutImage::Pinned, direct);
        };
        let of_platform = over(platform);
        let (Err(Refusal::OtherSubject), Some(attestation)) = (&of_platform, &self.attestation) else {
            return (AboutImage::Platform, of_platform);
        };
        match (over(attestation), self.layer) {
            (Ok(signed), Some(layer)) => (AboutImage::Attestation, signed.carrying(layer, platform)),
            (Ok(_), None) => (AboutImage::Attestation, Err(Refusal::OtherSubject)),
            (Err(refusal), _) => (AboutImage::Pinned, Err(refusal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::LookupProblemKind;

    #[test]
    fn what_is_not_read_is_a_problem() {
        let hex = "ab".repeat(32);
        let of = |counts: &[usize]| {
            let record = |count: &usize| RecordedStatements {
                image: format!("web@sha256:{hex}"),
                from: StatementSource::File,
                url: None,
                fetched_at: String::new(),
                bundles: vec![serde_json::value::to_raw_value(&()).unwrap(); *count],
                problem: None,
                documents: Vec::new(),
                legacy_signature: false,
            };
            let records: Vec<RecordedStatements> = counts.iter().map(record).collect();
            let found = verify_statements(&records, &SigstoreRoots::built_in(), 0);
            let image = &found[&format!("web@sha256:{hex}")];
            let kinds: Vec<_> = image.problems.iter().map(|problem| problem.kind).collect();
            (image.bundles.len(), kinds)
        };
        assert_eq!(of(&[30]), (30, vec![]));
        assert_eq!(of(&[31]), (30, vec![LookupProblemKind::TooManyStatements]));
        assert_eq!(of(&[20, 11]), (30, vec![LookupProblemKind::TooManyStatements]));
    }

    #[test]
    fn what_one_look_up_finds_beside_an_image_no_other_takes_back() {
        let kind = "application/vnd.oci.image";
        let image = "ab".repeat(32);
        let index = serde_json::json!({
            "mediaType": format!("{kind}.index.v1+json"),
            "schemaVersion": 2,
            "manifests": [
                {
                    "mediaType": format!("{kind}.manifest.v1+json"), "digest": format!("sha256:{image}"),
                    "platform": { "os": "linux", "architecture": "amd64" },
                },
                {
                    "mediaType": format!("{kind}.manifest.v1+json"), "digest": format!("sha256:{}", "cd".repeat(32)),
                    "platform": { "os": "unknown", "architecture": "unknown" },
                    "annotations": {
                        "vnd.docker.reference.type": "attestation-manifest",
                        "vnd.docker.reference.digest": format!("sha256:{image}"),
                    },
                },
            ],
        })
        .to_string();
        let pinned = format!(
            "web@sha256:{}",
            hex::encode(crate::verify::digest::sha256(index.as_bytes()))
        );
        let record = |finds: bool| RecordedStatements {
            image: pinned.clone(),
            from: StatementSource::File,
            url: None,
            fetched_at: String::new(),
            bundles: Vec::new(),
            problem: None,
            documents: finds.then(|| index.clone()).into_iter().collect(),
            legacy_signature: finds,
        };
        for finds in [
            vec![],
            vec![false],
            vec![true, false],
            vec![false, true],
            vec![true, true],
        ] {
            let records: Vec<RecordedStatements> = finds.iter().copied().map(record).collect();
            let found = verify_statements(&records, &SigstoreRoots::built_in(), 0);
            let found = found.get(&pinned).cloned().unwrap_or_default();
            let expected = finds.contains(&true);
            assert_eq!(
                (found.has_attestation, found.has_legacy_signature),
                (expected, expected),
                "{finds:?}"
            );
        }
    }

    #[test]
    fn a_name_ends_before_its_tag_and_a_port_is_no_tag() {
        let hex = "ab".repeat(32);
        for (reference, name) in [
            ("ghcr.io/example/web", "ghcr.io/example/web"),
            ("ghcr.io/example/web:1.2", "ghcr.io/example/web"),
            ("localhost:5000/web", "localhost:5000/web"),
            ("localhost:5000/web:1", "localhost:5000/web"),
            ("redis:7", "redis"),
        ] {
            let pinned = format!("{reference}@sha256:{hex}");
            assert_eq!(
                name_and_digest(&pinned).unwrap(),
                (name, [0xab; 32]),
                "{reference}"
            );
        }
        for unpinned in [
            "web".to_owned(),
            "web:1".to_owned(),
            format!("web@sha256:{}", "AB".repeat(32)),
            "web@sha256:00".to_owned(),
            format!("web@sha512:{hex}"),
        ] {
            assert_eq!(name_and_digest(&unpinned), None, "{unpinned}");
        }
    }
}
