//! Ten thousand targets of which none answers, and one that does.

use std::sync::Arc;

use cvm_verify_core::report::{CheckId, Verdict};
use simulator::{AppEndpoint, AppServer, Behaviour, Cvm, World};

use super::fault::Fault;
use super::shim::{Plan, Shim};
use crate::deployment::Deployment;
use crate::run::run_in;

const COUNT: usize = 10_000;

#[test]
fn ten_thousand_silent_targets_end_with_the_deadline_and_one_message() {
    let deployment = Deployment::healthy();
    let sink = AppServer::http(Cvm::healthy(&World::default()));
    sink.behave(AppEndpoint::Other, Behaviour::Status(200));
    let silent = Shim::before(&deployment.app.url(), &Arc::new(Plan::from(Fault::Hang, 1)));
    let mut args = vec![
        "verify".to_owned(),
        "--format=json".to_owned(),
        "--deadline=20s".to_owned(),
        deployment.app.url(),
    ];
    args.extend((0..COUNT).map(|number| format!("{}/{number}", silent.url())));
    args.extend(deployment.network());
    args.extend(deployment.expect().iter().cloned());
    let slack = format!("{}/slack", sink.url());
    let ran = run_in(&args, &[("CVM_VERIFY_SLACK_WEBHOOK_URL", &slack)], |_| {});
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let report = ran.report();
    assert_eq!(report.targets.len(), COUNT + 1);
    for target in &report.targets {
        let reason = target.check(CheckId::Evidence).unwrap().reason.as_deref();
        if target
            .url
            .as_deref()
            .unwrap()
            .starts_with(&format!("{}/", silent.url()))
        {
            let late = matches!(reason, Some("deadline-reached" | "unreachable"));
            assert!(late, "{}: {reason:?}", target.name);
        } else {
            assert_eq!((target.verdict, reason), (Verdict::Pass, None));
        }
    }
    // One for each cause, of which there may be two.
    let messages = sink.requests().len();
    assert!((1..=12).contains(&messages), "{messages}");
}
