//! A source that hangs or fails costs the targets neither what is proven without it nor each other's time.

use std::net::TcpListener;

use cvm_verify_core::report::CheckId::{ComposeHash, SourceProvenance};
use cvm_verify_core::report::Status::{Error, Fail};
use simulator::{Cvm, Scripted, ScriptedServer, World};

use super::{Deployment, REPOSITORY, Release, run, without_script};

#[test]
fn what_is_proven_is_reported_at_the_deadline_though_a_source_hangs() {
    // Connections are made, and nobody answers.
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let deployment = Deployment::of(without_script(Cvm::healthy(&World::default())));
    let args = deployment.network_args(&[
        "verify",
        &deployment.app.url(),
        "--format=json",
        "--deadline=8s",
        &format!("--compose-hash={}", "77".repeat(32)),
        REPOSITORY,
        &format!("--source-api-url=http://{}", hangs.local_addr().unwrap()),
    ]);
    let ran = run(&args);
    ran.assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    ran.assert(SourceProvenance, Error, Some("unreachable"));
    assert_eq!(ran.code, 1, "{ran:#?}");
}

#[test]
fn a_source_that_fails_is_asked_once_for_all_targets_of_a_run() {
    let release = Release::of(ScriptedServer::http(|_| {
        Scripted::of(503, "text/plain", Vec::new())
    }));
    let url = release.deployment.app.url();
    let more: String = (0..3)
        .map(|number| format!("[[target]]\nname = \"more{number}\"\nurl = \"{url}\"\n"))
        .collect();
    let ran = release.with_policy(&more, &[REPOSITORY]);
    let targets = ran.report().targets;
    assert_eq!(targets.len(), 4);
    for target in &targets {
        let check = target.check(SourceProvenance).unwrap();
        assert_eq!(
            (check.status, check.reason.as_deref()),
            (Error, Some("unreachable"))
        );
    }
    // Two images, three attempts for each.
    assert_eq!(release.api.requests().len(), 6);
}
