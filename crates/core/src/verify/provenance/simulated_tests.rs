//! What needs no recorded evidence: roots, bundles and certificates of a simulated Sigstore instance, each with one change.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, CustomExtension, KeyPair, SanType};
use serde_json::{Value, json};
use simulator::{Sigstore, Workflow};

use super::bundle::ParsedBundle;
use super::certificate::SigningLeaf;
use super::log::LogRecord;
use super::statement::{MAX_SUBJECTS, Statement};
use super::{MAX_BUNDLE, PROVENANCE, Refusal, SignerClaims, SigstoreRoots, log, predicate, verify};
use crate::verify::age::CLOCK_SKEW;
use crate::verify::digest::sha256;

/// When everything is signed, Unix seconds.
pub(super) const AT: u64 = 1_700_000_000;
pub(super) const DIGEST: [u8; 32] = [0x5a; 32];

pub(super) fn sigstore() -> Sigstore {
    Sigstore::new(7, AT)
}

fn roots() -> SigstoreRoots {
    SigstoreRoots::of_file(sigstore().trusted_root().to_string().as_bytes()).unwrap()
}

pub(super) fn signed_by(sigstore: &Sigstore) -> Value {
    let workflow = Workflow::default();
    sigstore.sign(&workflow, &workflow.provenance("image", &hex::encode(DIGEST)))
}

pub(super) fn bundle() -> Value {
    signed_by(&sigstore())
}

pub(super) fn leaf_of(bundle: &Value) -> SigningLeaf {
    let form = ParsedBundle::read(bundle.to_string().as_bytes()).unwrap();
    SigningLeaf::read(&form.leaf).unwrap()
}

#[test]
fn a_signed_statement_says_what_was_signed_when_and_where_it_is_logged() {
    let bytes = bundle().to_string().into_bytes();
    let signed = verify(&bytes, &DIGEST, &roots(), AT).unwrap();
    assert_eq!(signed.bundle_sha256(), &sha256(&bytes));
    assert_eq!(signed.signed_at(), AT);
    let logged = LogRecord {
        origin: "rekor.simulator.example - 1".to_owned(),
        index: 0,
    };
    assert_eq!(signed.log(), Some(&logged));
    assert_eq!(signed.predicate_type(), PROVENANCE);
    assert_eq!(signed.subjects()[0].sha256, hex::encode(DIGEST));
    let other = verify(&bytes, &[0; 32], &roots(), AT);
    assert_eq!(other.unwrap_err(), Refusal::OtherSubject);
}

#[test]
fn a_clock_may_be_behind_by_some_seconds_and_no_more() {
    let bytes = bundle().to_string().into_bytes();
    let at = |now| verify(&bytes, &DIGEST, &roots(), now).map(|signed| signed.signed_at());
    assert_eq!(at(AT - CLOCK_SKEW), Ok(AT));
    let now = AT - CLOCK_SKEW - 1;
    assert_eq!(at(now), Err(Refusal::TimeAhead { signed: AT, now }));
}

