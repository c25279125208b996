//! Each threat of `docs/threats.md` has at least two cases, or is named here with the reason why a bundle cannot show it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use conformance::case::Verdict;
use conformance::corpus;

/// Threats that no evidence bundle can show. `tests/attacks` and the tests that the threat list names cover them.
const NOT_IN_A_BUNDLE: &[(u16, &str)] = &[
    (4, "a relay: a bundle does not say who was connected to"),
    (16, "a verification service on the network"),
    (27, "TLS certificates of the way to the CVM"),
    (42, "several addresses"),
    (43, "a takeover after the boot, which no measurement shows"),
    (47, "addresses and redirects"),
    (48, "an answer without an end"),
    (49, "environment of the process"),
    (50, "inputs of the action"),
    (51, "workflow commands"),
    (52, "outputs of the action"),
    (53, "markup of the summary"),
    (54, "the program's own download"),
    (55, "environment of the process"),
    (56, "the life of the process"),
    (57, "a workflow that no longer runs"),
    (58, "texts of alerts"),
    (59, "secrets in logs"),
    (60, "deliveries of alerts"),
    (61, "the memory of alerts"),
    (78, "the user's own compose file"),
    (79, "a lock file"),
    (82, "a body above the limit of bytes"),
    (85, "services beside the CVM"),
    (86, "locks, policy files, reports"),
    (87, "differences of two texts"),
    (92, "the disk of the VM, which nothing measures"),
    (93, "remarks in a lock file"),
];

fn cases() -> Vec<conformance::case::Case> {
    corpus::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"), "").unwrap()
}

#[test]
fn every_threat_has_two_cases_or_a_reason() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/threats.md");
    let page = std::fs::read_to_string(page).unwrap();
    let listed: BTreeSet<u16> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| T")?.split(' ').next()?.parse().ok())
        .collect();
    assert!(listed.len() > 80, "the threat list was not found");
    let mut counted: BTreeMap<u16, usize> = BTreeMap::new();
    for case in cases() {
        for threat in &case.threats {
            *counted.entry(threat[1..].parse().unwrap()).or_default() += 1;
        }
    }
    let excused: BTreeSet<u16> = NOT_IN_A_BUNDLE.iter().map(|(threat, _)| *threat).collect();
    for threat in &listed {
        let cases = counted.get(threat).copied().unwrap_or_default();
        assert!(
            cases >= 2 || excused.contains(threat),
            "T{threat} has {cases} cases and no reason"
        );
    }
    for threat in counted.keys().chain(&excused) {
        assert!(listed.contains(threat), "T{threat} is not in the list");
    }
}

/// Reasons for which there is no case, and why.
const WITHOUT_CASE: [(&str, &str, &str); 8] = [
    (
        "source-provenance",
        "not-configured",
        "nothing is wrong: every case without a rule",
    ),
    (
        "source-provenance",
        "too-many-images",
        "a document of more than 64 images",
    ),
    (
        "source-provenance",
        "unreadable-compose",
        "`image-pins` fails first",
    ),
    (
        "source-provenance",
        "roots-grow-old",
        "the program's own roots are nine months old",
    ),
    ("source-provenance", "root-unusable", "a file of the user's"),
    (
        "source-provenance",
        "sct-invalid",
        "the simulated log of certificates signs what it should",
    ),
    (
        "source-provenance",
        "time-invalid",
        "of one log with one key, the signed time or the certificate is refused first",
    ),
    (
        "source-provenance",
        "timestamp-outside-validity",
        "the simulated authority is valid",
    ),
];

/// The reasons of the checks of GPUs and of images, whose evidence is signed by others than Intel and the guest.
#[test]
fn every_reason_of_gpus_and_images_has_a_case() {
    let cases = cases();
    for check in ["gpu", "source-provenance"] {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/checks/{check}.md"));
        let page = std::fs::read_to_string(page).unwrap();
        let reasons: Vec<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix("### "))
            .collect();
        assert!(reasons.len() > 20, "the reasons of {check} were not found");
        for reason in reasons {
            let has_case = cases.iter().any(|case| {
                let expected = &case.expected;
                expected.check.as_deref() == Some(check) && expected.reason.as_deref() == Some(reason)
            });
            let is_excused = WITHOUT_CASE
                .iter()
                .any(|(of, name, _)| (*of, *name) == (check, reason));
            assert!(has_case != is_excused, "{check}: {reason}: a case, or an excuse");
        }
    }
}

#[test]
fn there_are_six_hundred_cases_of_every_verdict() {
    let cases = cases();
    assert!(cases.len() >= 600, "{}", cases.len());
    for verdict in [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Usage,
        Verdict::Inconclusive,
    ] {
        let count = cases
            .iter()
            .filter(|case| case.expected.verdict == verdict)
            .count();
        assert!(count >= 10, "{verdict:?}: {count}");
    }
}

#[test]
fn the_same_corpus_has_the_same_bytes() {
    // Every kind of key signs something.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let some = [
        "pass-guest-0.5",
        "gpu-p",
        "provenance-",
        "kms-attested",
        "pass-tls",
    ];
    let cases: Vec<_> = some
        .iter()
        .flat_map(|only| corpus::read(&folder, only).unwrap())
        .collect();
    let made = |name: &str| {
        let folder = std::env::temp_dir().join(format!("corpus-{name}-{}", std::process::id()));
        conformance::make::all(&cases, &folder).unwrap();
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (
                    path.file_name().unwrap().to_owned(),
                    std::fs::read(&path).unwrap(),
                )
            })
            .collect();
        std::fs::remove_dir_all(&folder).unwrap();
        files.sort();
        files
    };
    assert_eq!(made("a"), made("b"));
}
