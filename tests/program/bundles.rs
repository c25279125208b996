//! A bundle replays to the result of the run that wrote it.

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use simulator::{Cvm, Lie, World};

use super::deployment::Deployment;
use super::run::{Ran, found, run};

fn replay(deployment: &Deployment, bundle: &str, more: &[&str]) -> Ran {
    let mut args = vec![
        "replay".to_owned(),
        deployment.path(bundle),
        "--format=json".to_owned(),
        format!("--insecure-trust-root={}", deployment.path("root.pem")),
    ];
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    run(&args)
}

#[test]
fn a_bundle_replays_to_the_same_result_for_truth_and_lies() {
    for lie in [
        None,
        Some(Lie::SwappedImage),
        Some(Lie::ForgedEventLog),
        Some(Lie::ReplayedQuote),
        Some(Lie::OutOfDatePlatform),
    ] {
        let mut cvm = Cvm::healthy(&World::default());
        if let Some(lie) = lie {
            lie.apply(&mut cvm);
        }
        let deployment = Deployment::of(cvm);
        let path = deployment.path("bundle.json");
        let live = deployment.verify_with(&[], &["--evidence", &path]).report();
        let first = replay(&deployment, "bundle.json", &[]).report();
        assert_eq!(
            found(live.targets[0].checks.clone()),
            found(first.targets[0].checks.clone()),
            "{lie:?}"
        );
        assert_eq!(live.targets[0].measurements, first.targets[0].measurements);
        assert_eq!(live.targets[0].tcb, first.targets[0].tcb);
        assert_eq!(live.targets[0].evidence, first.targets[0].evidence);
        let again = replay(&deployment, "bundle.json", &[]).report();
        assert_eq!(first.targets, again.targets, "a replay is the same every time");
    }
}

#[test]
fn a_bundle_keeps_what_it_was_sent_to_the_letter() {
    let deployment = Deployment::healthy();
    deployment.app.change(|cvm| {
        cvm.body
            .attestation_members_last
            .push(r#""unknown": [1,  2]"#.to_owned())
    });
    deployment.verify(&["--evidence", &deployment.path("bundle.json")]);
    let bundle = std::fs::read_to_string(deployment.folder.path().join("bundle.json")).unwrap();
    assert!(
        bundle.contains(r#""unknown": [1,  2]"#),
        "unknown members and blanks survive"
    );
}

#[test]
fn replay_judges_at_the_time_of_capture_or_at_another() {
    let deployment = Deployment::healthy();
    deployment.verify(&["--evidence", &deployment.path("bundle.json")]);
    replay(&deployment, "bundle.json", &[]).assert(Collateral, Pass, None);
    replay(&deployment, "bundle.json", &["--at=2030-01-01"]).assert(Collateral, Error, Some("expired"));
    replay(&deployment, "bundle.json", &["--at=yesterday"]).assert_usage_error("is not an RFC 3339 time");
}

#[test]
fn a_folder_takes_one_bundle_a_target_and_a_file_takes_one() {
    let (one, two) = (Deployment::healthy(), Deployment::healthy());
    let folder = one.path("bundles");
    std::fs::create_dir(&folder).unwrap();
    one.verify(&[two.app.url().as_ref(), "--evidence", &folder]);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    // A folder that is not there is made; a file is no folder.
    let made = one.path("made/here");
    one.verify(&[two.app.url().as_ref(), "--evidence", &made]);
    assert_eq!(std::fs::read_dir(&made).unwrap().count(), 2);
    // One target needs none, and a slash at the end names one.
    let made = one.path("alone/here/");
    one.verify(&["--evidence", &made]);
    assert_eq!(std::fs::read_dir(&made).unwrap().count(), 1);
    std::fs::write(one.path("x.json"), "").unwrap();
    one.verify(&[two.app.url().as_ref(), "--evidence", &one.path("x.json")])
        .assert_usage_error("cannot be made");
}