#[test]
fn a_bundle_has_limits_and_what_is_at_a_limit_is_read() {
    let material = "/verificationMaterial";
    let entry = "/verificationMaterial/tlogEntries/0";
    let note = "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope";
    let with = |pointer: &str, change: &dyn Fn(&mut Value)| {
        let mut bundle = bundle();
        change(bundle.pointer_mut(pointer).unwrap());
        bundle.to_string()
    };
    let entries = |count: usize| {
        let one = bundle().pointer(entry).unwrap().clone();
        with(material, &|material| {
            material["tlogEntries"] = vec![one.clone(); count].into();
        })
    };
    let timestamps = |count: usize| {
        with(material, &|material| {
            let one = json!({ "signedTimestamp": STANDARD.encode("a time") });
            material["timestampVerificationData"] = json!({ "rfc3161Timestamps": vec![one; count] });
        })
    };
    let noted = |change: &dyn Fn(&str, &str) -> String| {
        with(note, &|value| {
            let (text, lines) = value.as_str().unwrap().split_once("\n\n").unwrap();
            *value = change(text, lines).into();
        })
    };
    let lines = |count: usize| noted(&|text, line| format!("{text}\n\n{}", line.repeat(count)));
    let long = |bytes: usize| {
        noted(&|text, line| {
            let rest = bytes - text.len() - line.len() - 3;
            format!("{text}\n{}\n\n{line}", "x".repeat(rest))
        })
    };
    let padded = |bytes: usize| {
        let text = bundle().to_string();
        format!("{text}{}", " ".repeat(bytes - text.len()))
    };
    let another_key = |name: &str| with(material, &|material| material[name] = json!({}));
    let too_many = Refusal::Malformed("it has more than 32 log entries or timestamps");
    let too_large = Refusal::Malformed("a checkpoint is too large");
    let not_one = Refusal::Unsupported("a key or a chain instead of one certificate");
    for (name, text, expected) in [
        ("1 MiB", padded(MAX_BUNDLE), None),
        (
            "1 MiB and a byte",
            padded(MAX_BUNDLE + 1),
            Some(Refusal::Malformed("it is larger than 1 MiB")),
        ),
        ("32 entries", entries(32), None),
        ("33 entries", entries(33), Some(too_many)),
        ("32 timestamps", timestamps(32), None),
        ("33 timestamps", timestamps(33), Some(too_many)),
        ("32 signatures of a checkpoint", lines(32), None),
        ("33 signatures of a checkpoint", lines(33), Some(too_large)),
        ("a checkpoint of 64 KiB", long(64 * 1024), None),
        ("a byte more", long(64 * 1024 + 1), Some(too_large)),
        ("a key", another_key("publicKey"), Some(not_one)),
        ("a chain", another_key("x509CertificateChain"), Some(not_one)),
    ] {
        let found = ParsedBundle::read(text.as_bytes()).err();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_signature_counts_in_the_seconds_that_every_certificate_above_it_is_valid() {
    let leaf = leaf_of(&bundle());
    for (time, expected) in [
        (AT - 61, false),
        (AT - 60, true),
        (AT + 540, true),
        (AT + 541, false),
    ] {
        assert_eq!(leaf.is_valid_at(time), expected, "{time}");
    }
    let ca = |sigstore: &Sigstore| {
        let root = sigstore.trusted_root();
        let path = "/certificateAuthorities/0/certChain/certificates/0/rawBytes";
        STANDARD
            .decode(root.pointer(path).unwrap().as_str().unwrap())
            .unwrap()
    };
    // Valid from 30 days before to 3000 days after everything is signed.
    let (own, later) = (ca(&sigstore()), ca(&Sigstore::new(7, AT + 1)));
    let (first, last) = (AT - 30 * 86_400, AT + 3000 * 86_400);
    let other = certificate("https://github.com/example", &[]);
    let chains: [(&str, &[&[u8]], u64, bool); 9] = [
        ("a second before", &[&own], first - 1, false),
        ("the first second", &[&own], first, true),
        ("the last second", &[&own], last, true),
        ("a second after", &[&own], last + 1, false),
        ("a second one that is not valid", &[&own, &later], first, false),
        ("two valid ones", &[&own, &later], last, true),
        ("no certificate", &[], AT, false),
        ("another issuer", &[&other], AT, false),
        ("no X.509", &[&own, b"x"], AT, false),
    ];
    for (name, chain, time, expected) in chains {
        assert_eq!(leaf.issued_within(chain, time), expected, "{name}");
    }
}

/// A certificate for a signer, DER, with claims of Fulcio.
fn certificate(san: &str, claims: &[(u64, &str)]) -> Vec<u8> {
    certificate_for(SanType::URI(san.try_into().unwrap()), claims)
}

fn certificate_for(san: SanType, claims: &[(u64, &str)]) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![san];
    params.custom_extensions = claims
        .iter()
        .map(|(arc, text)| {
            let length = u8::try_from(text.len()).unwrap();
            let value = [&[0x0c, length], text.as_bytes()].concat();
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57264, 1, *arc], value)
        })
        .collect();
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

#[test]
fn a_certificate_names_one_signer_and_may_lack_a_timestamp() {
    let (one, other) = ("https://github.com/example/a", "https://github.com/example/b");
    let leaf = SigningLeaf::read(&certificate(one, &[(9, one)])).unwrap();
    assert_eq!(leaf.claims.subject(), Some(one));
    assert_eq!(leaf.claims.build_signer(), Some(one));
    assert!(!leaf.has_sct());
    assert!(leaf_of(&bundle()).has_sct());
    let person = certificate_for(SanType::Rfc822Name("a@example.org".try_into().unwrap()), &[]);
    let leaf = SigningLeaf::read(&person).unwrap();
    assert_eq!(leaf.claims.subject(), None);
    for (claims, expected) in [
        (
            &[(9, other)][..],
            "its certificate names two workflows as its signer",
        ),
        (&[(13, "1"), (13, "1")], "a claim of its certificate occurs twice"),
    ] {
        let refused = SigningLeaf::read(&certificate(one, claims)).err();
        assert_eq!(refused, Some(Refusal::Malformed(expected)));
    }
}

