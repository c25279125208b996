//! The checks of the compose document where a lock pins what is around it.

use std::collections::BTreeMap;

use serde_json::json;
use simulator::{Cvm, World};

use super::{found, said};
use crate::checks::claims_for_tests::{expected, healthy};
use crate::checks::{judge_document, second_release};
use crate::compose::{UnprovenDocument, launch_script};
use crate::policy::{Expected, LockOrigin, LockedCompose, Policy, SecondHash};
use crate::report::{CheckId, Status};
use crate::verify::Claims;

fn hash_of(claims: &Claims) -> [u8; 32] {
    *claims.boot.as_ref().unwrap().compose_hash()
}

/// What a lock of these claims holds of the compose document.
fn locked(claims: &Claims) -> LockedCompose {
    let compose = claims.compose.as_ref().unwrap();
    let file = compose.compose_file(launch_script(compose)).unwrap().unwrap();
    LockedCompose {
        compose_settings: compose.compose_settings().unwrap().clone(),
        images: file.images,
        places: Vec::new(),
        lock: LockOrigin::from("cvm.lock"),
    }
}

fn of_lock(value: [u8; 32]) -> Expected<[u8; 32]> {
    Expected {
        value,
        origin: LockOrigin::from("cvm.lock").key(&["compose_hash"]),
    }
}

/// [images] and [compose] are functions of the document with the lock's hash: where it runs, only the lock can be wrong.
#[test]
fn a_lock_that_contradicts_its_own_hash_convicts_nobody() {
    let claims = healthy();
    let own = hash_of(&claims);
    let mut edited = locked(&claims);
    edited
        .compose_settings
        .insert("public_logs".to_owned(), json!("?"));
    edited.images = BTreeMap::new();
    let of = |compose_hash, replaced_compose_hash| Policy {
        compose_hash: Some(compose_hash),
        replaced_compose_hash,
        locked_compose: Some(edited.clone()),
        ..Policy::default()
    };
    for policy in [
        of(of_lock(own), None),
        of(expected("--compose-hash", own), Some(of_lock(own))),
    ] {
        for (id, reason) in [
            (CheckId::ComposeHash, "compose-settings-mismatch"),
            (CheckId::ImagePins, "locked-image-mismatch"),
        ] {
            let finding = found(id, &claims, &policy);
            assert_eq!(
                (finding.status, finding.reason.map(|reason| reason.id)),
                (Status::Error, Some(reason)),
                "{}",
                finding.detail
            );
            let fix = finding
                .fix
                .unwrap_or_else(|| finding.reason.unwrap().fix.to_owned());
            assert!(fix.contains("cvm-verify pin"), "{fix}");
            assert!(!fix.contains("stop sending"), "{fix}");
            assert!(finding.origin.is_some(), "{id}");
        }
    }
    // Another hash than the lock's does not bind the settings: they were changed.
    let other = of(expected("--compose-hash", own), Some(of_lock([9; 32])));
    let (outcome, text) = said(CheckId::ComposeHash, &claims, &other);
    assert_eq!(
        outcome,
        (Status::Fail, Some("compose-settings-mismatch")),
        "{text}"
    );
}

fn of_documents(text: &str, policy: &Policy) -> Vec<(CheckId, Status, Option<&'static str>)> {
    let document = UnprovenDocument::read(text).unwrap();
    let found = judge_document(&document, policy).into_iter();
    found
        .map(|(id, finding)| (id, finding.status, finding.reason.map(|reason| reason.id)))
        .collect()
}

/// What `verify` will say of the settings, a plan says before the deploy.
#[test]
fn a_document_is_compared_with_the_locked_settings_before_it_is_deployed() {
    let claims = healthy();
    let text = Cvm::healthy(&World::default()).app_compose;
    let compose_hash = |policy: &Policy| {
        let found = of_documents(&text, policy);
        found.into_iter().find(|(id, ..)| *id == CheckId::ComposeHash)
    };
    let mut policy = Policy {
        compose_hash: Some(expected("--app-compose-file", hash_of(&claims))),
        locked_compose: Some(locked(&claims)),
        ..Policy::default()
    };
    assert_eq!(compose_hash(&policy), None);
    let settings = &mut policy.locked_compose.as_mut().unwrap().compose_settings;
    settings.insert("public_logs".to_owned(), json!("?"));
    let reason = Some("compose-settings-mismatch");
    assert_eq!(
        compose_hash(&policy),
        Some((CheckId::ComposeHash, Status::Fail, reason))
    );
    policy.replaced_compose_hash = Some(of_lock(hash_of(&claims)));
    assert_eq!(
        compose_hash(&policy),
        Some((CheckId::ComposeHash, Status::Error, reason))
    );
    // Without a lock nothing is compared where the document itself is expected.
    policy.locked_compose = None;
    assert_eq!(compose_hash(&policy), None);
}

/// A document without a KMS cannot meet what is expected of one, or of the contracts that govern it.
#[test]
fn a_document_without_a_kms_is_refused_where_one_is_expected() {
    let policy = |is_required: bool| {
        let mut policy = Policy::default();
        if is_required {
            policy.kms.mode = crate::policy::KmsMode::Required;
            policy.governance.mode = crate::policy::GovernanceMode::Required;
        }
        policy
    };
    let of = |text: &str, is_required| {
        let found = of_documents(text, &policy(is_required)).into_iter();
        let found = found.filter(|(id, ..)| matches!(id, CheckId::Kms | CheckId::Governance));
        found.collect::<Vec<_>>()
    };
    let text = r#"{"runner":"docker-compose","docker_compose_file":"services: {}","local_key_provider_enabled":true}"#;
    assert_eq!(of(text, false), []);
    assert_eq!(
        of(text, true),
        [
            (CheckId::Kms, Status::Fail, Some("no-kms")),
            (CheckId::Governance, Status::Fail, Some("operator")),
        ]
    );
    let served = text.replace("local_key_provider_enabled", "kms_enabled");
    assert_eq!(of(&served, true), []);
}

/// The docker compose file that is expected first runs: that a second hash is its document's takes nothing from that.
#[test]
fn a_docker_compose_file_that_runs_is_the_first_release_whatever_the_second_hash() {
    let claims = healthy();
    let compose = claims.compose.as_ref().unwrap();
    let file = compose.members().unwrap()["docker_compose_file"]
        .as_str()
        .unwrap();
    let policy = |file: String| Policy {
        docker_compose: Some(expected("--docker-compose", file)),
        locked_compose: Some(locked(&claims)),
        second_compose_hash: Some(SecondHash {
            value: hash_of(&claims),
            until: "2026-06-10".parse().unwrap(),
            ends: claims.at + 1,
        }),
        ..Policy::default()
    };
    for (file, says, is_second) in [
        (file.to_owned(), "byte for byte", false),
        (format!("{file}\n"), "The compose hash is the second one", true),
    ] {
        let policy = policy(file);
        let (outcome, text) = said(CheckId::ComposeHash, &claims, &policy);
        assert_eq!(outcome, (Status::Pass, None), "{text}");
        assert!(text.contains(says), "{text}");
        assert_eq!(second_release(&claims, &policy).is_some(), is_second);
    }
}
