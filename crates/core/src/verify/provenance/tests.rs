//! Real bundles, where the recorded ones are present, and every way to change one of them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;
use crate::verify::digest::sha256;

/// After every recorded bundle: 2026-11-25T00:00:00Z.
const NOW: u64 = 1_795_564_800;

fn folder() -> Option<PathBuf> {
    Some(simulator::recorded::folder()?.join("supply"))
}

fn bytes(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

fn object(path: impl AsRef<Path>) -> serde_json::Map<String, Value> {
    serde_json::from_slice(&bytes(path)).unwrap()
}

fn digest(hex: &str) -> [u8; 32] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

/// The name of the refusal in kebab-case.
fn reason(bundle: &[u8], wanted: &str, roots: &SigstoreRoots) -> String {
    let Err(refusal) = verify(bundle, &digest(wanted), roots, NOW) else {
        return "pass".to_owned();
    };
    let name = format!("{refusal:?}");
    let name = name.chars().take_while(|c| c.is_alphabetic());
    let dashed = name.flat_map(|c| [c.is_uppercase().then_some('-'), Some(c.to_ascii_lowercase())]);
    dashed.flatten().skip(1).collect()
}

#[test]
fn the_roots_that_are_compiled_in_are_usable() {
    let roots = SigstoreRoots::built_in();
    assert_eq!(roots.instances().len(), 2);
    assert!(!roots.grow_old(SNAPSHOT));
    assert!(!roots.grow_old(SNAPSHOT + 274 * 86_400));
    assert!(roots.grow_old(SNAPSHOT + 274 * 86_400 + 1));
    assert_eq!(roots.sha256(), None);
}

#[test]
fn a_file_that_holds_no_root_is_refused() {
    for file in ["", "{}", "[]", "{\"mediaType\":\"x\",\"mediaType\":\"y\"}", "x"] {
        assert!(SigstoreRoots::of_file(file.as_bytes()).is_err(), "{file}");
    }
    assert!(SigstoreRoots::of_file(&vec![b' '; 2 * 1024 * 1024]).is_err());
}

/// One bundle as other programs recorded it, and what it ends as here.
fn recorded(folder: &Path, file: &str) -> Vec<u8> {
    let text = bytes(folder.join(file));
    // One JSON line, or an answer of GitHub's API.
    match serde_json::from_slice::<Value>(&text) {
        Ok(value) => match value.pointer("/attestations/0/bundle") {
            Some(bundle) => bundle.to_string().into_bytes(),
            None => text,
        },
        Err(_) => text.split(|byte| *byte == b'\n').next().unwrap().to_vec(),
    }
}

#[test]
fn recorded_bundles_end_as_expected() {
    let Some(folder) = folder() else { return };
    let roots = SigstoreRoots::built_in();
    let staging = SigstoreRoots::of_file(&bytes(folder.join("trust-roots/staging-2026-10.json"))).unwrap();
    let public = SigstoreRoots::of_file(&bytes(folder.join("trust-roots/public-good-2026-10.json"))).unwrap();
    let hidden = SigstoreRoots::of_file(&bytes(folder.join("trust-roots/github-2026-10.json"))).unwrap();
    let mut passed = 0;
    let mut differ = Vec::new();
    for part in [
        "registry-captures",
        "github-cli-2.96",
        "gh-cli-testdata",
        "sigstore-rust",
        "cosign",
        "github-api-captures",
        "slsa-verifier",
    ] {
        for (name, expected) in object(folder.join(part).join("expected.json")) {
            let Some(wanted) = expected["digest"].as_str().filter(|digest| digest.len() == 64) else {
                continue;
            };
            let (file, roots) = match name.split_once(" against ") {
                Some((file, "staging")) => (file, &staging),
                Some((file, "public-good")) => (file, &public),
                Some((file, "github")) => (file, &hidden),
                // Without GitHub's root, as the recorded verdict was made.
                _ if name.ends_with(".jsonl") => (name.as_str(), &public),
                _ => (name.split([',', ' ']).next().unwrap(), &*roots),
            };
            if file.is_empty() || name.starts_with("with ") || name.contains("(timestamp authorities only)") {
                continue;
            }
            let bundle = recorded(&folder.join(part), file);
            let found = reason(&bundle, wanted, roots);
            let expected = expected["result"].as_str().unwrap();
            if found == "pass" {
                passed += 1;
            }
            // Another kind of bundle is not read, however good it is.
            if (found == "pass") != (expected == "pass") && found != "unsupported" {
                differ.push(format!("{part}/{name}: {found}, {expected} expected"));
            }
        }
    }
    assert_eq!(differ, Vec::<String>::new());
    assert!(passed >= 13, "{passed}");
}

#[test]
fn what_a_workflow_claims_is_read() {
    let Some(folder) = folder() else { return };
    let roots = SigstoreRoots::built_in();
    let bundle = bytes(folder.join("github-cli-2.96/tarball-user-slsa-provenance.json"));
    let bundle = match serde_json::from_slice::<Value>(&bundle)
        .unwrap()
        .pointer("/attestations/0/bundle")
    {
        Some(inner) => inner.to_string().into_bytes(),
        None => bundle,
    };
    let wanted = digest("83d5c2ccad5498f58bf6368acb1ab32588cf43ab3a4b1c301bf36328b1c8bd60");
    let signed = verify(&bundle, &wanted, &roots, NOW).unwrap();
    assert_eq!(signed.predicate_type(), PROVENANCE);
    assert_eq!(signed.subjects().len(), 21);
    assert_eq!(signed.signer().repository(), Some("https://github.com/cli/cli"));
    assert_eq!(
        signed.signer().commit(),
        Some("b300f2ec7ec9dc9addc39b2ad88c54097ded7ca0")
    );
    assert_eq!(signed.signer().repository_id(), Some("212613049"));
    assert_eq!(signed.signed_at(), 1_783_027_755);
    assert_eq!(signed.is_provenance(), Ok(true));
    // The same bundle at a time before it was made.
    assert_eq!(
        verify(&bundle, &wanted, &roots, 1_783_027_755 - 120).unwrap_err(),
        Refusal::TimeAhead {
            signed: 1_783_027_755,
            now: 1_783_027_635,
        }
    );
    // Two clocks differ by some seconds.
    let signed = verify(&bundle, &wanted, &roots, 1_783_027_755 - 30).unwrap();
    assert_eq!(signed.signed_at(), 1_783_027_755);
}

#[test]
fn github_s_own_instance_needs_a_timestamp_and_no_log() {
    let Some(folder) = folder() else { return };
    let roots = SigstoreRoots::built_in();
    let text = bytes(folder.join("github-image/opa-provider.sigstore.json"));
    let wanted = "d57f9212097b86c8d75158ea1d974721e7c6f8c33bd77838b242c8f6a2d21813";
    assert_eq!(reason(&text, wanted, &roots), "pass");
    assert_eq!(reason(&text, &"00".repeat(32), &roots), "other-subject");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut bundle: Value = serde_json::from_slice(&text).unwrap();
        change(&mut bundle);
        reason(bundle.to_string().as_bytes(), wanted, &roots)
    };
    assert_eq!(
        changed(&|bundle| {
            let material = &mut bundle["verificationMaterial"];
            material
                .as_object_mut()
                .unwrap()
                .remove("timestampVerificationData");
        }),
        "no-authenticated-time"
    );
    assert_eq!(
        changed(&|bundle| {
            use base64::Engine as _;
            let engine = base64::engine::general_purpose::STANDARD;
            let payload = &mut bundle["dsseEnvelope"]["payload"];
            let text = String::from_utf8(engine.decode(payload.as_str().unwrap()).unwrap()).unwrap();
            assert!(text.contains("f492e8cf"));
            *payload = Value::from(engine.encode(text.replace("f492e8cf", "f492e8ca")));
        }),
        "signature-invalid"
    );
    // Without GitHub's root nobody vouches for it, and with GitHub's alone nobody for a public one.
    let public = SigstoreRoots::of_file(&bytes(folder.join("trust-roots/public-good-2026-10.json"))).unwrap();
    assert_eq!(reason(&text, wanted, &public), "untrusted-chain");
    let hidden = SigstoreRoots::of_file(&bytes(folder.join("trust-roots/github-2026-10.json"))).unwrap();
    let public_bundle = bytes(folder.join("registry-captures/ecr-public/05-bundle.json"));
    let wanted = "8fe63f8b055569015407e5bd0c78071e87cf921019249b8b7a913091f680a664";
    assert_eq!(reason(&public_bundle, wanted, &hidden), "untrusted-chain");
}

