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
    edited.compose_settings.insert("public_logs".to_owned(), json!("?"));
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
            let fix = finding.fix.unwrap_or_else(|| finding.reason.unwrap().fix.to_owned());
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
