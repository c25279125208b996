//! Who serves the address, live: the program against servers that end TLS in each way.

mod query;

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use cvm_verify_core::report::{AcceptedKind, SideTier, TlsRoute, Verdict};
use flate2::Compression;
use flate2::write::GzEncoder;
use simulator::server::{Behaviour, RA_TLS_QUOTE};
use simulator::{AppEndpoint, AppServer, Cvm, Lie, ReportDataLayout, TlsIdentity, TlsMode, World};

use super::deployment::Deployment;
use super::run::{Ran, run};

const ENDPOINT: [&str; 2] = ["--tls-binding=ratls", "--require-assurance=code+endpoint"];

/// TLS libraries look at the real clock.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A CVM whose endpoint takes 64 hex digits and nothing else.
pub fn strict() -> Cvm {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report_data = ReportDataLayout::Ascii;
    cvm
}

pub fn ra_tls(cvm: &Cvm) -> TlsIdentity {
    TlsIdentity::ra_tls(1, now(), cvm)
}

pub fn verify(deployment: &Deployment, app: &AppServer, more: &[&str]) -> Ran {
    run(&deployment.strict_args_with(
        &["verify", &app.localhost_url().to_string(), "--format=json"],
        more,
    ))
}

/// Nothing in the report says that the VM serves the address.
#[track_caller]
pub fn grants_nothing(ran: &Ran) {
    let report = ran.report();
    let target = &report.targets[0];
    assert!(
        target.checks.iter().all(|check| check.grants.is_none()),
        "{ran:#?}"
    );
    assert!(!target.assurance.sides().includes(SideTier::EndpointReplayable));
}

/// The option counts for what is only described, too.
#[test]
fn no_probe_is_sent_where_the_user_says_so() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let app = AppServer::https(cvm.clone(), &ra_tls(&cvm));
    let url = app.localhost_url();
    for command in [&["pin", "--output=-", "--accept-observed"][..], &["inspect"]] {
        let asked = |more: &[&str]| {
            let command = [command, &[url.as_str()]].concat();
            app.forget_requests();
            let ran = run(&deployment.network_args_with(&command, more));
            assert_eq!(ran.code, 0, "{ran:#?}");
            app.count("/attestation")
        };
        assert_eq!(
            (asked(&[]), asked(&["--no-endpoint-probe"])),
            (2, 1),
            "{command:?}"
        );
    }
}

#[test]
fn an_app_with_a_certificate_of_dstack_is_bound_and_probed_once() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let app = AppServer::https(cvm.clone(), &ra_tls(&cvm));
    // Whether the tier is asked for or not: the same word stands in the report, and rests on the same.
    for more in [&[][..], &ENDPOINT[..]] {
        app.forget_requests();
        let ran = verify(&deployment, &app, more);
        assert_eq!(ran.code, 0, "{ran:#?}");
        ran.assert(TlsBinding, Pass, None);
        assert_eq!(ran.check(TlsBinding).grants, Some(SideTier::Endpoint));
        assert_eq!(ran.report().targets[0].tls_route, Some(TlsRoute::AppRatls));
        ran.assert_detail(TlsBinding, "No quoting of foreign values was seen");
        assert_eq!((app.count("/attestation"), app.count("/info")), (2, 1));
        assert_eq!(app.requests().len(), 3);
        let probes: Vec<usize> = app
            .requests()
            .iter()
            .filter_map(|request| Some(request.parameter("reportData")?.len()))
            .collect();
        assert_eq!(probes, [64, 128]);
    }
    // Unless the user says otherwise, in writing, which the report names.
    for more in [
        &["--no-endpoint-probe"][..],
        &[ENDPOINT[0], ENDPOINT[1], "--no-endpoint-probe"],
    ] {
        app.forget_requests();
        let ran = verify(&deployment, &app, more);
        assert_eq!(ran.code, 0, "{ran:#?}");
        assert_eq!(app.count("/attestation"), 1);
        let report = ran.report();
        let accepted = report.targets[0]
            .accepted
            .iter()
            .find(|one| one.check == TlsBinding)
            .unwrap();
        assert_eq!(
            (accepted.what, accepted.by.as_str()),
            (AcceptedKind::NoEndpointProbe, "--no-endpoint-probe")
        );
        assert!(
            !report.targets[0]
                .assurance
                .sides()
                .includes(SideTier::EndpointReplayable)
        );
    }
}

