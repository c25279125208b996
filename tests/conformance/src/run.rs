//! Runs a verifier over the corpus and compares how it ended.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::case::Verdict;
use crate::make::{INDEX, Index, Made};

/// Whether the verifier ends every case as expected. Prints what it does not.
pub fn all(
    folder: &Path,
    only: &str,
    verifier: &[String],
    codes_only: bool,
    jobs: usize,
) -> anyhow::Result<bool> {
    let path = folder.join(INDEX);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}; `conformance make` writes it", path.display()))?;
    let index: Index = serde_json::from_str(&text)?;
    let cases: Vec<&Made> = index
        .cases
        .iter()
        .filter(|case| case.name.contains(only))
        .collect();
    ensure!(!cases.is_empty(), "no case has {only:?} in its name");
    starts(verifier)?;

    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![]);
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some((at, case)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    cases.get(at).map(|case| (at, case))
                } {
                    if let Err(error) = one(case, folder, verifier, codes_only) {
                        let mut found = found.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                        found.push((at, format!("{}: {error:#}", case.name)));
                    }
                }
            });
        }
    });
    let mut found = found
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    found.sort();
    for (_, line) in &found {
        println!("{line}");
    }
    println!("{} cases, {} not as expected", cases.len(), found.len());
    Ok(found.is_empty())
}

/// One that is not there is said once, not for each case.
fn starts(verifier: &[String]) -> anyhow::Result<()> {
    let (program, _) = verifier.split_first().context("no verifier is given")?;
    let started = Command::new(program)
        .arg("--help")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| {
            format!("cannot start the verifier {program}; build it first (cargo build --bin cvm-verify)")
        });
    let mut started = started?;
    // Only whether it starts counts.
    let _ = started.kill();
    started.wait()?;
    Ok(())
}

fn one(case: &Made, folder: &Path, verifier: &[String], codes_only: bool) -> anyhow::Result<()> {
    let (program, arguments) = verifier.split_first().context("no verifier is given")?;
    let folder_text = folder.display().to_string();
    let of_case = case
        .arguments
        .iter()
        .map(|argument| argument.replace("{folder}", &folder_text));
    let output = Command::new(program)
        .args(arguments)
        .arg(folder.join(&case.bundle))
        .arg("--insecure-trust-root")
        .arg(folder.join(&case.root))
        .args(of_case)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    let expected = &case.expected;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let said = || summary(&report, &output.stderr);
    ensure!(
        output.status.code() == Some(expected.verdict.exit_code()),
        "expected {expected}, got {}; {}",
        output.status,
        said()
    );
    if codes_only || expected.verdict == Verdict::Usage {
        return Ok(());
    }
    let checks = report["targets"][0]["checks"]
        .as_array()
        .context("the report has no checks")?;
    if let Some(id) = &expected.check {
        let check = checks.iter().find(|check| check["id"] == id.as_str());
        let check = check.with_context(|| format!("the report has no check {id:?}"))?;
        let reason = expected.reason.as_deref();
        ensure!(
            check["status"] == expected.status() && (reason.is_none() || check["reason"].as_str() == reason),
            "expected {expected}; {}",
            said()
        );
    }
    let failed = checks.iter().filter(|check| check["status"] == "fail");
    for check in failed {
        let id = check["id"].as_str().unwrap_or_default();
        ensure!(
            expected.verdict == Verdict::Fail
                && (expected.check.as_deref() == Some(id) || expected.also.iter().any(|also| also == id)),
            "{id} fails, too; {}",
            said()
        );
    }
    Ok(())
}

/// What the verifier found beside passes and skips.
fn summary(report: &Value, stderr: &[u8]) -> String {
    let checks = report["targets"][0]["checks"].as_array();
    let odd = checks.into_iter().flatten().filter(|check| {
        let status = check["status"].as_str().unwrap_or_default();
        status != "pass" && status != "skip"
    });
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let lines: Vec<String> = odd
        .map(|check| {
            format!(
                "{} {}/{}",
                text(&check["id"]),
                text(&check["status"]),
                text(&check["reason"])
            )
        })
        .collect();
    if checks.is_none() {
        let stderr = String::from_utf8_lossy(stderr);
        return stderr.lines().next().unwrap_or("no report").to_owned();
    }
    format!("{}; {}", text(&report["verdict"]), lines.join(", "))
}
