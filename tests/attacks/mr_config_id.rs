//! MRCONFIGID forms 02 and 03 (T37): expected values by two implementations, and every value that the host could bind instead.

use cvm_verify_core::policy::MrConfigIdPolicy;
use cvm_verify_core::report::{CheckId, Status, Verdict};
use serde::Deserialize;
use simulator::{Cvm, Guest, Lie, MrConfigId, World};

use crate::judge::Trial;

/// Made by tests/mr_config_id/vectors.py.
#[derive(Deserialize)]
struct Vector {
    name: String,
    app_compose: String,
    app_id: String,
    instance_id: String,
    key_provider: String,
    key_provider_id: String,
    gpus: bool,
    document: String,
    form_01: String,
    form_02: String,
    form_03: String,
    form_03_without_app_and_instance: String,
}

fn vectors() -> Vec<Vector> {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../mr_config_id/vectors.json")).unwrap();
    assert!(vectors.len() >= 10);
    vectors
}

fn bytes(hex: &str) -> [u8; 48] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

impl Vector {
    fn cvm(&self) -> Cvm {
        let mut cvm = Cvm::of_generation(&World::default(), Guest::V0_6_0);
        cvm.app_compose = self.app_compose.clone();
        cvm.app_id = Some(hex::decode(&self.app_id).unwrap());
        cvm.instance_id = hex::decode(&self.instance_id).unwrap();
        cvm.set_key_provider(&self.key_provider, &self.key_provider_id);
        cvm
    }

    /// Whether the guests measure the same.
    fn is_of_the_guest_of(&self, other: &Self) -> bool {
        let measured = |vector: &Self| {
            [
                vector.app_compose.clone(),
                vector.app_id.clone(),
                vector.instance_id.clone(),
                vector.key_provider.clone(),
                vector.key_provider_id.clone(),
            ]
        };
        measured(self) == measured(other)
    }

    fn launched_with(&self, id: &str) -> Trial {
        let mut cvm = self.cvm();
        cvm.mr_config_id = MrConfigId::Raw(bytes(id));
        Trial::of(cvm)
    }
}

#[test]
fn each_form_is_verified_as_a_second_implementation_computes_it() {
    for vector in vectors() {
        for id in [&vector.form_01, &vector.form_02, &vector.form_03] {
            let judged = vector.launched_with(id).judge();
            assert_eq!(
                judged.status(CheckId::MrConfigId),
                Status::Pass,
                "{}: {id}\n{judged}",
                vector.name
            );
        }
        // A VMM may leave the app and the instance out: what it does name is true.
        let judged = vector
            .launched_with(&vector.form_03_without_app_and_instance)
            .judge();
        assert_eq!(
            judged.status(CheckId::MrConfigId),
            Status::Pass,
            "{}\n{judged}",
            vector.name
        );
        assert!(
            !judged.detail(CheckId::MrConfigId).contains("app id"),
            "{}",
            vector.name
        );
    }
}

#[test]
fn the_simulated_vmm_agrees_with_the_second_implementation() {
    for vector in vectors() {
        let cvm = vector.cvm();
        assert_eq!(
            cvm.launch().document(vector.gpus),
            vector.document,
            "{}",
            vector.name
        );
        for (knob, expected) in [
            (MrConfigId::Tag02, &vector.form_02),
            (MrConfigId::Tag03OfVmm { gpus: vector.gpus }, &vector.form_03),
        ] {
            let mut cvm = cvm.clone();
            cvm.mr_config_id = knob;
            assert_eq!(
                cvm.td_report([0; 64]).mr_config_id,
                bytes(expected),
                "{}",
                vector.name
            );
        }
    }
}

#[test]
fn the_compose_document_is_not_needed_for_it() {
    for vector in vectors() {
        for id in [&vector.form_02, &vector.form_03] {
            let judged = vector.launched_with(id).with(|trial| trial.info = false).judge();
            assert_eq!(
                judged.status(CheckId::MrConfigId),
                Status::Pass,
                "{}\n{judged}",
                vector.name
            );
        }
    }
}

