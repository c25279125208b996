//! A statement names its deployment, and no other one of the run has that name.

use super::super::config::expectations;
use super::super::deployment::Deployment;
use super::super::run::{Ran, run};

/// Two targets at one address that differ in `ends`, with these options.
fn verify(deployment: &Deployment, ends: [&str; 2], more: &[String]) -> Ran {
    let url = deployment.app.url().to_string();
    let expect = expectations(deployment);
    let target = |name: &str, end: &str| format!("[[target]]\nname = \"{name}\"\nurl = \"{url}{end}\"\n");
    let file = deployment.path("p.toml");
    let text = format!(
        "[defaults]\n{expect}{}{}",
        target("eu", ends[0]),
        target("us", ends[1])
    );
    std::fs::write(&file, text).unwrap();
    let mut args = deployment.network_args(&["verify", "--format=json", "--config", &file]);
    args.extend(more.iter().cloned());
    run(&args)
}

#[test]
fn two_targets_that_differ_in_their_query_alone_have_no_statements() {
    let deployment = Deployment::healthy();
    let out = deployment.path("out");
    let ends = ["?cvm=eu", "?cvm=us"];
    let asked = verify(&deployment, ends, &[format!("--statement={out}")]);
    asked.assert_usage_error(
        "the statements of the targets \"eu\" and \"us\" would have one name, http://127.0.0.1:",
    );
    assert!(!asked.stderr.contains("cvm=eu"), "{}", asked.stderr);
    // Not asked for: the run goes on, and says so.
    let ran = verify(&deployment, ends, &[format!("--output-dir={out}")]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert_stderr("no statement is written of them");
    for name in ["eu.statement.json", "us.statement.json"] {
        assert!(!std::path::Path::new(&out).join(name).exists(), "{name}");
    }
    // One deployment under two policies is one deployment.
    let ran = verify(&deployment, ["", ""], &[format!("--statement={out}")]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    for name in ["eu.statement.json", "us.statement.json"] {
        assert!(std::path::Path::new(&out).join(name).exists(), "{name}");
    }
    // Without files there is nothing to say.
    let ran = verify(&deployment, ends, &[]);
    assert!(!ran.stderr.contains("statement"), "{}", ran.stderr);
}
