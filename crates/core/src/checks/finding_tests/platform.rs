//! `quote-signature`, `event-log` and `td-attributes`: whose root it is, and which values are shown.

use simulator::{Cvm, Lie, QuoteFormat, World};

use super::{found, lying, said};
use crate::checks::claims_for_tests::{healthy, of};
use crate::policy::{LockedPlatform, Policy};
use crate::report::{CheckId, Status};

#[test]
fn a_pass_names_the_root_that_signed() {
    let (outcome, text) = said(CheckId::QuoteSignature, &healthy(), &Policy::default());
    assert_eq!(outcome, (Status::Pass, None));
    assert_eq!(
        text,
        "The quote's signatures chain up to the custom root, which is not Intel's."
    );
}

#[test]
fn a_log_that_does_not_replay_shows_both_registers() {
    let claims = lying(Lie::DeletedEvent);
    let quoted = hex::encode(claims.quote.as_ref().unwrap().rtmrs()[3]);
    let finding = found(CheckId::EventLog, &claims, &Policy::default());
    assert_eq!(finding.reason.unwrap().id, "rtmr-mismatch");
    assert_eq!(finding.expected.as_deref(), Some(quoted.as_str()));
    assert!(finding.actual.is_some_and(|actual| actual != quoted));
    let other = found(
        CheckId::EventLog,
        &lying(Lie::OpaqueComposeHash),
        &Policy::default(),
    );
    assert_eq!(other.reason.unwrap().id, "wrong-event-type");
    assert_eq!(other.actual, None);
}

/// What is said of a VM with these attributes, by a lock or without one.
fn attributes(actual: [u8; 8], locked: Option<[u8; 8]>) -> ((Status, Option<&'static str>), String) {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report.td_attributes = actual;
    let policy = Policy {
        locked_platform: locked.map(|td_attributes| LockedPlatform {
            td_attributes: Some(td_attributes),
            mr_seam: None,
            fmspc: None,
            lock: "cvm.lock".into(),
        }),
        ..Policy::default()
    };
    said(CheckId::TdAttributes, &of(&cvm), &policy)
}

#[test]
fn the_attributes_of_a_lock_stand_for_the_usual_ones() {
    let other = [0, 0, 0, 0x10, 0, 0, 0, 0x80];
    let (outcome, text) = attributes(other, None);
    assert_eq!(outcome, (Status::Fail, Some("td-attributes-mismatch")), "{text}");
    assert!(text.contains("those of every dstack guest are"), "{text}");
    let (outcome, text) = attributes([0, 0, 0, 0x10, 0, 0, 0, 0], Some(other));
    assert_eq!(outcome, (Status::Fail, Some("td-attributes-mismatch")), "{text}");
    assert!(text.contains("those of cvm.lock are"), "{text}");
}

fn xfam(bits: u64) -> ((Status, Option<&'static str>), String) {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report.xfam = bits.to_le_bytes();
    said(CheckId::TdAttributes, &of(&cvm), &Policy::default())
}

#[test]
fn the_bits_of_xfam_that_lack_are_told_from_those_that_no_guest_uses() {
    assert_eq!(xfam(0x6_02e7).0, (Status::Pass, None));
    for bits in [0x6_02e6, 0x6_02e5, 0x6_02e4] {
        let (outcome, text) = xfam(bits);
        assert_eq!(outcome, (Status::Fail, Some("xfam-refused")));
        assert!(text.contains("it lacks x87 or SSE"), "{text}");
    }
    let (outcome, text) = xfam(0x6_02e7 | 1 << 63);
    assert_eq!(outcome, (Status::Fail, Some("xfam-refused")));
    assert!(
        text.contains("the bits 0x8000000000000000 are CPU features"),
        "{text}"
    );
}

#[test]
fn an_owner_is_refused_and_zeros_are_none() {
    let of_report = |change: fn(&mut Cvm)| {
        let mut cvm = Cvm::healthy(&World::default());
        cvm.quote.format = QuoteFormat::V5Td15;
        change(&mut cvm);
        said(CheckId::TdAttributes, &of(&cvm), &Policy::default())
    };
    assert_eq!(of_report(|_| {}).0, (Status::Pass, None));
    let (outcome, text) = of_report(|cvm| cvm.report.mr_owner[47] = 1);
    assert_eq!(outcome, (Status::Fail, Some("owner-not-zero")));
    assert_eq!(text, "MROWNER is not zero.");
    let (outcome, text) = of_report(|cvm| cvm.report.mr_owner_config[0] = 1);
    assert_eq!(outcome, (Status::Fail, Some("owner-not-zero")));
    assert_eq!(text, "MROWNERCONFIG is not zero.");
}

#[test]
fn a_report_of_the_enclave_that_the_machine_did_not_sign_is_said_as_that() {
    let (outcome, text) = said(
        CheckId::QuoteSignature,
        &lying(Lie::BrokenQeSignature),
        &Policy::default(),
    );
    assert_eq!(outcome.0, Status::Fail);
    assert!(text.contains("does not vouch for its quoting enclave"), "{text}");
}