/// Version 2 of the log signs with its name, version 1 without.
#[test]
fn a_checkpoint_counts_with_a_signature_of_the_log_s_key_under_its_hint_and_its_name() {
    let roots = roots();
    let judged = |kind: &Value, change: &dyn Fn(&mut String, &mut Vec<u8>)| {
        let mut bundle = bundle();
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        entry["kindVersion"] = kind.clone();
        let note = &mut entry["inclusionProof"]["checkpoint"]["envelope"];
        let (text, line) = note.as_str().unwrap().split_once("\n\n").unwrap();
        let parts: Vec<&str> = line.split_whitespace().collect();
        let (mut name, mut signed) = (parts[1].to_owned(), STANDARD.decode(parts[2]).unwrap());
        change(&mut name, &mut signed);
        let line = format!("{} {name} {}\n", parts[0], STANDARD.encode(signed));
        *note = format!("{text}\n\n{line}").into();
        let form = ParsedBundle::read(bundle.to_string().as_bytes()).unwrap();
        let entry = &form.bundle.verification_material.tlog_entries[0];
        log::judge(entry, &roots.instances()[0]).err()
    };
    let invalid = Some(Refusal::CheckpointInvalid);
    for (kind, of_another_name) in [
        (json!({ "kind": "dsse", "version": "0.0.1" }), None),
        (json!({ "kind": "hashedrekord", "version": "0.0.2" }), invalid),
    ] {
        assert_eq!(judged(&kind, &|_, _| ()), None, "{kind}");
        let renamed = judged(&kind, &|name, _| name.push('x'));
        assert_eq!(renamed, of_another_name, "{kind}");
        let with_another_hint = judged(&kind, &|_, signed| signed[0] ^= 1);
        assert_eq!(with_another_hint, invalid, "{kind}");
        let unsigned = judged(&kind, &|_, signed| *signed.last_mut().unwrap() ^= 1);
        assert_eq!(unsigned, invalid, "{kind}");
    }
}

/// The proof is of the tree of the checkpoint. Under version 2 of the log its index is the entry's own; version 1 has an index
/// of its own for the entry.
#[test]
fn a_proof_is_of_the_checkpoint_in_every_part() {
    let roots = roots();
    let judged = |kind: (&str, &str), pointer: &str, value: Value| {
        let mut bundle = bundle();
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        entry["kindVersion"] = json!({ "kind": kind.0, "version": kind.1 });
        *entry.pointer_mut(pointer).unwrap() = value;
        let form = ParsedBundle::read(bundle.to_string().as_bytes()).unwrap();
        let entry = &form.bundle.verification_material.tlog_entries[0];
        log::judge(entry, &roots.instances()[0]).err()
    };
    let (first, second) = (("dsse", "0.0.1"), ("hashedrekord", "0.0.2"));
    let invalid = Some(Refusal::InclusionInvalid);
    for kind in [first, second] {
        let root = STANDARD.encode([0; 32]);
        assert_eq!(judged(kind, "/inclusionProof/treeSize", "2".into()), invalid);
        assert_eq!(judged(kind, "/inclusionProof/rootHash", root.into()), invalid);
    }
    assert_eq!(judged(first, "/logIndex", "5".into()), None);
    assert_eq!(judged(second, "/logIndex", "5".into()), invalid);
}

#[test]
fn provenance_that_contradicts_its_certificate_in_one_field_names_that_field() {
    let built = Workflow::default();
    let claims = leaf_of(&bundle()).claims;
    let right = built.provenance("image", "")["predicate"].clone();
    assert_eq!(predicate::agrees(&right, &claims), Ok(()));
    let workflow = "/buildDefinition/externalParameters/workflow";
    for (pointer, field) in [
        (format!("{workflow}/repository"), "workflow.repository"),
        (format!("{workflow}/ref"), "workflow.ref"),
        (format!("{workflow}/path"), "workflow.path"),
        (
            "/buildDefinition/resolvedDependencies/0/digest/gitCommit".to_owned(),
            "resolvedDependencies",
        ),
        ("/runDetails/metadata/invocationId".to_owned(), "invocationId"),
    ] {
        let mut other = right.clone();
        *other.pointer_mut(&pointer).unwrap() = "other".into();
        let refused = predicate::agrees(&other, &claims);
        assert_eq!(refused, Err(Refusal::PredicateMismatch(field)));
    }
    // What the certificate does not say is no contradiction to what the provenance does not say, and agrees with nothing.
    let silent = SignerClaims::made_up(None, &[]);
    let mut nameless = right;
    nameless
        .pointer_mut(workflow)
        .and_then(Value::as_object_mut)
        .unwrap()
        .remove("repository");
    for claims in [&claims, &silent] {
        let refused = predicate::agrees(&nameless, claims);
        assert_eq!(refused, Err(Refusal::PredicateMismatch("workflow.repository")));
    }
}

