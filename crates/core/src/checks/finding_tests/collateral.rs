//! `collateral`: when it ends soon, and what is said of collateral that does not serve.

use super::{lying, said};
use crate::checks::claims_for_tests::healthy;
use crate::policy::{Policy, TcbPolicy};
use crate::report::{CheckId, Status};
use crate::verify::{Claims, CollateralServers, FORECAST, UnusableCollateral};
use simulator::Lie;

/// What is said of it if it came from a server.
fn of(problem: UnusableCollateral) -> ((Status, Option<&'static str>), String) {
    let claims = Claims {
        collateral: Err(problem),
        collateral_source: Some("https://pccs.example".to_owned()),
        ..healthy()
    };
    said(CheckId::Collateral, &claims, &Policy::default())
}

#[test]
fn it_ends_soon_within_the_time_of_a_forecast_and_not_at_its_end() {
    let mut claims = healthy();
    let ends = claims.quote.as_ref().unwrap().expires_at();
    for (at, expected) in [
        (ends - FORECAST, (Status::Pass, None)),
        (ends - FORECAST + 1, (Status::Warn, Some("ends-soon"))),
    ] {
        claims.at = at;
        assert_eq!(said(CheckId::Collateral, &claims, &Policy::default()).0, expected);
    }
}

#[test]
fn the_time_of_the_judgement_is_named_where_it_decides_and_the_server_where_one_answered() {
    let (outcome, text) = of(UnusableCollateral::Expired {
        what: "TCB info",
        ended: 0,
    });
    assert_eq!(outcome, (Status::Error, Some("expired")));
    assert!(
        text.starts_with("The TCB info ended at 1970-01-01T00:00:00Z. It was judged at "),
        "{text}"
    );
    assert!(text.contains("https://pccs.example"), "{text}");
    let (outcome, text) = of(UnusableCollateral::Malformed {
        document: "TCB info",
        problem: "no `version`".to_owned(),
    });
    assert_eq!(outcome, (Status::Error, Some("malformed")));
    assert!(!text.contains("judged at"), "{text}");
    assert!(text.contains("https://pccs.example"), "{text}");
}

#[test]
fn no_server_is_named_for_collateral_that_came_from_none() {
    let problem = || "nobody answered".to_owned();
    for gap in [
        UnusableCollateral::Missing,
        UnusableCollateral::NotServed {
            problem: problem(),
            servers: CollateralServers::default(),
        },
        UnusableCollateral::Unreachable {
            problem: problem(),
            servers: CollateralServers::default(),
        },
    ] {
        let (outcome, text) = of(gap);
        assert_eq!(outcome.0, Status::Error, "{text}");
        assert!(!text.contains("https://pccs.example"), "{text}");
    }
}

#[test]
fn the_lowest_evaluation_data_number_is_the_higher_one_of_the_policy_and_the_built_in() {
    let least = |number| Policy {
        tcb: TcbPolicy {
            min_eval_data_number: number,
            ..TcbPolicy::default()
        },
        ..Policy::default()
    };
    let claims = healthy();
    let number = claims.quote.as_ref().unwrap().tcb().eval_data_number;
    let of = |claims: &Claims, number| said(CheckId::Collateral, claims, &least(number)).0;
    assert_eq!(of(&claims, Some(number)), (Status::Pass, None));
    assert_eq!(of(&claims, Some(number + 1)), (Status::Error, Some("old-set")));
    // The built-in floor holds whatever the policy says.
    assert_eq!(
        of(&lying(Lie::OldTcbInfo), Some(1)),
        (Status::Error, Some("old-set"))
    );
}
