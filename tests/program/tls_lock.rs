//! What `pin` records of TLS and `verify` asks for then, and what `inspect` shows of it.

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use simulator::server::Ingress;
use simulator::{AppServer, Cvm, ReportDataLayout, TlsIdentity, TlsMode, World};

use super::deployment::Deployment;
use super::run::{Ran, run};
use super::tls::{now, ra_tls, strict};

fn of_command(words: &[&str], deployment: &Deployment, app: &str, more: &[&str]) -> Ran {
    let mut args: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    args.insert(1, app.to_owned());
    args.extend(deployment.network());
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    run(&args)
}

fn pin(deployment: &Deployment, app: &AppServer, more: &[&str]) -> String {
    let lock = deployment.path("cvm.lock");
    let output = format!("--output={lock}");
    let words = ["pin", "--accept-observed", output.as_str()];
    let ran = of_command(&words, deployment, &app.localhost_url(), more);
    assert_eq!(ran.code, 0, "{ran:#?}");
    std::fs::read_to_string(lock).unwrap()
}

fn verify(deployment: &Deployment, url: &str, more: &[&str]) -> Ran {
    let lock = format!("--lock={}", deployment.path("cvm.lock"));
    of_command(&["verify", "--format=json", &lock], deployment, url, more)
}

/// Trusts the CA of this identity.
fn ca(deployment: &Deployment, identity: &TlsIdentity) -> String {
    std::fs::write(deployment.folder.path().join("ca.pem"), identity.ca_pem()).unwrap();
    format!("--ca-file={}", deployment.path("ca.pem"))
}

/// The lock of a relayed app is not silently one without `[tls]`.
#[test]
fn a_binding_that_does_not_hold_is_said_when_the_lock_is_made() {
    let deployment = Deployment::healthy();
    let own = TlsIdentity::new(1, now(), TlsMode::TestCa);
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report_data = ReportDataLayout::KeyThenNonce(own.key_hash());
    let pinned = |identity: &TlsIdentity| {
        let trusted = ca(&deployment, identity);
        let app = AppServer::https(cvm.clone(), identity);
        let output = format!("--output={}", deployment.path("cvm.lock"));
        let words = ["pin", "--accept-observed", "--force", output.as_str()];
        let ran = of_command(&words, &deployment, &app.localhost_url(), &[&trusted]);
        assert_eq!(ran.code, 0, "{ran:#?}");
        let text = std::fs::read_to_string(deployment.path("cvm.lock")).unwrap();
        (ran.stderr, text.contains("[tls]"))
    };
    let (said, holds_tls) = pinned(&TlsIdentity::new(7, now(), TlsMode::TestCa));
    assert!(
        said.contains("The lock holds no TLS binding") && !holds_tls,
        "{said}"
    );
    let (said, holds_tls) = pinned(&own);
    assert!(
        !said.contains("The lock holds no TLS binding") && holds_tls,
        "{said}"
    );
}