/// `@actions/attest` cuts "PATH@REF" at an `@`: before 1.5.0 both parts at each one, before 1.6.0 the path alone at the first one, and
/// since then the ref is the one that was built.
#[test]
fn a_ref_or_a_file_with_an_at_sign_is_no_contradiction_however_it_was_cut() {
    let agrees = |path: &str, git_ref: &str, workflow: &Workflow| {
        let mut predicate = workflow.provenance("image", "")["predicate"].clone();
        let named = &mut predicate["buildDefinition"]["externalParameters"]["workflow"];
        named["path"] = path.into();
        named["ref"] = git_ref.into();
        let bundle = sigstore().sign(workflow, &workflow.provenance("image", &hex::encode(DIGEST)));
        predicate::agrees(&predicate, &leaf_of(&bundle).claims)
    };
    let file = ".github/workflows/release.yml";
    let tag = Workflow {
        git_ref: "refs/tags/@shop/web@1.2.3".to_owned(),
        ..Workflow::default()
    };
    let other_file = Workflow {
        path: ".github/workflows/release@v2.yml".to_owned(),
        ..tag.clone()
    };
    for (path, git_ref, workflow) in [
        (file, "refs/tags/@shop/web@1.2.3", &tag),
        (file, "refs/tags/", &tag),
        (".github/workflows/release", "v2.yml", &other_file),
        (
            ".github/workflows/release",
            "v2.yml@refs/tags/@shop/web@1.2.3",
            &other_file,
        ),
        (
            ".github/workflows/release",
            "refs/tags/@shop/web@1.2.3",
            &other_file,
        ),
    ] {
        assert_eq!(agrees(path, git_ref, workflow), Ok(()), "{path} {git_ref}");
    }
    let refused = |field| Err(Refusal::PredicateMismatch(field));
    for (path, git_ref, workflow, field) in [
        (file, "refs/tags", &tag, "workflow.ref"),
        (file, "refs/tags/@shop/web@1.2", &tag, "workflow.ref"),
        (file, "", &tag, "workflow.ref"),
        (file, "1.2.3", &tag, "workflow.ref"),
        (".github/workflows/release", "refs/tags/", &tag, "workflow.path"),
        (
            ".github/workflows/release@v2",
            "v2.yml",
            &other_file,
            "workflow.path",
        ),
        ("", "refs/tags/@shop/web@1.2.3", &tag, "workflow.path"),
    ] {
        assert_eq!(
            agrees(path, git_ref, workflow),
            refused(field),
            "{path} {git_ref}"
        );
    }
}

/// The workflow of a certificate is that of the ref that was built: one of another ref is another workflow, however the provenance cuts it.
#[test]
fn a_certificate_whose_workflow_is_of_another_ref_agrees_with_no_provenance() {
    let right = Workflow::default().provenance("image", "")["predicate"].clone();
    let named = right
        .pointer("/buildDefinition/externalParameters/workflow")
        .unwrap();
    let text = |name: &str| named[name].as_str().unwrap();
    let (repository, path, git_ref) = (text("repository"), text("path"), text("ref"));
    let agrees = |config_ref: &str, path_said: &str, ref_said: &str| {
        let config = format!("{repository}/{path}@{config_ref}");
        let claims = [(12, repository), (14, git_ref), (18, config.as_str())];
        let mut said = right.clone();
        said["buildDefinition"]["externalParameters"]["workflow"]["path"] = path_said.into();
        said["buildDefinition"]["externalParameters"]["workflow"]["ref"] = ref_said.into();
        let other = said.as_object_mut().unwrap();
        other.remove("runDetails");
        other["buildDefinition"]["resolvedDependencies"] = json!([]);
        predicate::agrees(&said, &SignerClaims::made_up(None, &claims))
    };
    assert_eq!(agrees(git_ref, path, git_ref), Ok(()));
    let of_another = format!("refs/heads/evil@{git_ref}");
    for (config_ref, ref_said) in [
        ("refs/heads/evil", git_ref),
        ("refs/heads/evil", "refs/heads/evil"),
        (&format!("{git_ref}@x"), git_ref),
    ] {
        let refused = Err(Refusal::PredicateMismatch("workflow.path"));
        assert_eq!(
            agrees(config_ref, path, ref_said),
            refused,
            "{config_ref} {ref_said}"
        );
    }
    // The path reaches into the ref.
    let into_ref = format!("{path}@refs/heads/evil");
    assert_eq!(
        agrees(&of_another, &into_ref, "refs"),
        Err(Refusal::PredicateMismatch("workflow.ref"))
    );
}

#[test]
fn a_statement_has_at_most_1024_subjects_and_is_about_those_alone() {
    let of = |count: usize| {
        let subject = json!({ "name": "image", "digest": { "sha256": "11" } });
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": PROVENANCE,
            "subject": vec![subject; count],
        });
        Statement::read(statement.to_string().as_bytes())
    };
    let read = of(MAX_SUBJECTS).unwrap();
    assert!(read.is_about("11"));
    assert!(!read.is_about("12"));
    assert!(!of(0).unwrap().is_about("11"));
    assert_eq!(
        of(MAX_SUBJECTS + 1),
        Err(Refusal::Malformed("its statement has more than 1024 subjects"))
    );
}
