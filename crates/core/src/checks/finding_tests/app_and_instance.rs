//! `app-id` and `instance-id`: which of the two an id in the address names.

use simulator::{Cvm, World};

use super::said;
use crate::checks::claims_for_tests::{healthy, of};
use crate::policy::Policy;
use crate::report::{CheckId, Status};

const SKIPPED: (Status, Option<&str>) = (Status::Skip, Some("no-expectation"));
const PASSED: (Status, Option<&str>) = (Status::Pass, None);

fn at(address_id: Option<[u8; 20]>) -> Policy {
    Policy {
        address_id,
        ..Policy::default()
    }
}

#[test]
fn the_id_of_the_app_in_the_address_is_expected_of_the_app_alone() {
    let claims = healthy();
    let policy = at(Some(*claims.boot.as_ref().unwrap().app_id()));
    let app = said(CheckId::AppId, &claims, &policy);
    assert_eq!(app, (PASSED, "The app id is the one in the address.".to_owned()));
    assert_eq!(said(CheckId::InstanceId, &claims, &policy).0, SKIPPED);
}

#[test]
fn the_id_of_the_instance_in_the_address_is_expected_of_the_instance_alone() {
    let claims = healthy();
    let policy = at(claims.boot.as_ref().unwrap().instance_id().copied());
    assert!(policy.address_id.is_some());
    assert_eq!(said(CheckId::AppId, &claims, &policy).0, SKIPPED);
    let instance = said(CheckId::InstanceId, &claims, &policy);
    assert_eq!(
        instance,
        (PASSED, "The instance id is the one in the address.".to_owned())
    );
}

#[test]
fn an_id_in_the_address_that_is_neither_is_a_fail_and_no_id_is_no_expectation() {
    let claims = healthy();
    let other = said(CheckId::AppId, &claims, &at(Some([9; 20])));
    assert_eq!(other.0, (Status::Fail, Some("address-mismatch")));
    assert_eq!(said(CheckId::InstanceId, &claims, &at(Some([9; 20]))).0, SKIPPED);
    assert_eq!(said(CheckId::AppId, &claims, &at(None)).0, SKIPPED);
    assert_eq!(said(CheckId::InstanceId, &claims, &at(None)).0, SKIPPED);
}

#[test]
fn an_app_without_an_instance_id_is_not_the_instance_of_an_address_without_an_id() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.instance_id = Vec::new();
    let claims = of(&cvm);
    assert_eq!(claims.boot.as_ref().unwrap().instance_id(), None);
    assert_eq!(said(CheckId::InstanceId, &claims, &at(None)).0, SKIPPED);
}
