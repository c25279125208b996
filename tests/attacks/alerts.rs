//! Alerts that stop, and alerts that are kept silent: T57, T61. (T58 to T60 stand beside the channels.)

use cvm_verify::alert::AlertEvent;
use cvm_verify::alert::incident::{Failure, MAX_STATE_BYTES, Observation, Rules, State, TargetId, decide};
use cvm_verify_core::policy::Policy;
use simulator::{AppEndpoint, AppServer, Behaviour, Cvm, Lie, World};

use crate::deployment::Deployment;
use crate::run::{Ran, run_in};

/// A service that takes everything.
fn sink() -> AppServer {
    let sink = AppServer::http(Cvm::healthy(&World::default()));
    sink.behave(AppEndpoint::Other, Behaviour::Status(200));
    sink
}

fn lying(lie: Lie) -> Deployment {
    let mut cvm = Cvm::healthy(&World::default());
    lie.apply(&mut cvm);
    Deployment::of(cvm)
}

/// A run that remembers in `state`.
fn verify(deployment: &Deployment, sink: &AppServer, state: &str) -> Ran {
    let (hook, heart) = (format!("{}/hook", sink.url()), format!("{}/ping", sink.url()));
    let env = [
        ("CVM_VERIFY_WEBHOOK_URL", hook.as_str()),
        ("CVM_VERIFY_HEARTBEAT_URL", heart.as_str()),
    ];
    run_in(
        &deployment.strict_args(&[
            "verify",
            &deployment.app.url(),
            "--format=json",
            &format!("--state={state}"),
        ]),
        &env,
        |_| {},
    )
}

fn state_in(deployment: &Deployment) -> String {
    deployment.folder.path().join("state.json").display().to_string()
}

#[test]
fn t57_every_run_is_a_heartbeat_also_where_there_is_nothing_new_to_tell() {
    let (sink, deployment) = (sink(), lying(Lie::SwappedImage));
    let state = state_in(&deployment);
    for _ in 0..3 {
        verify(&deployment, &sink, &state);
    }
    assert_eq!(sink.count("/ping/fail"), 3);
    assert_eq!(sink.count("/hook"), 1, "told once");
}

#[test]
fn t61_a_missing_damaged_foreign_or_large_memory_means_send_and_says_so() {
    let (sink, deployment) = (sink(), lying(Lie::SwappedImage));
    let state = state_in(&deployment);
    let ran = verify(&deployment, &sink, &state);
    ran.assert_stderr("there is no alert state yet");
    let good = std::fs::read_to_string(&state).unwrap();
    let mut sent = 1;
    for (text, says) in [
        ("{".to_owned(), "it is damaged"),
        (
            good.replace("alert-state/v1", "alert-state/v9"),
            "another version of cvm-verify",
        ),
        (
            format!("{good}{}", " ".repeat(MAX_STATE_BYTES)),
            "it is larger than 16777216 bytes",
        ),
    ] {
        std::fs::write(&state, text).unwrap();
        let ran = verify(&deployment, &sink, &state);
        sent += 1;
        ran.assert_stderr(says);
        assert_eq!(sink.count("/hook"), sent, "{says}");
        // And it is whole again.
        verify(&deployment, &sink, &state);
        assert_eq!(sink.count("/hook"), sent, "{says}");
    }
}

#[test]
fn t61_no_text_of_a_cvm_is_in_the_key_or_in_the_memory() {
    let sink = sink();
    let (one, other) = (lying(Lie::SwappedImage), lying(Lie::SwappedImage));
    let report = verify(&one, &sink, &state_in(&one)).report();
    let mut chosen = report.targets[0].clone();
    for check in &mut chosen.checks {
        check.detail = "chosen by the CVM".to_owned();
        check.actual = Some("chosen by the CVM".to_owned());
    }
    let key = |target| Failure::of(target, 0).unwrap().key;
    assert_eq!(key(&chosen), key(&report.targets[0]));
    verify(&other, &sink, &state_in(&other));
    let memory = std::fs::read_to_string(state_in(&other)).unwrap();
    // The user's own name of the target, and no other text.
    let address = other.app.url();
    let name = format!(
        r#""entry":{{"name":"{}"}}"#,
        address.trim_start_matches("http://")
    );
    assert!(memory.contains(&name), "{memory}");
    let others = memory.replace(&name, "");
    assert!(
        !others.contains("127.0.0.1") && !others.contains("nginx"),
        "{memory}"
    );
}

#[test]
fn t61_a_set_of_failures_that_changes_is_told() {
    let (sink, deployment) = (sink(), lying(Lie::SwappedImage));
    let report = verify(&deployment, &sink, &state_in(&deployment)).report();
    let policy = Policy::default().fingerprint();
    let (first, mut changed) = (report.targets[0].clone(), report.targets[0].clone());
    for check in &mut changed.checks {
        if check.id == cvm_verify_core::report::CheckId::AppId {
            check.status = cvm_verify_core::report::Status::Fail;
            check.reason = Some("app-id-mismatch".to_owned());
        }
    }
    let rules = Rules::default();
    let (mut state, due) = decide(None, 0, &Observation::of(&first, policy, 0), &["slack"], &rules);
    assert_eq!(due[0].event, AlertEvent::Failed);
    state.record(&due[0], 0);
    let (_, due) = decide(
        Some(&state),
        1,
        &Observation::of(&changed, policy, 1),
        &["slack"],
        &rules,
    );
    assert_eq!(due[0].event, AlertEvent::Changed);
    let mut memory = State::default();
    memory.set(TargetId::of(&first.name), state);
    let read = State::parse(memory.to_json().as_bytes()).unwrap();
    let state = read.get(TargetId::of(&first.name));
    let (_, due) = decide(state, 1, &Observation::of(&first, policy, 1), &["slack"], &rules);
    assert_eq!(due, []);
}
