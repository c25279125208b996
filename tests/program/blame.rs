//! Who is accused, through the whole program: a PCCS that serves badly, recorded evidence from real hardware with
//! documents of other times and platforms, and an app that says odd things about itself.

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use cvm_verify_core::report::Verdict;
use dcap_qvl::QuoteCollateralV3;
use sha2::{Digest as _, Sha256};
use simulator::{AppEndpoint, Behaviour, Certificate, Cvm, Lie, PccsEndpoint, World};

use super::deployment::Deployment;
use super::run::{Ran, run};
use simulator::recorded;

/// Nothing fails, the collateral has this reason, and the source is named.
#[track_caller]
fn accuses_the_pccs(deployment: &Deployment, ran: &Ran, reason: &str, says: &str) {
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(Collateral, Error, Some(reason));
    let check = ran.check(Collateral);
    let source = deployment.pccs.url().replace("http://", "");
    for part in [says, &source] {
        assert!(check.detail.contains(part), "{part:?}: {check:#?}");
    }
    accuses_no_deployment(ran);
}

#[track_caller]
fn accuses_no_deployment(ran: &Ran) {
    for check in &ran.report().targets[0].checks {
        let words = format!("{} {}", check.detail, check.fix.as_deref().unwrap_or_default());
        for word in ["hostile", "forged", "forgery", "damaged"] {
            assert!(check.status != Fail && !words.contains(word), "{check:#?}");
        }
    }
}

/// Verifies live, and replays the bundle of that run: both say the same.
#[track_caller]
fn live_and_in_replay(deployment: &Deployment) -> Ran {
    let bundle = deployment.path("evidence.json");
    let _ = std::fs::remove_file(&bundle);
    let live = deployment.verify(&[&format!("--evidence={bundle}")]);
    if std::path::Path::new(&bundle).exists() {
        let root = format!("--insecure-trust-root={}", deployment.path("root.pem"));
        let mut args = vec!["replay".to_owned(), bundle, "--format=json".to_owned(), root];
        args.extend(deployment.expect().iter().cloned());
        let replayed = run(&args);
        assert_eq!(replayed.code, live.code, "{replayed:#?}");
        let (ours, theirs) = (live.report(), replayed.report());
        for (live, replayed) in ours.targets[0].checks.iter().zip(&theirs.targets[0].checks) {
            assert_eq!(
                (live.status, &live.reason),
                (replayed.status, &replayed.reason),
                "{live:#?}"
            );
        }
    }
    live
}

type Damage = (
    &'static str,
    fn(&mut QuoteCollateralV3),
    &'static str,
    &'static str,
);

#[test]
fn each_kind_of_damage_at_a_pccs_accuses_the_pccs() {
    let damages: [Damage; 9] = [
        (
            "TCB info altered",
            |set| set.tcb_info = set.tcb_info.replace("\"tcbType\":0", "\"tcbType\":1"),
            "not-signed-by-intel",
            "TCB info",
        ),
        (
            "TCB info re-serialised",
            |set| set.tcb_info = set.tcb_info.replace("\":", "\": "),
            "not-signed-by-intel",
            "TCB info",
        ),
        (
            "QE identity altered",
            |set| set.qe_identity = set.qe_identity.replace("\"isvprodid\":2", "\"isvprodid\":3"),
            "not-signed-by-intel",
            "QE identity",
        ),
        (
            "TCB info without a member",
            |set| set.tcb_info = set.tcb_info.replace("\"pceId\"", "\"pceid\""),
            "malformed",
            "pceId",
        ),
        (
            "a signature of zeros",
            |set| set.qe_identity_signature = vec![0; 64],
            "not-signed-by-intel",
            "QE identity",
        ),
        (
            "a foreign chain",
            |set| set.tcb_info_issuer_chain = World::new(2, simulator::DEFAULT_NOW).tcb_signing_chain(),
            "not-signed-by-intel",
            "TCB info",
        ),
        (
            "a foreign PCK CRL",
            |set| set.pck_crl = World::new(2, simulator::DEFAULT_NOW).pck_crl(),
            "not-signed-by-intel",
            "PCK CRL",
        ),
        (
            "an empty PCK CRL",
            |set| set.pck_crl = vec![0x30, 0],
            "malformed",
            "PCK CRL",
        ),
        (
            "the root's list in the place of the PCK CRL",
            |set| set.pck_crl = set.root_ca_crl.clone(),
            "wrong-platform",
            "PCK CRL",
        ),
    ];
    for (what, damage, reason, says) in damages {
        let deployment = Deployment::healthy();
        deployment.pccs.edit_collateral(damage);
        let ran = live_and_in_replay(&deployment);
        eprintln(what);
        accuses_the_pccs(&deployment, &ran, reason, says);
    }
}

