//! Phala's own pre-launch scripts: what Phala Cloud puts into each compose document as `pre_launch_script`.
//!
//! Source: dstack-attestation.md §4.4, which hashed every version of `phala-cloud-prelaunch-script/prelaunch.sh` in the
//! public repository dstack-examples, and two texts that were seen deployed and differ from it by a few bytes: nobody
//! published those.

/// A script of Phala's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrelaunchScript {
    /// The version that it prints, `v` left out.
    pub version: &'static str,
    /// SHA-256 of its text, hex.
    pub sha256: &'static str,
    /// Whether this very text was published, so that anybody can have read it.
    pub published: bool,
}

const fn script(version: &'static str, sha256: &'static str) -> PrelaunchScript {
    PrelaunchScript {
        version,
        sha256,
        published: true,
    }
}

const fn deployed(version: &'static str, sha256: &'static str) -> PrelaunchScript {
    PrelaunchScript {
        version,
        sha256,
        published: false,
    }
}

/// Every known text, the newest first.
pub const PRELAUNCH_SCRIPTS: [PrelaunchScript; 22] = [
    script(
        "0.0.19",
        "cec8f68ce6185b912023d886bba20cd06386dd9751af904e6107e758b9d68983",
    ),
    script(
        "0.0.18",
        "24d363e17b26dabdbf287588c1e1968fd7fdfef10954123b99ff6c6a837c5692",
    ),
    script(
        "0.0.17",
        "93d29be852c0ccf92b275f824d71f1b589e906503c4d67332f36c633412fabe5",
    ),
    script(
        "0.0.16",
        "803d861b57b1c61244f3e6e48bc11a15f8d7e421d6f052282d90e0289e85903d",
    ),
    script(
        "0.0.16",
        "037a558a532ded8b5de956adb2a77684393abfc5a876a07274cf64035910c337",
    ),
    script(
        "0.0.16",
        "9843af25b7069841b22cee60ee8f225b3d52e893de71b208feae724a8f6787fa",
    ),
    script(
        "0.0.16",
        "4259eeddabdfcc73e657fef51d3511820f6899b1825db6a4ce0905c60f1f5869",
    ),
    script(
        "0.0.15",
        "bf12939bc82c9bdd103b6b1226913e6da58ed7cfcfc7c7ae808ac0813715b9a8",
    ),
    script(
        "0.0.14",
        "22ee7123712744ae1814257bfd0a396d0a3c990c5e240c4e93253bdb5b649765",
    ),
    deployed(
        "0.0.14, as deployed",
        "0e289ab44fa756e02a3e850d60c22ab1cbf90cade311f98f555fad74a1c40d0a",
    ),
    script(
        "0.0.13",
        "c608c19a6756b532f9995ffafab1ae569d50acff5283162e9787ee85f642641a",
    ),
    script(
        "0.0.12",
        "7d3a3737bf3a59d6511cadb7b1867d21bae6d796136326c4be503323a5ad3741",
    ),
    deployed(
        "0.0.12, as deployed",
        "ff3496dd73cd9bf4efd4228a52c43466501fc5f94dde378800f147cd58798d6f",
    ),
    script(
        "0.0.11",
        "d31c9df2af520aa5e23b99b428eba6854c84294b6f582dd46b150d624b0d4cbe",
    ),
    script(
        "0.0.10",
        "33778715b33573186ae1a32bbbd6e2a12047aaa1eecdeee7180216c2b1e0a24a",
    ),
    script(
        "0.0.8",
        "9c5470c546ed4d6e6351844121c92c18e477464f910df89a783aa26ffac4a410",
    ),
    script(
        "0.0.8",
        "ff8a8a7c013fe5bc7a027ec371a5d9dc3ce172e9e71aca5012730246eba3bb99",
    ),
    script(
        "0.0.7",
        "7ea66e7cbf824b4d48e08fa1fe348ce9dddd4b5aa3f5624a5860913904ac8a1e",
    ),
    script(
        "0.0.7",
        "a521f725e63916bdb6b266535ea4ab25877033ee36c395e52503da322da07313",
    ),
    script(
        "0.0.6",
        "7127d8fd1dd3f27bab2c0b4f04f402b59239ae6884c174186b6e7cc6dc4df898",
    ),
    script(
        "0.0.5",
        "3787d7beaf274f103b61b5e0220b113bffe7bd0dfb38545796eb7cfb46c3e3ba",
    ),
    script(
        "0.0.4",
        "6a68965b4966eeb08043afdac0cef7f0115e3d27f73fe0c028f81664ed05e04e",
    ),
];

/// The script with this hash, hex in lower case.
#[must_use]
pub fn known_prelaunch_script(sha256: &str) -> Option<&'static PrelaunchScript> {
    PRELAUNCH_SCRIPTS.iter().find(|script| script.sha256 == sha256)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_row_is_a_hash_of_its_own() {
        let hashes: BTreeSet<&str> = PRELAUNCH_SCRIPTS.iter().map(|script| script.sha256).collect();
        assert_eq!(hashes.len(), PRELAUNCH_SCRIPTS.len());
        for script in PRELAUNCH_SCRIPTS {
            assert_eq!(hex::decode(script.sha256).unwrap().len(), 32);
            assert_eq!(script.sha256, script.sha256.to_lowercase());
            assert_eq!(known_prelaunch_script(script.sha256), Some(&script));
        }
    }
}
