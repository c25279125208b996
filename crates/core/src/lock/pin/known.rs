//! How the image of a new lock is known, where the lock that is there says something of the same registers.

use crate::policy::{FilesIdentity, KnownBy};

/// How the image of a new lock is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JoinedKnowledge {
    pub(super) known_by: KnownBy,
    /// The hash of the lock that is there and that of this run, 32 bytes each, where they differ.
    pub(super) other_hash: Option<([u8; 32], [u8; 32])>,
    /// Whether the hash is the lock's alone: this run knows nothing of the image.
    pub(super) is_kept: bool,
}

/// Joins what the lock that is there says of an image with what this run confirms of the same registers. What this run confirms
/// comes first. What the lock adds stays: a version, that it is a development image, and a hash where this run knows none. `row_hash`
/// is the hash of the row that has the registers.
pub(super) fn joined(before: Option<&KnownBy>, now: &KnownBy, row_hash: Option<[u8; 32]>) -> JoinedKnowledge {
    let hash_before = before.and_then(KnownBy::hash).copied();
    let hash_now = match now {
        KnownBy::Row => row_hash,
        _ => now.hash().copied(),
    };
    let other_hash = hash_before.zip(hash_now).filter(|(before, now)| before != now);
    let is_development = [before, Some(now)]
        .into_iter()
        .flatten()
        .any(|known| matches!(known, KnownBy::DevelopmentFiles(_)));
    let version = now
        .version()
        .or_else(|| before.and_then(KnownBy::version))
        .cloned();
    let is_by_files = matches!(now, KnownBy::Files(_))
        || version.is_some()
        || other_hash.is_none() && matches!(before, Some(KnownBy::Files(_)));
    // The row says everything that the lock does.
    let is_row_enough = *now == KnownBy::Row
        && !is_development
        && (hash_before.is_none() || other_hash.is_some() && version.is_none());
    let known_by = match hash_now.or(hash_before) {
        Some(os_image_hash) if !is_row_enough => {
            let files = FilesIdentity {
                os_image_hash,
                version,
            };
            match (is_development, is_by_files) {
                (true, _) => KnownBy::DevelopmentFiles(files),
                (false, true) => KnownBy::Files(files),
                (false, false) => KnownBy::PublishedHash(os_image_hash),
            }
        }
        _ => now.clone(),
    };
    JoinedKnowledge {
        known_by,
        other_hash,
        is_kept: *now == KnownBy::Unknown && hash_before.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `1` and `2` stand for a hash of 32 such bytes.
    fn known(text: &str) -> KnownBy {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let (hash, version) = rest.split_once(' ').unwrap_or((rest, ""));
        let hash = hash.repeat(64);
        format!("{word} {hash} {version}").trim().parse().unwrap()
    }

    const ALL: [&str; 11] = [
        "row",
        "unknown",
        "published-hash 1",
        "published-hash 2",
        "files 1",
        "files 1 0.5.2",
        "files 2",
        "files 2 0.5.3",
        "development-files 1",
        "development-files 2",
        "development-files 2 0.5.3",
    ];

    /// What this run finds, in columns; a row of the table has the hash 2.
    const NOW: [&str; 6] = [
        "row",
        "unknown",
        "published-hash 2",
        "files 2",
        "files 2 0.5.2",
        "development-files 2",
    ];

    /// Before, then what comes of it for each of `NOW`; `!` where the hashes differ.
    const TABLE: [(&str, [&str; 6]); 11] = [
        (
            "row",
            [
                "row",
                "unknown",
                "published-hash 2",
                "files 2",
                "files 2 0.5.2",
                "development-files 2",
            ],
        ),
        (
            "unknown",
            [
                "row",
                "unknown",
                "published-hash 2",
                "files 2",
                "files 2 0.5.2",
                "development-files 2",
            ],
        ),
        (
            "published-hash 1",
            [
                "!row",
                "published-hash 1",
                "!published-hash 2",
                "!files 2",
                "!files 2 0.5.2",
                "!development-files 2",
            ],
        ),
        (
            "published-hash 2",
            [
                "published-hash 2",
                "published-hash 2",
                "published-hash 2",
                "files 2",
                "files 2 0.5.2",
                "development-files 2",
            ],
        ),
        (
            "files 1",
            [
                "!row",
                "files 1",
                "!published-hash 2",
                "!files 2",
                "!files 2 0.5.2",
                "!development-files 2",
            ],
        ),
        (
            "files 1 0.5.2",
            [
                "!files 2 0.5.2",
                "files 1 0.5.2",
                "!files 2 0.5.2",
                "!files 2 0.5.2",
                "!files 2 0.5.2",
                "!development-files 2 0.5.2",
            ],
        ),
        (
            "files 2",
            [
                "files 2",
                "files 2",
                "files 2",
                "files 2",
                "files 2 0.5.2",
                "development-files 2",
            ],
        ),
        (
            "files 2 0.5.3",
            [
                "files 2 0.5.3",
                "files 2 0.5.3",
                "files 2 0.5.3",
                "files 2 0.5.3",
                "files 2 0.5.2",
                "development-files 2 0.5.3",
            ],
        ),
        (
            "development-files 1",
            [
                "!development-files 2",
                "development-files 1",
                "!development-files 2",
                "!development-files 2",
                "!development-files 2 0.5.2",
                "!development-files 2",
            ],
        ),
        (
            "development-files 2",
            [
                "development-files 2",
                "development-files 2",
                "development-files 2",
                "development-files 2",
                "development-files 2 0.5.2",
                "development-files 2",
            ],
        ),
        (
            "development-files 2 0.5.3",
            [
                "development-files 2 0.5.3",
                "development-files 2 0.5.3",
                "development-files 2 0.5.3",
                "development-files 2 0.5.3",
                "development-files 2 0.5.2",
                "development-files 2 0.5.3",
            ],
        ),
    ];

    #[test]
    fn what_this_run_confirms_comes_first_and_nothing_worse_is_lost() {
        assert_eq!(TABLE.map(|(before, _)| before), ALL);
        for (before, results) in TABLE {
            for (now, expected) in NOW.iter().zip(results) {
                let found = joined(Some(&known(before)), &known(now), Some([0x22; 32]));
                let (differs, expected) = match expected.strip_prefix('!') {
                    Some(expected) => (true, expected),
                    None => (false, expected),
                };
                assert_eq!(found.known_by, known(expected), "{before}, then {now}");
                assert_eq!(found.other_hash.is_some(), differs, "{before}, then {now}");
                let is_kept = *now == "unknown" && !matches!(before, "row" | "unknown");
                assert_eq!(found.is_kept, is_kept, "{before}, then {now}");
            }
        }
    }

    #[test]
    fn whatever_was_before_a_run_that_finds_it_again_changes_nothing() {
        for before in ALL.map(known) {
            for now in ALL.map(known) {
                let first = joined(Some(&before), &now, Some([0x22; 32])).known_by;
                let second = joined(Some(&first), &now, Some([0x22; 32]));
                assert_eq!(second.known_by, first, "{before}, then {now}");
                assert_eq!(second.other_hash, None, "{before}, then {now}");
            }
        }
        for now in ALL.map(known) {
            let alone = joined(None, &now, Some([0x22; 32]));
            assert!(alone.known_by == now && alone.other_hash.is_none() && !alone.is_kept);
        }
        // A row without a hash contradicts none.
        let row = joined(Some(&known("files 1 0.5.2")), &KnownBy::Row, None);
        assert!(row.known_by == known("files 1 0.5.2") && row.other_hash.is_none());
    }
}
