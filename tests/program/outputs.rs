//! Files and GitHub's own of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use simulator::{AppEndpoint, Behaviour, Cvm, Lie, World};

use super::deployment::Deployment;
use super::run::{Ran, run, run_in};

fn verify(deployment: &Deployment, env: &[(&str, &str)], more: &[&str]) -> Ran {
    run_in(
        &deployment.strict_args_with(&["verify", &deployment.app.url()], more),
        env,
        |_| {},
    )
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
    assert!(read("result.env").contains("CVM_VERIFY_RESULT_VERDICT=fail\n"));
    assert!(read("evidence.json").contains("cvm-verify/evidence/v1"));
}

#[test]
fn a_dotenv_report_holds_the_outputs_under_names_that_the_program_does_not_read() {
    let deployment = failing();
    let (dotenv, report) = (deployment.path("result.env"), deployment.path("report.json"));
    let ran = verify(&deployment, &[], &["--dotenv", &dotenv, "--report-json", &report]);
    assert_eq!(ran.code, 1);
    let text = std::fs::read_to_string(&dotenv).unwrap();
    let pairs: BTreeMap<&str, &str> = text.lines().map(|line| line.split_once('=').unwrap()).collect();
    assert!(
        pairs.len() <= 20 && pairs.keys().all(|name| name.starts_with("CVM_VERIFY_RESULT_")),
        "{text}"
    );
    assert_eq!(pairs["CVM_VERIFY_RESULT_VERDICT"], "fail");
    assert_eq!(pairs["CVM_VERIFY_RESULT_EXIT_CODE"], "1");
    assert_eq!(pairs["CVM_VERIFY_RESULT_FAILED_CHECKS"], "compose-hash");
    assert_eq!(pairs["CVM_VERIFY_RESULT_REPORT_JSON"], report);
    let env = [("CVM_VERIFY_DOTENV", "/no/such/folder/result.env")];
    let ran = verify(&deployment, &env, &[]);
    assert_eq!(ran.code, 1, "the verdict stands");
    ran.assert_stderr("/no/such/folder/result.env: cannot be written");
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
    assert_eq!(pairs.len(), 19);
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
    ran.assert_stderr("/no/such/folder/summary: cannot be written");
    assert!(std::fs::read_to_string(&output).unwrap().contains("verdict"));
    let ran = verify(&Deployment::healthy(), &[], &["--github"]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    let says = "GITHUB_STEP_SUMMARY is not set, so this is not a step of GitHub Actions";
    ran.assert_stderr(says);
    let env = [
        ("GITHUB_STEP_SUMMARY", "/no/such/folder/summary"),
        ("GITHUB_OUTPUT", "/no/such/folder/output"),
    ];
    let ran = verify(&Deployment::healthy(), &env, &["--github"]);
    assert_eq!(ran.code, 3, "a pass whose outputs are lost must not look green");
    for name in ["summary", "output"] {
        let said = format!(
            "::error title=cvm-verify%3A a result is lost::/no/such/folder/{name}: cannot be written: "
        );
        ran.assert_stdout(&said);
    }
}

/// Arguments, environment, and what the message says.
type Misconfigured<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

/// Runs a step whose configuration is wrong; what it left in summary and outputs.
fn misconfigured(args: &[&str], more: &[(&str, &str)]) -> (Ran, String, BTreeMap<String, String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (summary, output) = (path("summary"), path("output"));
    let mut env = vec![
        ("CVM_VERIFY_GITHUB", "true"),
        ("GITHUB_STEP_SUMMARY", &summary),
        ("GITHUB_OUTPUT", &output),
    ];
    env.extend(more);
    let ran = run_in(args, &env, |_| {});
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    (ran, read(&summary), pairs(&read(&output)))
}

#[test]
fn a_usage_error_is_told_to_github_with_cause_and_next_step() {
    let url = ("CVM_VERIFY_URL", "https://app.example");
    let cases: [Misconfigured; 8] = [
        (&["verify"], &[], "there is nothing to verify"),
        (
            &["verify"],
            &[("CVM_VERIFY_URL", "app.example")],
            "write https://app.example",
        ),
        (
            &["verify"],
            &[url, ("CVM_VERIFY_FRESHNESS", "maybe")],
            "--freshness",
        ),
        (
            &["verify"],
            &[url, ("CVM_VERIFY_QUIET", "maybe")],
            "CVM_VERIFY_QUIET",
        ),
        (
            &["verify"],
            &[url, ("CVM_VERIFY_LOCK", "no/cvm.lock")],
            "no/cvm.lock: does not exist",
        ),
        (&["verify"], &[url, ("CVM_VERIFY_WAIT", "long")], "--wait"),
        (&["verify", "--no-such-option"], &[url], "--no-such-option"),
        (&["replay"], &[], "there is nothing to replay"),
    ];
    for (args, env, says) in cases {
        let (ran, summary, outputs) = misconfigured(args, env);
        assert_eq!(ran.code, 2, "{ran:#?}");
        let commands: Vec<&str> = ran.stdout.lines().collect();
        assert_eq!(commands.len(), 1, "{}", ran.stdout);
        assert!(commands[0].starts_with("::error title=cvm-verify%3A nothing was verified::"));
        assert!(
            commands[0].contains(says) && commands[0].contains("What to do:"),
            "{commands:?}"
        );
        let lines: Vec<&str> = summary.lines().filter(|line| !line.is_empty()).collect();
        assert!(
            lines[0].contains("INCONCLUSIVE: nothing was verified."),
            "{summary}"
        );
        assert!(lines[1].starts_with("**What to do:** "), "{summary}");
        assert_eq!(
            (outputs["verdict"].as_str(), outputs["exit-code"].as_str()),
            ("inconclusive", "2")
        );
        assert_eq!(
            (outputs["assurance"].as_str(), outputs["alert-status"].as_str()),
            ("none", "none")
        );
        assert_eq!(outputs.len(), 19);
    }
}

#[test]
fn t51_t53_a_wrong_value_acts_neither_in_the_log_nor_in_the_summary() {
    let hostile =
        "x\n::error::forged\n::stop-commands::y ##[error]forged\u{1b}[2J<script>![](http://evil.example)";
    for name in ["CVM_VERIFY_FRESHNESS", "CVM_VERIFY_LOCK", "CVM_VERIFY_URL"] {
        let (ran, summary, outputs) = misconfigured(&["verify"], &[(name, hostile)]);
        assert_eq!(ran.code, 2, "{ran:#?}");
        assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
        for line in ran.stderr.lines() {
            assert!(
                !line.trim_start().starts_with("::") && !line.contains("##["),
                "{line}"
            );
        }
        assert!(!ran.stderr.contains('\u{1b}') && !ran.stdout.contains('\u{1b}'));
        assert!(
            !summary.contains("<script>") && !summary.contains("![]("),
            "{summary}"
        );
        assert_eq!(outputs["verdict"], "inconclusive");
    }
}

#[test]
fn a_plain_shell_is_told_nothing_of_github() {
    let ran = run_in::<&str>(&["verify"], &[], |_| {});
    ran.assert_usage_error("there is nothing to verify");
    let (ran, summary, outputs) = misconfigured(&["explain", "no-such-check"], &[]);
    assert_eq!(ran.code, 2);
    assert!(summary.is_empty() && outputs.is_empty() && ran.stdout.is_empty());
}

/// A run that is killed, or ends before it has a verdict, leaves no pass of an earlier one.
#[test]
fn files_of_an_earlier_run_say_inconclusive_from_the_start() {
    let deployment = Deployment::healthy();
    let out = deployment.path("out");
    let (json, junit, dotenv) = (
        deployment.path("r.json"),
        deployment.path("j.xml"),
        deployment.path("d.env"),
    );
    let named = [
        format!("--report-json={json}"),
        format!("--junit={junit}"),
        format!("--dotenv={dotenv}"),
    ];
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    for more in [vec!["--output-dir", &out], named] {
        assert_eq!(deployment.verify(&more).code, 0);
        let files: Vec<std::path::PathBuf> = match more.len() {
            2 => [
                "report.json",
                "report.txt",
                "summary.md",
                "junit.xml",
                "result.env",
            ]
            .map(|name| std::path::Path::new(&out).join(name))
            .into(),
            _ => [&json, &junit, &dotenv].map(std::path::PathBuf::from).into(),
        };
        // Ended before its verdict: arguments that are wrong, settings, the state of alerts, and a signal while a target hangs.
        for wrong in [
            Some("--no-such-option"),
            Some("--compose-hash=zz"),
            Some("--state=Cargo.toml"),
            None,
        ] {
            assert_eq!(deployment.verify(&more).code, 0, "a pass is there again");
            let Some(wrong) = wrong else {
                deployment.app.behave(AppEndpoint::Attestation, Behaviour::Hang);
                let args = deployment.network_args_with(&["verify", &deployment.app.url()], &more);
                let ran = run_in(&args, &[], |env| {
                    env.stop = Some(Box::pin(async {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }));
                });
                assert_eq!(ran.code, 3, "{ran:#?}");
                deployment.app.behave(AppEndpoint::Attestation, Behaviour::Normal);
                assert_no_pass(&files);
                continue;
            };
            let with_it: Vec<&str> = more.iter().copied().chain([wrong]).collect();
            assert_eq!(deployment.verify_with(&[], &with_it).code, 2, "{wrong}");
            assert_no_pass(&files);
        }
    }
}

fn assert_no_pass(files: &[std::path::PathBuf]) {
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(
            !text.contains("PASS") && !text.contains("=pass") && !text.contains(r#""pass""#),
            "{text}"
        );
        let says =
            text.contains("not-finished") || text.contains("INCONCLUSIVE") || text.contains("inconclusive");
        assert!(says, "{}: {text}", file.display());
    }
}

/// A folder is kept, and a job after this one reads what is in it.
#[test]
fn the_variables_for_later_jobs_say_the_exit_code_of_a_usage_error() {
    let deployment = Deployment::healthy();
    let (folder, file) = (deployment.path("out"), deployment.path("out/result.env"));
    for wrong in ["--lock=gone.lock", "--no-such-option"] {
        assert_eq!(deployment.verify(&["--output-dir", &folder]).code, 0);
        let ran = deployment.verify(&["--output-dir", &folder, wrong]);
        assert_eq!(ran.code, 2, "{ran:#?}");
        let said = std::fs::read_to_string(&file).unwrap();
        for line in ["VERDICT=inconclusive\n", "EXIT_CODE=2\n"] {
            assert!(said.contains(line), "{wrong}: {said}");
        }
    }
    let earlier = std::fs::read_to_string(&file).unwrap();
    run(&["pin", "--no-such-option", "--output-dir", &folder]).assert_usage_error("--no-such-option");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), earlier);
}