/// A server without a binding is not asked for a quote that it should refuse.
/// The certificate is judged before the app is asked for anything: what was spoilt on disk kept the app out until it was a day old.
#[test]
fn a_spoilt_set_in_the_cache_keeps_no_certificate_of_dstack_out() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let app = AppServer::https(cvm.clone(), &ra_tls(&cvm));
    let cache = deployment.path("cache");
    let more = [&ENDPOINT[..], &["--cache-dir", &cache]].concat();
    assert_eq!(verify(&deployment, &app, &more).code, 0);
    let file = std::fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    let good = std::fs::read_to_string(&file).unwrap();
    let mut kept: serde_json::Value = serde_json::from_str(&good).unwrap();
    kept["collateral"]["tcb_info_signature"] = "00".repeat(64).into();
    std::fs::write(&file, kept.to_string()).unwrap();
    let ran = verify(&deployment, &app, &more);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Pass, None);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), good);
}

#[test]
fn an_address_where_nothing_binds_the_key_is_not_probed() {
    let deployment = Deployment::healthy();
    let identity = TlsIdentity::new(1, now(), TlsMode::TestCa);
    std::fs::write(deployment.folder.path().join("ca.pem"), identity.ca_pem()).unwrap();
    let ca = format!("--ca-file={}", deployment.path("ca.pem"));
    let app = AppServer::https(strict(), &identity);
    let ran = verify(&deployment, &app, &[&ca]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Skip, Some("unbound"));
    assert_eq!(app.count("/attestation"), 1);
}

