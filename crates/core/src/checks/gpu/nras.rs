//! What NVIDIA's remote attestation service says, if it is asked. It never makes up for what is not proven here.

use super::look::Look;
use super::reasons::*;
use crate::policy::{GpuVerifier, Policy};
use crate::report::Status;
use crate::verify::gpu::NrasVerdict;

pub(super) fn look(verdict: &NrasVerdict, policy: &Policy) -> Option<Look> {
    if policy.gpu.verifier == GpuVerifier::Local {
        return None;
    }
    // With `both` this program decides, and what is missing of NVIDIA's word is a warning.
    let missing = match policy.gpu.verifier {
        GpuVerifier::Nras => Status::Error,
        GpuVerifier::Local | GpuVerifier::Both => Status::Warn,
    };
    Some(match verdict {
        NrasVerdict::NotAsked => Look::Open(
            missing,
            &NRAS_UNREACHABLE,
            "Not determined: there is no answer of NVIDIA's service about these GPUs.".to_owned(),
            None,
        ),
        NrasVerdict::Unreachable(problem) => Look::Open(
            missing,
            &NRAS_UNREACHABLE,
            format!("Not determined: NVIDIA's service has no answer: {problem}."),
            None,
        ),
        NrasVerdict::BadToken(problem) => Look::Open(
            missing,
            &TOKEN,
            format!("Not determined: the answer is not proven to be NVIDIA's: {problem}."),
            None,
        ),
        NrasVerdict::Refused(problem) => Look::fail(
            &REFUSED_BY_NRAS,
            format!("NVIDIA's service refuses the GPUs: {problem}."),
        ),
        NrasVerdict::BadClaim(problem) => Look::fail(&CLAIM, format!("NVIDIA's appraisal of {problem}.")),
        NrasVerdict::UnknownClaim(problem) => Look::Open(
            missing,
            &CLAIM,
            format!(
                "Not determined: NVIDIA's appraisal of {problem}. If NVIDIA changed its tokens, update cvm-verify."
            ),
            None,
        ),
        // The service did not approve, and its claims say nothing against the GPUs.
        NrasVerdict::OpenRefusal(problem) => Look::Open(
            Status::Error,
            &CLAIM,
            format!(
                "Not determined: NVIDIA's service does not approve of the GPUs, and its appraisal says nothing against them: {problem}."
            ),
            None,
        ),
        NrasVerdict::Approved { warnings } => match warnings.first() {
            None => return None,
            Some(warning) => Look::warn(&CLAIM, format!("NVIDIA's appraisal warns of {warning}.")),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_says_nothing_against_the_gpus_is_open_whoever_decides() {
        for verifier in [GpuVerifier::Both, GpuVerifier::Nras] {
            let mut policy = Policy::default();
            policy.gpu.verifier = verifier;
            let found = look(&NrasVerdict::OpenRefusal("the claim".to_owned()), &policy).unwrap();
            assert!(
                matches!(&found, Look::Open(Status::Error, reason, ..) if reason.id == "gpu-claim"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn an_answer_that_is_missing_is_open_where_nvidias_word_is_asked_for() {
        for (verifier, expected) in [
            (GpuVerifier::Local, None),
            (GpuVerifier::Both, Some(Status::Warn)),
            (GpuVerifier::Nras, Some(Status::Error)),
        ] {
            let mut policy = Policy::default();
            policy.gpu.verifier = verifier;
            let status = look(&NrasVerdict::NotAsked, &policy).map(|look| match look {
                Look::Open(status, reason, ..) => (status, reason.id),
                Look::Proven(_) => (Status::Pass, ""),
            });
            assert_eq!(status, expected.map(|status| (status, "gpu-nras-unreachable")));
        }
    }
}
