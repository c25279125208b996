//! Recorded evidence from real hardware gives the results that its README promises.

use cvm_verify_core::report::CheckId;
use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status;
use cvm_verify_core::report::Status::*;
use cvm_verify_core::report::{Assurance, Verdict};

use simulator::recorded;

use super::run::{Ran, run};

/// Replays a vector with the files that it has.
pub fn replay(vector: &str, more: &[&str]) -> Option<Ran> {
    let folder = recorded::folder()?.join(vector);
    let mut args = vec!["replay".to_owned(), "--format=json".to_owned()];
    for (option, file) in [
        ("--attestation", "attestation.json"),
        ("--info", "info.json"),
        ("--app-compose", "app-compose.json"),
        ("--collateral", "collateral.json"),
    ] {
        let path = folder.join(file);
        if path.exists() {
            args.extend([option.to_owned(), path.display().to_string()]);
        }
    }
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    Some(run(&args))
}

type Expected = (CheckId, Status, Option<&'static str>);

/// What is found of all evidence that is authentic, where nothing is expected of it.
const AUTHENTIC: [Expected; 14] = [
    (Evidence, Pass, None),
    (Collateral, Pass, None),
    (QuoteSignature, Pass, None),
    (TcbStatus, Pass, None),
    (TdAttributes, Pass, None),
    (Freshness, Skip, Some("no-nonce")),
    (ReportData, Pass, None),
    (EventLog, Pass, None),
    (BootOrder, Pass, None),
    (ComposeHash, Skip, Some("no-expectation")),
    (AppId, Skip, Some("no-expectation")),
    (InstanceId, Skip, Some("no-expectation")),
    (PlatformId, Skip, Some("not-configured")),
    (PhalaApi, Skip, Some("not-configured")),
];

/// [`AUTHENTIC`], and these.
#[track_caller]
fn assert_all(ran: &Ran, others: &[Expected]) {
    let expected: Vec<&Expected> = AUTHENTIC.iter().chain(others).collect();
    for (id, status, reason) in &expected {
        ran.assert(*id, *status, *reason);
    }
    // What is not listed was not asked for, and passes nothing.
    for id in CheckId::ALL {
        if !expected.iter().any(|(listed, ..)| *listed == id) {
            assert_eq!(ran.check(id).status, Skip, "{id}");
        }
    }
}

const NEAR_AT: &str = "--at=2026-08-13T12:00:00Z";
const NEAR_HASH: &str = "2911e1f733466216dedb862d6d669e11256ee7a34ce4dbc66c4b807ba7a9c895";

#[test]
fn near_mpc_is_genuine_but_a_development_image_with_local_keys() {
    let Some(ran) = replay("near-mpc-0.5.8", &[NEAR_AT]) else {
        return;
    };
    assert_eq!(ran.code, 1);
    assert_all(
        &ran,
        &[
            (OsImage, Fail, Some("development-image")),
            (KeyProvider, Fail, Some("not-named")),
            (MrConfigId, Pass, None),
            (ImagePins, Warn, Some("unmeasured-input")),
            (LaunchInputs, Warn, Some("host-access")),
            (Gpu, Skip, Some("no-gpu")),
        ],
    );
    let target = &ran.report().targets[0];
    assert_eq!(target.tcb.status.as_deref(), Some("UpToDate"));
    assert_eq!(target.tcb.eval_data_number, Some(19));
    assert_eq!(target.tcb.fmspc.as_deref(), Some("b0c06f000000"));
    assert_eq!(target.measurements.compose_hash.as_deref(), Some(NEAR_HASH));
    assert_eq!(
        target.measurements.mr_config_id.as_deref().map(|id| &id[2..66]),
        Some(NEAR_HASH)
    );
    ran.assert_detail(LaunchInputs, "Docker socket");
    ran.assert_detail(ImagePins, "services.launcher.volumes[2]: `/tapp`");
}

#[test]
fn near_mpc_passes_at_the_hardware_tier_with_its_waivers_named() {
    let waivers = [
        NEAR_AT,
        "--os-image=unchecked",
        "--freshness=unchecked",
        "--key-provider=local-sgx",
        "--require-assurance=hardware",
        "--compose-hash",
        NEAR_HASH,
    ];
    let Some(ran) = replay("near-mpc-0.5.8", &waivers) else {
        return;
    };
    assert_eq!(ran.code, 0);
    let target = &ran.report().targets[0];
    assert_eq!(target.verdict, Verdict::Pass);
    assert_eq!(target.waived, [Freshness, OsImage]);
    assert_eq!(target.assurance, Assurance::None);
}

#[test]
fn near_mpc_fails_on_another_compose_hash_and_on_another_time_is_inconclusive() {
    let other = "00".repeat(32);
    let Some(ran) = replay("near-mpc-0.5.8", &[NEAR_AT, "--compose-hash", &other]) else {
        return;
    };
    ran.assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    let Some(ran) = replay("near-mpc-0.5.8", &["--at=2026-10-13"]) else {
        return;
    };
    assert_eq!(ran.code, 3);
    ran.assert(Collateral, Error, Some("expired"));
    ran.assert(QuoteSignature, Error, Some("quote-not-proven"));
    let Some(ran) = replay("near-mpc-0.5.8", &["--at=2026-08-01"]) else {
        return;
    };
    ran.assert(Collateral, Error, Some("not-yet-valid"));
}

#[test]
fn lium_replays_with_an_event_of_its_own_and_an_unnamed_image() {
    let Some(ran) = replay("dstack-0.5-lium", &["--at=2026-02-19T12:00:00Z"]) else {
        return;
    };
    assert_all(
        &ran,
        &[
            (OsImage, Skip, Some("no-reference")),
            (KeyProvider, Fail, Some("not-named")),
            (MrConfigId, Skip, Some("unbound")),
            (ImagePins, Error, Some("no-compose-document")),
            (LaunchInputs, Error, Some("no-compose-document")),
            (Gpu, Warn, Some("gpu-unverified")),
        ],
    );
    let target = &ran.report().targets[0];
    assert_eq!(
        target.measurements.report_data.as_deref(),
        Some(format!("1234{}", "0".repeat(124)).as_str())
    );
    assert_eq!(target.tcb.fmspc.as_deref(), Some("90c06f000000"));
}

#[test]
fn lite_replays_only_because_digests_are_recomputed() {
    let Some(ran) = replay("dstack-0.6-lite", &["--at=2026-06-10T01:46:30Z"]) else {
        return;
    };
    assert_eq!(ran.code, 1);
    assert_all(
        &ran,
        &[
            (OsImage, Fail, Some("vulnerable-image")),
            (KeyProvider, Warn, Some("unpinned")),
            (MrConfigId, Pass, None),
            (ImagePins, Error, Some("no-compose-document")),
            (LaunchInputs, Error, Some("no-compose-document")),
            (Gpu, Skip, Some("no-gpu")),
        ],
    );
    assert_eq!(ran.report().targets[0].tcb.status.as_deref(), Some("UpToDate"));
}

/// The image of a pre-release with a published hole, whose registers are in the table.
#[test]
fn lite_is_accepted_by_its_hash_with_an_end_date_alone() {
    let hash = "e6f5cfec20c02e7b97baa213d0f718020b55e040172d90ccbcb946d56c8b09db";
    let with = |image: String| replay("dstack-0.6-lite", &["--at=2026-06-10T01:46:30Z", &image]);
    let Some(named) = with(format!("--os-image={hash}")) else {
        return;
    };
    named.assert(OsImage, Fail, Some("vulnerable-image"));
    let accepted = with(format!("--os-image={hash}:until=2026-08-01")).unwrap();
    accepted.assert(OsImage, Warn, Some("vulnerable-image"));
    let kinds: Vec<String> = accepted.report().targets[0]
        .accepted
        .iter()
        .map(|one| format!("{:?}", one.what))
        .collect();
    assert_eq!(kinds, ["VulnerableImage", "ObservedImage"], "{accepted:?}");
    let ended = with(format!("--os-image={hash}:until=2026-06-01")).unwrap();
    ended.assert(OsImage, Fail, Some("vulnerable-image"));
    let too_far = with(format!("--os-image={hash}:until=2999-01-01")).unwrap();
    assert_eq!(too_far.code, 2, "{too_far:?}");
    let other = with(format!("--os-image={}", "ab".repeat(32))).unwrap();
    other.assert(OsImage, Fail, Some("register-mismatch"));
}

#[test]
fn without_collateral_nothing_is_read_from_a_quote() {
    let Some(ran) = replay("dstack-0.4-example", &[]) else {
        return;
    };
    assert_eq!(ran.code, 3);
    ran.assert(Evidence, Pass, None);
    ran.assert(Collateral, Error, Some("missing"));
    for id in &CheckId::ALL[2..] {
        let check = ran.check(*id);
        if !matches!(check.reason.as_deref(), Some("not-configured" | "no-connection")) {
            ran.assert(*id, Error, Some("quote-not-proven"));
        }
    }
    assert_eq!(
        *ran.report().targets[0].measurements,
        cvm_verify_core::report::Measurements::default()
    );
}

/// The same evidence in the form that `Attest` answers: as its JSON, as raw bytes, and as hex.
#[test]
fn lite_gives_the_same_result_as_a_versioned_attestation() {
    let at = "--at=2026-06-10T01:46:30Z";
    let Some(loose) = replay("dstack-0.6-lite", &[at]) else {
        return;
    };
    let loose = loose.report().targets[0].clone();
    let vector = recorded::folder().unwrap().join("dstack-0.6-lite");
    let json = std::fs::read_to_string(vector.join("versioned-attestation.json")).unwrap();
    let json_value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let hex = json_value["attestation"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("json", json.clone().into_bytes()),
        ("raw", hex::decode(hex).unwrap()),
        ("hex", format!("{hex}\n").into_bytes()),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let ran = run(&[
            "replay".to_owned(),
            "--format=json".to_owned(),
            at.to_owned(),
            format!("--attestation={}", path.display()),
            format!("--collateral={}", vector.join("collateral.json").display()),
        ]);
        assert_eq!(ran.code, 1, "{name}: {ran:#?}");
        let target = ran.report().targets[0].clone();
        let results =
            |target: &cvm_verify_core::report::TargetReport| -> Vec<(CheckId, Status, Option<String>)> {
                let result = |check: &cvm_verify_core::report::CheckResult| {
                    (check.id, check.status, check.reason.clone())
                };
                target.checks.iter().map(result).collect()
            };
        assert_eq!(results(&target), results(&loose), "{name}");
        assert_eq!(target.measurements, loose.measurements, "{name}");
        assert_eq!(target.tcb.status, loose.tcb.status);
        assert_eq!(
            (target.verdict, target.assurance),
            (loose.verdict, loose.assurance)
        );
        // What differs is said: the boot events are not in this form.
        for (check, of_loose) in target.checks.iter().zip(&loose.checks) {
            assert_eq!(
                check.detail == of_loose.detail,
                check.id != EventLog,
                "{}",
                check.id
            );
        }
        ran.assert_detail(EventLog, "omits the boot events");
    }
}
