mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dcap_qvl::TcbStatus;
use serde_json::json;

use samples::*;

use super::*;
use crate::compose::UnprovenDocument;
use crate::policy::{
    ContractPin, Freshness, GovernanceMode, GovernancePolicy, ImagePinsPolicy, KeyProviders, KmsDocument,
    KmsHost, KmsMode, KmsPolicy, KnownBy, LaunchInputsPolicy, LockOrigin, LockedBinding, LockedCompose,
    LockedPlatform, MrConfigIdPolicy, Origin, OsImagePolicy, OsTuple, PlatformList, ReportDataPolicy,
    SourcePolicy, SourceRule, TcbException, TcbPolicy, TlsBinding, Verifier, WrittenRule,
};
use crate::reference::ReferenceValues;
use crate::verify::Layout;
use crate::verify::provenance::SigstoreRoots;

fn expected<T>(value: T) -> Option<Expected<T>> {
    Some(Expected {
        value,
        origin: Origin::Option("--any"),
    })
}

fn hex_of(policy: &Policy) -> String {
    hex::encode(policy.fingerprint().0)
}

#[test]
fn every_expectation_is_part_of_the_fingerprint() {
    let all = one_of_each();
    let different: BTreeSet<String> = all.iter().map(hex_of).collect();
    assert_eq!(different.len(), all.len());
}

#[test]
fn a_lock_that_only_moved_changes_nothing() {
    let here = all_that_a_lock_says("cvm.lock");
    let there = all_that_a_lock_says("deploy/locks/shop.lock");
    assert_eq!(here.fingerprint(), there.fingerprint());
}

#[test]
fn a_policy_is_what_is_expected_wherever_that_is_written() {
    let by_option = Policy {
        compose_hash: expected([1; 32]),
        ..Policy::default()
    };
    let by_lock = Policy {
        compose_hash: Some(Expected {
            value: [1; 32],
            origin: LockOrigin::from("cvm.lock").key(&["app_id"]),
        }),
        ..Policy::default()
    };
    assert_eq!(by_option.fingerprint(), by_lock.fingerprint());
}

#[test]
fn the_order_of_a_list_says_nothing() {
    let of = |ids| {
        Policy {
            instance_ids: expected(ids),
            ..Policy::default()
        }
        .fingerprint()
    };
    assert_eq!(of(vec![[1; 20], [2; 20]]), of(vec![[2; 20], [1; 20]]));
    assert_ne!(of(vec![[1; 20], [2; 20]]), of(vec![[2; 20]]));
}

/// State files and issues hold these values: another one is another version of the encoding.
#[test]
fn the_encoding_is_fixed() {
    let default = Policy::default();
    assert_eq!(default.encoded(), b"cvm-verify/policy-fingerprint/v1\n");
    assert_eq!(
        hex_of(&default),
        "5ce251d87bafc59ba7da1659329fcfe872aa1d5d0129c9466b1a991e5a61cf8e"
    );
    let mut all = all_that_a_lock_says("cvm.lock");
    all.tcb.min_eval_data_number = Some(20);
    all.instance_ids = expected(vec![[9; 20], [8; 20]]);
    all.required = RequiredAssurance::Hardware;
    assert_eq!(
        hex_of(&all),
        "5dd9ad13dc0ad2509807cff34d2c3ecdcb822abe8ef5a2d8991639b9c43adef5"
    );
}

#[test]
fn rules_under_other_sigstore_roots_are_another_policy() {
    let rule = WrittenRule {
        image: "*".to_owned(),
        repository: Some("example/shop".to_owned()),
        ..WrittenRule::default()
    };
    let rule = rule.rule(Origin::Option("--any")).unwrap();
    let under = |roots: Arc<SigstoreRoots>, rules: &[SourceRule]| {
        Policy {
            sources: SourcePolicy {
                rules: rules.into(),
                roots,
                ..SourcePolicy::default()
            },
            ..Policy::default()
        }
        .fingerprint()
    };
    let of_file = |seed| {
        let file = simulator::Sigstore::new(seed, 1_700_000_000).trusted_root();
        Arc::new(SigstoreRoots::of_file(file.to_string().as_bytes()).unwrap())
    };
    let rules = [rule];
    let built_in = under(SigstoreRoots::built_in(), &rules);
    assert_ne!(built_in, under(of_file(7), &rules));
    assert_ne!(under(of_file(8), &rules), under(of_file(7), &rules));
    // Without a rule nobody asks them.
    assert_eq!(under(SigstoreRoots::built_in(), &[]), under(of_file(7), &[]));
}
