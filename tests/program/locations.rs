//! A check that fails points at the line of the lock or policy file that expects otherwise.

use std::collections::BTreeSet;

use cvm_verify_core::report::{CheckResult, Report, Status};

use super::deployment::Deployment;
use super::run::{Ran, run, run_in};

/// A run with this lock.
fn with_lock(deployment: &Deployment, text: &str) -> Ran {
    std::fs::write(deployment.path("cvm.lock"), text).unwrap();
    let lock = format!("--lock={}", deployment.path("cvm.lock"));
    deployment.verify_with(&[lock], &[])
}

/// A run with a target of the policy file that has this line.
fn with_policy(deployment: &Deployment, line: &str, more: &[&str]) -> Ran {
    let url = deployment.app.url();
    let text =
        format!("# A comment.\n[[target]]\nname = \"shop\"\nurl = \"{url}\"\nlock = \"cvm.lock\"\n{line}\n");
    std::fs::write(deployment.path("cvm-verify.toml"), text).unwrap();
    let config = format!("--config={}", deployment.path("cvm-verify.toml"));
    run(&deployment.network_args_with(&["verify", "--format=json", &config], more))
}

fn pinned(deployment: &Deployment) -> String {
    assert_eq!(deployment.pin(&["--accept-observed"]).code, 0);
    std::fs::read_to_string(deployment.path("cvm.lock")).unwrap()
}

/// What fails or warns, and did not before.
fn worse(before: &Report, after: &Report) -> Vec<CheckResult> {
    let bad = |status| matches!(status, Status::Fail | Status::Warn | Status::Error);
    let pairs = before.targets[0].checks.iter().zip(&after.targets[0].checks);
    pairs
        .filter(|(before, after)| bad(after.status) && before.status != after.status)
        .map(|(_, after)| after.clone())
        .collect()
}

/// The line with another value: another last hex digit, or the other truth value. None if it has neither.
fn altered(line: &str) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let (key, value) = line.split_once(" = ")?;
    for (from, to) in [("true", "false"), ("false", "true")] {
        if value.starts_with(from) {
            return Some(format!("{key} = {to}"));
        }
    }
    let end = value.rfind('"')?;
    let last = value[..end].chars().last()?;
    let is_hex = end > 8 && value[end - 8..end].chars().all(|c| c.is_ascii_hexdigit());
    let other = if last == '0' { '1' } else { '0' };
    // A remark that no table bears out is a mistake of the file: who changes a value takes the remark away.
    let after = value[end..].split(" # known: ").next().unwrap_or_default();
    is_hex.then(|| format!("{key} = {}{other}{after}", &value[..end - 1]))
}

#[test]
fn a_changed_line_of_a_lock_is_the_one_that_its_check_points_at() {
    let deployment = Deployment::healthy();
    let text = pinned(&deployment);
    let before = with_lock(&deployment, &text).report();
    assert_eq!(before.exit_code, 0);
    let mut keys = BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        let Some(other) = altered(line) else { continue };
        let lines: Vec<&str> = text
            .lines()
            .enumerate()
            .map(|(at, line)| if at == number { other.as_str() } else { line })
            .collect();
        let ran = with_lock(&deployment, &lines.join("\n"));
        if ran.code == 2 {
            continue;
        }
        let worse = worse(&before, &ran.report());
        for check in worse.iter().filter(|check| check.status == Status::Fail) {
            let location = check.location.as_ref();
            let found = location.map(|location| (location.file.clone(), location.line));
            assert_eq!(
                found,
                Some((deployment.path("cvm.lock"), number + 1)),
                "{line}: {check:#?}"
            );
        }
        let locations = worse.iter().filter_map(|check| check.location.as_ref());
        keys.extend(locations.map(|location| location.key.clone()));
    }
    for key in [
        "app_id",
        "compose_hash",
        "images.web",
        "key_provider",
        "os_image.mrtd",
        "os_image.rtmr0",
        "os_image.rtmr1",
        "os_image.rtmr2",
        "platform.fmspc",
        "platform.mr_seam",
        "platform.td_attributes",
    ] {
        assert!(keys.contains(key), "{key} is not among {keys:?}");
    }
    assert!(keys.iter().any(|key| key.starts_with("compose.")), "{keys:?}");
}

