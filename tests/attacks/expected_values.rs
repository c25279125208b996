//! Expected values: T14, T15, T35, T36 and T37.

mod config_id_at_launch;
mod key_provider;

use cvm_verify_core::policy::{LockOrigin, LockedCompose};
use cvm_verify_core::reference::{KmsRow, ReferenceValues};
use cvm_verify_core::report::{AcceptedKind, Assurance, CheckId, RequiredAssurance, Status, Verdict};
use simulator::app_compose::{DOCKER_COMPOSE, app_compose};
use simulator::{Cvm, Lie, MrConfigId, World};

use crate::judge::{Judged, Trial, expected};

/// A healthy CVM whose compose document is this text.
fn running(app_compose: String) -> Trial {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.app_compose = app_compose;
    Trial::of(cvm)
}

/// The healthy CVM, whose `/info` shows another text.
fn showing(text: impl Into<String>) -> Trial {
    Trial::healthy().with(|trial| trial.cvm.body.show_app_compose = Some(text.into()))
}

/// A CVM with this key provider, that nobody named unless the option says so.
fn provided(name: &str, id: &str, option: Option<&str>) -> Trial {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.set_key_provider(name, id);
    Trial::of(cvm).with(|trial| {
        trial.policy.key_provider = option.map(|text| expected("--key-provider", text.parse().unwrap()));
    })
}

#[test]
fn the_healthy_baseline_passes() {
    let judged = Trial::healthy().judge();
    judged.passes();
    for id in [CheckId::ComposeHash, CheckId::KeyProvider, CheckId::MrConfigId] {
        judged.proves(id);
    }
}

#[test]
fn t14_without_an_expected_compose_hash_the_verdict_is_inconclusive() {
    let trial = Trial::healthy().with(|trial| trial.policy.compose_hash = None);
    let judged = trial.judge();
    judged.says(CheckId::ComposeHash, Status::Skip, "no-expectation");
    judged.concludes(Verdict::Inconclusive);
    assert_eq!(judged.0.verdict.exit_code(), 3);
    // It says what to write down.
    let line = format!("--compose-hash {}", hex::encode(trial.cvm.compose_hash()));
    assert!(judged.detail(CheckId::ComposeHash).contains(&line), "{judged}");
}

#[test]
fn t14_another_code_that_is_consistent_with_itself_fails_compose_hash() {
    let judged = Trial::lying(|cvm| Lie::SwappedImage.apply(cvm)).judge();
    judged.fails(CheckId::ComposeHash, "compose-hash-mismatch");
    judged.proves(CheckId::EventLog).proves(CheckId::MrConfigId);
}

#[test]
fn t14_the_word_of_the_info_is_never_the_measured_hash() {
    // The swapped image, whose `/info` and `vm_config` claim the expected hash.
    let honest = hex::encode(Trial::healthy().cvm.compose_hash());
    Trial::lying(|cvm| {
        Lie::SwappedImage.apply(cvm);
        let hash = honest.clone();
        cvm.body
            .edit_info(move |info| info["compose_hash"] = hash.clone().into());
        let hash = honest.clone();
        cvm.body
            .edit_attestation(move |body| body["compose_hash"] = hash.clone().into());
    })
    .judge()
    .fails(CheckId::ComposeHash, "compose-hash-mismatch");
}

#[test]
fn t14_the_expected_text_shown_beside_another_code_does_not_soften_the_reason() {
    // "Hand over the exact text" would be the wrong advice: another code runs.
    let judged = Trial::lying(|cvm| {
        cvm.body.show_app_compose = Some(cvm.app_compose.clone());
        Lie::SwappedImage.apply(cvm);
    })
    .judge();
    judged.fails(CheckId::ComposeHash, "compose-hash-mismatch");
}

