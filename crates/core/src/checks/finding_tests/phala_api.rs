//! `phala-api`: what is said of a second opinion that was not asked for, or not given.

use super::said;
use crate::checks::claims_for_tests::healthy;
use crate::policy::{Policy, Verifier};
use crate::report::{CheckId, Status};
use crate::verify::{Claims, PhalaVerdict};

#[test]
fn an_opinion_that_is_asked_for_and_missing_is_an_error() {
    let claims = Claims {
        phala_verdict: PhalaVerdict::NotAsked,
        ..healthy()
    };
    for (verifier, expected) in [
        (Verifier::Local, (Status::Skip, Some("not-configured"))),
        (Verifier::Both, (Status::Error, Some("not-asked"))),
    ] {
        let policy = Policy {
            verifier,
            ..Policy::default()
        };
        assert_eq!(said(CheckId::PhalaApi, &claims, &policy).0, expected);
    }
}