fn swap_byte(base64: &str) -> Value {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    let mut bytes = engine.decode(base64).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    Value::from(engine.encode(bytes))
}

fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap()
}

/// What each change of a good bundle ends as. The verdicts are those of two other verifiers (`mutations-expected.json`); a reason
/// says which of the contradictions was seen first.
#[test]
fn every_change_of_a_good_bundle_ends_for_its_reason() {
    let Some(folder) = folder() else { return };
    let roots = SigstoreRoots::built_in();
    let text = bytes(folder.join("registry-captures/ecr-public/05-bundle.json"));
    let wanted = "8fe63f8b055569015407e5bd0c78071e87cf921019249b8b7a913091f680a664";
    let entry = |bundle: &mut Value, at: &str, change: &dyn Fn(&Value) -> Value| {
        let found = bundle
            .pointer_mut(&format!("/verificationMaterial/tlogEntries/0{at}"))
            .unwrap();
        *found = change(found);
    };
    let swapped = |value: &Value| swap_byte(value.as_str().unwrap());
    let plus_one = |value: &Value| Value::from((number(value) + 1).to_string());
    type Change<'a> = Box<dyn Fn(&mut Value) + 'a>;
    let set_removed = |bundle: &mut Value| {
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        entry.as_object_mut().unwrap().remove("inclusionPromise");
    };
    let timestamp_removed = |bundle: &mut Value| {
        let material = bundle["verificationMaterial"].as_object_mut().unwrap();
        material.remove("timestampVerificationData");
    };
    let changes: Vec<(&str, &str, Change<'_>)> = vec![
        (
            "payload byte",
            "signature-invalid",
            Box::new(|b| {
                b["dsseEnvelope"]["payload"] = swapped(&b["dsseEnvelope"]["payload"]);
            }),
        ),
        (
            "signature byte",
            "timestamp-other-signature",
            Box::new(|b| {
                let signature = &mut b["dsseEnvelope"]["signatures"][0]["sig"];
                *signature = swapped(signature);
            }),
        ),
        (
            "certificate byte",
            "untrusted-chain",
            Box::new(|b| {
                let der = &mut b["verificationMaterial"]["certificate"]["rawBytes"];
                *der = swapped(der);
            }),
        ),
        (
            "log body byte",
            "set-invalid",
            Box::new(|b| entry(b, "/canonicalizedBody", &swapped)),
        ),
        (
            "SET byte",
            "set-invalid",
            Box::new(|b| {
                entry(b, "/inclusionPromise/signedEntryTimestamp", &swapped);
            }),
        ),
        ("SET removed", "pass", Box::new(set_removed)),
        (
            "rootHash byte",
            "inclusion-invalid",
            Box::new(|b| entry(b, "/inclusionProof/rootHash", &swapped)),
        ),
        (
            "path hash byte",
            "inclusion-invalid",
            Box::new(|b| entry(b, "/inclusionProof/hashes/0", &swapped)),
        ),
        (
            "path hash removed",
            "inclusion-invalid",
            Box::new(|b| {
                entry(b, "/inclusionProof/hashes", &|hashes| {
                    Value::from(hashes.as_array().unwrap()[1..].to_vec())
                });
            }),
        ),
        (
            "integratedTime+1",
            "set-invalid",
            Box::new(|b| entry(b, "/integratedTime", &plus_one)),
        ),
        (
            "treeSize+1",
            "inclusion-invalid",
            Box::new(|b| entry(b, "/inclusionProof/treeSize", &plus_one)),
        ),
        (
            "logIndex+1",
            "set-invalid",
            Box::new(|b| entry(b, "/logIndex", &plus_one)),
        ),
        (
            "proof logIndex+1",
            "inclusion-invalid",
            Box::new(|b| entry(b, "/inclusionProof/logIndex", &plus_one)),
        ),
        (
            "checkpoint origin",
            "checkpoint-invalid",
            Box::new(|b| {
                entry(b, "/inclusionProof/checkpoint/envelope", &|note| {
                    Value::from(note.as_str().unwrap().replacen("rekor", "recor", 1))
                });
            }),
        ),
        (
            "timestamp byte",
            "timestamp-untrusted",
            Box::new(|b| {
                let data = &mut b["verificationMaterial"]["timestampVerificationData"];
                let token = &mut data["rfc3161Timestamps"][0]["signedTimestamp"];
                *token = swapped(token);
            }),
        ),
        ("timestamp removed", "pass", Box::new(timestamp_removed)),
        (
            "timestamp and SET removed",
            "no-authenticated-time",
            Box::new(|b| {
                set_removed(b);
                timestamp_removed(b);
            }),
        ),
        (
            "payloadType",
            "unsupported",
            Box::new(|b| b["dsseEnvelope"]["payloadType"] = json!("text/plain")),
        ),
        (
            "log entry removed",
            "not-logged",
            Box::new(|b| {
                b["verificationMaterial"]
                    .as_object_mut()
                    .unwrap()
                    .remove("tlogEntries");
            }),
        ),
        (
            "mediaType 0.4",
            "unsupported",
            Box::new(|b| {
                b["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v0.4+json");
            }),
        ),
        ("unchanged", "pass", Box::new(|_| {})),
    ];
    let judged = object(folder.join("registry-captures/mutations-expected.json"));
    for (name, expected, change) in &changes {
        let mut bundle: Value = serde_json::from_slice(&text).unwrap();
        change(&mut bundle);
        let found = reason(bundle.to_string().as_bytes(), wanted, &roots);
        assert_eq!(found, *expected, "{name}");
        let theirs = judged[*name]["reference"].as_str().unwrap();
        assert_eq!(theirs == "pass", found == "pass", "{name}: {theirs}");
    }
    assert_eq!(reason(&text, &"11".repeat(32), &roots), "other-subject");
    assert_eq!(judged.len(), changes.len() + 1);
}

