//! `watch --once`.

use super::*;

#[test]
fn once_verifies_each_once_tells_and_exits_with_the_verdict() {
    let deployment = Deployment::healthy();
    let watch = |more: &[&str]| {
        let mut all = vec!["watch".to_owned()];
        all.extend(args(&deployment, more));
        run(&all)
    };
    let ran = watch(&["--once"]);
    assert_eq!(
        (ran.code, ran.stdout.matches(": PASS").count()),
        (0, 1),
        "{ran:?}"
    );
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    let ran = watch(&["--once", "--log-format=json", "--quiet"]);
    assert_eq!(ran.code, 1);
    let lines: Vec<serde_json::Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events: Vec<_> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["simulated", "verified"]);
    assert_eq!(lines[1]["failed"][0], "compose-hash/compose-hash-mismatch");
    deployment
        .app
        .behave(AppEndpoint::Attestation, Behaviour::Status(404));
    assert_eq!(watch(&["--once"]).code, 3);
}

#[test]
fn once_that_is_stopped_before_its_end_is_no_pass() {
    let deployment = Deployment::healthy();
    deployment.app.behave(AppEndpoint::Attestation, Behaviour::Hang);
    let watching = Watching::new(&args(&deployment, &["--once"]), &[]);
    watching.said("started: ", 1);
    assert_eq!(watching.stopped().code, 3);
}

/// That it verifies again is said of a run that did.
#[test]
fn once_tells_the_end_of_a_run_that_verified_nothing_when_it_verified() {
    let deployment = Deployment::healthy();
    let hook = hook();
    let url = format!("{}/hook", hook.url());
    let env = [("CVM_VERIFY_WEBHOOK_URL", url.as_str())];
    let state = format!("--state={}", deployment.path("state.json"));
    let all = args(&deployment, &["--once", &state]);
    let run = |more: &[&str]| {
        let mut all = all.clone();
        all.insert(0, "watch".to_owned());
        all.extend(more.iter().map(|arg| (*arg).to_owned()));
        run_in(&all, &env, |_| {}).code
    };
    assert_eq!(run(&["--lock=gone.lock"]), 2);
    assert_eq!(events(&hook), ["inconclusive"]);
    deployment.app.behave(AppEndpoint::Attestation, Behaviour::Hang);
    let watching = Watching::new(&all, &env);
    watching.said("started: ", 1);
    assert_eq!(watching.stopped().code, 3);
    assert_eq!(events(&hook), ["inconclusive"]);
    deployment.app.behave(AppEndpoint::Attestation, Behaviour::Normal);
    assert_eq!(run(&[]), 0);
    assert_eq!(events(&hook), ["inconclusive", "recovered"]);
}

/// PagerDuty keeps an incident open, and nothing is stored: the next verdict of the job ends it.
#[test]
fn once_without_state_resolves_what_an_earlier_run_of_the_job_opened() {
    let deployment = Deployment::healthy();
    let sink = hook();
    sink.behave(AppEndpoint::Other, Behaviour::Status(202));
    let url = format!("{}/v2/enqueue", sink.url());
    let key = "0123456789abcdef0123456789abcdef";
    let mut all = args(&deployment, &["--once"]);
    all.insert(0, "watch".to_owned());
    let mut actions = Vec::new();
    for more in [&["--lock=gone.lock"][..], &[]] {
        let env = [
            ("CVM_VERIFY_PAGERDUTY_ROUTING_KEY", key),
            ("CVM_VERIFY_PAGERDUTY_URL", &url),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "schedule"),
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_JOB", "watch"),
        ];
        let args: Vec<&str> = all
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied())
            .collect();
        run_in(&args, &env, |_| {});
        let told = sink.requests();
        let event: serde_json::Value = serde_json::from_slice(&told.last().unwrap().body).unwrap();
        actions.push((event["event_action"].clone(), event["dedup_key"].clone()));
        assert_eq!(told.len(), actions.len());
    }
    let [(trigger, begun), (resolve, ended)] = actions.as_slice() else {
        panic!("{actions:?}")
    };
    assert_eq!(
        (trigger, resolve, begun),
        (&"trigger".into(), &"resolve".into(), ended)
    );
}