#[test]
fn t15_the_exact_text_is_hashed_whatever_json_thinks_of_it() {
    let text = app_compose(DOCKER_COMPOSE);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let others = [
        format!("{text}\n"),
        format!(" {text}"),
        format!("{text}\0"),
        format!("\u{feff}{text}"),
        serde_json::to_string_pretty(&value).unwrap(),
        text.replacen("\"allowed_envs\":[\"API_KEY\"],", "", 1).replacen(
            '}',
            ",\"allowed_envs\":[\"API_KEY\"]}",
            1,
        ),
        text.replacen("\"name\":\"\"", "\"name\":\"\\u0000\"", 1),
        text.replacen("true", "true ", 1),
    ];
    for other in others {
        assert_ne!(other, text);
        showing(other)
            .judge()
            .proves(CheckId::ComposeHash)
            .says(CheckId::Evidence, Status::Warn, "info-unusable")
            .leaves_open(CheckId::LaunchInputs, "compose-not-proven")
            .leaves_open(CheckId::ImagePins, "compose-not-proven");
    }
    Trial::lying(|cvm| Lie::WrongComposeText.apply(cvm))
        .judge()
        .proves(CheckId::ComposeHash)
        .leaves_open(CheckId::ImagePins, "compose-not-proven");
}

/// An older document of the same instance in `/info`, as a cache hands it out after an upgrade in place, proves nothing and
/// convicts nobody; another measured hash does.
#[test]
fn t15_an_old_document_in_info_leaves_open_what_is_in_it_and_convicts_for_another_hash_alone() {
    let old = app_compose("services: {}\n");
    let judged = showing(old.clone()).judge();
    judged
        .proves(CheckId::ComposeHash)
        .says(CheckId::Evidence, Status::Warn, "info-unusable")
        .leaves_open(CheckId::ImagePins, "compose-not-proven")
        .concludes(Verdict::Inconclusive);
    // The document that is shown is the expected one; another one was measured.
    let expecting = |hash: [u8; 32]| {
        showing(old.clone()).with(|trial| {
            trial.policy.compose_hash = Some(expected("--compose-hash", hash));
        })
    };
    let shown = cvm_verify_core::verify::digest::sha256(old.as_bytes());
    expecting(shown)
        .judge()
        .fails(CheckId::ComposeHash, "compose-hash-mismatch");
    // Without an expectation nothing says that what was measured is right.
    showing(old)
        .with(|trial| trial.policy.compose_hash = None)
        .judge()
        .leaves_open(CheckId::ComposeHash, "text-mismatch");
}

