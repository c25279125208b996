//! `report-data`: the key beside the nonce.

use simulator::{Cvm, World, report_data::ReportDataLayout};

use super::said;
use crate::checks::claims_for_tests::of;
use crate::policy::{Policy, ReportDataPolicy};
use crate::report::{CheckId, Status};
use crate::verify::{Echo, Layout};

const KEY: [u8; 32] = [0x4b; 32];

/// What is said of an app that quotes [`KEY`] and then the nonce.
fn of_key(layout: Option<Layout>, key: Option<[u8; 32]>) -> ((Status, Option<&'static str>), String) {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report_data = ReportDataLayout::KeyThenNonce(KEY);
    let mut claims = of(&cvm);
    claims.echo = Echo::Absent;
    let policy = Policy {
        report_data: ReportDataPolicy {
            layout,
            key,
            value: None,
        },
        ..Policy::default()
    };
    said(CheckId::ReportData, &claims, &policy)
}

#[test]
fn the_expected_key_is_compared_in_a_layout_that_has_one() {
    let layout = Some(Layout::KeyThenNonce);
    let (outcome, text) = of_key(layout, Some(KEY));
    assert_eq!(outcome, (Status::Pass, None));
    assert_eq!(text, "The expected key is signed with the nonce.");
    assert_eq!(
        of_key(layout, Some([0; 32])).0,
        (Status::Fail, Some("key-mismatch"))
    );
    assert_eq!(of_key(layout, None).0, (Status::Warn, Some("key-not-compared")));
    assert_eq!(of_key(None, None).0, (Status::Skip, Some("no-echo")));
    // An expected key in a layout without room for one passes nothing.
    for layout in [Some(Layout::Raw), None] {
        assert_eq!(of_key(layout, Some(KEY)).0, (Status::Error, Some("not-compared")));
    }
}

/// The key of the connection needs no comparing with anything else, and says more than that the answer repeats what was signed.
#[test]
fn a_key_that_is_signed_is_told_before_an_echo() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report_data = ReportDataLayout::KeyThenNonce(KEY);
    let claims = of(&cvm);
    assert_eq!(claims.echo, Echo::Equal);
    for (key, expected) in [
        (Some(KEY), "The expected key is signed with the nonce."),
        (
            None,
            "The `report_data` of the answer is the one that was signed.",
        ),
    ] {
        let layout = key.map(|_| Layout::KeyThenNonce);
        let report_data = ReportDataPolicy {
            layout,
            key,
            value: None,
        };
        let policy = Policy {
            report_data,
            ..Policy::default()
        };
        assert_eq!(said(CheckId::ReportData, &claims, &policy).1, expected);
    }
}