#[test]
fn what_the_host_bound_for_another_guest_fails() {
    let vectors = vectors();
    for vector in &vectors {
        for other in vectors.iter().filter(|other| other.name != vector.name) {
            for (id, own) in [
                (&other.form_02, &vector.form_02),
                (&other.form_03, &vector.form_03),
            ] {
                // Two launches of one guest, with and without GPUs, are both true.
                if id == own || vector.is_of_the_guest_of(other) {
                    continue;
                }
                vector
                    .launched_with(id)
                    .judge()
                    .fails(CheckId::MrConfigId, "mismatch");
            }
        }
    }
}

#[test]
fn each_byte_of_the_hash_and_of_the_tail_counts() {
    let vector = &vectors()[0];
    for form in [&vector.form_02, &vector.form_03] {
        for at in [1, 2, 17, 32, 33, 47] {
            let mut id = bytes(form);
            id[at] ^= 0x80;
            let reason = if at < 33 { "mismatch" } else { "non-zero-tail" };
            vector
                .launched_with(&hex::encode(id))
                .judge()
                .fails(CheckId::MrConfigId, reason);
        }
    }
}

/// The other form's first byte does not make its hash right.
#[test]
fn a_hash_of_one_form_is_none_of_another() {
    let vector = &vectors()[0];
    let forms = [&vector.form_01, &vector.form_02, &vector.form_03];
    for form in forms {
        for tag in [1, 2, 3] {
            let mut id = bytes(form);
            if id[0] == tag {
                continue;
            }
            id[0] = tag;
            vector
                .launched_with(&hex::encode(id))
                .judge()
                .fails(CheckId::MrConfigId, "mismatch");
        }
    }
}

/// Every member of the document, changed alone.
#[test]
fn a_document_that_says_something_else_fails() {
    let mut cvm = Cvm::of_generation(&World::default(), Guest::V0_6_0);
    cvm.app_compose = cvm
        .app_compose
        .replacen("\"manifest_version\":2", "\"manifest_version\":\"3\"", 1);
    assert!(cvm.app_compose.contains("\"3\""), "{}", cvm.app_compose);
    let honest = cvm.launch().document(true);
    let trial = |document: String| {
        let mut cvm = cvm.clone();
        cvm.mr_config_id = MrConfigId::Tag03(document);
        Trial::of(cvm)
    };
    trial(honest.clone()).judge().passes().proves(CheckId::MrConfigId);
    let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&honest).unwrap();
    assert_eq!(members.len(), 8, "{honest}");
    for (name, value) in &members {
        let changed = match value {
            serde_json::Value::String(text) if name == "key_provider" => {
                format!("\"{}\"", text.replace("kms", "tpm"))
            }
            serde_json::Value::String(text) => format!(
                "\"{}\"",
                if text.starts_with('0') {
                    text.replacen('0', "1", 1)
                } else {
                    format!("0{}", &text[1..])
                }
            ),
            serde_json::Value::Array(_) => format!("[\"{}\"]", "66".repeat(32)),
            _ => "4".to_owned(),
        };
        let document = honest.replace(&format!("\"{name}\":{value}"), &format!("\"{name}\":{changed}"));
        assert_ne!(document, honest, "{name}");
        trial(document).judge().fails(CheckId::MrConfigId, "mismatch");
    }
    // A member too many, blanks, another order: not what a VMM writes.
    for document in [
        honest.replacen('{', "{\"a\":1,", 1),
        honest.replacen(':', ": ", 1),
        honest.replacen("\"version\":3", "\"version\":3.0", 1),
        honest.replacen("\"app_id\"", "\"app_id\":\"\",\"app_id\"", 1),
        String::new(),
        "{}".to_owned(),
    ] {
        trial(document).judge().fails(CheckId::MrConfigId, "mismatch");
    }
}

