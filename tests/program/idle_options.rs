//! Options that would do nothing are usage errors; and a memory that cannot be kept.

use super::alerts::{failing, sink, verify};
use super::deployment::Deployment;
use super::run::run;

#[test]
fn a_memory_that_cannot_be_written_is_said_and_changes_no_verdict() {
    let (sink, deployment) = (sink(), failing());
    let hook = format!("{}/hook", sink.url());
    // No file system has such a name.
    let state = format!("--state={}", deployment.path(&"x".repeat(300)));
    let ran = verify(&deployment, &[("CVM_VERIFY_WEBHOOK_URL", &hook)], &[&state]);
    assert_eq!((ran.code, sink.count("/hook")), (1, 1));
    ran.assert_stderr("may send the same alerts");
}

#[test]
fn a_memory_that_is_no_file_is_a_usage_error() {
    let (sink, deployment) = (sink(), failing());
    let hook = format!("{}/hook", sink.url());
    let folder = deployment.folder.path().display().to_string();
    for (path, says) in [
        (folder.as_str(), "is a folder"),
        ("/dev/null", "is no regular file"),
    ] {
        let state = format!("--state={path}");
        let ran = verify(&deployment, &[("CVM_VERIFY_WEBHOOK_URL", &hook)], &[&state]);
        assert_eq!(ran.code, 2, "{path}");
        ran.assert_stderr(says);
        assert_eq!(deployment.app.count("/attestation"), 0);
    }
}

#[test]
fn the_folder_of_a_memory_is_made_and_one_that_cannot_be_made_is_a_usage_error() {
    let (sink, deployment) = (sink(), failing());
    let hook = format!("{}/hook", sink.url());
    let env = [("CVM_VERIFY_WEBHOOK_URL", hook.as_str())];
    let state = |path: &str| format!("--state={}", deployment.path(path));
    for _ in 0..2 {
        let ran = verify(&deployment, &env, &[&state("no/such/folder.json")]);
        assert_eq!((ran.code, sink.count("/hook")), (1, 1), "{}", ran.stderr);
    }
    let asked = deployment.app.count("/attestation");
    let ran = verify(&deployment, &env, &[&state("root.pem/state.json")]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    ran.assert_stderr("cannot be made");
    assert_eq!(deployment.app.count("/attestation"), asked);
}

#[test]
fn options_of_alerts_that_would_do_nothing_are_usage_errors() {
    let deployment = failing();
    let token = ("CVM_VERIFY_GITHUB_TOKEN", "ghp_SECRET");
    for (env, option, code) in [
        (vec![], "--github-issue=acme/shop", 2),
        (vec![("GITHUB_ACTIONS", "true")], "--github-issue=acme/shop", 1),
        (vec![], "--inconclusive-after=2", 2),
        (vec![], "--inconclusive-of=2/3", 2),
        (
            vec![
                token,
                ("GITHUB_REPOSITORY", "acme/shop"),
                ("GITHUB_API_URL", "http://127.0.0.1:1"),
            ],
            "--inconclusive-of=2/3",
            1,
        ),
    ] {
        let ran = verify(&deployment, &env, &[option]);
        assert_eq!(ran.code, code, "{env:?} {option}: {}", ran.stderr);
        if code == 2 {
            let name = option.split('=').next().unwrap();
            let why = match name {
                "--github-issue" => "no issue can be written without a token",
                _ => "it counts earlier runs, and there is no alert state that records them",
            };
            ran.assert_stderr(&format!("{name}: {why}"));
        }
    }
}

#[test]
fn of_two_options_that_say_the_opposite_neither_is_dropped_in_silence() {
    let deployment = Deployment::healthy();
    for options in [
        ["--no-lock", "--lock=x.lock"],
        ["--gpu=unchecked", "--gpu-count=8"],
        ["--gpu=unchecked", "--gpu-model=GH100"],
        ["--info-url=https://a.example/info", "--info-path=/x"],
    ] {
        let ran = deployment.verify(&options);
        assert_eq!(ran.code, 2, "{options:?}: {ran:#?}");
        ran.assert_stderr("; leave one of them out");
        for option in options {
            let name = option.split('=').next().unwrap();
            ran.assert_stderr(name);
        }
    }
    let policy = deployment.path("policy.toml");
    let text = format!(
        "[[target]]\nname = \"shop\"\nurl = \"{}\"\nlock = \"cvm.lock\"\n",
        deployment.app.url()
    );
    std::fs::write(&policy, text).unwrap();
    let ran = run(&[
        "verify".to_owned(),
        format!("--config={policy}"),
        "--no-lock".to_owned(),
    ]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    ran.assert_stderr("names a lock, which is used");
    assert_eq!(deployment.app.count("/attestation"), 0);
}
