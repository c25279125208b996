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
}

/// A hash that a person wrote out binds every field: nobody deployed another document. What the lock holds is of another release, so
/// that these fields are open until it says them, whatever the tier.
#[test]
fn other_settings_than_the_locks_convict_nobody_where_the_whole_hash_was_written_out() {
    let claims = healthy();
    let own = hash_of(&claims);
    let mut other = locked(&claims);
    other
        .compose_settings
        .insert("public_logs".to_owned(), json!("?"));
    for (by, replaced) in [
        ("--compose-hash", Some(of_lock([9; 32]))),
        ("--app-compose-file", Some(of_lock([9; 32]))),
        // A lock of settings alone.
        ("--compose-hash", None),
    ] {
        let policy = Policy {
            compose_hash: Some(expected(by, own)),
            replaced_compose_hash: replaced,
            locked_compose: Some(other.clone()),
            ..Policy::default()
        };
        let finding = found(CheckId::ComposeHash, &claims, &policy);
        assert_eq!(
            (finding.status, finding.reason.map(|reason| reason.id)),
            (Status::Error, Some("compose-settings-mismatch"))
        );
        assert!(
            finding
                .detail
                .contains(&format!("exactly the one that {by} names")),
            "{}",
            finding.detail
        );
        let fix = finding.fix.unwrap();
        assert!(
            !fix.contains("someone else") && !fix.contains("stop sending"),
            "{fix}"
        );
        assert!(
            fix.contains(&format!("correct {by}")) && fix.contains("cvm-verify plan"),
            "{fix}"
        );
        // An error against a line of a file counts at any tier.
        assert!(finding.origin.is_some() && finding.accepted.is_empty());
    }
    // A docker compose file says nothing of what is around it: there the lock alone convicts.
    let compose = claims.compose.as_ref().unwrap();
    let file = compose.members().unwrap()["docker_compose_file"]
        .as_str()
        .unwrap();
    let policy = Policy {
        docker_compose: Some(expected("--docker-compose", file.to_owned())),
        replaced_compose_hash: Some(of_lock([9; 32])),
        locked_compose: Some(other),
        ..Policy::default()
    };
    let (outcome, text) = said(CheckId::ComposeHash, &claims, &policy);
    assert_eq!(
        outcome,
        (Status::Fail, Some("compose-settings-mismatch")),
        "{text}"
    );
}

/// The second hash has an end, and the verdict says what it accepts: a lock can hold the fields of one of two releases only.
#[test]
fn other_settings_of_the_second_release_are_accepted_by_its_hash_and_named() {
    let claims = healthy();
    let mut other = locked(&claims);
    other
        .compose_settings
        .insert("public_logs".to_owned(), json!("?"));
    let policy = |first: Expected<[u8; 32]>, ends: u64| Policy {
        compose_hash: Some(first),
        locked_compose: Some(other.clone()),
        second_compose_hash: Some(SecondHash {
            value: hash_of(&claims),
            until: "2026-06-10".parse().unwrap(),
            ends: claims.at + ends,
        }),
        ..Policy::default()
    };
    const FAR: u64 = 30 * 86_400;
    for (ends, reason) in [
        (FAR, "second-hash-settings"),
        (3 * 86_400, "second-hash-settings"),
        (3 * 86_400 - 1, "second-hash-ends-soon"),
        (1, "second-hash-ends-soon"),
    ] {
        let finding = found(CheckId::ComposeHash, &claims, &policy(of_lock([9; 32]), ends));
        assert_eq!(
            (finding.status, finding.reason.map(|reason| reason.id)),
            (Status::Warn, Some(reason))
        );
        assert!(finding.detail.contains("`public_logs`"), "{}", finding.detail);
        let [accepted] = finding.accepted.as_slice() else {
            panic!("{:?}", finding.accepted)
        };
        let accepted = accepted.of(CheckId::ComposeHash);
        assert_eq!(accepted.what, crate::report::AcceptedKind::ComposeSettings);
        assert_eq!(accepted.by, "--also-compose-hash");
        assert!(accepted.until.is_some() && accepted.reason.contains("`public_logs`"));
    }
    assert_eq!(
        said(CheckId::ComposeHash, &claims, &policy(of_lock([9; 32]), 0)).0,
        (Status::Fail, Some("second-hash-ended"))
    );
    // A lock without a hash demands its fields of every release.
    let (outcome, text) = said(
        CheckId::ComposeHash,
        &claims,
        &policy(expected("--compose-hash", [9; 32]), FAR),
    );
    assert_eq!(
        outcome,
        (Status::Error, Some("compose-settings-mismatch")),
        "{text}"
    );
    // The second one is the lock's own: then the lock contradicts itself.
    let mut own = policy(expected("--compose-hash", [9; 32]), FAR);
    own.replaced_compose_hash = Some(of_lock(hash_of(&claims)));
    let (outcome, text) = said(CheckId::ComposeHash, &claims, &own);
    assert_eq!(
        outcome,
        (Status::Error, Some("compose-settings-mismatch")),
        "{text}"
    );
    assert!(text.contains("contradicts itself"), "{text}");
    // With the same fields nothing is accepted, and the end is said all the same.
    let mut same = policy(of_lock([9; 32]), FAR);
    same.locked_compose = Some(locked(&claims));
    assert_eq!(said(CheckId::ComposeHash, &claims, &same).0, (Status::Pass, None));
    same.second_compose_hash.as_mut().unwrap().ends = claims.at + 1;
    let finding = found(CheckId::ComposeHash, &claims, &same);
    assert_eq!(
        finding.reason.map(|reason| reason.id),
        Some("second-hash-ends-soon")
    );
    assert!(finding.accepted.is_empty());
    assert!(second_release(&claims, &same).is_some());
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
        Some((CheckId::ComposeHash, Status::Error, reason))
    );
    let document = UnprovenDocument::read(&text).unwrap();
    let found = judge_document(&document, &policy);
    assert!(
        found
            .iter()
            .any(|(_, finding)| finding.detail.contains("add `--output cvm.lock`"))
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
            ends: claims.at + 30 * 86_400,
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
