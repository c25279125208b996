//! Simulated instances with and without logs, certificate timestamps and a timestamp authority: what each must have, and when
//! what it signs counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use simulator::{Sigstore, Workflow};

use super::{COSIGN_SIGNATURE, PROVENANCE, Refusal, SignedStatement, SigstoreRoots, verify};

/// When everything is signed, Unix seconds.
const AT: u64 = 1_700_000_000;
const DIGEST: [u8; 32] = [0x5a; 32];

fn public() -> Sigstore {
    Sigstore::new(7, AT)
}

fn github() -> Sigstore {
    Sigstore::github(7, AT)
}

fn sign(sigstore: &Sigstore) -> Value {
    let workflow = Workflow::default();
    sigstore.sign(&workflow, &workflow.provenance("image", &hex::encode(DIGEST)))
}

fn verified(bundle: &Value, root: &Value) -> Result<SignedStatement, Refusal> {
    let roots = SigstoreRoots::of_file(root.to_string().as_bytes()).unwrap();
    verify(bundle.to_string().as_bytes(), &DIGEST, &roots, AT + 3600)
}

/// When it was signed by what an instance signs, under its own root.
fn signed_at(sigstore: &Sigstore) -> Result<u64, Refusal> {
    verified(&sign(sigstore), &sigstore.trusted_root()).map(|signed| signed.signed_at())
}

fn date(at: u64) -> String {
    crate::report::rfc3339(at)
}

#[test]
fn the_instance_of_github_needs_a_timestamp_alone_and_every_other_one_its_logs() {
    let signed = verified(&sign(&github()), &github().trusted_root()).unwrap();
    assert_eq!((signed.signed_at(), signed.log()), (AT, None));
    assert_eq!(signed.is_provenance(), Ok(true));
    // The name alone decides, and a name that begins alike is another one.
    for organization in ["GitHub, Inc", "GitHub, Inc..", "sigstore.dev"] {
        let other = Sigstore {
            organization,
            ..github()
        };
        assert_eq!(signed_at(&other), Err(Refusal::NotLogged), "{organization}");
    }
    let without_sct = Sigstore {
        has_sct: false,
        ..public()
    };
    assert_eq!(signed_at(&without_sct), Err(Refusal::NoSct));
    let unlogged = Sigstore {
        is_logged: false,
        stamped_at: Some(AT),
        ..public()
    };
    assert_eq!(signed_at(&unlogged), Err(Refusal::NotLogged));
    let mut untimed = sign(&github());
    let material = untimed["verificationMaterial"].as_object_mut().unwrap();
    material.remove("timestampVerificationData");
    assert_eq!(
        verified(&untimed, &github().trusted_root()),
        Err(Refusal::NoAuthenticatedTime)
    );
}

#[test]
fn the_earliest_time_counts_and_each_is_within_every_certificate_and_key() {
    let stamped = |base: Sigstore, at: u64| {
        signed_at(&Sigstore {
            stamped_at: Some(at),
            ..base
        })
    };
    assert_eq!(stamped(public(), AT - 30), Ok(AT - 30));
    assert_eq!(stamped(public(), AT + 30), Ok(AT));
    assert_eq!(stamped(github(), AT + 540), Ok(AT + 540));
    // The leaf is valid from a minute before to nine minutes after, its issuer from 30 days before.
    for at in [AT - 61, AT + 541] {
        assert_eq!(stamped(public(), at), Err(Refusal::OutsideValidity));
        assert_eq!(stamped(github(), at), Err(Refusal::OutsideValidity));
    }
    // So it is with the time of the log.
    let late = Sigstore {
        logged_at: AT + 541,
        ..public()
    };
    assert_eq!(signed_at(&late), Err(Refusal::OutsideValidity));
    // Another authority of the same name did not issue it, whatever the time.
    let mut root = public().trusted_root();
    root["certificateAuthorities"] = Sigstore::new(8, AT).trusted_root()["certificateAuthorities"].clone();
    assert_eq!(verified(&sign(&public()), &root), Err(Refusal::UntrustedChain));
    let both = Sigstore {
        stamped_at: Some(AT - 30),
        ..public()
    };
    // Nor does a time that no log signed change whom the refusal speaks of.
    root["timestampAuthorities"] = both.trusted_root()["timestampAuthorities"].clone();
    let mut claimed = sign(&both);
    let entry = &mut claimed["verificationMaterial"]["tlogEntries"][0];
    entry["integratedTime"] = (AT + 541).to_string().into();
    assert!(
        entry
            .as_object_mut()
            .unwrap()
            .remove("inclusionPromise")
            .is_some()
    );
    assert_eq!(verified(&claimed, &root), Err(Refusal::UntrustedChain));
    let with = |pointer: &str, window: Value| {
        let mut root = both.trusted_root();
        *root.pointer_mut(pointer).unwrap() = window;
        verified(&sign(&both), &root).map(|signed| signed.signed_at())
    };
    let from = |at: u64| json!({ "start": date(at) });
    let until = |at: u64| json!({ "start": date(AT - 3600), "end": date(at) });
    let (log, ca, authority) = (
        "/tlogs/0/publicKey/validFor",
        "/certificateAuthorities/0/validFor",
        "/timestampAuthorities/0/validFor",
    );
    for (pointer, window, expected) in [
        (log, from(AT - 30), Ok(AT - 30)),
        (log, from(AT - 29), Err(Refusal::TimeInvalid)),
        (log, until(AT), Ok(AT - 30)),
        // The key of the log is none that could sign the promise.
        (log, until(AT - 1), Err(Refusal::SetInvalid)),
        (ca, from(AT - 30), Ok(AT - 30)),
        (ca, from(AT - 29), Err(Refusal::OutsideValidity)),
        (ca, until(AT), Ok(AT - 30)),
        (ca, until(AT - 1), Err(Refusal::OutsideValidity)),
        (authority, from(AT - 30), Ok(AT - 30)),
        (authority, from(AT - 29), Err(Refusal::TimestampOutsideValidity)),
        (authority, until(AT - 30), Ok(AT - 30)),
        (authority, until(AT - 31), Err(Refusal::TimestampOutsideValidity)),
    ] {
        let said = format!("{pointer}: {window}");
        assert_eq!(with(pointer, window), expected, "{said}");
    }
}

