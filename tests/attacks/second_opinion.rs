//! Phala's verification API: T16 of the threat list. It is asked in addition and never decides for a pass; and Intel's
//! early set, which warns.

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use cvm_verify_core::report::Verdict;
use simulator::{Behaviour, Cvm, Lie, PHALA_API_PATH, PccsEndpoint, PhalaApiServer, World};

use crate::deployment::Deployment;
use crate::run::{Ran, run};

/// Verifies a healthy deployment and asks the API, too.
fn asking(api: &PhalaApiServer) -> Ran {
    asking_about(&Deployment::healthy(), api)
}

fn asking_about(deployment: &Deployment, api: &PhalaApiServer) -> Ran {
    deployment.verify(&["--verifier=both", &format!("--phala-verifier-url={}", api.url())])
}

/// The API's answer leaves the check open for this reason, and so the run.
#[track_caller]
fn is_open(api: &PhalaApiServer, reason: &str) {
    let ran = asking(api);
    ran.assert(PhalaApi, Error, Some(reason));
    assert_eq!(ran.code, 3, "{ran:#?}");
}

fn replay(deployment: &Deployment, more: &[&str]) -> Ran {
    run(&deployment.replay_args_with(
        &["replay", &deployment.path("bundle.json"), "--format=json"],
        more,
    ))
}

#[test]
fn t16_an_api_that_agrees_passes_and_is_sent_the_quote_once() {
    let api = PhalaApiServer::http();
    let ran = asking(&api);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(PhalaApi, Pass, None);
    let requests = api.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path()),
        ("POST", PHALA_API_PATH)
    );
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
}

#[test]
fn t16_nobody_is_asked_unless_it_was_said_so() {
    let api = PhalaApiServer::http();
    let ran = Deployment::healthy().verify(&[&format!("--phala-verifier-url={}", api.url())]);
    ran.assert(PhalaApi, Skip, Some("not-configured"));
    assert!(api.requests().is_empty());
}

#[test]
fn t16_an_api_that_disagrees_on_the_signature_fails() {
    let api = PhalaApiServer::http();
    api.find(false);
    let ran = asking(&api);
    assert_eq!(ran.code, 1);
    ran.assert(PhalaApi, Fail, Some("disagrees"));
    let api = PhalaApiServer::http();
    api.refuse(400, "Quote verification failed");
    asking(&api).assert(PhalaApi, Fail, Some("disagrees"));
}

#[test]
fn t16_a_platform_that_is_behind_is_no_disagreement() {
    let api = PhalaApiServer::http();
    api.refuse(400, "Quote verification failed");
    let mut cvm = Cvm::healthy(&World::default());
    Lie::OutOfDatePlatform.apply(&mut cvm);
    asking_about(&Deployment::of(cvm), &api).assert(PhalaApi, Error, Some("rejected"));
}

#[test]
fn t16_an_api_that_agrees_turns_no_lie_into_a_pass() {
    let api = PhalaApiServer::http();
    for lie in [Lie::SwappedImage, Lie::ReplayedQuote, Lie::DevelopmentImage] {
        let mut cvm = Cvm::healthy(&World::default());
        lie.apply(&mut cvm);
        let ran = asking_about(&Deployment::of(cvm), &api);
        assert_eq!(ran.code, 1, "{lie}");
        ran.assert(PhalaApi, Pass, None);
    }
    // What does not verify here is not even sent.
    api.requests().len();
    let before = api.requests().len();
    let mut cvm = Cvm::healthy(&World::default());
    Lie::BrokenSignature.apply(&mut cvm);
    let ran = asking_about(&Deployment::of(cvm), &api);
    assert_eq!(ran.code, 1);
    ran.assert(PhalaApi, Error, Some("quote-not-proven"));
    assert_eq!(api.requests().len(), before);
}

#[test]
fn t16_what_only_looks_like_true_is_not() {
    for (name, value) in [
        ("success", serde_json::json!("true")),
        ("success", serde_json::json!("false")),
        ("success", serde_json::json!(1)),
        ("success", serde_json::Value::Null),
    ] {
        let api = PhalaApiServer::http();
        api.edit(move |answer| answer[name] = value.clone());
        is_open(&api, "malformed-answer");
    }
    for value in [
        serde_json::json!("true"),
        serde_json::json!("false"),
        serde_json::json!(1),
    ] {
        let api = PhalaApiServer::http();
        api.edit(move |answer| answer["quote"]["verified"] = value.clone());
        is_open(&api, "malformed-answer");
    }
    let api = PhalaApiServer::http();
    api.edit(|answer| answer["success"] = false.into());
    is_open(&api, "not-successful");
    let api = PhalaApiServer::http();
    api.edit(|answer| answer["quote"] = serde_json::Value::Null);
    is_open(&api, "malformed-answer");
}