/// What a compose document does not pin, the document need not name.
#[test]
fn the_id_of_a_key_provider_may_be_left_out_where_the_compose_document_does_not_pin_it() {
    for (name, is_pinned) in [("kms", false), ("kms pinned by the compose document", true)] {
        let vector = vectors().into_iter().find(|vector| vector.name == name).unwrap();
        let member = format!("\"key_provider_id\":\"{}\",", vector.key_provider_id);
        let document = vector.document.replacen(&member, "", 1);
        assert_ne!(document, vector.document);
        let mut cvm = vector.cvm();
        cvm.mr_config_id = MrConfigId::Tag03(document);
        let judged = Trial::of(cvm).judge();
        match is_pinned {
            true => judged.fails(CheckId::MrConfigId, "mismatch"),
            false => judged.proves(CheckId::MrConfigId),
        };
    }
}

/// With manifest version "3" a VMM names the init scripts, and names none by an empty list.
#[test]
fn a_document_without_the_init_scripts_of_a_manifest_of_version_3_fails() {
    let of_3 = vectors()
        .into_iter()
        .find(|vector| vector.name == "manifest version 3 with init scripts")
        .unwrap();
    let scripts = of_3.document.split("\"init_script_hashes\":").nth(1).unwrap();
    let scripts = format!(
        "\"init_script_hashes\":{},",
        &scripts[..=scripts.find(']').unwrap()]
    );
    for replacement in ["", "\"init_script_hashes\":[],"] {
        let document = of_3.document.replacen(&scripts, replacement, 1);
        assert_ne!(document, of_3.document);
        let mut cvm = of_3.cvm();
        cvm.mr_config_id = MrConfigId::Tag03(document);
        Trial::of(cvm).judge().fails(CheckId::MrConfigId, "mismatch");
    }
}

/// A key provider that the compose document pins is named by the launch document.
#[test]
fn a_document_without_the_pinned_key_provider_fails() {
    let pinned = vectors()
        .into_iter()
        .find(|vector| vector.name.starts_with("kms pinned"))
        .unwrap();
    let member = format!("\"key_provider_id\":\"{}\",", pinned.key_provider_id);
    let document = pinned.document.replacen(&member, "", 1);
    assert_ne!(document, pinned.document);
    let mut cvm = pinned.cvm();
    cvm.mr_config_id = MrConfigId::Tag03(document);
    Trial::of(cvm).judge().fails(CheckId::MrConfigId, "mismatch");
}

#[test]
fn lies_about_the_launch_fail() {
    for lie in [Lie::ConfigIdForeignProvider, Lie::ConfigIdForeignInstance] {
        Trial::lying(|cvm| lie.apply(cvm))
            .judge()
            .fails(CheckId::MrConfigId, "mismatch");
    }
}

#[test]
fn zero_fails_only_where_the_policy_requires_a_binding() {
    let launched = |id: MrConfigId, policy: MrConfigIdPolicy| {
        let mut trial = Trial::healthy();
        trial.cvm.mr_config_id = id;
        trial.policy.mr_config_id = policy;
        trial.judge()
    };
    launched(MrConfigId::Zero, MrConfigIdPolicy::Auto).passes().says(
        CheckId::MrConfigId,
        Status::Skip,
        "unbound",
    );
    launched(MrConfigId::Zero, MrConfigIdPolicy::Required).fails(CheckId::MrConfigId, "binding-required");
    for id in [
        MrConfigId::Tag01,
        MrConfigId::Tag02,
        MrConfigId::Tag03OfVmm { gpus: false },
    ] {
        launched(id, MrConfigIdPolicy::Required)
            .passes()
            .proves(CheckId::MrConfigId);
    }
}

#[test]
fn an_unknown_form_leaves_code_open_and_hardware_alone() {
    let mut trial = Trial::lying(|cvm| Lie::ConfigIdUnknownTag.apply(cvm));
    trial.judge().leaves_open(CheckId::MrConfigId, "unsupported-tag");
    trial.policy.required = cvm_verify_core::report::RequiredAssurance::Hardware;
    trial.judge().concludes(Verdict::Pass);
    trial.policy.mr_config_id = MrConfigIdPolicy::Required;
    trial.judge().concludes(Verdict::Inconclusive);
}
