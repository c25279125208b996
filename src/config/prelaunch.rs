//! The pre-launch scripts that Phala Cloud puts into compose documents.
//!
//! Source: the public history of Phala's pre-launch script, and texts seen deployed that differ from it by a few bytes
//! (dstack-attestation.md §4.4).

/// A pre-launch script that is known by its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrelaunchRow {
    /// The version that the script prints.
    pub version: &'static str,
    /// SHA-256 of the text of `pre_launch_script`, 64 lower-case hex digits.
    pub sha256: &'static str,
}

const fn row(version: &'static str, sha256: &'static str) -> PrelaunchRow {
    PrelaunchRow { version, sha256 }
}

/// Every known script, newest first.
pub const PRELAUNCH_SCRIPTS: [PrelaunchRow; 22] = [
    row(
        "0.0.19",
        "cec8f68ce6185b912023d886bba20cd06386dd9751af904e6107e758b9d68983",
    ),
    row(
        "0.0.18",
        "24d363e17b26dabdbf287588c1e1968fd7fdfef10954123b99ff6c6a837c5692",
    ),
    row(
        "0.0.17",
        "93d29be852c0ccf92b275f824d71f1b589e906503c4d67332f36c633412fabe5",
    ),
    row(
        "0.0.16",
        "803d861b57b1c61244f3e6e48bc11a15f8d7e421d6f052282d90e0289e85903d",
    ),
    row(
        "0.0.16",
        "037a558a532ded8b5de956adb2a77684393abfc5a876a07274cf64035910c337",
    ),
    row(
        "0.0.16",
        "9843af25b7069841b22cee60ee8f225b3d52e893de71b208feae724a8f6787fa",
    ),
    row(
        "0.0.16",
        "4259eeddabdfcc73e657fef51d3511820f6899b1825db6a4ce0905c60f1f5869",
    ),
    row(
        "0.0.15",
        "bf12939bc82c9bdd103b6b1226913e6da58ed7cfcfc7c7ae808ac0813715b9a8",
    ),
    row(
        "0.0.14",
        "22ee7123712744ae1814257bfd0a396d0a3c990c5e240c4e93253bdb5b649765",
    ),
    row(
        "0.0.14",
        "0e289ab44fa756e02a3e850d60c22ab1cbf90cade311f98f555fad74a1c40d0a",
    ),
    row(
        "0.0.13",
        "c608c19a6756b532f9995ffafab1ae569d50acff5283162e9787ee85f642641a",
    ),
    row(
        "0.0.12",
        "7d3a3737bf3a59d6511cadb7b1867d21bae6d796136326c4be503323a5ad3741",
    ),
    row(
        "0.0.12",
        "ff3496dd73cd9bf4efd4228a52c43466501fc5f94dde378800f147cd58798d6f",
    ),
    row(
        "0.0.11",
        "d31c9df2af520aa5e23b99b428eba6854c84294b6f582dd46b150d624b0d4cbe",
    ),
    row(
        "0.0.10",
        "33778715b33573186ae1a32bbbd6e2a12047aaa1eecdeee7180216c2b1e0a24a",
    ),
    row(
        "0.0.8",
        "9c5470c546ed4d6e6351844121c92c18e477464f910df89a783aa26ffac4a410",
    ),
    row(
        "0.0.8",
        "ff8a8a7c013fe5bc7a027ec371a5d9dc3ce172e9e71aca5012730246eba3bb99",
    ),
    row(
        "0.0.7",
        "7ea66e7cbf824b4d48e08fa1fe348ce9dddd4b5aa3f5624a5860913904ac8a1e",
    ),
    row(
        "0.0.7",
        "a521f725e63916bdb6b266535ea4ab25877033ee36c395e52503da322da07313",
    ),
    row(
        "0.0.6",
        "7127d8fd1dd3f27bab2c0b4f04f402b59239ae6884c174186b6e7cc6dc4df898",
    ),
    row(
        "0.0.5",
        "3787d7beaf274f103b61b5e0220b113bffe7bd0dfb38545796eb7cfb46c3e3ba",
    ),
    row(
        "0.0.4",
        "6a68965b4966eeb08043afdac0cef7f0115e3d27f73fe0c028f81664ed05e04e",
    ),
];

/// The known script whose text has this SHA-256.
#[must_use]
pub fn known_prelaunch(sha256: &[u8; 32]) -> Option<&'static PrelaunchRow> {
    let sha256 = hex::encode(sha256);
    PRELAUNCH_SCRIPTS.iter().find(|row| row.sha256 == sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_found_by_its_hash_and_no_hash_stands_twice() {
        for row in &PRELAUNCH_SCRIPTS {
            let hash: [u8; 32] = hex::decode(row.sha256).unwrap().try_into().unwrap();
            assert_eq!(known_prelaunch(&hash), Some(row));
        }
        assert_eq!(known_prelaunch(&[0; 32]), None);
    }
}
