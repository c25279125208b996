//! The channel and the transport, live: T1 to T4, T27, T47 to T49 and "Fail or error" of the threat list.

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use simulator::{
    AppEndpoint, AppServer, Behaviour, Cvm, Lie, PccsEndpoint, ReportDataLayout, TlsIdentity, TlsMode, World,
};

use super::deployment::Deployment;
use super::run::run;

fn nonces(deployment: &Deployment) -> Vec<String> {
    let asked = deployment.app.requests();
    asked
        .iter()
        .filter_map(|request| request.parameter("reportData").map(|nonce| nonce.to_string()))
        .collect()
}

#[test]
fn t02_the_nonce_is_32_random_bytes_for_each_run() {
    let deployment = Deployment::healthy();
    deployment.verify(&[]);
    deployment.verify(&[]);
    let nonces = nonces(&deployment);
    assert_eq!(nonces.len(), 2);
    assert_ne!(nonces[0], nonces[1]);
    assert!(nonces.iter().all(|nonce| {
        nonce.len() == 64
            && nonce
                .bytes()
                .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
    }));
}

#[test]
fn t02_the_ascii_layout_is_accepted_and_named() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report_data = ReportDataLayout::Ascii;
    let ran = Deployment::of(cvm).verify(&[]);
    assert_eq!(ran.code, 0);
    ran.assert_detail(Freshness, "`ascii`");
}

#[test]
fn t03_each_attempt_has_a_fresh_nonce_and_an_old_answer_fails() {
    let deployment = Deployment::healthy();
    deployment
        .app
        .behave_next(AppEndpoint::Attestation, 1, Behaviour::Status(503));
    let ran = deployment.verify(&[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let sent = nonces(&deployment);
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0], sent[1]);
    deployment.app.answer_with(simulator::Answers::RelayPrevious);
    deployment.verify(&[]);
    let ran = deployment.verify(&[]);
    assert_eq!(ran.code, 1);
    ran.assert(Freshness, Fail, Some("nonce-mismatch"));
}

#[test]
fn t01_an_old_quote_with_a_fresh_echo_fails() {
    let mut cvm = Cvm::healthy(&World::default());
    Lie::ReplayedQuote.apply(&mut cvm);
    let ran = Deployment::of(cvm).verify(&[]);
    assert_eq!(ran.code, 1);
    ran.assert(Freshness, Fail, Some("nonce-mismatch"));
    ran.assert(ReportData, Fail, Some("echo-mismatch"));
}

#[test]
fn t04_a_relay_never_reaches_more_than_code() {
    // The simulated app is plain http: whoever relays the nonce gets the same evidence.
    // Its OS image is in no table, so that the lock accepts it in writing and `code` is not reached without that.
    let ran = Deployment::healthy().verify(&[]);
    let target = &ran.report().targets[0];
    assert_eq!(ran.code, 0);
    assert_eq!(target.assurance, cvm_verify_core::report::Assurance::Hardware);
    assert_eq!(target.accepted.len(), 1);
}

#[test]
fn t27_a_self_signed_certificate_is_refused_and_a_private_ca_must_be_named() {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let cvm = Cvm::healthy(&World::default());
    let deployment = Deployment::healthy();
    for (mode, ca_named, passes) in [
        (TlsMode::SelfSigned, false, false),
        (TlsMode::TestCa, false, false),
        (TlsMode::TestCa, true, true),
    ] {
        let identity = TlsIdentity::new(1, now, mode);
        let app = AppServer::https(cvm.clone(), &identity);
        std::fs::write(deployment.folder.path().join("ca.pem"), identity.ca_pem()).unwrap();
        let mut args =
            deployment.network_args(&["verify", &app.localhost_url().to_string(), "--format=json"]);
        if ca_named {
            args.push(format!("--ca-file={}", deployment.path("ca.pem")));
        }
        let ran = run(&args);
        if passes {
            ran.assert(QuoteSignature, Pass, None);
        } else {
            assert_eq!(ran.code, 3);
            ran.assert(Evidence, Error, Some("tls"));
            assert_eq!(
                app.requests().len(),
                0,
                "nothing is sent over a connection that is not trusted"
            );
        }
    }
}

