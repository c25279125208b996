//! Trusted roots: those that are compiled in, and files of a simulated Sigstore instance.

use serde_json::{Value, json};
use simulator::Sigstore;

use super::root::SigstoreRootError;
use super::simulated_tests::{AT, DIGEST, bundle, leaf_of, signed_by, sigstore};
use super::{Refusal, SNAPSHOT, SigstoreRoots, verify};
use crate::verify::digest::sha256;

/// A certificate begins to be valid a minute before it is used. Of one from after the snapshot the program may know too little.
#[test]
fn an_unknown_certificate_from_after_the_snapshot_may_be_of_newer_roots() {
    let known = SigstoreRoots::built_in();
    for (begins, expected) in [
        (SNAPSHOT, Refusal::UntrustedChain),
        (SNAPSHOT + 1, Refusal::RootOutdated),
    ] {
        let bundle = signed_by(&Sigstore::new(7, begins + 60));
        assert_eq!(leaf_of(&bundle).not_before(), begins);
        let refused = verify(bundle.to_string().as_bytes(), &DIGEST, &known, begins + 60);
        assert_eq!(refused.unwrap_err(), expected);
    }
}

/// A file of roots says until when it is complete by its newest key alone.
#[test]
fn an_unknown_certificate_from_after_the_newest_key_of_a_file_may_be_of_newer_roots() {
    let bundle = bundle().to_string();
    let begins = leaf_of(&serde_json::from_str(&bundle).unwrap()).not_before();
    for (newest, expected) in [(begins, Refusal::UnknownLog), (begins - 1, Refusal::RootOutdated)] {
        let mut root = Sigstore::new(8, AT).trusted_root();
        let start = root.pointer_mut("/ctlogs/1/publicKey/validFor/start").unwrap();
        *start = crate::report::rfc3339(newest).into();
        let roots = SigstoreRoots::of_file(root.to_string().as_bytes()).unwrap();
        assert_eq!(
            verify(bundle.as_bytes(), &DIGEST, &roots, AT).unwrap_err(),
            expected
        );
        // What the newest roots would not change convicts.
        let mut other: Value = serde_json::from_str(&bundle).unwrap();
        other["verificationMaterial"]["tlogEntries"] = json!([]);
        let refused = verify(other.to_string().as_bytes(), &DIGEST, &roots, AT);
        assert_eq!(refused.unwrap_err(), Refusal::NotLogged);
    }
}

#[test]
fn a_file_of_roots_has_limits_and_an_error_names_the_document() {
    let root = sigstore().trusted_root().to_string();
    let of = |text: &str| SigstoreRoots::of_file(text.as_bytes()).map(|roots| roots.instances().len());
    let documents = |count: usize| vec![root.as_str(); count].join("\n");
    let padded = |bytes: usize| format!("{root}{}", " ".repeat(bytes - root.len()));
    let refused = Err(SigstoreRootError::NotRoots);
    let read = SigstoreRoots::of_file(root.as_bytes()).unwrap();
    assert_eq!(read.sha256(), Some(&sha256(root.as_bytes())));
    assert_eq!(of(&documents(8)), Ok(8));
    assert_eq!(of(&documents(9)), refused);
    assert_eq!(of(&padded(1 << 20)), Ok(1));
    assert_eq!(of(&padded((1 << 20) + 1)), refused);
    for (text, number) in [("{}".to_owned(), 1), (format!("{root}{root}{{}}"), 3)] {
        let error = of(&text).unwrap_err();
        assert!(
            matches!(error, SigstoreRootError::Unusable { number: found, .. } if found == number),
            "{error}"
        );
    }
}

#[test]
fn a_key_or_an_authority_that_would_be_good_at_any_time_is_refused() {
    let mut root = sigstore().trusted_root();
    let authority = root["certificateAuthorities"][0].clone();
    root["timestampAuthorities"] = json!([authority]);
    assert!(SigstoreRoots::of_file(root.to_string().as_bytes()).is_ok());
    for place in [
        "/tlogs/0/publicKey",
        "/ctlogs/0/publicKey",
        "/certificateAuthorities/0",
        "/timestampAuthorities/0",
    ] {
        let mut unlimited = root.clone();
        let members = unlimited.pointer_mut(place).and_then(Value::as_object_mut);
        assert!(members.unwrap().remove("validFor").is_some());
        let refused = SigstoreRoots::of_file(unlimited.to_string().as_bytes());
        let expected = SigstoreRootError::Unusable {
            number: 1,
            problem: "a key or an authority has no validFor".to_owned(),
        };
        assert_eq!(refused.err(), Some(expected), "{place}");
    }
}
