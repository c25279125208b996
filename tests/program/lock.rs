//! `pin`, then `verify` and `replay` with the lock.

use std::path::Path;

use cvm_verify_core::report::CheckId;
use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status;
use cvm_verify_core::report::Status::*;
use simulator::app_compose::DOCKER_COMPOSE;
use simulator::{Cvm, Lie, World};

use super::deployment::Deployment;
use super::run::{Ran, run};
use simulator::recorded;

fn verify(deployment: &Deployment, more: &[&str]) -> Ran {
    let lock = format!("--lock={}", deployment.path("cvm.lock"));
    deployment.verify_with(&[lock], more)
}

fn lock_text(deployment: &Deployment) -> String {
    std::fs::read_to_string(deployment.folder.path().join("cvm.lock")).unwrap()
}

#[test]
fn from_a_url_to_a_green_run_in_three_commands() {
    let deployment = Deployment::healthy();
    // The simulated image is in no table: a person has to say that it is meant.
    let refused = deployment.pin(&[]);
    assert_eq!(refused.code, 1);
    refused.assert_stderr("--accept-observed");
    assert!(
        !Path::new(&deployment.path("cvm.lock")).exists(),
        "nothing half-written"
    );
    let pinned = deployment.pin(&["--accept-observed"]);
    assert_eq!(pinned.code, 0, "{pinned:#?}");
    assert!(
        pinned.stderr.starts_with("SIMULATED: not Intel's root"),
        "{}",
        pinned.stderr
    );
    let ran = verify(&deployment, &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(
        ran.check(ComposeHash).detail.contains("cvm.lock"),
        "the report says who expects it"
    );
}

#[test]
fn pinning_twice_gives_the_same_bytes_and_a_new_release_shows_its_difference() {
    let deployment = Deployment::healthy();
    deployment.pin(&["--accept-observed"]);
    let first = lock_text(&deployment);
    let again = deployment.pin(&["--accept-observed"]);
    again.assert_stdout("Nothing was written");
    assert_eq!(lock_text(&deployment), first);
    deployment
        .app
        .change(|cvm| simulator::Lie::SwappedImage.apply(cvm));
    verify(&deployment, &[]).assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    let changed = deployment.pin(&["--accept-observed"]);
    changed.assert_stdout("Changes in ");
    changed.assert_stdout("compose_hash");
    assert_ne!(lock_text(&deployment), first);
    assert_eq!(verify(&deployment, &[]).code, 0);
}

#[test]
fn a_release_that_gives_its_own_compose_hash_keeps_everything_else_of_the_lock() {
    let deployment = Deployment::healthy();
    deployment.pin(&["--accept-observed"]);
    // A new release: another docker compose file in the same compose settings, same app.
    let app_id = Cvm::healthy(&World::default()).app_id_bytes();
    deployment.app.change(|cvm| {
        cvm.app_id = Some(app_id.clone());
        cvm.app_compose = cvm.app_compose.replacen("services:", "services: # 2.0", 1);
    });
    let released = deployment.verify_with(&[], &[]).report().targets[0]
        .measurements
        .compose_hash
        .clone()
        .unwrap();
    verify(&deployment, &[]).assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    let ran = verify(&deployment, &["--compose-hash", &released]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    // Another setting is noticed although the hash is the one that was given.
    deployment.app.change(|cvm| {
        cvm.app_compose = cvm
            .app_compose
            .replacen("\"public_logs\":false", "\"public_logs\":true", 1)
    });
    let opened = deployment.verify_with(&[], &[]).report().targets[0]
        .measurements
        .compose_hash
        .clone()
        .unwrap();
    assert_ne!(opened, released, "the simulated document has public_logs");
    let ran = verify(&deployment, &["--compose-hash", &opened]);
    // It is the document that was named, so nobody else deployed it; nobody reviewed the setting either.
    ran.assert(ComposeHash, Error, Some("compose-settings-mismatch"));
    assert_eq!(ran.code, 3, "{ran:#?}");
    // The lock names the old release, and the new one is the second: the verdict says what was accepted with it.
    let in_a_month = cvm_verify_core::report::rfc3339(simulator::DEFAULT_NOW + 30 * 86_400);
    let second = format!("--also-compose-hash={opened}:until={}", &in_a_month[..10]);
    let ran = verify(&deployment, &[&second]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(ComposeHash, Warn, Some("second-hash-settings"));
    let report = ran.report();
    let (accepted, assurance) = (&report.targets[0].accepted, report.targets[0].assurance);
    let is_named = accepted.iter().any(|one| one.by == "--also-compose-hash");
    assert!(is_named, "{accepted:?}");
    assert_eq!(assurance, cvm_verify_core::report::Assurance::Hardware);
    // Written into the lock before the deploy, both pass a plan and a verification in full.
    let (document, lock) = (deployment.path("app-compose.json"), deployment.path("cvm.lock"));
    let mut text = String::new();
    deployment.app.change(|cvm| text.clone_from(&cvm.app_compose));
    std::fs::write(&document, text).unwrap();
    let plan = |more: &[&str]| {
        let (document, lock) = (format!("--app-compose-file={document}"), format!("--lock={lock}"));
        run(&[&["plan", &document, &lock], more].concat())
    };
    let before = lock_text(&deployment);
    let refused = plan(&[]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.assert_stdout(&format!("add `--output {lock}` to this command"));
    assert_eq!(lock_text(&deployment), before);
    let written = plan(&[&format!("--output={lock}")]);
    assert_eq!(written.code, 1, "judged by the lock as it was: {written:#?}");
    written.assert_stderr("public_logs");
    written.assert_stderr("run it again without --output");
    assert_eq!(plan(&[]).code, 0, "{:#?}", plan(&[]));
    plan(&[&format!("--output={lock}")]).assert_stderr("already has exactly these values");
    let ran = verify(&deployment, &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(ComposeHash, Pass, None);
    // Everything else stays as it was pinned.
    let kept = |text: &str| text.split_once("[os_image]").unwrap().1.to_owned();
    assert_eq!(kept(&lock_text(&deployment)), kept(&before));
    assert!(
        before
            .lines()
            .filter(|line| line.starts_with('#'))
            .all(|line| lock_text(&deployment).contains(line))
    );
}

#[test]
fn a_plan_writes_a_document_only_into_a_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let document = Cvm::healthy(&World::default()).app_compose;
    std::fs::write(path("app-compose.json"), document).unwrap();
    std::fs::write(path("other.txt"), "mine\n").unwrap();
    let given = format!("--app-compose-file={}", path("app-compose.json"));
    let other = format!("--output={}", path("other.txt"));
    run(&["plan", &given, &other]).assert_usage_error("there is no lock to write the document into");
    let lock = format!(
        "schema = \"cvm-verify/lock/v1\"\ncompose_hash = \"{}\"\n",
        "aa".repeat(32)
    );
    std::fs::write(path("cvm.lock"), lock).unwrap();
    let lock = format!("--lock={}", path("cvm.lock"));
    run(&["plan", &given, &lock, &other]).assert_usage_error("the file is not a lock");
    assert_eq!(std::fs::read_to_string(path("other.txt")).unwrap(), "mine\n");
    std::fs::write(path("docker-compose.yml"), DOCKER_COMPOSE).unwrap();
    let file = format!("--docker-compose={}", path("docker-compose.yml"));
    run(&["plan", &file, &lock, &format!("--output={}", path("cvm.lock"))])
        .assert_usage_error("--app-compose-file");
}

/// Replays a vector's bundle with the lock pinned from it. Vectors have no nonce.
fn pinned_vector(vector: &str, at: &str) -> Option<(tempfile::TempDir, Ran)> {
    let folder = tempfile::tempdir().unwrap();
    let source = recorded::folder()?.join(vector);
    let read = |name: &str| std::fs::read_to_string(source.join(name)).ok();
    let bundle = format!(
        r#"{{"schema":"cvm-verify/evidence/v1","captured_at":"{at}","source":{{"kind":"files","url":null}},"nonce":null,
            "attestation":{},"info":{},"collateral":{},"tls":null}}"#,
        read("attestation.json")?,
        read("info.json").unwrap_or_else(|| "null".to_owned()),
        read("collateral.json")?,
    );
    std::fs::write(folder.path().join("bundle.json"), bundle).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let args = [
        "pin",
        "--from",
        &path("bundle.json"),
        "--output",
        &path("cvm.lock"),
    ];
    let refused = run(&args);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.assert_stderr("nonce");
    let pinned = run(&[&args[..], &["--accept-observed"]].concat());
    assert_eq!(pinned.code, 0, "{pinned:#?}");
    let ran = replay(folder.path());
    Some((folder, ran))
}

fn replay(folder: &Path) -> Ran {
    let path = |name: &str| folder.join(name).display().to_string();
    run(&[
        "replay",
        &path("bundle.json"),
        "--format=json",
        "--lock",
        &path("cvm.lock"),
        "--freshness=unchecked",
    ])
}

/// What each section or key of a lock belongs to, and what a change of it gives.
fn owner(key: &str) -> Option<(CheckId, Status, &'static str)> {
    Some(match key {
        "compose_hash" => (ComposeHash, Fail, "compose-hash-mismatch"),
        "app_id" => (AppId, Fail, "app-id-mismatch"),
        "key_provider" => (KeyProvider, Fail, "provider-mismatch"),
        "mrtd" | "rtmr0" | "rtmr1" | "rtmr2" => (OsImage, Fail, "register-mismatch"),
        "td_attributes" => (TdAttributes, Fail, "td-attributes-mismatch"),
        "mr_seam" => (TdAttributes, Warn, "platform-changed"),
        "fmspc" => (TcbStatus, Warn, "platform-changed"),
        _ => return None,
    })
}

#[test]
fn the_lock_of_each_vector_agrees_with_it_and_each_changed_field_fails_its_owner_alone() {
    for (vector, at) in [
        ("near-mpc-0.5.8", "2026-08-13T12:00:00Z"),
        ("dstack-0.5-lium", "2026-02-19T12:00:00Z"),
        ("dstack-0.6-lite", "2026-06-10T01:46:30Z"),
    ] {
        let Some((folder, agreed)) = pinned_vector(vector, at) else {
            return;
        };
        let agreed = agreed.report().targets[0].clone();
        for check in &agreed.checks {
            let lacks_compose = matches!(check.id, ImagePins | LaunchInputs) && vector != "near-mpc-0.5.8";
            assert!(
                lacks_compose || !matches!(check.status, Fail | Error),
                "{vector}: {check:#?}"
            );
        }
        let lock = folder.path().join("cvm.lock");
        let text = std::fs::read_to_string(&lock).unwrap();
        let mut changed = 0;
        for line in text.lines() {
            let Some((key, _)) = line.split_once('=') else {
                continue;
            };
            let Some((id, status, reason)) = owner(key.trim()) else {
                continue;
            };
            // No table has the other value: the remark of who changes it honestly says that.
            let changed_line = with_another_digit(line);
            let value = changed_line.split(" # known: ").next().unwrap();
            std::fs::write(&lock, text.replacen(line, value, 1)).unwrap();
            let target = replay(folder.path()).report().targets[0].clone();
            for (before, after) in agreed.checks.iter().zip(&target.checks) {
                if after.id == id {
                    assert_eq!(
                        (after.status, after.reason.as_deref()),
                        (status, Some(reason)),
                        "{vector}: {line}"
                    );
                } else if after.id == LaunchInputs && id == ComposeHash {
                    // What a person accepted in another document is not accepted in this one.
                    assert_ne!(after.status, Fail, "{vector}: {line}");
                } else {
                    assert_eq!(
                        before.status, after.status,
                        "{vector}: {line} changed {}",
                        after.id
                    );
                }
            }
            changed += 1;
        }
        assert_eq!(changed, 10, "{text}");
    }
}

#[test]
fn a_changed_setting_or_image_contradicts_the_lock_itself_and_convicts_nobody() {
    let Some((folder, _)) = pinned_vector("near-mpc-0.5.8", "2026-08-13T12:00:00Z") else {
        return;
    };
    let lock = folder.path().join("cvm.lock");
    let text = std::fs::read_to_string(&lock).unwrap();
    std::fs::write(
        &lock,
        text.replacen("public_logs = true", "public_logs = false", 1),
    )
    .unwrap();
    replay(folder.path()).assert(ComposeHash, Error, Some("compose-settings-mismatch"));
    std::fs::write(&lock, text.replacen("5618a93a", "0618a93a", 1)).unwrap();
    replay(folder.path()).assert(ImagePins, Error, Some("locked-image-mismatch"));
}

/// A line whose value differs in its last hex digit.
fn with_another_digit(line: &str) -> String {
    let end = line.rfind('"').unwrap();
    let digit = line.as_bytes()[end - 1];
    let other = if digit == b'0' { '1' } else { '0' };
    format!("{}{other}{}", &line[..end - 1], &line[end..])
}

#[test]
fn locks_that_cannot_be_read_say_where_and_what_to_do() {
    let deployment = Deployment::healthy();
    deployment.pin(&["--accept-observed"]);
    let good = lock_text(&deployment);
    let write = |text: &str| std::fs::write(deployment.folder.path().join("cvm.lock"), text).unwrap();
    for (text, says) in [
        (String::new(), "is empty"),
        (format!("<<<<<<< HEAD\n{good}=======\n>>>>>>> theirs\n"), "merge"),
        (good.replacen("lock/v1", "lock/v2", 1), "newer"),
        (good.replacen("app_id", "app_idd", 1), "app_idd"),
        ("{}".to_owned(), "the file is JSON"),
    ] {
        write(&text);
        let ran = verify(&deployment, &[]);
        ran.assert_usage_error("cvm.lock");
        assert!(ran.stderr.contains(says), "{says:?} is not in {}", ran.stderr);
        assert_eq!(lock_text(&deployment), text, "a lock is never touched by verify");
    }
    run(&["verify", "https://a.example", "--lock", "/"]).assert_usage_error("is a folder");
    run(&["verify", "https://a.example", "--lock", "/nowhere/cvm.lock"]).assert_usage_error(
        "/nowhere/cvm.lock: does not exist; write it with `cvm-verify pin`, and in CI check out",
    );
    // Nor does pin overwrite what it cannot show the difference to.
    write("<<<<<<< HEAD\n");
    assert_eq!(deployment.pin(&["--accept-observed"]).code, 2);
    assert_eq!(lock_text(&deployment), "<<<<<<< HEAD\n");
}

/// No lock helps a VM of which something fails that no lock accepts: that is said at once, and nothing is written. What stays open is
/// said beside the lock.
#[test]
fn what_verify_will_say_with_the_lock_is_said_when_it_is_taken() {
    let pinned = |lie: Option<Lie>| {
        let mut cvm = Cvm::healthy(&World::default());
        if let Some(lie) = lie {
            lie.apply(&mut cvm);
        }
        let deployment = Deployment::of(cvm);
        let ran = deployment.pin(&["--accept-observed"]);
        (
            ran.code,
            ran.stderr,
            Path::new(&deployment.path("cvm.lock")).exists(),
        )
    };
    for (lie, check) in [
        (Lie::OwnedTd, "td-attributes/owner-not-zero"),
        (Lie::UnknownXfam, "td-attributes/xfam-refused"),
        (Lie::ConfigIdMismatch, "mr-config-id/mismatch"),
    ] {
        let (code, said, is_written) = pinned(Some(lie));
        let line = format!("with this lock `verify` would fail:\n  - {check}: ");
        assert!(
            code == 1 && said.contains(&line) && !is_written,
            "{lie:?}: {code} {said}"
        );
    }
    let (code, said, is_written) = pinned(Some(Lie::ConfigIdUnknownTag));
    let line = "cvm.lock `verify` is inconclusive:\n  - mr-config-id/unsupported-tag: ";
    assert!(code == 0 && said.contains(line) && is_written, "{code} {said}");
    let (code, said, is_written) = pinned(None);
    assert!(
        code == 0 && !said.contains("`verify` is") && is_written,
        "{code} {said}"
    );
    // The lock that would be written is the lock of no release.
    let deployment = Deployment::healthy();
    let policy = format!(
        "[[target]]\nname = \"shop\"\nurl = \"{}\"\ncompose-hash = \"{}\"\n",
        deployment.app.url(),
        "ab".repeat(32)
    );
    std::fs::write(deployment.path("policy.toml"), policy).unwrap();
    let config = format!("--config={}", deployment.path("policy.toml"));
    let output = format!("--output={}", deployment.path("cvm.lock"));
    let ran = run(&deployment.network_args_with(&["pin", &config, &output], &["--accept-observed"]));
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(
        ran.stderr
            .contains("compose-hash/compose-hash-mismatch: The VM runs another"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("the release of"), "{}", ran.stderr);
    // What pin does not ask it does not judge.
    let deployment = Deployment::healthy();
    let policy = format!(
        "[defaults]\nverifier = \"both\"\n[[target]]\nname = \"shop\"\nurl = \"{}\"\nfreshness = \"required\"\ntls-binding = \"ingress\"\n",
        deployment.app.url()
    );
    std::fs::write(deployment.path("policy.toml"), policy).unwrap();
    let config = format!("--config={}", deployment.path("policy.toml"));
    let output = format!("--output={}", deployment.path("cvm.lock"));
    let ran = run(&deployment.network_args_with(&["pin", &config, &output], &["--accept-observed"]));
    assert!(ran.code == 0 && !ran.stderr.contains("`verify`"), "{ran:#?}");
}

#[test]
fn what_is_not_proven_is_never_pinned() {
    for (lie, code) in [
        (simulator::Lie::ForgedEventLog, 1),
        (simulator::Lie::BrokenSignature, 1),
        (simulator::Lie::WrongComposeText, 1),
        (simulator::Lie::ExpiredTcbInfo, 3),
    ] {
        let mut cvm = Cvm::healthy(&World::default());
        lie.apply(&mut cvm);
        let deployment = Deployment::of(cvm);
        let ran = deployment.pin(&["--accept-observed"]);
        assert_eq!(ran.code, code, "{lie}: {ran:#?}");
        ran.assert_stderr("Nothing was pinned");
        assert!(!Path::new(&deployment.path("cvm.lock")).exists());
    }
    run(&["pin"]).assert_usage_error("there is nothing to pin");
}

/// T51, T52: both locks hold what strangers wrote, and the policy file of a pull request names the lock.
#[test]
fn t51_nothing_that_a_lock_or_its_name_holds_acts_in_the_log_of_pin() {
    let deployment = Deployment::healthy();
    assert_eq!(deployment.pin(&["--accept-observed"]).code, 0);
    let foreign = "web = \"x ##vso[task.complete result=Succeeded]\"";
    let of_lock = |line: &str| match line.starts_with("web = ") {
        true => format!("{foreign}\n"),
        false => format!("{line}\n"),
    };
    let text: String = lock_text(&deployment).lines().map(of_lock).collect();
    let text = format!("{text}\n[tls]\nbinding = \"ratls\"\n");
    std::fs::write(deployment.path("x\u{1b}[31m\n::error::forged.lock"), text).unwrap();
    let policy = format!(
        "[[target]]\nname = \"shop\"\nurl = \"{}\"\nlock = \"x\\u001b[31m\\n::error::forged.lock\"\n",
        deployment.app.url()
    );
    std::fs::write(deployment.path("cvm-verify.toml"), policy).unwrap();
    let config = format!("--config={}", deployment.path("cvm-verify.toml"));
    let ran = run(&deployment.network_args_with(&["pin", &config], &["--accept-observed"]));
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert_stdout("  - x #\\u{23}vso[task.complete");
    ran.assert_stderr("note: [tls] stays unchanged in ");
    for line in ran.stdout.lines().chain(ran.stderr.lines()) {
        let acts = line.trim_start().starts_with("::") || line.contains("##vso[") || line.contains('\u{1b}');
        assert!(!acts, "{line:?} in {ran:#?}");
    }
}
