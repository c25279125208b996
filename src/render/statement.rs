//! The result of one target as an in-toto statement with SLSA's verification summary
//! (<https://slsa.dev/spec/v1.2/verification_summary>), unsigned. Pure.
//!
//! The subject is the measured compose document: its SHA-256 is the compose hash, so the document itself is the artifact that
//! `gh attestation verify` and `cosign` hash. Only a target that passes says PASSED.

use serde_json::{Map, Value, json};

use cvm_verify_core::report::{Assurance, Report, SideTier, TargetReport, Verdict};

/// The type of the predicate.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/verification_summary/v1";
/// The type of the statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The name of the subject: the file next to the statement.
pub const SUBJECT: &str = "app-compose.json";
/// The version of SLSA whose summary this is.
const SLSA_VERSION: &str = "1.2";

/// What a statement says next to the report. Hashes are SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementInputs {
    /// What the statement is about: the address, or a name of the app.
    pub resource: String,
    /// The policy file, and the hash of its bytes; absent where options alone were given.
    pub policy_file: Option<(String, [u8; 32])>,
    /// The fingerprint of the whole policy, hex.
    pub policy_fingerprint: String,
    /// The lock, and the hash of its bytes.
    pub lock: Option<(String, [u8; 32])>,
    /// The hash of the evidence bundle that was written.
    pub evidence_sha256: Option<[u8; 32]>,
    /// The hash of the JSON report.
    pub report_sha256: [u8; 32],
}

/// The statement about a target of a report. `None` where its compose hash is not proven: there is no subject.
#[must_use]
pub fn statement(report: &Report, target: &TargetReport, inputs: &StatementInputs) -> Option<Value> {
    let compose_hash = target.measurements.compose_hash.as_deref()?;
    Some(json!({
        "_type": STATEMENT_TYPE,
        "subject": [{ "name": SUBJECT, "digest": { "sha256": compose_hash } }],
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate(report, target, inputs),
    }))
}

/// Its predicate alone, as `actions/attest` takes it.
#[must_use]
pub fn predicate(report: &Report, target: &TargetReport, inputs: &StatementInputs) -> Value {
    let mut predicate = Map::new();
    predicate.insert(
        "verifier".to_owned(),
        json!({
            "id": env!("CARGO_PKG_REPOSITORY"),
            "version": { (env!("CARGO_PKG_NAME")): report.tool.version },
        }),
    );
    predicate.insert("timeVerified".to_owned(), json!(target.evaluated_at));
    predicate.insert("resourceUri".to_owned(), json!(inputs.resource));
    predicate.insert("policy".to_owned(), policy(target, inputs));
    predicate.insert("inputAttestations".to_owned(), input_attestations(target, inputs));
    predicate.insert("verificationResult".to_owned(), json!(result(target)));
    predicate.insert("verifiedLevels".to_owned(), json!(levels(target)));
    predicate.insert("slsaVersion".to_owned(), json!(SLSA_VERSION));
    Value::Object(predicate)
}

/// There are two values alone: what is not a pass is FAILED.
const fn result(target: &TargetReport) -> &'static str {
    match target.verdict {
        Verdict::Pass => "PASSED",
        Verdict::Fail | Verdict::Inconclusive => "FAILED",
    }
}

/// What is reached without anything that was accepted in writing.
fn levels(target: &TargetReport) -> Vec<&'static str> {
    if target.verdict != Verdict::Pass {
        return vec!["FAILED"];
    }
    let mut levels = Vec::new();
    match (target.simulated(), target.assurance) {
        // Under another root than Intel's or NVIDIA's nothing is proven about hardware.
        (Some(_), _) => levels.push("CVM_VERIFY_SIMULATED"),
        (None, Assurance::None) => {}
        (None, Assurance::Hardware) => levels.push("CVM_VERIFY_HARDWARE"),
        (None, Assurance::Code(sides)) => {
            levels.push("CVM_VERIFY_CODE");
            for (side, level) in [
                (SideTier::EndpointReplayable, "CVM_VERIFY_ENDPOINT_REPLAYABLE"),
                (SideTier::Endpoint, "CVM_VERIFY_ENDPOINT"),
                (SideTier::Source, "CVM_VERIFY_SOURCE"),
            ] {
                if sides.includes(side) {
                    levels.push(level);
                }
            }
        }
    }
    if !target.accepted.is_empty() || !target.waived.is_empty() {
        levels.push("CVM_VERIFY_WAIVERS");
    }
    levels.push("SLSA_BUILD_LEVEL_UNEVALUATED");
    levels
}

fn policy(target: &TargetReport, inputs: &StatementInputs) -> Value {
    let (uri, digest) = match &inputs.policy_file {
        Some((path, sha256)) => (path.clone(), hex::encode(sha256)),
        None => (
            "urn:cvm-verify:policy-fingerprint:v1".to_owned(),
            inputs.policy_fingerprint.clone(),
        ),
    };
    let accepted: Vec<Value> = target
        .accepted
        .iter()
        .map(|one| json!({ "check": one.check, "what": one.what, "by": one.by, "until": one.until, "reason": one.reason }))
        .collect();
    json!({
        "uri": uri,
        "digest": { "sha256": digest },
        "annotations": {
            "policyFingerprint": inputs.policy_fingerprint,
            "lock": inputs.lock.as_ref().map(|(path, _)| path),
            "lockSha256": inputs.lock.as_ref().map(|(_, sha256)| hex::encode(sha256)),
            "requireAssurance": target.required.to_string(),
            "assurance": target.assurance.to_string(),
            "accepted": accepted,
            "waivers": target.waived,
            "trustRoot": target.trust_root,
            "deviceRoot": target.device_root,
            "referenceValuesSha256": target.evidence.reference_values_sha256,
            "appId": target.measurements.app_id,
            "instanceId": target.measurements.instance_id,
            "mrtd": target.measurements.mrtd,
        },
    })
}