/// The suite of the Sigstore clients. What is not an envelope of version 0.3 is not read here: those end as `unsupported`.
#[test]
fn the_conformance_suite_of_sigstore_ends_as_it_says() {
    let Some(folder) = folder() else { return };
    let suite = folder.join("sigstore-conformance/bundle-verify");
    let built_in = SigstoreRoots::built_in();
    let mut unsupported = Vec::new();
    let mut passed = Vec::new();
    let expected = object(folder.join("sigstore-conformance/expected.json"));
    for name in expected.keys() {
        let case = suite.join(name);
        let artifact = Some(case.join("artifact"))
            .filter(|path| path.is_file())
            .unwrap_or_else(|| suite.join("a.txt"));
        let wanted = hex::encode(sha256(&bytes(artifact)));
        let bundle = bytes(case.join("bundle.sigstore.json"));
        let root = case.join("trusted_root.json");
        let found = if root.is_file() {
            match SigstoreRoots::of_file(&bytes(&root)) {
                Ok(roots) => reason(&bundle, &wanted, &roots),
                Err(_) => "root-unusable".to_owned(),
            }
        } else {
            reason(&bundle, &wanted, &built_in)
        };
        let must_fail = name.ends_with("_fail");
        match found.as_str() {
            "pass" => {
                assert!(!must_fail, "{name}");
                passed.push(name.clone());
            }
            "unsupported" if !must_fail => unsupported.push(name.clone()),
            _ => assert!(must_fail, "{name}: {found}"),
        }
    }
    assert_eq!(passed, ["happy-path-intoto-in-dsse-v3", "rekor2-dsse-happy-path"]);
    assert_eq!(unsupported.len(), 19, "{unsupported:?}");
    assert_eq!(expected.len(), 70);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_bytes_are_a_signed_statement_and_none_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let roots = SigstoreRoots::built_in();
            prop_assert!(verify(&bytes, &[0; 32], &roots, NOW).is_err());
        }

        /// One byte of a good bundle is another: it is refused, or the change is in a place that nobody signed and the statement is
        /// the same.
        #[test]
        fn a_changed_byte_changes_no_statement(at in 0_usize..10_000, bit in 0_u8..8) {
            let Some(folder) = folder() else { return Ok(()) };
            let roots = SigstoreRoots::built_in();
            let wanted = digest("8fe63f8b055569015407e5bd0c78071e87cf921019249b8b7a913091f680a664");
            let good = bytes(folder.join("registry-captures/ecr-public/05-bundle.json"));
            let mut changed = good.clone();
            let at = at % changed.len();
            changed[at] ^= 1 << bit;
            if let Ok(signed) = verify(&changed, &wanted, &roots, NOW) {
                let before = verify(&good, &wanted, &roots, NOW).unwrap();
                prop_assert_eq!(signed.signer(), before.signer());
                prop_assert_eq!(signed.predicate(), before.predicate());
                prop_assert_eq!(signed.signed_at(), before.signed_at());
            }
        }
    }
}
