//! What the library's errors mean, each by its kind, and what a time ahead of the clock is.

use sigstore_verify::types::MediaType;

use super::*;

#[test]
fn each_error_of_the_library_has_its_own_refusal() {
    let said = String::new;
    let of_certificate: [(CertificateError, &str); 4] = [
        (CertificateError::Malformed(said()), "malformed"),
        (CertificateError::ChainInvalid(said()), "untrusted-chain"),
        (CertificateError::Sct(said()), "sct-invalid"),
        (
            CertificateError::NoValidAuthority {
                time: Default::default(),
            },
            "outside-validity",
        ),
    ];
    let of_log: [(TransparencyLogError, &str); 7] = [
        (TransparencyLogError::UnknownLog { log_id: said() }, "unknown-log"),
        (TransparencyLogError::InclusionProof(said()), "inclusion-invalid"),
        (TransparencyLogError::Checkpoint(said()), "checkpoint-invalid"),
        (TransparencyLogError::InclusionPromise(said()), "set-invalid"),
        (TransparencyLogError::EntryMismatch(said()), "log-entry-mismatch"),
        (TransparencyLogError::IntegratedTime(said()), "time-invalid"),
        (TransparencyLogError::MalformedEntry(said()), "malformed"),
    ];
    let of_timestamp: [(TimestampError, &str); 3] = [
        (
            TimestampError::OutsideAuthorityValidity {
                time: Default::default(),
            },
            "timestamp-outside-validity",
        ),
        (
            TimestampError::NoVerifiedTimestamp(said()),
            "no-authenticated-time",
        ),
        (TimestampError::Invalid(said()), "timestamp-untrusted"),
    ];
    let of_form: [(FormError, &str); 7] = [
        (
            FormError::MissingInclusionProof(MediaType::Bundle0_3),
            "no-inclusion-proof",
        ),
        (FormError::MissingCheckpoint, "no-inclusion-proof"),
        (FormError::CheckpointRootMismatch, "inclusion-invalid"),
        (
            FormError::LogIndexOutOfRange {
                log_index: 2,
                tree_size: 1,
            },
            "inclusion-invalid",
        ),
        (FormError::MissingSigningTimeEvidence, "no-authenticated-time"),
        (FormError::MissingTimestamp, "no-authenticated-time"),
        (FormError::UnsupportedVerificationMaterial, "unsupported"),
    ];
    let of_all: [(Error, &str); 7] = [
        (Error::SignatureInvalid(said()), "signature-invalid"),
        (Error::ArtifactMismatch(said()), "other-subject"),
        (Error::UnsupportedArtifact(said()), "unsupported"),
        (Error::UnsupportedBundle(said()), "unsupported"),
        (Error::InvalidTrustRoot(said()), "root-unusable"),
        (Error::TrustedCertificate("".into()), "root-unusable"),
        (Error::InvalidBundle(said()), "malformed"),
    ];
    let rows = of_all
        .into_iter()
        .chain(of_certificate.map(|(error, reason)| (error.into(), reason)))
        .chain(of_log.map(|(error, reason)| (error.into(), reason)))
        .chain(of_timestamp.map(|(error, reason)| (error.into(), reason)))
        .chain(of_form.map(|(error, reason)| (error.into(), reason)));
    for (error, reason) in rows {
        assert_eq!(name_of(meant(&error)), reason, "{error:?}");
    }
}

/// The name of its variant as the reasons are written, kebab-case.
fn name_of(refusal: Refusal) -> String {
    let debug = format!("{refusal:?}");
    let name = debug
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let mut kebab = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}

/// A bundle of a simulated instance.
fn signed() -> Value {
    let workflow = simulator::Workflow::default();
    let statement = workflow.provenance("image", &"11".repeat(32));
    simulator::Sigstore::new(7, 1_700_000_000).sign(&workflow, &statement)
}

/// Only a time of the log within the certificate's validity, and after the clock, is ahead of it.
#[test]
fn a_time_of_the_log_after_the_clock_is_ahead() {
    let mut bundle = signed();
    let mut at = |seconds: Option<i64>| {
        let time = bundle
            .pointer_mut("/verificationMaterial/tlogEntries/0/integratedTime")
            .unwrap();
        if let Some(seconds) = seconds {
            *time = seconds.to_string().into();
        }
        let time: u64 = time.as_str().unwrap().parse().unwrap();
        let form = ParsedBundle::read(bundle.to_string().as_bytes()).unwrap();
        let leaf = SigningLeaf::read(&form.leaf).unwrap();
        (form, leaf, time)
    };
    let (form, leaf, time) = at(None);
    assert!(leaf.is_valid_at(time));
    let is_ahead = Some(Refusal::TimeAhead {
        signed: time,
        now: time - 1,
    });
    assert_eq!(ahead(&form, &leaf, time - 1), is_ahead);
    assert_eq!(ahead(&form, &leaf, time), None);
    assert_eq!(ahead(&form, &leaf, time + 1), None);
    // A day later the certificate had ended.
    let (form, leaf, later) = at(Some(i64::try_from(time).unwrap() + 86_400));
    assert!(!leaf.is_valid_at(later));
    assert_eq!(ahead(&form, &leaf, later - 1), None);
    assert_eq!(ahead(&form, &leaf, later), None);
}

/// The body must be of the kind that the entry says, and a kind that nobody reads is not called a contradiction.
#[test]
fn a_logged_body_is_of_the_kind_that_the_entry_says() {
    let bundle = signed();
    let with = |body: &str| {
        use base64::Engine as _;
        let mut bundle = bundle.clone();
        let encoded = base64::engine::general_purpose::STANDARD.encode(body);
        bundle["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"] = encoded.into();
        let form = ParsedBundle::read(bundle.to_string().as_bytes()).unwrap();
        log::is_of_its_kind(&form.bundle.verification_material.tlog_entries[0]).map_err(name_of)
    };
    let body = |kind: &str, version: &str| {
        serde_json::json!({"kind": kind, "apiVersion": version, "spec": {}}).to_string()
    };
    assert_eq!(with(&body("dsse", "0.0.1")), Ok(()));
    assert_eq!(
        with(&body("hashedrekord", "0.0.2")),
        Err("log-entry-mismatch".to_owned())
    );
    assert_eq!(with(&body("dsse", "0.0.2")), Err("unsupported".to_owned()));
    assert_eq!(with(&body("intoto", "0.0.2")), Err("unsupported".to_owned()));
    assert_eq!(with("{}"), Err("log-entry-mismatch".to_owned()));
    assert_eq!(with("no JSON"), Err("malformed".to_owned()));
}