#[test]
fn an_old_evaluation_set_accuses_the_pccs_and_not_the_deployment() {
    let mut cvm = Cvm::healthy(&World::default());
    simulator::Lie::OldTcbInfo.apply(&mut cvm);
    let deployment = Deployment::of(cvm);
    let ran = live_and_in_replay(&deployment);
    accuses_the_pccs(&deployment, &ran, "old-set", "TCB evaluation set 15");
    ran.assert(TcbStatus, Error, Some("eval-data-number-too-low"));
    // The set is Intel's, and serves for everything else.
    ran.assert(QuoteSignature, Pass, None);
}

#[expect(clippy::print_stderr, reason = "which case it is, where one fails")]
fn eprintln(what: &str) {
    eprintln!("{what}");
}

#[test]
fn answers_that_are_no_documents_are_malformed_and_no_answers_are_unreachable() {
    let answers = [
        (PccsEndpoint::TcbInfo, Behaviour::Html, "malformed", "TCB info"),
        (
            PccsEndpoint::QeIdentity,
            Behaviour::EmptyBody,
            "malformed",
            "QE identity",
        ),
        (
            PccsEndpoint::TcbInfo,
            Behaviour::WithoutHeaders,
            "malformed",
            "TCB info",
        ),
        (
            PccsEndpoint::PckCrl,
            Behaviour::TruncatedBody,
            "malformed",
            "PCK CRL",
        ),
        (
            PccsEndpoint::RootCaCrl,
            Behaviour::Body("{}".to_owned()),
            "malformed",
            "root CA CRL",
        ),
        // A list of 5 MiB is larger than any.
        (
            PccsEndpoint::PckCrl,
            Behaviour::Body("30".repeat(5 * 1024 * 1024 / 2)),
            "malformed",
            "PCK CRL",
        ),
        (
            PccsEndpoint::PckCrl,
            Behaviour::Status(503),
            "unreachable",
            "PCK CRL",
        ),
        (
            PccsEndpoint::TcbInfo,
            Behaviour::Status(404),
            "missing",
            "FMSPC b0c06f000000",
        ),
    ];
    for (endpoint, behaviour, reason, says) in answers {
        let deployment = Deployment::healthy();
        deployment.pccs.behave(endpoint, behaviour);
        let ran = deployment.verify(&[]);
        accuses_the_pccs(&deployment, &ran, reason, says);
    }
}

#[test]
fn documents_of_other_times_and_platforms_accuse_the_pccs_and_name_the_part() {
    type Case = (fn(&mut World), &'static str, &'static str);
    let cases: [Case; 8] = [
        (|world| world.tcb_info.expires_after = -1, "expired", "TCB info"),
        (
            |world| world.qe_identity.expires_after = -1,
            "expired",
            "QE identity",
        ),
        (|world| world.pki.pck_crl.to = -1, "expired", "PCK CRL"),
        (|world| world.pki.root_crl.to = -1, "expired", "root CA CRL"),
        (
            |world| world.tcb_info.issued_after = 1,
            "not-yet-valid",
            "TCB info",
        ),
        (|world| world.tcb_info.id = "SGX".into(), "wrong-platform", "SGX"),
        (
            |world| world.tcb_info.fmspc = Some([0x66; 6]),
            "wrong-platform",
            "666666666666",
        ),
        (
            |world| {
                world.pki.revoked.insert(Certificate::TcbSigning);
            },
            "not-signed-by-intel",
            "revoked its signing certificate",
        ),
    ];
    for (change, reason, says) in cases {
        let mut cvm = Cvm::healthy(&World::default());
        change(&mut cvm.world);
        let deployment = Deployment::of(cvm);
        let ran = live_and_in_replay(&deployment);
        accuses_the_pccs(&deployment, &ran, reason, says);
    }
}