#[test]
fn a_timestamp_is_of_this_signature_and_of_a_trusted_authority() {
    let stamp_of = |sigstore: &Sigstore, digest: &str| {
        let workflow = Workflow::default();
        let bundle = sigstore.sign(&workflow, &workflow.provenance("image", digest));
        bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][0].clone()
    };
    let own = stamp_of(&github(), &hex::encode(DIGEST));
    let elsewhere = stamp_of(&github(), &"11".repeat(32));
    let untrusted = stamp_of(&Sigstore::github(8, AT), &hex::encode(DIGEST));
    let mut broken = STANDARD.decode(own["signedTimestamp"].as_str().unwrap()).unwrap();
    *broken.last_mut().unwrap() ^= 1;
    let broken = json!({ "signedTimestamp": STANDARD.encode(broken) });
    let with = |stamps: &[&Value]| {
        let mut bundle = sign(&github());
        bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] = json!(stamps);
        verified(&bundle, &github().trusted_root()).map(|signed| signed.signed_at())
    };
    assert_eq!(with(&[&own, &own]), Ok(AT));
    // A good one beside it changes nothing.
    for (stamp, expected) in [
        (&elsewhere, Refusal::TimestampOtherSignature),
        (&untrusted, Refusal::TimestampOtherSignature),
        (&broken, Refusal::TimestampUntrusted),
    ] {
        assert_eq!(with(&[stamp]), Err(expected));
        assert_eq!(with(&[&own, stamp]), Err(expected));
    }
    let foreign = Sigstore::github(8, AT).trusted_root();
    let mut root = github().trusted_root();
    root["timestampAuthorities"] = foreign["timestampAuthorities"].clone();
    assert_eq!(
        verified(&sign(&github()), &root),
        Err(Refusal::TimestampUntrusted)
    );
}

/// What BuildKit attests is read from the layer, where the signature is over the attestation's manifest.
#[test]
fn a_signature_over_buildkits_attestation_carries_the_statement_about_the_image_alone() {
    const IMAGE: [u8; 32] = [0x33; 32];
    let workflow = Workflow::default();
    let over_manifest = |kind: &str| {
        let mut statement = workflow.provenance("attestation", &hex::encode(DIGEST));
        statement["predicateType"] = kind.into();
        verified(&public().sign(&workflow, &statement), &public().trusted_root()).unwrap()
    };
    let layer = |digest: [u8; 32]| workflow.provenance("image", &hex::encode(digest)).to_string();
    let carried = over_manifest(COSIGN_SIGNATURE)
        .carrying(&layer(IMAGE), &IMAGE)
        .unwrap();
    assert_eq!(carried.predicate_type(), PROVENANCE);
    assert_eq!(carried.subjects()[0].sha256, hex::encode(IMAGE));
    assert_eq!(
        carried.predicate(),
        &workflow.provenance("image", "")["predicate"]
    );
    assert_eq!(
        carried.signer().repository(),
        Some("https://github.com/example/shop")
    );
    for (kind, layer, expected) in [
        (COSIGN_SIGNATURE, layer(DIGEST), Refusal::OtherSubject),
        (
            COSIGN_SIGNATURE,
            "no JSON".to_owned(),
            Refusal::Malformed("its statement is not JSON"),
        ),
        (
            PROVENANCE,
            layer(IMAGE),
            Refusal::Unsupported("a statement about BuildKit's attestation that is not a signature"),
        ),
    ] {
        let refused = over_manifest(kind).carrying(&layer, &IMAGE);
        assert_eq!(refused, Err(expected), "{kind}");
    }
}