/// Who asks for help begins no run, and no replay writes the statements of `verify`.
#[test]
fn what_is_no_run_leaves_the_files_of_an_earlier_one() {
    let deployment = Deployment::healthy();
    let (folder, statements) = (deployment.path("out"), deployment.path("statements"));
    let files = ["--output-dir", &folder, "--statement", &statements];
    assert_eq!(deployment.verify(&files).code, 0);
    // All but the variables for later jobs, which say the exit code.
    let left = |folder: &str| {
        let paths = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        paths
            .filter(|path| !path.ends_with("result.env"))
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let reports = left(&folder);
    let before = left(&statements);
    assert!(!reports.is_empty() && !before.is_empty());
    let help = [
        "verify",
        "--help",
        "--output-dir",
        &folder,
        "--statement",
        &statements,
    ];
    let ran = run_in(&help, &[("CVM_VERIFY_LOK", "x")], |_| {});
    ran.assert_usage_error("CVM_VERIFY_LOK");
    run(&["replay", "evidence.json", "--statement", &statements]).assert_usage_error("--statement");
    assert!(left(&folder) == reports && left(&statements) == before);
}

#[test]
fn a_file_that_is_not_ours_is_a_usage_error_and_is_not_touched() {
    let deployment = Deployment::healthy();
    let file = deployment.path("notes");
    std::fs::write(&file, "KEEP ME\n").unwrap();
    let earlier = deployment.path("earlier.json");
    assert_eq!(deployment.verify(&["--report-json", &earlier]).code, 0);
    let pass = std::fs::read_to_string(&earlier).unwrap();
    for option in ["--report-json", "--junit", "--dotenv", "--evidence"] {
        let ran = deployment.verify(&[option, &file]);
        ran.assert_usage_error("is not a file that cvm-verify wrote; it was not changed");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "KEEP ME\n");
    }
    for option in ["--output-dir", "--statement"] {
        let ran = deployment.verify(&[option, &file]);
        ran.assert_usage_error("notes: is a file; a folder is needed");
    }
    for command in ["replay", "merge"] {
        // They write none: a folder that stays empty would be no answer.
        run(&[command, &earlier, "--statement", &deployment.path("none")])
            .assert_usage_error("unexpected argument '--statement'");
    }
    let url = deployment.app.url();
    let watch = deployment.network_args_with(&["watch", "--once", &url], &["--evidence", &file]);
    run_in(&watch, &[], |_| {}).assert_usage_error("notes: is a file; a folder is needed");
    let (folder, bundle) = (deployment.path("out"), deployment.path("out/evidence.json"));
    for _ in 0..2 {
        assert_eq!(deployment.verify(&["--output-dir", &folder]).code, 0);
        assert_eq!(
            deployment.verify(&["--evidence", &bundle]).code,
            0,
            "our own is replaced"
        );
    }
    std::fs::write(&bundle, "{\"mine\": 1}").unwrap();
    deployment
        .verify(&["--output-dir", &folder])
        .assert_usage_error("evidence.json: exists and is not a file that cvm-verify wrote");
    assert_eq!(std::fs::read_to_string(&bundle).unwrap(), "{\"mine\": 1}");
    // Nothing is overwritten where one file is not ours.
    deployment
        .verify(&["--report-json", &earlier, "--junit", &file])
        .assert_usage_error("is not a file that cvm-verify wrote");
    assert_eq!(std::fs::read_to_string(&earlier).unwrap(), pass);
    // What is read is not written.
    run(&["merge", &earlier, "--report-json", &earlier])
        .assert_usage_error("is an input of this run, and would be overwritten");
    assert_eq!(std::fs::read_to_string(&earlier).unwrap(), pass);
    // An empty file, as mktemp makes it, and a device are nobody's.
    let empty = deployment.path("empty");
    std::fs::write(&empty, "").unwrap();
    assert_eq!(deployment.verify(&["--report-json", &empty]).code, 0);
}