#[test]
fn a_machine_that_intel_refuses_is_refused_with_the_reason() {
    for (lie, reason, says) in [
        (Lie::RevokedPck, "revoked", "PCK certificate, serial "),
        (Lie::RevokedPlatformCa, "revoked", "PCK CA certificate"),
        (Lie::RevokedTcb, "revoked", "level of the platform"),
        (
            Lie::NoMatchingTcbLevel,
            "no-matching-tcb-level",
            "SGX component 1 has version 0 and needs 2",
        ),
    ] {
        let mut cvm = Cvm::healthy(&World::default());
        lie.apply(&mut cvm);
        let ran = live_and_in_replay(&Deployment::of(cvm));
        assert_eq!(ran.code, 1, "{ran:#?}");
        ran.assert(QuoteSignature, Fail, Some(reason));
        ran.assert_detail(QuoteSignature, says);
    }
    let mut cvm = Cvm::healthy(&World::default());
    cvm.world.qe_identity.enclave_isv_svn = 1;
    live_and_in_replay(&Deployment::of(cvm)).assert(QuoteSignature, Fail, Some("qe-out-of-date"));
}

#[test]
fn a_forger_gains_nothing_by_a_platform_that_nobody_knows() {
    let mut world = World::new(9, simulator::DEFAULT_NOW);
    world.platform.fmspc = [0xde, 0xad, 0xbe, 0xef, 0, 0];
    let deployment = Deployment::of(Cvm::healthy(&world));
    // The PCCS is an honest one: it has nothing of that platform.
    deployment.pccs.behave_everywhere(&Behaviour::Status(404));
    let ran = live_and_in_replay(&deployment);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(QuoteSignature, Fail, Some("not-verified"));
    ran.assert(Collateral, Error, Some("missing"));
}

