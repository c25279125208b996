//! What the measured guest recorded of its GPUs while booting. It is worth as much as the guest's OS image.

use super::look::Look;
use super::reasons::*;
use crate::checks::finding::sentence;
use crate::checks::{Finding, Reason, os_image};
use crate::compose::UnprovenDocument;
use crate::policy::Policy;
use crate::verify::gpu::{GpuBoot, GpuBootRefusal, GpuPolicyProblem, GpuRecord};
use crate::verify::{Claims, NotProven};

/// `is_proven` is whether reports over this run's nonce prove the GPUs: what is not known of the boot is a warning then.
pub(super) fn looks(claims: &Claims, policy: &Policy, is_proven: bool) -> Vec<Look> {
    let short = |reason, detail: String| match is_proven {
        true => Look::warn(reason, detail),
        false => Look::short(policy, reason, detail),
    };
    let mut found = Vec::new();
    let is_os_proven = os_image::is_proven(claims, policy);
    match &claims.gpu.boot {
        Ok(boot) => found.push(event(boot, is_os_proven, policy, short)),
        Err(NotProven::Refused(refusal @ GpuBootRefusal::Value { .. })) => {
            found.push(Look::fail(&EVENT, sentence(&refusal.to_string())));
        }
        Err(NotProven::Refused(refusal @ GpuBootRefusal::Malformed(_))) => {
            let detail = format!("Not determined: {}", sentence(&refusal.to_string()));
            found.push(Look::undetermined(policy, &EVENT, detail));
        }
        Err(NotProven::Absent | NotProven::NotReached) => {}
    }
    found.extend(measured_policy(claims, policy, short));
    found
}

fn event(
    boot: &GpuBoot,
    is_os_proven: bool,
    policy: &Policy,
    short: impl Fn(&'static Reason, String) -> Look,
) -> Look {
    if let Some(modes) = boot.modes {
        if !modes.debugging_is_disabled {
            return Look::fail(
                &EVENT,
                "The boot event says that debugging of the GPUs is not disabled.",
            );
        }
        if !modes.secure_boot {
            return Look::fail(&EVENT, "The boot event says that the GPUs did not boot securely.");
        }
    }
    match &boot.record {
        GpuRecord::OtherDigest { .. } => {
            return Look::fail(
                &EVIDENCE_DIGEST,
                "The record of the GPUs' attestation at boot is not the one that the guest measured.",
            );
        }
        GpuRecord::BadClaims(problem) => {
            return Look::fail(&CLAIM, sentence(&format!("The record of the boot: {problem}")));
        }
        GpuRecord::UnknownForm(problem) => {
            let detail = format!(
                "Not determined: the record of the boot: {}.",
                problem.trim_end_matches('.')
            );
            return Look::undetermined(policy, &CLAIM, detail);
        }
        GpuRecord::Absent | GpuRecord::Good => {}
    }
    let devices = boot.devices;
    if !is_os_proven {
        return short(
            &UNVERIFIED,
            format!(
                "A guest whose OS image is not proven says that it attested {devices} GPUs while booting."
            ),
        );
    }
    if let Some(count) = &policy.gpu.count
        && count.value != devices
    {
        let expected = count.value;
        let detail = format!("{expected} GPUs are expected; the guest attested {devices} while booting.");
        return Look::fail(&COUNT, detail).against(count.origin.clone());
    }
    Look::Proven(format!(
        "The guest attested {devices} GPUs while booting, with confidential computing on; that is about the boot, not about \
         now."
    ))
}

fn measured_policy(
    claims: &Claims,
    policy: &Policy,
    short: impl Fn(&'static Reason, String) -> Look,
) -> Vec<Look> {
    let measured = match &claims.gpu.policy {
        None => return Vec::new(),
        Some(Err(problem @ GpuPolicyProblem::OtherHash { .. })) => {
            return vec![Look::fail(&POLICY, sentence(&problem.to_string()))];
        }
        // The measured guest read it: this version does not.
        Some(Err(problem @ GpuPolicyProblem::Malformed(_))) => {
            let detail = format!("Not determined: {}", sentence(&problem.to_string()));
            return vec![Look::undetermined(policy, &POLICY, detail)];
        }
        Some(Ok(measured)) => measured,
    };
    let mut found = Vec::new();
    if !measured.attests_gpus {
        found.push(short(
            &POLICY,
            "The measured GPU policy has `attest_gpu: false`: the guest attests no GPU while booting."
                .to_owned(),
        ));
    }
    if !measured.loosened.is_empty() {
        let loosened = measured.loosened.join("`, `");
        found.push(Look::warn(
            &POLICY,
            format!("The measured GPU policy allows `{loosened}`."),
        ));
    }
    // A rule of the app's own only adds to what the guest demands; it is shown by its hash, for nobody reads it here.
    if let (Some(rego), false) = (measured.rego_sha256, claims.gpu.boot.is_err()) {
        found.push(Look::Proven(format!(
            "The app has a rule of its own for its GPUs, which is not read here (SHA-256 {}).",
            hex::encode(rego)
        )));
    }
    found
}

/// What a document decides before it is deployed: whether the guest attests its GPUs while it boots.
pub(in crate::checks) fn of_document(document: &UnprovenDocument, policy: &Policy) -> Option<Finding> {
    let refused = !document.attests_gpus() && policy.gpu.expects_gpus();
    refused.then(|| {
        Finding::fail(
            &POLICY,
            "The document has `attest_gpu: false`: the guest attests no GPU while booting, and GPUs are expected.",
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::checks::claims_for_tests::expected;
    use crate::report::Status;

    #[test]
    fn a_document_that_attests_no_gpu_fails_where_gpus_are_expected() {
        for (requirements, count, is_refused) in [
            (json!({ "gpu_policy": { "attest_gpu": false } }), Some(8), true),
            (json!({ "gpu_policy": { "attest_gpu": false } }), None, false),
            (json!({ "gpu_policy": { "attest_gpu": true } }), Some(8), false),
            (json!({}), Some(8), false),
            (json!({}), None, false),
        ] {
            let text = json!({ "runner": "docker-compose", "docker_compose_file": "services: {}", "requirements": requirements });
            let document = UnprovenDocument::read(&text.to_string()).unwrap();
            let mut policy = Policy::default();
            policy.gpu.count = count.map(|count| expected("--gpu-count", count));
            let found = of_document(&document, &policy);
            let said = found.map(|finding| (finding.status, finding.reason.map(|reason| reason.id)));
            assert_eq!(
                said,
                is_refused.then_some((Status::Fail, Some("gpu-policy"))),
                "{text}"
            );
        }
    }
}