#[test]
fn t47_private_addresses_plain_http_and_redirects_are_refused() {
    let deployment = Deployment::healthy();
    for url in [
        "https://127.0.0.1:9",
        "https://10.0.0.1",
        "https://[::1]",
        "https://169.254.169.254",
    ] {
        let ran = run(&["verify", url, "--format=json"]);
        assert_eq!(ran.code, 3, "{url}");
        ran.assert(Evidence, Error, Some("address-refused"));
    }
    let plain = run(&["verify", "http://example.com", "--format=json"]);
    assert_eq!(plain.code, 2, "an address that is never asked is a usage error");
    plain.assert_stderr("https://");
    let elsewhere = Deployment::healthy();
    deployment.app.behave(
        AppEndpoint::Attestation,
        Behaviour::Redirect(elsewhere.app.url().to_string()),
    );
    let ran = deployment.verify(&[]);
    ran.assert(Evidence, Error, Some("http-status"));
    assert_eq!(
        deployment.app.count("/attestation"),
        1,
        "a redirect does not heal"
    );
    assert!(elsewhere.app.requests().is_empty());
}

#[test]
fn t47_a_crl_address_in_a_certificate_is_not_followed() {
    let trap = Deployment::healthy();
    let mut cvm = Cvm::healthy(&World::default());
    cvm.world.pki.root_crl_url = format!("{}/crl", trap.app.url());
    cvm.world.pki.pck_crl_url = format!("{}/crl", trap.app.url());
    let deployment = Deployment::of(cvm);
    deployment.verify(&[]);
    assert!(trap.app.requests().is_empty());
}

#[test]
fn t48_endless_and_huge_answers_are_cut() {
    let deployment = Deployment::healthy();
    for (behaviour, reason) in [
        (Behaviour::EndlessBody, "too-large"),
        (Behaviour::HugeHeaders(200_000), "too-large"),
    ] {
        deployment.app.behave(AppEndpoint::Attestation, behaviour);
        let ran = deployment.verify(&[]);
        assert_eq!(ran.code, 3);
        ran.assert(Evidence, Error, Some(reason));
    }
    deployment.app.behave(AppEndpoint::Attestation, Behaviour::Normal);
    deployment
        .pccs
        .behave(PccsEndpoint::TcbInfo, Behaviour::EndlessBody);
    let ran = deployment.verify(&[]);
    assert_eq!(ran.code, 3);
    ran.assert(Collateral, Error, Some("malformed"));
    ran.assert(QuoteSignature, Error, Some("quote-not-proven"));
}

#[test]
fn t49_pccs_url_of_the_environment_has_no_effect() {
    let deployment = Deployment::healthy();
    let trap = Deployment::healthy();
    let args = deployment.network_args(&["verify", &deployment.app.url(), "--format=json"]);
    let trap_url = trap.pccs.url().to_string();
    let ran = super::run::run_in(
        &args,
        &[
            ("PCCS_URL", &trap_url),
            ("HTTPS_PROXY", &trap_url),
            ("HTTP_PROXY", &trap_url),
        ],
        |_| {},
    );
    ran.assert(QuoteSignature, Pass, None);
    assert!(trap.pccs.requests().is_empty());
}

#[test]
fn what_may_heal_is_asked_three_times_and_what_may_not_once() {
    for (behaviour, reason, attempts) in [
        (Behaviour::Status(500), "http-status", 3),
        (Behaviour::Status(404), "http-status", 1),
        (Behaviour::Html, "not-json", 3),
        (Behaviour::TruncatedBody, "not-json", 3),
        (Behaviour::EmptyBody, "not-json", 3),
        (Behaviour::Close, "unreachable", 3),
        (Behaviour::Body("{}".to_owned()), "no-quote", 1),
    ] {
        let deployment = Deployment::healthy();
        deployment.app.behave(AppEndpoint::Attestation, behaviour.clone());
        let ran = deployment.verify(&[]);
        assert_eq!(ran.code, 3, "{behaviour:?}");
        ran.assert(Evidence, Error, Some(reason));
        assert_eq!(deployment.app.count("/attestation"), attempts, "{behaviour:?}");
    }
}

#[test]
fn a_dead_pccs_is_an_error_and_never_a_fail() {
    let deployment = Deployment::healthy();
    deployment.pccs.behave_everywhere(&Behaviour::Status(404));
    let ran = deployment.verify(&[]);
    assert_eq!(ran.code, 3);
    let check = ran.check(Collateral);
    assert_eq!(check.status, Error);
    ran.assert(QuoteSignature, Error, Some("quote-not-proven"));
}
