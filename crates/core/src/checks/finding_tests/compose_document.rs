//! The checks of the measured compose document: what they say without it, and of another one beside it.

use simulator::Lie;

use super::{found, lying, said};
use crate::checks::claims_for_tests::{expected, healthy};
use crate::checks::{Check, measured_compose};
use crate::compose::{LaunchScript, UnprovenDocument};
use crate::policy::{ImagePinsPolicy, LockOrigin, LockedCompose, LockedPlace, Policy};
use crate::report::{CheckId, Status};
use crate::verify::{Claims, NotProven};

#[test]
fn a_pass_by_the_hash_says_that_another_document_is_beside_it() {
    let claims = lying(Lie::WrongComposeText);
    let policy = Policy {
        compose_hash: Some(expected(
            "compose-hash",
            *claims.boot.as_ref().unwrap().compose_hash(),
        )),
        ..Policy::default()
    };
    let (outcome, text) = said(CheckId::ComposeHash, &claims, &policy);
    assert_eq!(outcome, (Status::Pass, None));
    assert!(
        text.contains(" The document in the evidence is another one (SHA-256 "),
        "{text}"
    );
    assert!(text.contains("); nothing in it was read."), "{text}");
    let (outcome, text) = said(CheckId::ComposeHash, &healthy(), &policy);
    assert_eq!(outcome, (Status::Pass, None));
    assert!(!text.contains("another one"), "{text}");
}

#[test]
fn a_document_that_is_absent_is_told_from_one_whose_text_is_lost() {
    let of = |compose_is_object| {
        let claims = Claims {
            compose: Err(NotProven::Absent),
            compose_is_object,
            ..healthy()
        };
        measured_compose::measured_compose(&claims).map(drop).unwrap_err()
    };
    let (absent, lost) = (of(false), of(true));
    for finding in [&absent, &lost] {
        let reason = finding.reason.map(|reason| reason.id);
        assert_eq!(
            (finding.status, reason),
            (Status::Error, Some("no-compose-document"))
        );
    }
    assert_eq!(absent.detail, "The evidence contains no compose document.");
    assert_ne!(lost.detail, absent.detail);
}

#[test]
fn images_are_waived_by_the_policy_alone() {
    let mut policy = Policy::default();
    let text = r#"{"runner":"docker-compose","docker_compose_file":"services:\n  a:\n    image: nginx\n"}"#;
    let document = UnprovenDocument::read(text).unwrap();
    let of_document =
        |policy: &Policy| Check::of(CheckId::ImagePins).of_document.unwrap()(&document, policy).unwrap();
    assert_eq!(
        said(CheckId::ImagePins, &healthy(), &policy).0,
        (Status::Pass, None)
    );
    assert_eq!(
        of_document(&policy).reason.map(|reason| reason.id),
        Some("unpinned-image"),
        "{}",
        of_document(&policy).detail
    );
    policy.image_pins = ImagePinsPolicy::Unchecked;
    for finding in [
        found(CheckId::ImagePins, &healthy(), &policy),
        of_document(&policy),
    ] {
        assert_eq!(finding.status, Status::Skip);
        assert_eq!(finding.reason.unwrap().id, "unchecked");
        assert_eq!(finding.detail, "Waived: the images may be anything.");
    }
}

/// A place that the lock names and whose reason is empty: the advice is to write it, where the lock has all of them.
#[test]
fn the_lines_of_unwritten_reasons_are_named_if_the_lock_has_all_places() {
    let claims = lying(Lie::MutableImageTag);
    let file = claims
        .compose
        .as_ref()
        .unwrap()
        .compose_file(LaunchScript::None)
        .unwrap()
        .unwrap();
    let places: Vec<LockedPlace> = file
        .deciding()
        .enumerate()
        .map(|(number, place)| LockedPlace {
            path: place.path.clone(),
            sha256: place.sha256,
            reason: String::new(),
            line: Some(10 + number),
        })
        .collect();
    let advice = |places: Vec<LockedPlace>| {
        let policy = Policy {
            locked_compose: Some(LockedCompose {
                compose_settings: std::collections::BTreeMap::new(),
                images: std::collections::BTreeMap::new(),
                places,
                lock: LockOrigin::from("cvm.lock"),
            }),
            ..Policy::default()
        };
        found(CheckId::ImagePins, &claims, &policy)
            .fix
            .unwrap_or_default()
    };
    let count = places.len();
    assert!(count > 0);
    let lines: Vec<String> = (10..10 + count).map(|line| format!("cvm.lock:{line}")).collect();
    let text = advice(places.clone());
    assert!(
        text.contains(&format!("the `reason` at {}", lines.join(", "))),
        "{text}"
    );
    let text = advice(places.get(1..).unwrap().to_vec());
    assert!(!text.contains("the `reason` at"), "{text}");
}
