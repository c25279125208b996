//! Files and GitHub's own of a run.

use std::collections::BTreeMap;

use simulator::{Cvm, Lie, World};

use super::deployment::Deployment;
use super::run::{Ran, run_in};

fn verify(deployment: &Deployment, env: &[(&str, &str)], more: &[&str]) -> Ran {
    let mut args = vec!["verify".to_owned(), deployment.app.url().to_string()];
    args.extend(deployment.network());
    args.extend(deployment.expect().iter().cloned());
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    run_in(&args, env, |_| {})
}

fn failing() -> Deployment {
    let mut cvm = Cvm::healthy(&World::default());
    Lie::SwappedImage.apply(&mut cvm);
    Deployment::of(cvm)
}

/// The pairs of a file that GitHub reads as `name<<DELIMITER`.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines();
    let mut pairs = BTreeMap::new();
    while let Some((name, delimiter)) = lines.next().and_then(|line| line.split_once("<<")) {
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        pairs.insert(name.to_owned(), value.join("\n"));
    }
    pairs
}

#[test]
fn an_output_folder_holds_every_format_and_the_evidence() {
    let deployment = failing();
    let ran = verify(&deployment, &[], &["--output-dir", &deployment.path("out/deep")]);
    assert_eq!(ran.code, 1);
    let read = |name: &str| std::fs::read_to_string(deployment.path(&format!("out/deep/{name}"))).unwrap();
    assert!(read("report.json").contains("cvm-verify/report/v1"));
    assert!(read("report.txt").contains("FAIL"));
    assert!(read("summary.md").contains("FAIL"));
    assert!(read("junit.xml").contains("<failure"));
    assert!(read("evidence.json").contains("cvm-verify/evidence/v1"));
}

#[test]
fn a_step_of_github_gets_summary_outputs_and_annotations() {
    let deployment = failing();
    let (summary, output) = (deployment.path("summary"), deployment.path("output"));
    std::fs::write(&summary, "before\n").unwrap();
    let env = [
        ("GITHUB_STEP_SUMMARY", summary.as_str()),
        ("GITHUB_OUTPUT", output.as_str()),
    ];
    let ran = verify(
        &deployment,
        &env,
        &["--github", "--output-dir", &deployment.path("out")],
    );
    assert_eq!(ran.code, 1);
    let text = std::fs::read_to_string(&summary).unwrap();
    assert!(
        text.starts_with("before\n") && text.len() > 100,
        "appended, never overwritten"
    );
    assert!(
        ran.stdout.lines().any(|line| line.starts_with("::error ")),
        "{}",
        ran.stdout
    );
    let pairs = pairs(&std::fs::read_to_string(&output).unwrap());
    assert_eq!(pairs["verdict"], "fail");
    assert_eq!(pairs["exit-code"], "1");
    assert_eq!(pairs["failed-checks"], "compose-hash");
    assert_eq!(pairs["evidence-path"], deployment.path("out/evidence.json"));
    assert_eq!(pairs.len(), 13);
}

#[test]
fn a_summary_that_cannot_be_written_is_said_and_the_verdict_stands() {
    let deployment = failing();
    let output = deployment.path("output");
    let env = [
        ("GITHUB_STEP_SUMMARY", "/no/such/folder/summary"),
        ("GITHUB_OUTPUT", output.as_str()),
    ];
    let ran = verify(&deployment, &env, &["--github"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("/no/such/folder/summary: cannot be written"),
        "{}",
        ran.stderr
    );
    assert!(std::fs::read_to_string(&output).unwrap().contains("verdict"));
    let ran = verify(&Deployment::healthy(), &[], &["--github"]);
    assert_eq!(ran.code, 2, "a pass whose outputs are lost must not look green");
    assert!(ran.stderr.contains("GITHUB_OUTPUT is not set"), "{}", ran.stderr);
}