#[test]
fn a_lock_records_how_the_address_was_bound_and_a_verification_asks_for_the_same() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let app = AppServer::https(cvm.clone(), &ra_tls(&cvm));
    let text = pin(&deployment, &app, &[]);
    let kms = simulator::cvm::simulated_kms_id(cvm.world.seed);
    let section = format!("\n[tls]\nbinding = \"ratls\" # observed\nkms = \"{kms}\" # observed\n");
    assert!(text.contains(&section), "{text}");
    let ran = verify(&deployment, &app.localhost_url(), &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Pass, None);

    // A relay: nobody but the lock asks who serves the address.
    let relay = TlsIdentity::new(7, now(), TlsMode::TestCa);
    let trusted = ca(&deployment, &relay);
    let relayed = AppServer::https(cvm.clone(), &relay);
    let ran = verify(&deployment, &relayed.localhost_url(), &[&trusted]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(TlsBinding, Fail, Some("ratls-no-evidence"));
    // A mode that the user names replaces the lock's.
    let ran = verify(
        &deployment,
        &relayed.localhost_url(),
        &[&trusted, "--tls-binding=app-key"],
    );
    ran.assert(TlsBinding, Fail, Some("no-app-key"));
    // A source without a connection to the app has nothing to compare.
    let ran = verify(&deployment, &deployment.app.url(), &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Skip, Some("no-connection"));

    // A second pin over the relay: the host cannot take the expectation out by silence.
    let lock = deployment.path("cvm.lock");
    let again = |more: &[&str]| {
        let output = format!("--output={lock}");
        let mut words = vec!["pin", output.as_str(), trusted.as_str()];
        words.extend(more);
        of_command(&words, &deployment, &relayed.localhost_url(), &[])
    };
    let refused = again(&[]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(
        refused.stderr.contains("The lock held tls.binding, tls.kms")
            && refused.stderr.contains("--accept no-longer-shown"),
        "{}",
        refused.stderr
    );
    assert_eq!(std::fs::read_to_string(&lock).unwrap(), text);
    // Without a connection nobody asked, and it stays.
    let output = format!("--output={lock}");
    let unasked = of_command(
        &["pin", &output],
        &deployment,
        &deployment.app.url().to_string(),
        &[],
    );
    assert_eq!(unasked.code, 0, "{unasked:#?}");
    unasked.assert_stderr("note: [tls] stays unchanged in");
    assert!(std::fs::read_to_string(&lock).unwrap().contains(&section));
    std::fs::write(&lock, &text).unwrap();

    // Another KMS than the one in the lock.
    let other = text.replace(
        &format!("kms = \"{kms}\" # observed"),
        "kms = \"3059aa\" # observed",
    );
    assert_ne!(other, text);
    std::fs::write(deployment.path("cvm.lock"), other).unwrap();
    let ran = verify(&deployment, &app.localhost_url(), &[]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(TlsBinding, Fail, Some("ratls-other-kms"));
}

#[test]
fn a_lock_records_no_mode_of_a_key_that_is_not_bound() {
    let deployment = Deployment::healthy();
    let identity = TlsIdentity::new(1, now(), TlsMode::TestCa);
    let trusted = ca(&deployment, &identity);
    let app = AppServer::https(strict(), &identity);
    assert!(!pin(&deployment, &app, &[&trusted]).contains("[tls]"));
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report_data = ReportDataLayout::KeyThenNonce(identity.key_hash());
    app.replace(cvm);
    let text = pin(&deployment, &app, &[&trusted]);
    assert!(
        text.contains("\n[tls]\nbinding = \"app-key\" # observed\n"),
        "{text}"
    );
}

#[test]
fn a_section_of_a_lock_that_asks_for_nothing_is_a_mistake() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let app = AppServer::https(cvm.clone(), &ra_tls(&cvm));
    let text = pin(&deployment, &app, &[]);
    for (from, to, says) in [
        (
            "binding = \"ratls\"",
            "binding = \"auto\"",
            "is not a way in which a VM binds",
        ),
        ("binding = \"ratls\"", "bindings = \"ratls\"", "binding"),
        (
            "binding = \"ratls\"",
            "binding = \"app-key\"",
            "is the KMS of an RA-TLS certificate",
        ),
    ] {
        std::fs::write(deployment.path("cvm.lock"), text.replace(from, to)).unwrap();
        verify(&deployment, &app.localhost_url(), &[]).assert_usage_error(says);
    }
}

#[test]
fn an_inspection_shows_the_certificate_and_which_mode_could_be_had() {
    let deployment = Deployment::healthy();
    let inspect = |app: &AppServer, more: &[&str]| {
        let ran = of_command(&["inspect"], &deployment, &app.localhost_url(), more);
        assert_eq!(ran.code, 0, "{ran:#?}");
        ran.stdout
    };
    let cvm = strict();
    let identity = ra_tls(&cvm);
    let text = inspect(&AppServer::https(cvm.clone(), &identity), &[]);
    for words in [
        "TLS (of the address)",
        &hex::encode(identity.key_hash()),
        "Evidence in the first",
        "--tls-binding ratls",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }

    let identity = TlsIdentity::new(1, now(), TlsMode::TestCa);
    let trusted = ca(&deployment, &identity);
    let app = AppServer::https(cvm.clone(), &identity);
    let text = inspect(&app, &[&trusted]);
    assert!(
        text.contains("Neither the certificate, the report data nor an ingress"),
        "{text}"
    );
    app.serve_ingress(&Ingress::of(&cvm, &identity, "localhost"));
    let text = inspect(&app, &[&trusted]);
    assert!(
        text.contains("--tls-binding ingress") && text.contains("cert-localhost.pem"),
        "{text}"
    );
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report_data = ReportDataLayout::KeyThenNonce(identity.key_hash());
    app.replace(cvm);
    assert!(inspect(&app, &[&trusted]).contains("--tls-binding app-key"));
}
