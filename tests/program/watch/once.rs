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
