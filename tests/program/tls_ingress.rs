//! Who serves the address, live, if TLS ends in a dstack ingress.

use std::collections::BTreeSet;

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use cvm_verify_core::report::{SideTier, TlsRoute, Verdict};
use simulator::server::{Behaviour, Ingress};
use simulator::{AppEndpoint, AppServer, Cvm, ReportDataLayout, TlsIdentity, TlsMode, World};

use super::deployment::Deployment;
use super::run::{Ran, run};
use super::tls::{grants_nothing, now, verify};

const REPLAYABLE: [&str; 2] = [
    "--tls-binding=ingress",
    "--require-assurance=code+endpoint-replayable",
];

/// An app behind an ingress, and what trusts its CA.
struct Served {
    deployment: Deployment,
    cvm: Cvm,
    identity: TlsIdentity,
    app: AppServer,
    ca: String,
}

impl Served {
    fn with_layout(layout: ReportDataLayout) -> Self {
        let deployment = Deployment::healthy();
        let mut cvm = Cvm::healthy(&World::default());
        cvm.report_data = layout;
        let identity = TlsIdentity::new(1, now(), TlsMode::TestCa);
        std::fs::write(deployment.folder.path().join("ca.pem"), identity.ca_pem()).unwrap();
        let ca = format!("--ca-file={}", deployment.path("ca.pem"));
        let app = AppServer::https(cvm.clone(), &identity);
        Self {
            deployment,
            cvm,
            identity,
            app,
            ca,
        }
    }

    /// With the evidence of an ingress, and a handler that refuses everything but 64 hex digits.
    fn honest() -> Self {
        let served = Self::with_layout(ReportDataLayout::Ascii);
        served.app.serve_ingress(&served.ingress());
        served.app.strict();
        served
    }

    fn ingress(&self) -> Ingress {
        Ingress::of(&self.cvm, &self.identity, "localhost")
    }

    fn verify(&self, more: &[&str]) -> Ran {
        self.app.forget_requests();
        let more: Vec<&str> = std::iter::once(self.ca.as_str())
            .chain(more.iter().copied())
            .collect();
        verify(&self.deployment, &self.app, &more)
    }

    fn paths(&self) -> Vec<String> {
        let requests = self.app.requests();
        requests.iter().map(|request| request.path().to_owned()).collect()
    }
}

#[test]
fn an_ingress_is_asked_for_its_files_on_a_connection_each_and_proves_no_more_than_it_can() {
    let served = Served::honest();
    let ran = served.verify(&[REPLAYABLE[0], REPLAYABLE[1]]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Pass, None);
    assert_eq!(ran.check(TlsBinding).grants, Some(SideTier::EndpointReplayable));
    let report = ran.report();
    assert_eq!(report.targets[0].tls_route, Some(TlsRoute::Ingress));
    let requests = served.app.requests();
    let files: Vec<_> = requests
        .iter()
        .filter(|request| request.path().starts_with("/evidences/"))
        .collect();
    let names: Vec<&str> = files.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(
        names,
        [
            "/evidences/sha256sum.txt",
            "/evidences/acme-account.json",
            "/evidences/cert-localhost.pem",
            "/evidences/quote.json"
        ]
    );
    // HAProxy decides by the first bytes of a connection.
    let connections: BTreeSet<usize> = files.iter().map(|request| request.connection).collect();
    assert_eq!(connections.len(), files.len());
    for request in &requests {
        let is_file = request.path().starts_with("/evidences/");
        assert!(is_file || !connections.contains(&request.connection));
    }
    // Both probes: the evidence of an ingress can be forged with a text.
    let probes: Vec<String> = requests
        .iter()
        .filter_map(|request| request.parameter("reportData"))
        .collect();
    let lengths: Vec<usize> = probes.iter().map(String::len).collect();
    assert_eq!(lengths, [64, 128, 64]);
    assert!(
        probes[2]
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() && !byte.is_ascii_hexdigit())
    );

    // Nobody asked: it is found out, by the same requests.
    let ran = served.verify(&[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Pass, None);
    assert_eq!(ran.check(TlsBinding).grants, Some(SideTier::EndpointReplayable));
    assert_eq!(served.app.count("/attestation"), 3);
    // Who asks for more gets none of it.
    let ran = served.verify(&["--require-assurance=code+endpoint"]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    assert_eq!(ran.report().targets[0].verdict, Verdict::Inconclusive);
    served
        .deployment
        .verify(&[REPLAYABLE[0], "--require-assurance=code+endpoint"])
        .assert_usage_error("the mode `ingress` proves `code+endpoint-replayable` at most");
}

/// An ingress that renews its certificate writes the manifest first, and has it quoted then.
#[test]
fn an_ingress_that_renews_its_certificate_is_asked_again() {
    let served = Served::honest();
    let honest = served.ingress();
    let mut renewing = served.ingress();
    renewing.manifest =
        b"5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c  acme-account.json\n".to_vec();
    served.app.serve_ingress(&renewing);
    let ended = std::sync::atomic::AtomicBool::new(false);
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            while served.app.count("/evidences/quote.json") == 0 {
                if ended.load(std::sync::atomic::Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            served.app.serve_ingress(&honest);
        });
        let ran = served.verify(&REPLAYABLE);
        ended.store(true, std::sync::atomic::Ordering::Relaxed);
        ran
    });
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Pass, None);
    // Without the mode, nobody waits for what only informs.
    served.app.serve_ingress(&renewing);
    let ran = served.verify(&[]);
    assert_eq!(served.app.count("/evidences/quote.json"), 1, "{ran:#?}");
}

