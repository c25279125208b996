//! `gpu`: the GPUs are genuine and answered this run's nonce; and what is not proven about them.

mod boot;
mod look;
mod nras;
mod reasons;
mod reports;

use super::freshness::{self, Binding};
use super::{Check, Finding, Required, boot_claims, proven_quote};
use crate::policy::{GpuMode, Policy};
use crate::report::{CheckId, Status};
use crate::verify::gpu::{GpuDevices, GpuNonce};
use crate::verify::{Claims, NotProven};
pub(super) use boot::of_document;
use look::Look;
use reasons::*;

pub(super) const CHECK: Check = Check {
    id: CheckId::Gpu,
    title: "GPUs",
    proves: "Genuine NVIDIA GPUs answered this run's nonce through this CVM. (It does not prove that they are in this machine \
             or, unless NVIDIA was asked, that their firmware is good.)",
    prevents: "GPUs that are emulated, counted twice or not confidential; evidence of GPUs that was recorded elsewhere.",
    reasons: REASONS,
    required: Required::Never,
    harmless_skips: &[&NO_GPU],
    is_configured: |policy| policy.gpu.is_configured(),
    run,
    of_document: Some(of_document),
    ..Check::BASE
};

fn run(claims: &Claims, policy: &Policy) -> Finding {
    if policy.gpu.mode == GpuMode::Unchecked {
        return Finding::waived(
            &UNCHECKED,
            policy.waived_by(CheckId::Gpu),
            "Waived: the GPUs were not checked.",
        );
    }
    if let Err(finding) = proven_quote(claims) {
        return finding;
    }
    let reported = reports::looks(claims, policy);
    let missing = match &claims.gpu.boot {
        _ if !reported.is_empty() => None,
        Err(NotProven::Absent) => nothing_proven(claims, policy),
        Err(NotProven::NotReached) => no_reports(policy).or_else(|| boot_not_proven(claims, policy)),
        Ok(_) | Err(NotProven::Refused(_)) => no_reports(policy),
    };
    let is_proven = is_proven(claims, policy);
    let mut looks = boot::looks(claims, policy, is_proven);
    looks.extend(reported);
    looks.extend(claims.gpu.problem_beside.as_ref().map(|problem| {
        let detail = format!("Further GPU evidence is not proven: {problem}.");
        match is_proven {
            true => Look::undetermined(policy, &MALFORMED, detail),
            false => Look::short(policy, &MALFORMED, detail),
        }
    }));
    looks.extend(missing);
    conclude(looks)
}

/// Whether reports over this run's nonce prove GPUs: then nothing next to them leaves the GPUs unproven.
fn is_proven(claims: &Claims, policy: &Policy) -> bool {
    let has_gpus = |devices: &GpuDevices| !devices.gpus().is_empty();
    claims.gpu.devices.as_ref().is_ok_and(has_gpus)
        && matches!(claims.gpu.nonce, GpuNonce::ThisRun | GpuNonce::Derived)
        && matches!(freshness::binding(claims, policy), Binding::Accepted(_))
}

/// What is to be said if there are no reports, whatever the guest recorded while booting.
fn no_reports(policy: &Policy) -> Option<Look> {
    policy.gpu.expects_reports().then(|| {
        Look::fail(
            &UNVERIFIED,
            "Only reports of the GPUs can show the expected model, lock, switches or NVIDIA's appraisal, and there are none.",
        )
    })
}

/// What is to be said if there are no reports, and whether there is an event is not known: its absence convicts nobody.
fn boot_not_proven(claims: &Claims, policy: &Policy) -> Option<Look> {
    if policy.gpu.count.is_none() && !policy.gpu.expects_gpus() {
        return nothing_proven(claims, policy);
    }
    let finding = boot_claims(claims).err()?;
    Some(Look::undetermined(policy, finding.reason?, finding.detail))
}

