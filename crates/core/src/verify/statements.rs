//! What is proven of who built the images: the recorded look-ups, with every bundle verified.

use std::collections::BTreeMap;

use super::provenance::{self, Refusal, SignedStatement, SigstoreRoots};
use crate::evidence::{LookupProblem, MAX_STATEMENTS, RecordedStatements, StatementSource};

/// What was found about one image.
#[derive(Debug, Clone, Default)]
pub struct ImageStatements {
    /// Every bundle, in the order in which it was found: the statement that it proves, or why it proves none.
    pub bundles: Vec<(StatementSource, Result<SignedStatement, Refusal>)>,
    /// Who was asked.
    pub asked: Vec<StatementSource>,
    /// What could not be looked up.
    pub problems: Vec<LookupProblem>,
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
        let room = MAX_STATEMENTS.saturating_sub(image.bundles.len());
        for bundle in record.bundles.iter().take(room) {
            let proven = provenance::verify(bundle.get().as_bytes(), &digest, roots, at);
            image.bundles.push((record.from, proven));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

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