#[test]
fn an_app_that_quotes_its_own_key_is_bound() {
    let deployment = Deployment::healthy();
    let identity = TlsIdentity::new(1, now(), TlsMode::TestCa);
    std::fs::write(deployment.folder.path().join("ca.pem"), identity.ca_pem()).unwrap();
    let ca = format!("--ca-file={}", deployment.path("ca.pem"));
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report_data = ReportDataLayout::KeyThenNonce(identity.key_hash());
    let app = AppServer::https(cvm.clone(), &identity);
    let ran = verify(&deployment, &app, &[&ca, "--tls-binding=app-key", ENDPOINT[1]]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Pass, None);
    ran.assert(Freshness, Pass, None);
    assert_eq!(ran.report().targets[0].tls_route, Some(TlsRoute::AppKey));

    // A relay with a certificate of its own hands on what the VM quotes.
    let relay = TlsIdentity::new(7, now(), TlsMode::TestCa);
    std::fs::write(deployment.folder.path().join("ca.pem"), relay.ca_pem()).unwrap();
    let relay = AppServer::https(cvm, &relay);
    let ran = verify(&deployment, &relay, &[&ca, "--tls-binding=app-key", ENDPOINT[1]]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(TlsBinding, Fail, Some("key-mismatch"));
    ran.assert(Freshness, Pass, None);
    grants_nothing(&ran);
    // So does the proxy of one's own network. The code is proven, and nobody replayed anything.
    let ran = verify(&deployment, &relay, &[&ca]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(Freshness, Pass, None);
    ran.assert(TlsBinding, Warn, Some("key-mismatch"));
    grants_nothing(&ran);
}

#[test]
fn t26_a_relay_of_an_app_with_a_certificate_of_dstack_never_binds() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let genuine = ra_tls(&cvm);

    // With a certificate of a CA, and the VM's answers.
    let relay = TlsIdentity::new(7, now(), TlsMode::TestCa);
    std::fs::write(deployment.folder.path().join("ca.pem"), relay.ca_pem()).unwrap();
    let ca = format!("--ca-file={}", deployment.path("ca.pem"));
    let app = AppServer::https(cvm.clone(), &relay);
    let ran = verify(&deployment, &app, &[&ca, ENDPOINT[0], ENDPOINT[1]]);
    assert_eq!(ran.code, 1);
    ran.assert(TlsBinding, Fail, Some("ratls-no-evidence"));
    grants_nothing(&ran);
    // Without a mode nothing is asked of the key, and nothing is claimed of it.
    let ran = verify(&deployment, &app, &[&ca]);
    assert_eq!(ran.code, 0);
    ran.assert(TlsBinding, Skip, Some("unbound"));
    grants_nothing(&ran);
    let ran = verify(&deployment, &app, &[&ca, ENDPOINT[1]]);
    assert_eq!(ran.code, 3);
    ran.assert(TlsBinding, Error, Some("unbound"));

    // With a CA's certificate that carries the copied evidence.
    let copied = relay.with_extensions_of(&genuine);
    let app = AppServer::https(cvm.clone(), &copied);
    let ran = verify(&deployment, &app, &[&ca, ENDPOINT[0], ENDPOINT[1]]);
    assert_eq!(ran.code, 1);
    ran.assert(TlsBinding, Fail, Some("ratls-not-bound"));
    grants_nothing(&ran);

    // With a key of its own and the copied evidence: no CA vouches for it, and its evidence does not, either.
    let copied = TlsIdentity::new(7, now(), TlsMode::SelfSigned).with_extensions_of(&genuine);
    // With the genuine certificate, whose key it has not.
    let stolen = TlsIdentity::new(7, now(), TlsMode::SelfSigned).presenting(&genuine);
    for (identity, reason, words) in [
        (&copied, "ratls-not-bound", "the quote was made for another key"),
        (&stolen, "ratls-key-not-held", "the server does not have its key"),
    ] {
        let app = AppServer::https(cvm.clone(), identity);
        // Asked for, it convicts the server; else it informs, and there is no evidence all the same.
        for (more, code, status) in [(&[][..], 3, Warn), (&ENDPOINT[..], 1, Fail)] {
            let ran = verify(&deployment, &app, more);
            assert_eq!(ran.code, code, "{ran:#?}");
            ran.assert(TlsBinding, status, Some(reason));
            ran.assert(Evidence, Error, Some("tls"));
            ran.assert_detail(Evidence, words);
            let fix = ran.check(Evidence).fix;
            assert!(fix.is_some_and(|fix| fix.contains("tls-binding")), "{ran:#?}");
            grants_nothing(&ran);
            assert_eq!(
                app.requests().len(),
                0,
                "nothing is sent to a server that has not proven its key"
            );
        }
    }
}

#[test]
fn t26_tls_1_2_alone_binds_the_same_and_proves_possession_of_the_key_too() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let genuine = ra_tls(&cvm);
    let stolen = TlsIdentity::new(7, now(), TlsMode::SelfSigned).presenting(&genuine);
    let app = AppServer::https(cvm.clone(), &genuine.only_tls12());
    let ran = verify(&deployment, &app, &ENDPOINT);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Pass, None);
    let app = AppServer::https(cvm, &stolen.only_tls12());
    let ran = verify(&deployment, &app, &ENDPOINT);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(TlsBinding, Fail, Some("ratls-key-not-held"));
    ran.assert(Evidence, Error, Some("tls"));
    assert_eq!(app.requests().len(), 0);
    grants_nothing(&ran);
}