#[test]
fn an_info_that_is_something_else_is_as_if_absent_live_and_in_replay() {
    for body in [
        "[]",
        "7",
        "\"hello\"",
        r#"{"instance_id":7}"#,
        "hello",
        "<html></html>",
        "",
        "null",
        " null\n",
    ] {
        let deployment = Deployment::healthy();
        deployment
            .app
            .behave(AppEndpoint::Info, Behaviour::Body(body.to_owned()));
        let ran = live_and_in_replay(&deployment);
        assert_eq!(ran.code, 3, "{body:?}: {ran:#?}");
        ran.assert(Evidence, Warn, Some("info-unusable"));
        ran.assert(ComposeHash, Pass, None);
        ran.assert(ImagePins, Error, Some("no-compose-document"));
        accuses_no_deployment(&ran);
    }
    // With the document at hand nothing is missing: the warning is harmless.
    let deployment = Deployment::healthy();
    deployment
        .app
        .behave(AppEndpoint::Info, Behaviour::Body("[]".to_owned()));
    let compose = Cvm::healthy(&World::default()).app_compose;
    std::fs::write(deployment.folder.path().join("app-compose.json"), compose).unwrap();
    let ran = deployment.verify(&[&format!(
        "--app-compose-file={}",
        deployment.path("app-compose.json")
    )]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(Evidence, Warn, Some("info-unusable"));
    assert_eq!(ran.report().targets[0].verdict, Verdict::Pass);
}

/// An editor puts a line feed at the end of a file. Nobody deployed anything.
#[test]
fn a_document_that_differs_in_what_nobody_sees_accuses_nobody_of_a_deployment() {
    let deployment = Deployment::healthy();
    let compose = Cvm::healthy(&World::default()).app_compose;
    let file = deployment.path("app-compose.json");
    for text in [format!("{compose}\n"), format!("\u{feff}{compose}")] {
        std::fs::write(&file, &text).unwrap();
        let lock = deployment.path("a.lock");
        let hash = hex::encode(Sha256::digest(&compose));
        std::fs::write(
            &lock,
            format!("schema = \"cvm-verify/lock/v1\"\ncompose_hash = \"{hash}\"\n"),
        )
        .unwrap();
        for lock in [None, Some(&lock)] {
            let mut args = deployment.network_args(&["verify", &deployment.app.url(), "--format=json"]);
            let others = deployment.expect().iter();
            args.extend(others.filter(|one| !one.starts_with("--compose-hash")).cloned());
            args.push(format!("--app-compose-file={file}"));
            args.extend(lock.map(|lock| format!("--lock={lock}")));
            let ran = run(&args);
            ran.assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
            let check = ran.check(ComposeHash);
            let same = "The VM runs the compose document expected by --app-compose-file, as other bytes";
            assert!(check.detail.starts_with(same), "{check:?}");
            let fix = check.fix.unwrap();
            assert!(fix.contains("correct --app-compose-file"), "{fix}");
            assert!(
                !fix.contains("deployed the old") && !fix.contains("stop sending"),
                "{fix}"
            );
        }
    }
}

/// That `/info` wants a login is not that there is none, in a replay either.
#[test]
fn an_info_that_is_not_given_is_said_to_be_so_live_and_in_replay() {
    let deployment = Deployment::healthy();
    deployment.app.behave(AppEndpoint::Info, Behaviour::Status(401));
    let ran = live_and_in_replay(&deployment);
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(Evidence, Warn, Some("info-unusable"));
    let detail = &ran.check(Evidence).detail;
    assert!(detail.contains("status 401"), "{detail}");
    ran.assert(ImagePins, Error, Some("no-compose-document"));
    accuses_no_deployment(&ran);
}

/// Replays a case of a bare quote at the time that stands beside it.
fn case(name: &str) -> Option<Ran> {
    let folder = recorded::folder()?.join("cases").join(name);
    let at = std::fs::read_to_string(folder.join("at")).unwrap();
    Some(run(&[
        "replay".to_owned(),
        "--format=json".to_owned(),
        format!("--attestation={}", folder.join("quote.bin").display()),
        format!("--collateral={}", folder.join("collateral.json").display()),
        format!("--at={}", at.trim()),
        "--freshness=unchecked".to_owned(),
        "--os-image=unchecked".to_owned(),
        "--require-assurance=hardware".to_owned(),
    ]))
}

#[track_caller]
fn case_accuses_the_collateral(name: &str, reason: &str, says: &[&str]) {
    let Some(ran) = case(name) else { return };
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(Collateral, Error, Some(reason));
    for part in says {
        assert!(ran.check(Collateral).detail.contains(part), "{part}: {ran:#?}");
    }
    accuses_no_deployment(&ran);
}

#[test]
fn case_stale_pck_crl() {
    case_accuses_the_collateral("stale-pck-crl", "expired", &["PCK CRL", "2026-03-20T10:41:15Z"]);
}

#[test]
fn case_stale_tcb_info() {
    case_accuses_the_collateral("stale-tcb-info", "expired", &["TCB info", "2026-02-26T09:01:45Z"]);
}

#[test]
fn case_stale_qe_identity() {
    case_accuses_the_collateral(
        "stale-qe-identity",
        "expired",
        &["QE identity", "2026-03-20T10:42:15Z"],
    );
}

#[test]
fn case_older_root_crl_in_date() {
    case_accuses_the_collateral(
        "older-root-crl-in-date",
        "expired",
        &["root CA CRL", "2026-04-03T11:21:57Z"],
    );
}

#[test]
fn case_all_expired_together() {
    case_accuses_the_collateral("all-expired-together", "expired", &["2026-07-30"]);
}

#[test]
fn case_tcb_info_of_other_fmspc() {
    case_accuses_the_collateral(
        "tcb-info-of-other-fmspc",
        "wrong-platform",
        &["TCB info", "90c06f000000", "00806f050000"],
    );
}

#[test]
fn case_fb_gcp_tdx_2026_06() {
    let Some(ran) = case("fb-gcp-tdx-2026-06") else {
        return;
    };
    for id in [Evidence, QuoteSignature, TcbStatus] {
        ran.assert(id, Pass, None);
    }
    assert!(matches!(ran.check(Collateral).status, Pass | Warn), "{ran:#?}");
}

#[test]
fn case_fb_azure_outdated_10() {
    let Some(ran) = case("fb-azure-outdated-10") else {
        return;
    };
    assert_eq!(ran.code, 1);
    ran.assert(QuoteSignature, Fail, Some("no-matching-tcb-level"));
    let detail = ran.check(QuoteSignature).detail;
    for part in ["component", "below", "level "] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
}

#[test]
fn case_shade_agent_0_3() {
    let Some(folder) = recorded::folder().map(|folder| folder.join("cases/shade-agent-0.3")) else {
        return;
    };
    let replay = |collateral: &str| {
        run(&[
            "replay".to_owned(),
            "--format=json".to_owned(),
            format!("--attestation={}", folder.join("attestation.json").display()),
            format!("--info={}", folder.join("info.json").display()),
            format!("--app-compose={}", folder.join("app-compose.json").display()),
            format!("--collateral={}", folder.join(collateral).display()),
            "--at=2025-09-10".to_owned(),
        ])
    };
    // Its own recording has no revocation lists.
    let ran = replay("collateral.json");
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(Collateral, Error, Some("malformed"));
    for part in ["root CA CRL", "`root_ca_crl`", "collateral.json"] {
        assert!(ran.check(Collateral).detail.contains(part), "{part}: {ran:#?}");
    }
    accuses_no_deployment(&ran);
    let ran = replay("collateral-solver.json");
    ran.assert(QuoteSignature, Pass, None);
    ran.assert(BootOrder, Error, Some("unsupported-generation"));
}