#[test]
fn t16_an_answer_about_another_quote_is_none() {
    for field in [
        "tee_tcb_svn",
        "mrseam",
        "mrsignerseam",
        "seamattributes",
        "tdattributes",
        "xfam",
        "mrtd",
        "mrconfig",
        "mrowner",
        "mrownerconfig",
        "rtmr0",
        "rtmr1",
        "rtmr2",
        "rtmr3",
        "reportdata",
    ] {
        let api = PhalaApiServer::http();
        // Whatever it says of it: a `false` about another quote is no disagreement either.
        api.find(false);
        api.edit(move |answer| {
            let shown = answer["quote"]["body"][field].as_str().unwrap().to_owned();
            let (start, last) = shown.split_at(shown.len() - 1);
            let other = if last == "0" { "1" } else { "0" };
            answer["quote"]["body"][field] = format!("{start}{other}").into();
        });
        is_open(&api, "another-quote");
    }
    let api = PhalaApiServer::http();
    api.edit(|answer| answer["checksum"] = "00".repeat(32).into());
    is_open(&api, "another-quote");
    let api = PhalaApiServer::http();
    api.edit(|answer| answer["quote"]["header"]["tee_type"] = "TEE_SGX".into());
    is_open(&api, "another-quote");
    let api = PhalaApiServer::http();
    api.edit(|answer| answer["quote"]["body"]["rtmr3"] = "0x00".into());
    is_open(&api, "malformed-answer");
}

#[test]
fn t16_pages_errors_and_silence_are_no_opinion() {
    for (behaviour, reason) in [
        (Behaviour::Html, "not-json"),
        (Behaviour::EmptyBody, "not-json"),
        (Behaviour::Body("[]".to_owned()), "malformed-answer"),
        (Behaviour::Status(500), "unreachable"),
        (Behaviour::Status(404), "unreachable"),
        (Behaviour::Status(429), "unreachable"),
        (Behaviour::Close, "unreachable"),
        (Behaviour::EndlessBody, "unreachable"),
        (
            Behaviour::Redirect("https://example.com/".to_owned()),
            "unreachable",
        ),
    ] {
        let api = PhalaApiServer::http();
        api.behave(behaviour);
        is_open(&api, reason);
    }
    let api = PhalaApiServer::http();
    api.refuse(422, "Invalid quote: malformed quote structure");
    is_open(&api, "rejected");
    let api = PhalaApiServer::http();
    api.refuse(400, "Invalid JSON hex: Invalid hex string");
    is_open(&api, "rejected");
}

#[test]
fn t16_a_bundle_replays_to_the_same_opinion_and_asks_nobody() {
    for verified in [true, false] {
        let (deployment, api) = (Deployment::healthy(), PhalaApiServer::http());
        api.find(verified);
        let live = deployment.verify(&[
            "--verifier=both",
            &format!("--phala-verifier-url={}", api.url()),
            "--evidence",
            &deployment.path("bundle.json"),
        ]);
        let replayed = replay(&deployment, &["--verifier=both"]);
        assert_eq!(live.found(), replayed.found());
        assert_eq!(live.code, replayed.code);
        assert_eq!(api.requests().len(), 1);
    }
    let deployment = Deployment::healthy();
    deployment.verify(&["--evidence", &deployment.path("bundle.json")]);
    let ran = replay(&deployment, &["--verifier=both"]);
    ran.assert(PhalaApi, Error, Some("not-asked"));
    assert_eq!(ran.code, 3);
}

/// Its early set has a higher number and rates the platform so.
fn with_early(status: &'static str) -> Deployment {
    let deployment = Deployment::healthy();
    deployment.pccs.change_early(|world| {
        world.tcb_info.eval_data_number += 1;
        world.tcb_info.land_on(status, &[]);
    });
    deployment
}

#[test]
fn t25_an_early_set_that_refuses_warns_and_decides_nothing() {
    for status in ["OutOfDate", "ConfigurationNeeded", "Revoked"] {
        let deployment = with_early(status);
        let ran = deployment.verify(&["--evidence", &deployment.path("bundle.json")]);
        assert_eq!(ran.code, 0, "{ran:#?}");
        ran.assert(TcbStatus, Warn, Some("early-set-refuses"));
        let detail = ran.check(TcbStatus).detail;
        assert!(!detail.contains("Intel names"), "no advisory is named: {detail}");
        assert_eq!(ran.report().targets[0].tcb.status.as_deref(), Some("UpToDate"));
        let replayed = replay(&deployment, &[]);
        assert_eq!(ran.found(), replayed.found());
    }
}