/// A quote that is convicted and one that could not be verified are told apart, as everywhere.
#[test]
fn t26_a_certificate_whose_quote_is_forged_is_refused_before_anything_is_sent() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let mut forged = cvm.clone();
    Lie::ForgedEventLog.apply(&mut forged);
    forged.report_data = ReportDataLayout::Ascii;
    let app = AppServer::https(cvm.clone(), &ra_tls(&forged));
    let ran = verify(&deployment, &app, &ENDPOINT);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(TlsBinding, Fail, Some("ratls-quote"));
    assert_eq!(app.requests().len(), 0);
    // The collateral for its quote is not to be had: nobody is accused.
    let app = AppServer::https(cvm.clone(), &ra_tls(&cvm));
    let mut args = deployment.replay_args(&[
        "verify",
        &app.localhost_url(),
        "--format=json",
        "--allow-private-network",
        "--pccs-url=http://127.0.0.1:9/",
        "--no-cache",
    ]);
    args.extend(ENDPOINT.map(str::to_owned));
    let ran = run(&args);
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(TlsBinding, Error, Some("ratls-quote-undetermined"));
    assert_eq!(app.requests().len(), 0);
}

/// The key of the address changes between the request for the quote and the next one.
#[test]
fn t26_a_key_that_changes_between_two_requests_of_a_run_never_binds() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let (first, second) = (ra_tls(&cvm), TlsIdentity::ra_tls(2, now(), &cvm));
    // The certificate is refused by CAs, then admitted; the quote comes over the second connection, /info over the third.
    for (turn, other) in [
        // A certificate of the same VM with another key.
        (vec![first.clone(), first.clone(), second.clone()], "of the VM"),
        // A relay's, which no CA vouches for.
        (
            vec![
                first.clone(),
                first.clone(),
                TlsIdentity::new(9, now(), TlsMode::SelfSigned),
            ],
            "of a relay",
        ),
    ] {
        let app = AppServer::https(cvm.clone(), &first);
        // The right answer, and then the connection is closed.
        app.behave(AppEndpoint::Attestation, Behaviour::WrongContentLength(0));
        app.alternate_tls(&turn);
        let ran = verify(
            &deployment,
            &app,
            &[ENDPOINT[0], ENDPOINT[1], "--no-endpoint-probe"],
        );
        assert_eq!(ran.code, 1, "{other}: {ran:#?}");
        ran.assert(TlsBinding, Fail, Some("tls-key-changed"));
        grants_nothing(&ran);
        app.alternate_tls(&turn);
        let ran = verify(&deployment, &app, &[]);
        assert_ne!(ran.code, 1, "{other}: {ran:#?}");
        ran.assert(TlsBinding, Warn, Some("tls-key-changed"));
        grants_nothing(&ran);
    }
}

/// A member that inflates to tens of megabytes in a certificate of the largest size that is read: one of a gigabyte needs a
/// certificate that is refused by its size.
#[test]
fn a_certificate_with_a_compression_bomb_is_refused_for_that() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let mut encoder = GzEncoder::new(b"ELGZv1".to_vec(), Compression::best());
    let zeros = vec![0; 1 << 20];
    (0..40).for_each(|_| encoder.write_all(&zeros).unwrap());
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() > 32 * 1024 && bomb.len() < 60 * 1024, "{}", bomb.len());
    let identity = TlsIdentity::new(7, now(), TlsMode::SelfSigned).with_ra_tls_extension(RA_TLS_QUOTE, &bomb);
    let app = AppServer::https(cvm, &identity);
    let ran = verify(&deployment, &app, &ENDPOINT);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(TlsBinding, Fail, Some("ratls-malformed"));
    ran.assert_detail(TlsBinding, "inflates to more than 65536 bytes");
    assert_eq!(app.requests().len(), 0);
}

#[test]
fn t26_two_keys_behind_one_address_never_bind() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let first = ra_tls(&cvm);
    let second = TlsIdentity::ra_tls(2, now(), &cvm);
    let app = AppServer::https(cvm, &first);
    // Connections get them in turn, as behind a load balancer.
    app.alternate_tls(&[first, second]);
    let ran = verify(&deployment, &app, &ENDPOINT);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(TlsBinding, Fail, Some("tls-key-changed"));
    grants_nothing(&ran);
    // Not asked for, it is named, and nothing fails.
    let ran = verify(&deployment, &app, &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Warn, Some("tls-key-changed"));
    grants_nothing(&ran);
}

