//! What the report says beside the checks.

use std::collections::BTreeMap;

use super::{Subject, appraise};
use crate::checks::claims_for_tests::{expected, healthy, listed_image, listed_shape, of_image};
use crate::policy::{LockOrigin, LockedCompose, Policy, SecondHash};
use crate::reference::OsClass;
use crate::report::TargetReport;
use crate::verify::{Claims, TrustRoot};

fn report(claims: &Claims, policy: &Policy) -> TargetReport {
    let subject = Subject {
        name: "app".to_owned(),
        url: None,
        root: TrustRoot::Intel,
        at: claims.at,
        bundle: None,
    };
    appraise(Ok(claims), policy, &subject)
}

#[test]
fn an_image_of_the_table_is_named() {
    let row = listed_image(OsClass::Production, false);
    let claims = of_image(row, listed_shape());
    let named = report(&claims, &Policy::default()).measurements.os_image;
    assert_eq!(named.as_deref(), Some(row.name.as_str()));
    assert_eq!(report(&healthy(), &Policy::default()).measurements.os_image, None);
}

#[test]
fn a_second_release_is_told_where_its_hash_passes() {
    let claims = healthy();
    let own = *claims.boot.as_ref().unwrap().compose_hash();
    let until = "2026-06-10".parse().unwrap();
    let policy = |is_locked: bool| Policy {
        compose_hash: Some(expected("--compose-hash", [7; 32])),
        second_compose_hash: Some(SecondHash {
            value: own,
            until,
            ends: claims.at + 1,
        }),
        locked_compose: is_locked.then(|| LockedCompose {
            compose_settings: BTreeMap::new(),
            images: BTreeMap::new(),
            places: Vec::new(),
            lock: LockOrigin::from("cvm.lock"),
        }),
        ..Policy::default()
    };
    let told = report(&claims, &policy(false)).second_release_until;
    assert_eq!(told.as_deref(), Some("2026-06-10"));
    // Its settings are not the locked ones.
    assert_eq!(report(&claims, &policy(true)).second_release_until, None);
}
