//! `gpu`: what is said of GPUs that are claimed or expected, and of which there is no evidence.

use super::said;
use crate::checks::claims_for_tests::{expected, healthy};
use crate::policy::{GpuExpectations, Policy};
use crate::report::{CheckId, Status};
use crate::verify::Claims;
use crate::verify::gpu::{GpuPolicyProblem, MeasuredGpuPolicy};

fn claiming(claimed: Option<u32>) -> Claims {
    let mut claims = healthy();
    claims.gpu.claimed = claimed;
    claims
}

#[test]
fn gpus_that_only_the_host_claims_are_unverified() {
    let (outcome, text) = said(CheckId::Gpu, &claiming(Some(8)), &Policy::default());
    assert_eq!(outcome.1, Some("gpu-unverified"));
    assert!(text.starts_with("GPUs that the host claims: 8;"), "{text}");
    for claimed in [None, Some(0)] {
        let (outcome, _) = said(CheckId::Gpu, &claiming(claimed), &Policy::default());
        assert_eq!(outcome, (Status::Skip, Some("no-gpu")), "{claimed:?}");
    }
}

#[test]
fn gpus_that_are_counted_on_and_absent_are_a_fail() {
    let policy = |count| Policy {
        gpu: GpuExpectations {
            count: Some(expected("gpu-count", count)),
            ..GpuExpectations::default()
        },
        ..Policy::default()
    };
    let (outcome, text) = said(CheckId::Gpu, &claiming(Some(8)), &policy(8));
    assert_eq!(outcome, (Status::Fail, Some("gpu-count")));
    assert_eq!(text, "Expected GPUs: 8; there is no evidence of any.");
}

#[test]
fn a_gpu_policy_of_the_app_is_no_evidence_of_gpus() {
    let written = |is_written| {
        Ok(MeasuredGpuPolicy {
            attests_gpus: true,
            loosened: Vec::new(),
            rego_sha256: None,
            is_written,
        })
    };
    let says = "The app has a GPU policy; nothing proves that there are GPUs";
    for (policy, is_said) in [
        (None, false),
        (Some(written(false)), false),
        (Some(written(true)), true),
        (Some(Err(GpuPolicyProblem::Malformed("none".to_owned()))), true),
    ] {
        let mut claims = healthy();
        claims.gpu.policy = policy;
        let (outcome, text) = said(CheckId::Gpu, &claims, &Policy::default());
        assert_eq!(text.contains(says), is_said, "{text}");
        let expected = if is_said { Status::Warn } else { Status::Skip };
        assert_eq!(outcome.0, expected, "{text}");
    }
}