#[test]
fn t25_an_early_set_that_agrees_says_nothing_and_excuses_nothing() {
    let ran = with_early("UpToDate").verify(&[]);
    assert_eq!(ran.code, 0);
    ran.assert(TcbStatus, Pass, None);
    let mut cvm = Cvm::healthy(&World::default());
    Lie::OutOfDatePlatform.apply(&mut cvm);
    let behind = Deployment::of(cvm);
    behind.pccs.change_early(|world| {
        world.tcb_info.eval_data_number += 1;
        for level in &mut world.tcb_info.levels {
            level.status = "UpToDate".to_owned();
        }
    });
    let ran = behind.verify(&[]);
    assert_eq!(ran.code, 1);
    ran.assert(TcbStatus, Fail, Some("not-up-to-date"));
}

#[test]
fn t25_an_early_set_that_cannot_be_had_or_is_forged_is_noted_and_no_more() {
    let forged = with_early("OutOfDate");
    forged.pccs.change_early(|world| world.seed = 2);
    let ran = forged.verify(&[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TcbStatus, Pass, None);
    ran.assert_detail(TcbStatus, "early set");
    let missing = Deployment::healthy();
    missing
        .pccs
        .behave_next(PccsEndpoint::TcbInfo, 1, Behaviour::Normal);
    missing.pccs.behave(PccsEndpoint::TcbInfo, Behaviour::Status(404));
    let ran = missing.verify(&["--evidence", &missing.path("bundle.json")]);
    assert_eq!(ran.report().verdict, Verdict::Pass);
    ran.assert(TcbStatus, Pass, None);
    ran.assert_detail(TcbStatus, "early set");
    let replayed = replay(&missing, &[]);
    assert_eq!(ran.found(), replayed.found());
}

#[test]
fn t25_one_early_fetch_serves_all_targets_of_a_platform() {
    let (one, two) = (with_early("OutOfDate"), Deployment::healthy());
    let ran = one.verify(&[two.app.url().as_ref()]);
    let targets = ran.report().targets;
    for target in &targets {
        assert_eq!(
            target.check(TcbStatus).unwrap().reason.as_deref(),
            Some("early-set-refuses")
        );
    }
    let early = one
        .pccs
        .requests()
        .iter()
        .filter(|request| request.parameter("update").as_deref() == Some("early"))
        .count();
    assert_eq!(
        (targets.len(), early),
        (2, 2),
        "TCB info and QE identity, once each"
    );
}

#[test]
fn t42_two_endpoints_one_bad_fails() {
    let good = Deployment::healthy();
    let mut cvm = Cvm::healthy(&World::default());
    Lie::SwappedImage.apply(&mut cvm);
    let bad = Deployment::of(cvm);
    let ran = good.verify(&[bad.app.url().as_ref()]);
    assert_eq!(ran.code, 1);
    let targets = ran.report().targets;
    assert_eq!(targets[0].verdict, Verdict::Pass);
    assert_eq!(
        targets[1].check(ComposeHash).unwrap().reason.as_deref(),
        Some("compose-hash-mismatch")
    );
}

#[test]
fn t42_one_address_is_one_replica_unless_ids_are_listed() {
    let deployment = Deployment::healthy();
    let ran = deployment.verify(&[]);
    ran.assert(InstanceId, Skip, Some("no-expectation"));
    ran.assert_detail(InstanceId, "one replica was sampled");
    let own = hex::encode(Cvm::healthy(&World::default()).instance_id);
    let other = "66".repeat(20);
    let ran = deployment.verify(&[&format!("--instance-id={other}"), &format!("--instance-id={own}")]);
    assert_eq!(ran.code, 0);
    ran.assert(InstanceId, Pass, None);
    let ran = deployment.verify(&[
        &format!("--instance-id={other}"),
        &format!("--instance-id={}", "77".repeat(20)),
    ]);
    assert_eq!(ran.code, 1);
    ran.assert(InstanceId, Fail, Some("instance-id-mismatch"));
    deployment
        .verify(&["--instance-id=", &format!("--instance-id={own}")])
        .assert_usage_error("--instance-id");
}

#[test]
fn t25_each_of_two_platforms_has_an_early_rating_of_its_own() {
    // The second machine is the first one's model, one step newer; the early set asks for that step.
    let mut newer = Cvm::healthy(&World::default());
    newer.world.platform.cpu_svn[0] += 1;
    let (old, new) = (Deployment::healthy(), Deployment::of(newer));
    old.pccs.change_early(|world| {
        world.tcb_info.eval_data_number += 1;
        world.tcb_info.levels[0].sgx[0] += 1;
    });
    let reasons = |ran: &Ran| {
        let targets = ran.report().targets;
        targets
            .iter()
            .map(|target| target.check(TcbStatus).unwrap().reason.clone())
            .collect::<Vec<_>>()
    };
    let early = Some("early-set-refuses".to_owned());
    assert_eq!(
        reasons(&old.verify(&[new.app.url().as_ref()])),
        [early.clone(), None]
    );
    let twice = old.verify(&[old.app.localhost_url().as_ref()]);
    assert_eq!(reasons(&twice), [early.clone(), early]);
}