#[test]
fn an_address_without_an_ingress_is_asked_for_one_file_and_a_key_that_is_bound_for_none() {
    let served = Served::with_layout(ReportDataLayout::Ascii);
    let ran = served.verify(&[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Skip, Some("unbound"));
    assert_eq!(
        served.paths(),
        ["/attestation", "/info", "/evidences/sha256sum.txt"]
    );
    let ran = served.verify(&REPLAYABLE);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(TlsBinding, Fail, Some("ingress-no-evidence"));
    // A page for every address is no manifest.
    served
        .app
        .serve_file("/evidences/sha256sum.txt", "text/html", "<!doctype html>");
    served.verify(&[]).assert(TlsBinding, Skip, Some("unbound"));
    served
        .verify(&REPLAYABLE)
        .assert(TlsBinding, Fail, Some("ingress-manifest"));

    let identity = TlsIdentity::new(1, now(), TlsMode::TestCa);
    let bound = Served::with_layout(ReportDataLayout::KeyThenNonce(identity.key_hash()));
    let ran = bound.verify(&[]);
    ran.assert(TlsBinding, Pass, None);
    assert_eq!(
        bound.paths(),
        ["/attestation", "/info", "/attestation"],
        "and the probe"
    );
}

#[test]
fn t26_an_app_that_quotes_what_it_is_sent_makes_an_ingress_worth_nothing() {
    // 32 bytes of the caller's, then zeros: what the evidence for the nonce shows already.
    let served = Served::with_layout(ReportDataLayout::Raw);
    served.app.serve_ingress(&served.ingress());
    served.app.strict();
    let ran = served.verify(&REPLAYABLE);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(TlsBinding, Fail, Some("oracle-32"));
    grants_nothing(&ran);
    let ran = served.verify(&[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Skip, Some("oracle-32"));
    grants_nothing(&ran);

    // Any text: what the second probe alone shows.
    let served = Served::with_layout(ReportDataLayout::Ascii);
    served.app.serve_ingress(&served.ingress());
    let ran = served.verify(&REPLAYABLE);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(TlsBinding, Fail, Some("oracle-32"));
    // The hash of anything: the manifest of the caller's among it.
    let served = Served::with_layout(ReportDataLayout::Sha256);
    served.app.serve_ingress(&served.ingress());
    let ran = served.verify(&["--report-data=sha256-raw", REPLAYABLE[0], REPLAYABLE[1]]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(TlsBinding, Fail, Some("oracle-32"));
}

#[test]
fn t26_a_relay_of_an_ingress_never_binds_live() {
    let served = Served::honest();
    let relay = TlsIdentity::new(7, now(), TlsMode::TestCa);
    std::fs::write(served.deployment.folder.path().join("ca.pem"), relay.ca_pem()).unwrap();
    served.app.rotate_tls(&relay);
    let ran = served.verify(&REPLAYABLE);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(TlsBinding, Fail, Some("ingress-key-differs"));
    grants_nothing(&ran);
    // With a manifest of its own, and what the ingress quoted.
    let mut own = Ingress::of(&served.cvm, &relay, "localhost");
    own.quote = served.ingress().quote;
    served.app.serve_ingress(&own);
    let ran = served.verify(&REPLAYABLE);
    ran.assert(TlsBinding, Fail, Some("ingress-not-bound"));
    grants_nothing(&ran);
}

#[test]
fn files_that_an_ingress_cannot_serve_now_leave_its_key_open() {
    let served = Served::honest();
    served.app.behave(AppEndpoint::Other, Behaviour::Status(503));
    let ran = served.verify(&REPLAYABLE);
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(TlsBinding, Error, Some("ingress-unreachable"));
    // More than any file has.
    let served = Served::honest();
    served.app.serve_file(
        "/evidences/acme-account.json",
        "text/plain",
        vec![b' '; 64 * 1024 + 1],
    );
    let ran = served.verify(&REPLAYABLE);
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(TlsBinding, Error, Some("ingress-unreachable"));
    // An empty quote is said as what it is.
    let mut ingress = served.ingress();
    ingress.quote.clear();
    served.app.serve_ingress(&ingress);
    served
        .verify(&REPLAYABLE)
        .assert(TlsBinding, Fail, Some("ingress-quote-empty"));
}

#[test]
fn a_bundle_keeps_the_files_of_an_ingress_and_its_replay_reaches_nothing() {
    let served = Served::honest();
    let bundle = served.deployment.path("app.evidence.json");
    let ran = served.verify(&[REPLAYABLE[0], REPLAYABLE[1], &format!("--evidence={bundle}")]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let replay = |more: &[&str]| {
        let root = served.deployment.path("root.pem");
        let mut args = vec!["replay".to_owned(), bundle.clone(), "--format=json".to_owned()];
        args.push(format!("--insecure-trust-root={root}"));
        args.extend(served.deployment.expect().iter().cloned());
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        run(&args)
    };
    let ran = replay(&REPLAYABLE);
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(TlsBinding, Skip, Some("recorded"));
    grants_nothing(&ran);
    let ran = replay(&[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Skip, Some("recorded"));
    assert_eq!(ran.report().targets[0].tls_route, Some(TlsRoute::Ingress));
    grants_nothing(&ran);
    // A lie in the files is found in the recording, too.
    let text = std::fs::read_to_string(&bundle).unwrap();
    let name = hex::encode("acme-account.json");
    assert!(text.contains(&name), "the manifest is recorded byte for byte");
    let other = text.replace(&name, &hex::encode("../../account.json"));
    std::fs::write(&bundle, other).unwrap();
    replay(&REPLAYABLE).assert(TlsBinding, Fail, Some("ingress-manifest-name"));
}
