//! `key-provider`: the advice where another provider answers than the lock expects.

use simulator::{Cvm, World};

use super::found;
use crate::checks::claims_for_tests::of;
use crate::policy::{Expected, KeyProviderPin, KeyProviders, LockOrigin, Policy};
use crate::reference::ReferenceValues;
use crate::report::{CheckId, Status};

/// The advice for a VM whose keys come from this provider, by a lock that names another.
fn advice(key_provider: &str) -> String {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.key_provider = key_provider.to_owned();
    let policy = Policy {
        key_provider: Some(Expected {
            value: KeyProviders::Named(vec![KeyProviderPin {
                name: "kms".to_owned(),
                id: Some("00".repeat(91)),
            }]),
            origin: LockOrigin::from("cvm.lock").key(&["key_provider"]),
        }),
        ..Policy::default()
    };
    let finding = found(CheckId::KeyProvider, &of(&cvm), &policy);
    assert_eq!(finding.status, Status::Fail);
    assert_eq!(finding.reason.unwrap().id, "provider-mismatch");
    finding.fix.unwrap()
}

#[test]
fn only_a_kms_that_nobody_knows_is_accepted_as_another_kms() {
    let unknown = advice(&format!(r#"{{"name":"kms","id":"{}"}}"#, "11".repeat(91)));
    assert!(
        unknown.contains("`cvm-verify pin URL --accept other-kms`"),
        "{unknown}"
    );
    let known = ReferenceValues::built_in().kms().first().unwrap().id.clone();
    let known = advice(&format!(r#"{{"name":"kms","id":"{known}"}}"#));
    assert!(known.contains("run `cvm-verify pin URL` and review"), "{known}");
    let local = advice(r#"{"name":"local-sgx","id":"22"}"#);
    assert!(local.contains("run `cvm-verify pin URL` and review"), "{local}");
}