#[test]
fn in_a_lock_of_several_targets_it_is_the_line_of_its_own_target() {
    let deployment = Deployment::healthy();
    let one = pinned(&deployment);
    let block: Vec<String> = one
        .lines()
        .skip_while(|line| !line.starts_with("compose_hash"))
        .map(|line| match line.strip_prefix("[[") {
            Some(name) => format!("[[target.shop.{name}"),
            None => match line.strip_prefix('[') {
                Some(name) => format!("[target.shop.{name}"),
                None => line.to_owned(),
            },
        })
        .collect();
    let other = format!("[target.other]\ncompose_hash = \"{}\"\n", "00".repeat(32));
    let text = format!(
        "schema = \"cvm-verify/lock/v1\"\n{other}[target.shop]\n{}\n",
        block.join("\n")
    );
    std::fs::write(deployment.path("cvm.lock"), &text).unwrap();
    let ran = with_policy(&deployment, "", &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let at = text.lines().position(|line| line.starts_with("app_id")).unwrap() + 1;
    let id: String = text.lines().nth(at - 1).unwrap().replace("app_id = \"", "");
    let flipped = if id.starts_with('0') { "1" } else { "0" };
    let wrong = text.replacen(
        &format!("app_id = \"{}", &id[..1]),
        &format!("app_id = \"{flipped}"),
        1,
    );
    std::fs::write(deployment.path("cvm.lock"), wrong).unwrap();
    let ran = with_policy(&deployment, "", &[]);
    let check = ran.check(cvm_verify_core::report::CheckId::AppId);
    let location = check.location.unwrap_or_else(|| panic!("{ran:#?}"));
    assert_eq!((location.line, location.key.as_str()), (at, "target.shop.app_id"));
}

#[test]
fn a_line_of_the_policy_file_that_is_not_met_is_the_one_that_is_pointed_at() {
    let deployment = Deployment::healthy();
    pinned(&deployment);
    let before = with_policy(&deployment, "", &[]);
    assert_eq!(before.code, 0, "{before:#?}");
    let before = before.report();
    let (hash, id) = ("00".repeat(32), "22".repeat(20));
    let registers = "11".repeat(48);
    for (key, value) in [
        ("compose-hash", format!("\"{hash}\"")),
        ("instance-id", format!("[\"{id}\"]")),
        ("platform-id", format!("[\"{hash}\"]")),
        ("key-provider", "\"kms:abcd\"".to_owned()),
        (
            "os-image",
            format!("\"mrtd={registers},rtmr0={registers},rtmr1={registers},rtmr2={registers}\""),
        ),
        ("launch-inputs", "\"required\"".to_owned()),
        ("gpu", "\"required\"".to_owned()),
        ("gpu-count", "8".to_owned()),
        ("report-data-value", "\"68656c6c6f\"".to_owned()),
        ("min-tcb-eval-data-number", "4000".to_owned()),
        ("tls-binding", "\"ratls\"".to_owned()),
        ("require-assurance", "\"code+endpoint\"".to_owned()),
    ] {
        let line = format!("{key} = {value}");
        let ran = with_policy(&deployment, &line, &[]);
        assert!([0, 1, 3].contains(&ran.code), "{line}: {ran:#?}");
        for check in worse(&before, &ran.report()) {
            let location = check.location.as_ref();
            let found =
                location.map(|location| (location.file.as_str(), location.line, location.key.as_str()));
            let policy = deployment.path("cvm-verify.toml");
            assert_eq!(found, Some((policy.as_str(), 6, key)), "{line}: {check:#?}");
        }
        let is_met = ["launch-inputs", "gpu"].contains(&key);
        assert!(is_met || ran.code != 0, "{line} changes nothing: {ran:#?}");
    }
    // Nothing answers: the address is the line to look at.
    let text = "[[target]]\nname = \"shop\"\nlock = \"cvm.lock\"\nurl = \"http://127.0.0.1:9/\"\n";
    std::fs::write(deployment.path("cvm-verify.toml"), text).unwrap();
    let config = format!("--config={}", deployment.path("cvm-verify.toml"));
    let args = deployment.network_args(&["verify", "--format=json", &config]);
    let check = run(&args).check(cvm_verify_core::report::CheckId::Evidence);
    let location = check.location.unwrap();
    assert_eq!((location.line, location.key.as_str()), (4, "url"));
}

#[test]
fn an_annotation_and_the_table_name_the_line_in_the_repository() {
    let deployment = Deployment::healthy();
    let text = pinned(&deployment);
    let folder = deployment.path("deploy");
    std::fs::create_dir(&folder).unwrap();
    let lock = format!("{folder}/cvm.lock");
    let line = text
        .lines()
        .position(|line| line.starts_with("compose_hash"))
        .unwrap();
    let lines: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(at, text)| match at == line {
            true => format!("compose_hash = \"{}\"", "00".repeat(32)),
            false => text.to_owned(),
        })
        .collect();
    std::fs::write(&lock, lines.join("\n")).unwrap();
    let (summary, output) = (deployment.path("summary"), deployment.path("output"));
    let told = |workspace: &str| {
        let mut args = deployment.network_args(&["verify", &deployment.app.url()]);
        args.extend([format!("--lock={lock}"), "--github".to_owned()]);
        let env = [
            ("GITHUB_STEP_SUMMARY", summary.as_str()),
            ("GITHUB_OUTPUT", output.as_str()),
            ("GITHUB_WORKSPACE", workspace),
        ];
        let ran = run_in(&args, &env, |_| {});
        assert_eq!(ran.code, 1, "{ran:#?}");
        ran.stdout
    };
    let at = line + 1;
    let inside = told(&deployment.folder.path().display().to_string());
    assert!(
        inside.contains(&format!("\n::error file=deploy/cvm.lock,line={at},title=FAIL "))
            || inside.starts_with(&format!("::error file=deploy/cvm.lock,line={at},title=FAIL ")),
        "{inside}"
    );
    assert!(
        inside.contains(&format!("written   {lock}:{at} (compose_hash)")),
        "{inside}"
    );
    // A file outside the repository has no line in it.
    let elsewhere = tempfile::tempdir().unwrap();
    let outside = told(&elsewhere.path().display().to_string());
    assert!(outside.contains("::error title=FAIL "), "{outside}");
    let summary = std::fs::read_to_string(&summary).unwrap();
    assert!(
        summary.contains(":{at} (compose_hash)".replace("{at}", &at.to_string()).as_str()),
        "{summary}"
    );
}
