//! `tcb-status`: what an exception would have to say, and what Intel says of each rating.

use simulator::{Cvm, Lie, World};

use super::{found, lying};
use crate::checks::claims_for_tests::{healthy, of};
use crate::checks::{tcb_exceptions, tcb_status};
use crate::policy::{Policy, TcbException, TcbPolicy};
use crate::report::CheckId;

fn accepting(exception: &str, ends: u64) -> Policy {
    let mut exception: TcbException = exception.parse().unwrap();
    exception.ends = ends;
    Policy {
        tcb: TcbPolicy {
            exceptions: vec![exception],
            ..TcbPolicy::default()
        },
        ..Policy::default()
    }
}

#[test]
fn a_platform_that_is_behind_needs_an_exception_until_one_holds() {
    let claims = lying(Lie::OutOfDatePlatform);
    let at = claims.at;
    let needed = tcb_exceptions(&claims, &Policy::default(), at);
    assert_eq!(needed.len(), 1, "{needed:?}");
    assert!(needed[0].starts_with("OutOfDate:until="), "{needed:?}");
    let written = needed[0].as_str();
    // It no longer holds in the second at which it ends.
    assert_eq!(tcb_exceptions(&claims, &accepting(written, at), at), needed);
    assert_eq!(tcb_exceptions(&claims, &accepting(written, at - 1), at), needed);
    assert_eq!(
        tcb_exceptions(&claims, &accepting(written, at + 1), at),
        Vec::<String>::new()
    );
    // One of another status accepts nothing.
    let other = written.replace("OutOfDate", "SWHardeningNeeded");
    assert_eq!(tcb_exceptions(&claims, &accepting(&other, at + 1), at), needed);
    assert_eq!(
        tcb_exceptions(&healthy(), &Policy::default(), at),
        Vec::<String>::new()
    );
}

#[test]
fn which_of_two_ratings_is_meant_is_said_where_they_differ() {
    let sentence = |cvm: &Cvm| found(CheckId::TcbStatus, &of(cvm), &Policy::default()).detail;
    let mut cvm = Cvm::healthy(&World::default());
    cvm.world.fall_behind();
    let one = sentence(&cvm);
    assert!(one.contains("Intel rates the platform OutOfDate ("), "{one}");
    Lie::RelaunchAdvised.apply(&mut cvm);
    let two = sentence(&cvm);
    assert!(
        two.contains("Intel rates the platform as it was when the VM was launched OutOfDate ("),
        "{two}"
    );
}

#[test]
fn advisories_stand_behind_the_rating_that_has_them() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.world
        .tcb_info
        .land_on("OutOfDate", &["INTEL-SA-00001", "INTEL-SA-00002"]);
    let text = found(CheckId::TcbStatus, &of(&cvm), &Policy::default()).detail;
    assert!(
        text.contains("OutOfDate (INTEL-SA-00001, INTEL-SA-00002)"),
        "{text}"
    );
}

#[test]
fn the_number_of_a_set_is_at_least_the_users_and_the_built_in_one() {
    let mut claims = healthy();
    let built_in = tcb_status::eval_floor(&claims, &Policy::default());
    assert!(built_in >= 18);
    for (named, expected) in [(built_in - 1, built_in), (built_in + 1, built_in + 1)] {
        let mut policy = Policy::default();
        policy.tcb.min_eval_data_number = Some(named);
        assert_eq!(tcb_status::eval_floor(&claims, &policy), expected);
    }
    claims.at = 0;
    assert_eq!(tcb_status::eval_floor(&claims, &Policy::default()), 0);
}
