//! The key provider: T36.

use super::*;

#[test]
fn t36_a_provider_that_nobody_named_fails_unless_it_is_a_kms() {
    for name in ["none", "local", "local-sgx", "tpm", "KMS", "kms2", "phala"] {
        provided(name, "", None)
            .judge()
            .fails(CheckId::KeyProvider, "not-named");
    }
}

fn known_kms(place: usize) -> &'static KmsRow {
    &ReferenceValues::built_in().kms()[place]
}

#[test]
fn t36_a_kms_that_is_neither_named_nor_known_does_not_meet_code() {
    let id = simulator::cvm::simulated_kms_id(7);
    let judged = provided("kms", &id, None).judge();
    judged
        .says(CheckId::KeyProvider, Status::Warn, "unpinned")
        .concludes(Verdict::Inconclusive);
    assert_eq!(judged.0.assurance, Assurance::Hardware);
    // The line to write down is made of what was found.
    let found = judged
        .0
        .check(CheckId::KeyProvider)
        .and_then(|check| check.actual.as_deref());
    assert_eq!(found, Some(format!("kms:{id}").as_str()));
    provided("kms", &id, Some(&format!("kms:{id}"))).judge().passes();
    provided("kms", &id, None)
        .with(|trial| trial.policy.required = RequiredAssurance::Hardware)
        .judge()
        .passes();
    provided("kms", "", None)
        .judge()
        .says(CheckId::KeyProvider, Status::Warn, "unpinned")
        .concludes(Verdict::Inconclusive);
    // A known id, cut short or prolonged, is another id.
    for id in [&known_kms(0).id[..180], &format!("{}00", known_kms(0).id)] {
        provided("kms", id, None)
            .judge()
            .says(CheckId::KeyProvider, Status::Warn, "unpinned")
            .concludes(Verdict::Inconclusive);
    }
}

/// What the check was accepted with, and by what.
fn accepted_of(judged: &Judged) -> Vec<(AcceptedKind, &str)> {
    let of_check = judged
        .0
        .accepted
        .iter()
        .filter(|one| one.check == CheckId::KeyProvider);
    of_check.map(|one| (one.what, one.by.as_str())).collect()
}

#[test]
fn t36_unchecked_and_a_bare_kms_are_waivers() {
    let id = simulator::cvm::simulated_kms_id(7);
    for (name, option) in [("kms", "kms"), ("kms", "unchecked"), ("none", "unchecked")] {
        let judged = provided(name, &id, Some(option)).judge();
        judged
            .says(CheckId::KeyProvider, Status::Skip, "unchecked")
            .passes();
        assert_eq!(judged.0.waived, [CheckId::KeyProvider]);
        assert_eq!(accepted_of(&judged), [(AcceptedKind::Waiver, "--key-provider")]);
        assert_eq!(judged.0.assurance, Assurance::Hardware);
    }
    // A bare `kms` is not a waiver of everything.
    provided("none", "", Some("kms"))
        .judge()
        .fails(CheckId::KeyProvider, "provider-mismatch");
    // With a KMS of a known party there is nothing to waive.
    let known = provided("kms", &known_kms(0).id, Some("kms")).judge();
    known.passes().proves(CheckId::KeyProvider);
    assert!(known.0.waived.is_empty());
}

#[test]
fn t36_roots_rotate_so_several_ids_are_taken() {
    let ids = [7, 8].map(simulator::cvm::simulated_kms_id);
    let both = format!("kms:{},kms:{}", ids[0], ids[1]);
    for id in &ids {
        let judged = provided("kms", id, Some(&both)).judge();
        judged.passes().proves(CheckId::KeyProvider);
        assert!(accepted_of(&judged).is_empty());
    }
    provided("kms", &simulator::cvm::simulated_kms_id(9), Some(&both))
        .judge()
        .fails(CheckId::KeyProvider, "provider-mismatch");
}