/// What is to be said if there are neither reports nor an event.
fn nothing_proven(claims: &Claims, policy: &Policy) -> Option<Look> {
    if let Some(count) = policy.gpu.count.as_ref().filter(|count| count.value > 0) {
        let expected = count.value;
        let detail = format!("Expected GPUs: {expected}; there is no evidence of any.");
        return Some(Look::fail(&COUNT, detail).against(count.origin.clone()));
    }
    let is_expected = policy.gpu.expects_gpus();
    let measured = claims.gpu.policy.as_ref();
    let has_policy = measured.is_some_and(|policy| policy.as_ref().map_or(true, |policy| policy.is_written));
    let detail = match claims.gpu.claimed {
        Some(number) if number > 0 => format!(
            "GPUs that the host claims: {number}; nothing proves that they are genuine or confidential."
        ),
        _ if has_policy => {
            "The app has a GPU policy; nothing proves that there are GPUs, or that they are genuine or confidential."
                .to_owned()
        }
        _ if is_expected => "GPUs are expected, and there is no evidence of any.".to_owned(),
        _ => return None,
    };
    Some(Look::short(policy, &UNVERIFIED, detail))
}

/// The worst decides; everything that was found is said.
fn conclude(looks: Vec<Look>) -> Finding {
    let rank = |look: &Look| match look {
        Look::Open(Status::Fail, ..) => 3,
        Look::Open(Status::Error, ..) => 2,
        Look::Open(..) => 1,
        Look::Proven(_) => 0,
    };
    let Some(worst) = looks.iter().map(rank).max() else {
        return Finding::skip(&NO_GPU, "No GPU is claimed.");
    };
    // The first of the worst, then what else is not proven, then what is.
    let mut order: Vec<&Look> = looks.iter().collect();
    order.sort_by_key(|look| std::cmp::Reverse(rank(look)));
    let detail: Vec<&str> = match worst {
        3 => order
            .iter()
            .take_while(|look| rank(look) == 3)
            .map(|look| look.text())
            .collect(),
        _ => order.iter().map(|look| look.text()).collect(),
    };
    let detail = detail.join(" ");
    match order.first() {
        Some(Look::Open(status, reason, _, origin)) => {
            let finding = match status {
                Status::Fail => Finding::fail(reason, detail),
                Status::Error => Finding::error(reason, detail),
                Status::Pass | Status::Warn | Status::Skip => Finding::warn(reason, detail),
            };
            finding.against(origin.clone())
        }
        _ => Finding::pass(detail),
    }
}

#[cfg(test)]
mod tests {
    use simulator::gpu::device_root_der;
    use simulator::{Cvm, Gpus, World};

    use super::*;
    use crate::checks::claims_for_tests;
    use crate::verify::gpu::DeviceRoot;

    #[test]
    fn only_what_signed_the_nonce_of_this_run_is_proven() {
        let mut cvm = Cvm::healthy(&World::default());
        cvm.gpus = Some(Gpus::alone(1, 1));
        let mut claims = claims_for_tests::of_root(&cvm, &DeviceRoot::Custom(device_root_der(1)));
        for (nonce, expected) in [
            (GpuNonce::ThisRun, true),
            (GpuNonce::Derived, true),
            (GpuNonce::Other([1; 32]), false),
            (GpuNonce::NoNonce, false),
        ] {
            claims.gpu.nonce = nonce;
            assert_eq!(is_proven(&claims, &Policy::default()), expected, "{nonce:?}");
        }
        claims.gpu.nonce = GpuNonce::ThisRun;
        claims.gpu.devices = Err(NotProven::Absent);
        assert!(!is_proven(&claims, &Policy::default()));
    }

    #[test]
    fn the_worst_decides_and_beside_a_failure_only_failures_are_said() {
        let proven = || Look::Proven("Good.".to_owned());
        let warned = || Look::warn(&COUNT, "Odd.");
        let open = || Look::Open(Status::Error, &EVENT, "Open.".to_owned(), None);
        let failed = |text: &str| Look::fail(&UNVERIFIED, text);
        for (looks, expected) in [
            (vec![], (Status::Skip, Some("no-gpu"), "No GPU is claimed.")),
            (vec![proven()], (Status::Pass, None, "Good.")),
            (
                vec![proven(), warned()],
                (Status::Warn, Some(COUNT.id), "Odd. Good."),
            ),
            (
                vec![proven(), warned(), open()],
                (Status::Error, Some(EVENT.id), "Open. Odd. Good."),
            ),
            (
                vec![proven(), failed("Bad."), open(), failed("Worse.")],
                (Status::Fail, Some(UNVERIFIED.id), "Bad. Worse."),
            ),
        ] {
            let found = conclude(looks);
            let reason = found.reason.map(|reason| reason.id);
            assert_eq!((found.status, reason, found.detail.as_str()), expected);
        }
    }
}