#[test]
fn t15_an_escape_and_the_character_it_stands_for_are_two_texts() {
    let escaped = app_compose(DOCKER_COMPOSE).replacen("\"name\":\"\"", r#""name":"caf\u00e9""#, 1);
    let utf8 = escaped.replacen("\\u00e9", "é", 1);
    assert_ne!(escaped, utf8);
    running(escaped.clone()).judge().passes();
    running(utf8.clone()).judge().passes();
    for (measured, shown) in [(&escaped, &utf8), (&utf8, &escaped)] {
        running(measured.clone())
            .with(|trial| trial.cvm.body.show_app_compose = Some(shown.clone()))
            .judge()
            .proves(CheckId::ComposeHash)
            .leaves_open(CheckId::ImagePins, "compose-not-proven");
    }
}

#[test]
fn t15_a_document_with_a_final_newline_is_hashed_with_it() {
    running(app_compose(DOCKER_COMPOSE) + "\n").judge().passes();
}

#[test]
fn t15_an_object_in_the_place_of_the_text_is_not_hashed() {
    let trial = Trial::lying(|cvm| {
        cvm.body.tcb_info = simulator::Nested::Object;
        cvm.body.edit_info(|info| {
            let text = info["tcb_info"]["app_compose"].as_str().unwrap().to_owned();
            info["tcb_info"]["app_compose"] = serde_json::from_str(&text).unwrap();
        });
    });
    trial
        .judge()
        .leaves_open(CheckId::ImagePins, "no-compose-document")
        .proves(CheckId::ComposeHash);
}

#[test]
fn a_locked_settings_that_cannot_be_compared_is_no_pass() {
    // The lock's hash is replaced by an option, its compose settings stays; the measured document names a field twice, so that
    // it has no one reading. The user waived the check that would also have noticed.
    let text = app_compose(DOCKER_COMPOSE).replacen(
        "\"public_logs\":false",
        "\"public_logs\":false,\"public_logs\":true",
        1,
    );
    let judged = running(text)
        .with(|trial| {
            trial.policy.image_pins = cvm_verify_core::policy::ImagePinsPolicy::Unchecked;
            trial.policy.locked_compose = Some(LockedCompose {
                compose_settings: [("public_logs".to_owned(), false.into())].into(),
                images: [].into(),
                places: Vec::new(),
                lock: "cvm.lock".into(),
            });
        })
        .judge();
    judged.leaves_open(CheckId::ComposeHash, "compose-settings-not-shown");
}

#[test]
fn a_locked_setting_that_differs_from_the_document_of_a_written_hash_leaves_it_open() {
    let trial = Trial::healthy().with(|trial| {
        trial.policy.locked_compose = Some(LockedCompose {
            compose_settings: [("public_logs".to_owned(), true.into())].into(),
            images: [].into(),
            places: Vec::new(),
            lock: "cvm.lock".into(),
        });
    });
    trial
        .judge()
        .leaves_open(CheckId::ComposeHash, "compose-settings-mismatch");
    // Without the document nothing can be compared.
    let hidden = trial.with(|trial| {
        trial.info = false;
        trial.policy.image_pins = cvm_verify_core::policy::ImagePinsPolicy::Unchecked;
    });
    hidden
        .judge()
        .leaves_open(CheckId::ComposeHash, "compose-settings-not-shown");
    // The hash of the same lock binds its settings: nothing need be compared.
    let bound = hidden.with(|trial| {
        let lock = LockOrigin::from("cvm.lock").key(&["compose_hash"]);
        trial.policy.compose_hash.as_mut().unwrap().origin = lock;
    });
    assert_eq!(bound.judge().status(CheckId::ComposeHash), Status::Pass);
}

#[test]
fn a_lock_that_contradicts_its_own_compose_hash_is_open_and_convicts_nobody() {
    let mut trial = Trial::healthy();
    trial.policy.compose_hash.as_mut().unwrap().origin = LockOrigin::from("cvm.lock").key(&["compose_hash"]);
    let compose: serde_json::Value = serde_json::from_str(&trial.cvm.app_compose).unwrap();
    let compose_settings = compose.as_object().unwrap().iter();
    let locked = LockedCompose {
        compose_settings: compose_settings
            .filter(|(name, _)| *name != "docker_compose_file" && *name != "pre_launch_script")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        images: [("web".to_owned(), "ghcr.io/example/web@sha256:00".to_owned())].into(),
        places: Vec::new(),
        lock: "cvm.lock".into(),
    };
    trial.policy.locked_compose = Some(locked);
    let judged = trial.judge();
    judged.leaves_open(CheckId::ImagePins, "locked-image-mismatch");
    judged.leaves_open(CheckId::ComposeHash, "compose-settings-mismatch");
}

#[test]
fn t35_the_right_app_id_over_another_compose_fails_compose_hash() {
    let trial = Trial::healthy().with(|trial| {
        let id = trial.cvm.app_id_bytes().try_into().unwrap();
        trial.policy.app_id = Some(expected("--app-id", id));
    });
    trial.judge().passes().proves(CheckId::AppId);
    let judged = trial.with(|trial| Lie::PinnedAppId.apply(&mut trial.cvm)).judge();
    judged.fails(CheckId::ComposeHash, "compose-hash-mismatch");
    judged.proves(CheckId::AppId);
}

#[test]
fn t35_another_app_id_or_instance_over_the_right_compose_fails() {
    Trial::healthy()
        .with(|trial| trial.policy.app_id = Some(expected("--app-id", [0x66; 20])))
        .judge()
        .fails(CheckId::AppId, "app-id-mismatch")
        .proves(CheckId::ComposeHash);
    Trial::healthy()
        .with(|trial| trial.policy.address_id = Some([0x66; 20]))
        .judge()
        .fails(CheckId::AppId, "address-mismatch");
    for own in [true, false] {
        Trial::healthy()
            .with(|trial| {
                trial.policy.instance_ids = Some(expected("--instance-id", vec![[0x66; 20]]));
                if !own {
                    trial.cvm.instance_id.clear();
                }
            })
            .judge()
            .fails(CheckId::InstanceId, "instance-id-mismatch");
    }
}

#[test]
fn t35_an_id_in_the_address_is_the_apps_or_the_instances() {
    let trial = Trial::healthy();
    let ids = [trial.cvm.app_id_bytes(), trial.cvm.instance_id.clone()];
    for id in ids {
        Trial::healthy()
            .with(|trial| trial.policy.address_id = Some(id.try_into().unwrap()))
            .judge()
            .passes();
    }
}