#[test]
fn t36_a_known_or_a_named_provider_passes() {
    for row in ReferenceValues::built_in().kms() {
        provided("kms", &row.id, None)
            .judge()
            .passes()
            .proves(CheckId::KeyProvider);
        provided("kms", &row.id, Some(&row.name)).judge().passes();
    }
    for name in ["none", "local", "local-sgx", "tpm"] {
        let judged = provided(name, "", Some(name)).judge();
        judged.passes();
        // Named, it is accepted in writing: it is no KMS.
        assert_eq!(
            accepted_of(&judged),
            [(AcceptedKind::KeyProvider, "--key-provider")]
        );
        assert_eq!(judged.0.assurance, Assurance::Hardware);
        provided(name, "ab", Some(&format!("{name}:0xAB")))
            .judge()
            .passes();
    }
}

#[test]
fn t36_another_provider_than_the_named_one_fails() {
    let cases = [
        ("none", "", "phala"),
        ("local-sgx", known_kms(0).id.as_str(), "phala"),
        ("kms", known_kms(1).id.as_str(), "phala"),
        ("kms", "", "phala"),
        ("local-sgx", "ab", "local-sgx:cd"),
        ("local-sgx", "", "local-sgx:cd"),
        ("local-sgx", "abcd", "local-sgx:ab"),
        ("local", "", "local-sgx"),
        ("kms", "ab", "none"),
    ];
    for (name, id, option) in cases {
        provided(name, id, Some(option))
            .judge()
            .fails(CheckId::KeyProvider, "provider-mismatch");
    }
    for lie in [Lie::NoKeyProvider, Lie::ForeignKms] {
        Trial::lying(|cvm| lie.apply(cvm))
            .judge()
            .fails(CheckId::KeyProvider, "provider-mismatch");
    }
}

/// For each provider that a document asks for and each policy: the document is refused exactly if the deployment fails.
#[test]
fn a_document_is_refused_by_its_key_provider_exactly_if_its_deployment_fails() {
    use cvm_verify_core::checks::judge_document;
    use cvm_verify_core::compose::UnprovenDocument;

    let id = "ab".repeat(20);
    let documents = [
        ("kms", &*id, serde_json::json!({ "kms_enabled": true })),
        ("kms", &id, serde_json::json!({ "key_provider": "kms" })),
        (
            "none",
            "",
            serde_json::json!({ "kms_enabled": false, "local_key_provider_enabled": false }),
        ),
        (
            "local-sgx",
            &id,
            serde_json::json!({ "kms_enabled": false, "local_key_provider_enabled": true }),
        ),
        ("tpm", &id, serde_json::json!({ "key_provider": "tpm" })),
    ];
    let named = |name: &str| format!("{name}:{id}");
    let policies = [
        "unchecked".to_owned(),
        "kms".to_owned(),
        "none".to_owned(),
        named("kms"),
        named("local-sgx"),
        named("tpm"),
        format!("none,{}", named("kms")),
        format!("{},{}", named("tpm"), named("local-sgx")),
    ];
    let (mut failing, mut others) = (0, 0);
    for (name, id, members) in documents {
        for text in &policies {
            let judged = Trial::healthy().with(|trial| {
                let mut document: serde_json::Value = serde_json::from_str(&trial.cvm.app_compose).unwrap();
                let document = document.as_object_mut().unwrap();
                document.extend(members.as_object().unwrap().clone());
                trial.cvm.app_compose = serde_json::Value::Object(document.clone()).to_string();
                trial.cvm.set_key_provider(name, id);
                trial.policy.key_provider = Some(expected("--key-provider", text.parse().unwrap()));
            });
            let document = UnprovenDocument::read(&judged.cvm.app_compose).unwrap();
            let planned = judge_document(&document, &judged.policy);
            let refuses = planned
                .iter()
                .any(|(check, finding)| *check == CheckId::KeyProvider && finding.status == Status::Fail);
            let ran = judged.judge();
            let check = ran.check(CheckId::KeyProvider);
            let fails = check.status == Status::Fail;
            assert_eq!(refuses, fails, "{members} under {text}");
            if fails {
                assert_eq!(
                    check.reason.as_deref(),
                    Some("provider-mismatch"),
                    "{members} under {text}"
                );
                failing += 1;
            } else {
                others += 1;
            }
        }
    }
    assert!(failing > 5 && others > 5, "{failing} fail, {others} do not");
}