#[test]
fn t26_an_endpoint_that_quotes_anything_never_binds() {
    let deployment = Deployment::healthy();
    let mut cvm = strict();
    cvm.report_data = ReportDataLayout::Raw;
    let app = AppServer::https(cvm.clone(), &ra_tls(&cvm));
    let ran = verify(&deployment, &app, &ENDPOINT);
    assert_eq!(ran.code, 1);
    ran.assert(TlsBinding, Fail, Some("oracle-64"));
    grants_nothing(&ran);
    // Without the tier the same is found out: the word `endpoint` never stands for a binding that anyone can make.
    let ran = verify(&deployment, &app, &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Warn, Some("oracle-64"));
    grants_nothing(&ran);
}

#[test]
fn a_bundle_keeps_the_chain_and_its_replay_reaches_no_endpoint() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let app = AppServer::https(cvm.clone(), &ra_tls(&cvm));
    let bundle = deployment.path("app.evidence.json");
    let ran = verify(
        &deployment,
        &app,
        &[ENDPOINT[0], ENDPOINT[1], &format!("--evidence={bundle}")],
    );
    assert_eq!(ran.code, 0, "{ran:#?}");
    let replay =
        |more: &[&str]| run(&deployment.replay_args_with(&["replay", &bundle, "--format=json"], more));
    let ran = replay(&ENDPOINT);
    assert_eq!(ran.code, 3);
    ran.assert(TlsBinding, Skip, Some("recorded"));
    grants_nothing(&ran);
    let ran = replay(&[]);
    assert_eq!(ran.report().targets[0].verdict, Verdict::Pass);
    ran.assert(TlsBinding, Skip, Some("recorded"));
    assert_eq!(ran.report().targets[0].tls_route, Some(TlsRoute::AppRatls));
    grants_nothing(&ran);
}

#[test]
fn a_tier_that_no_check_can_prove_is_a_usage_error() {
    let deployment = Deployment::healthy();
    for (value, says) in [
        ("endpoint", "write `code+endpoint`"),
        ("hardware+endpoint", "write `code+endpoint`"),
        ("code+endpoint+endpoint", "write one of them"),
        ("code+gpu", "it is none of"),
    ] {
        deployment
            .verify(&[&format!("--require-assurance={value}")])
            .assert_usage_error(says);
    }
}

#[test]
fn a_certificate_without_a_quote_says_what_is_missing() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let identity = ra_tls(&cvm).without_ra_tls_extension(RA_TLS_QUOTE);
    let app = AppServer::https(cvm, &identity);
    let ran = verify(&deployment, &app, &ENDPOINT);
    ran.assert(Evidence, Error, Some("tls"));
    ran.assert(TlsBinding, Fail, Some("ratls-no-evidence"));
    ran.assert_detail(Evidence, "neither a quote");
}

#[test]
fn a_chain_of_nine_and_a_certificate_of_65_kib_are_refused_before_anything_is_sent() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let genuine = ra_tls(&cvm);
    let mut nine = genuine.chain_der();
    nine.resize(9, nine[2].clone());
    let nine = genuine.clone().presenting_chain(nine);
    let large = genuine.with_ra_tls_extension("1.3.6.1.4.1.62397.1.77", &[0; 65 * 1024]);
    for (identity, words) in [(&nine, "it has 9 certificates; at most 8 are read"), (&large, "")] {
        let app = AppServer::https(cvm.clone(), identity);
        let ran = verify(&deployment, &app, &ENDPOINT);
        assert_eq!(ran.code, 3, "{ran:#?}");
        ran.assert(Evidence, Error, Some("tls"));
        ran.assert_detail(Evidence, words);
        assert_eq!(app.requests().len(), 0);
        grants_nothing(&ran);
    }
}
