//! `--wait`, after a deploy.

use cvm_verify::report::CheckId::*;
use cvm_verify::report::Status::*;
use simulator::{AppEndpoint, Behaviour, Cvm, Lie, World};

use super::deployment::Deployment;

fn with_the_old_release() -> Deployment {
    let mut cvm = Cvm::healthy(&World::default());
    Lie::SwappedImage.apply(&mut cvm);
    Deployment::of(cvm)
}

#[test]
fn a_new_release_is_waited_for_and_the_log_says_what_is_still_different() {
    let deployment = with_the_old_release();
    let ran = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| deployment.verify(&["--wait=60s"]));
        while deployment.app.count("/attestation") < 2 {
            std::thread::yield_now();
        }
        deployment.app.replace(Cvm::healthy(&World::default()));
        waiting.join().unwrap()
    });
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(ran.stderr.contains("waiting: 127.0.0.1"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("compose-hash [compose-hash-mismatch]"),
        "{}",
        ran.stderr
    );
}

#[test]
fn when_time_is_up_the_last_verdict_stands() {
    let deployment = with_the_old_release();
    let ran = deployment.verify(&["--wait=3s"]);
    assert_eq!(ran.code, 1);
    ran.assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    assert!(deployment.app.count("/attestation") > 1);
}

#[test]
fn a_passing_deployment_is_asked_once_and_a_wrong_duration_is_a_usage_error() {
    let deployment = Deployment::healthy();
    assert_eq!(deployment.verify(&["--wait=10m"]).code, 0);
    assert_eq!(deployment.app.count("/attestation"), 1);
    deployment
        .app
        .behave(AppEndpoint::Attestation, Behaviour::Status(404));
    deployment
        .verify(&["--wait=soon"])
        .assert_usage_error("is no duration");
}

#[test]
fn a_file_that_cannot_be_written_never_hides_the_verdict() {
    let deployment = Deployment::healthy();
    let ran = deployment.verify(&["--report-json", "/no/such/folder/report.json"]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.report().exit_code, 0, "the report is printed all the same");
    assert!(ran.stderr.contains("cannot be written"), "{}", ran.stderr);
    let ran = with_the_old_release().verify(&["--report-json", "/no/such/folder/report.json"]);
    assert_eq!(ran.code, 1, "a fail stays a fail");
}
