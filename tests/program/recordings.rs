//! No recording of real hardware is refused for being new: by its boot events, its MRCONFIGID, its OS image or its scripts.

use std::path::Path;

use cvm_verify_core::report::{CheckId, Status};

use super::run::{Ran, run};
use simulator::recorded;

/// A recording, where its collateral is, and the time at which it is judged.
struct Recording {
    folder: &'static str,
    collateral: Option<&'static str>,
    at: &'static str,
    /// What fails and may: an image that is known to be bad, keys that come from no KMS.
    may_fail: &'static [(CheckId, &'static str)],
}

const fn recording(folder: &'static str, at: &'static str) -> Recording {
    Recording {
        folder,
        collateral: Some("collateral.json"),
        at,
        may_fail: &[],
    }
}

const RECORDINGS: &[Recording] = &[
    Recording {
        may_fail: &[
            (CheckId::OsImage, "development-image"),
            (CheckId::KeyProvider, "not-named"),
        ],
        ..recording("near-mpc-0.5.8", "2026-08-13T12:00:00Z")
    },
    Recording {
        may_fail: &[(CheckId::KeyProvider, "not-named")],
        ..recording("dstack-0.5-lium", "2026-02-19T12:00:00Z")
    },
    recording("dstack-0.6-lite", "2026-06-10T01:46:30Z"),
    Recording {
        may_fail: &[(CheckId::OsImage, "vulnerable-image")],
        ..recording("cases/solver-alice", "2025-09-02T12:00:00Z")
    },
    Recording {
        may_fail: &[(CheckId::OsImage, "vulnerable-image")],
        ..recording("cases/solver-bob", "2025-09-02T12:00:00Z")
    },
    Recording {
        collateral: Some("../solver-alice/collateral.json"),
        may_fail: &[(CheckId::OsImage, "vulnerable-image")],
        ..recording("cases/near-private-ml", "2025-09-02T12:00:00Z")
    },
    Recording {
        collateral: Some("collateral-solver.json"),
        ..recording("cases/shade-agent-0.3", "2025-09-02T12:00:00Z")
    },
    // Without collateral: what can be read is read.
    Recording {
        collateral: None,
        ..recording("lite-normalized-qemu-8.2", "2026-10-01T12:00:00Z")
    },
    Recording {
        collateral: None,
        ..recording("lite-normalized-qemu-10.2", "2026-10-01T12:00:00Z")
    },
    Recording {
        collateral: None,
        ..recording("lite-unnormalized-qemu-10.2-v1", "2026-10-01T12:00:00Z")
    },
    Recording {
        collateral: None,
        ..recording("dstack-0.4-example", "2026-10-01T12:00:00Z")
    },
];

fn replay(folder: &Path, recording: &Recording, more: &[String]) -> Ran {
    let mut args = vec![
        "replay".to_owned(),
        "--format=json".to_owned(),
        format!("--at={}", recording.at),
        format!("--attestation={}", folder.join("attestation.json").display()),
    ];
    for (option, file) in [("--info", "info.json"), ("--app-compose", "app-compose.json")] {
        if folder.join(file).exists() {
            args.push(format!("{option}={}", folder.join(file).display()));
        }
    }
    if let Some(file) = recording.collateral {
        args.push(format!("--collateral={}", folder.join(file).display()));
    }
    args.extend_from_slice(more);
    run(&args)
}

#[test]
fn no_recording_is_refused_for_being_new() {
    let Some(vectors) = recorded::folder() else {
        return;
    };
    for recording in RECORDINGS {
        let ran = replay(&vectors.join(recording.folder), recording, &[]);
        let target = ran.report().targets[0].clone();
        for check in &target.checks {
            let reason = check.reason.as_deref().unwrap_or_default();
            // That an image has a published hole is not because it is new.
            let allowed = recording.may_fail.contains(&(check.id, reason)) || reason == "vulnerable-image";
            assert!(
                check.status != Status::Fail || allowed,
                "{}: {} {reason}: {}",
                recording.folder,
                check.id,
                check.detail
            );
            assert_ne!(reason, "unsupported-tag", "{}", recording.folder);
            assert_ne!(reason, "unknown-event", "{}", recording.folder);
        }
        if recording.collateral.is_some() {
            ran.assert(CheckId::QuoteSignature, Status::Pass, None);
        }
    }
}

/// Every folder of recordings is in the list, or is of another kind.
#[test]
fn every_recording_with_an_attestation_is_judged() {
    let Some(vectors) = recorded::folder() else {
        return;
    };
    for entry in std::fs::read_dir(&vectors).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_recording = vectors.join(&name).join("attestation.json").exists();
        let is_listed = RECORDINGS.iter().any(|recording| recording.folder == name);
        assert_eq!(is_recording, is_listed, "{name}");
    }
}

#[test]
fn the_scripts_that_phala_deployed_are_recognised() {
    let Some(vectors) = recorded::folder() else {
        return;
    };
    for (folder, version) in [
        ("cases/solver-alice", "0.0.7"),
        ("cases/solver-bob", "0.0.7"),
        ("cases/near-private-ml", "0.0.8"),
    ] {
        let recording = RECORDINGS
            .iter()
            .find(|recording| recording.folder == folder)
            .unwrap();
        let ran = replay(&vectors.join(folder), recording, &[]);
        let check = ran.check(CheckId::LaunchInputs);
        assert_ne!(
            check.reason.as_deref(),
            Some("unknown-pre-launch-script"),
            "{folder}: {}",
            check.detail
        );
        assert!(
            !check.detail.contains("unknown pre-launch script"),
            "{folder}: {}",
            check.detail
        );
        let inspected = run(&[
            "inspect".to_owned(),
            vectors.join(folder).join("info.json").display().to_string(),
        ]);
        let text = format!("{}{}", inspected.stdout, inspected.stderr);
        let expected = format!("Phala Cloud's script, version {version}.");
        // The page of an /info document has the script where inspect reads such a document at all.
        assert!(
            inspected.code != 0 || text.contains(&expected),
            "{folder}: {text}"
        );
    }
}

/// A vulnerable image says which version to upgrade to, and the KMS sentence stands where the keys are judged.
#[test]
fn an_old_image_says_what_is_open_and_which_version_closes_it() {
    let Some(vectors) = recorded::folder() else {
        return;
    };
    let recording = RECORDINGS
        .iter()
        .find(|recording| recording.folder == "cases/solver-alice")
        .unwrap();
    let ran = replay(&vectors.join(recording.folder), recording, &[]);
    ran.assert(CheckId::OsImage, Status::Fail, Some("vulnerable-image"));
    let check = ran.check(CheckId::OsImage);
    assert!(check.detail.contains("CVE-2025-59054"), "{}", check.detail);
    assert!(
        check.fix.as_deref().unwrap().contains("dstack 0.5.13 or later"),
        "{check:?}"
    );
    let keys = ran.check(CheckId::KeyProvider);
    assert!(
        keys.detail
            .contains("a host could have stood in for the KMS (#1522); 0.5.13 closes it"),
        "{}",
        keys.detail
    );
    ran.assert(CheckId::MrConfigId, Status::Pass, None);
}