fn input_attestations(target: &TargetReport, inputs: &StatementInputs) -> Value {
    let mut list = Vec::new();
    if let Some(sha256) = &inputs.evidence_sha256 {
        list.push(json!({
            "name": "evidence",
            "mediaType": "application/vnd.cvm-verify.evidence.v1+json",
            "digest": { "sha256": hex::encode(sha256) },
        }));
    }
    list.push(json!({
        "name": "report",
        "mediaType": "application/vnd.cvm-verify.report.v1+json",
        "digest": { "sha256": hex::encode(inputs.report_sha256) },
    }));
    for source in &target.sources {
        list.push(json!({
            "name": format!("{} provenance", source.image),
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "digest": { "sha256": source.bundle_sha256 },
        }));
    }
    Value::Array(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use cvm_verify_core::report::TrustRootKind;
    use cvm_verify_core::report::{Mode, RequiredAssurance};

    fn inputs() -> StatementInputs {
        StatementInputs {
            resource: "https://shop.example/app".to_owned(),
            policy_file: None,
            policy_fingerprint: "ab".repeat(32),
            lock: Some(("cvm.lock".to_owned(), [1; 32])),
            evidence_sha256: Some([2; 32]),
            report_sha256: [3; 32],
        }
    }

    fn levels_of(target: &TargetReport) -> Vec<String> {
        let report = samples::report(Mode::Live, vec![target.clone()]);
        let predicate = predicate(&report, target, &inputs());
        serde_json::from_value(predicate["verifiedLevels"].clone()).unwrap()
    }

    #[test]
    fn only_a_pass_says_passed() {
        let report = samples::report(Mode::Live, vec![samples::pass()]);
        for (verdict, result) in [
            (Verdict::Pass, "PASSED"),
            (Verdict::Fail, "FAILED"),
            (Verdict::Inconclusive, "FAILED"),
        ] {
            let target = TargetReport {
                verdict,
                ..report.targets[0].clone()
            };
            let predicate = predicate(&report, &target, &inputs());
            assert_eq!(predicate["verificationResult"], result);
            let failed = predicate["verifiedLevels"] == json!(["FAILED"]);
            assert_eq!(failed, verdict != Verdict::Pass);
        }
    }

    #[test]
    fn a_level_is_claimed_only_if_it_is_reached_on_intel_s_root() {
        let good = samples::pass();
        let good = TargetReport {
            accepted: Vec::new(),
            waived: Vec::new(),
            trust_root: TrustRootKind::Intel,
            ..good
        };
        let with = |assurance: Assurance| TargetReport {
            assurance,
            required: RequiredAssurance::CODE,
            ..good.clone()
        };
        let none = "SLSA_BUILD_LEVEL_UNEVALUATED";
        assert_eq!(levels_of(&with(Assurance::None)), [none]);
        assert_eq!(
            levels_of(&with(Assurance::Hardware)),
            ["CVM_VERIFY_HARDWARE", none]
        );
        assert_eq!(levels_of(&with(Assurance::CODE)), ["CVM_VERIFY_CODE", none]);
        let source: Assurance = "code+source".parse().unwrap();
        assert_eq!(
            levels_of(&with(source)),
            ["CVM_VERIFY_CODE", "CVM_VERIFY_SOURCE", none]
        );
        let simulated = TargetReport {
            trust_root: TrustRootKind::Custom,
            ..with(source)
        };
        assert_eq!(levels_of(&simulated), ["CVM_VERIFY_SIMULATED", none]);
        let simulated_gpus = TargetReport {
            device_root: cvm_verify_core::report::DeviceRootKind::Custom,
            ..with(source)
        };
        assert_eq!(levels_of(&simulated_gpus), ["CVM_VERIFY_SIMULATED", none]);
        let waived = TargetReport {
            waived: vec![cvm_verify_core::report::CheckId::ImagePins],
            ..with(Assurance::Hardware)
        };
        assert_eq!(
            levels_of(&waived),
            ["CVM_VERIFY_HARDWARE", "CVM_VERIFY_WAIVERS", none]
        );
    }

    #[test]
    fn the_resource_is_the_one_that_was_verified_and_the_subject_is_the_compose_hash() {
        let report = samples::report(Mode::Live, vec![samples::pass()]);
        let target = report.targets[0].clone();
        let statement = statement(&report, &target, &inputs()).unwrap();
        assert_eq!(statement["predicate"]["resourceUri"], "https://shop.example/app");
        assert_eq!(
            statement["subject"][0]["digest"]["sha256"],
            json!(target.measurements.compose_hash.unwrap())
        );
    }
}
