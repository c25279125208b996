//! One target: proven, compared with what production looks like, and written down.

use std::path::Path;

use super::beyond_the_lock::{self, PinnedFrom};
use super::evidence::claims;
use super::lock_file::{NextStep, There, write};
use super::outlook;
use super::selection::PinTarget;
use super::{PinRequest, is_printed};
use crate::env::Env;
use crate::plan::{named_files, report_data};
use crate::render::{escape, phala_hint};
use crate::usage_error::CommandError;
use cvm_verify_core::checks::{Check, locked_sources};
use cvm_verify_core::lock::{self, AcceptedPin, Lock, PinRefusal, Unaccepted, Unasked};
use cvm_verify_core::policy::{Origin, Policy, ReportDataPolicy, SourcePolicy, WrittenRule};
use cvm_verify_core::report::{CheckId, Status, TrustRootKind, Verdict};
use cvm_verify_core::verify::Claims;

/// Pins one target. Fail and inconclusive: nothing was pinned, and standard error says why.
pub(super) fn pin(
    request: &PinRequest<'_>,
    target: &mut PinTarget,
    env: &mut Env,
) -> Result<Verdict, CommandError> {
    let layout = match target.settings.one("report-data") {
        Some(value) => report_data::layout(&value.text)?,
        None => None,
    };
    let reference = named_files::reference_of(&target.settings)?;
    let there = There::read(target, request.force)?;
    if target.sources.rules.is_empty() {
        target.sources = expected_before(there.lock(target), target.sources.clone());
    }
    if target.kms.is_empty() {
        // The KMS that is locked stays the one that is asked.
        target.kms = there
            .lock(target)
            .map(|lock| lock.kms.hosts.clone())
            .unwrap_or_default();
    }
    let named = (request.image)(&reference)?;
    let found = claims(request, target, &reference, env)?;
    if let Some(hint) = &found.hint {
        env.complain(&phala_hint(hint));
    }
    if let Some(said) = request.roots.simulated() {
        env.complain(said);
    }
    let claims = match &found.claims {
        Ok(claims) => claims,
        Err(failure) => return Ok(nothing_pinned(&failure.detail, Verdict::Inconclusive, env)),
    };
    let policy = Policy {
        report_data: ReportDataPolicy {
            layout,
            ..ReportDataPolicy::default()
        },
        ..Policy::default()
    };
    let fresh = (Check::of(CheckId::Freshness).run)(claims, &policy).status == Status::Pass;
    let pinned = match lock::pin(claims, fresh, request.roots.kind(), &reference, named.as_ref()) {
        Ok(pinned) => pinned,
        Err(refusal) => {
            let is_wrong = matches!(refusal, PinRefusal::OtherImage(_)) || claims.is_refused();
            let verdict = if is_wrong {
                Verdict::Fail
            } else {
                Verdict::Inconclusive
            };
            return Ok(nothing_pinned(&format!("{refusal}."), verdict, env));
        }
    };
    let sources = match pinned_sources(claims, &target.sources) {
        Ok(sources) => sources,
        Err((detail, verdict)) => {
            let why = format!("who built the images is not proven. {detail}");
            return Ok(nothing_pinned(&why, verdict, env));
        }
    };
    let accepted = pinned
        .with_origin(found.origin.clone())
        .with_said(found.said)
        .with_kms_documents(&target.kms_documents, &reference)
        .with_sources(sources)
        .accept(&request.accepting, there.lock(target));
    let from = PinnedFrom {
        claims,
        settings: &target.settings,
        now: match request.recorded {
            Some(_) => claims.at,
            None => (env.now)(),
        },
    };
    let accepted = match accepted {
        Ok(accepted) => accepted,
        Err(unaccepted) => {
            say_what_to_accept(&unaccepted, &from, env);
            return Ok(Verdict::Fail);
        }
    };
    let waivers = beyond_the_lock::waivers(accepted.lock.accepted.keys(), &from);
    let outlook = outlook::with_lock(claims, &accepted, target, &waivers, request.roots.quote.clone())?;
    let left = outlook
        .as_ref()
        .map(|report| outlook::what_is_left(report, target));
    let left = left.unwrap_or_default();
    if outlook.is_some_and(|report| report.verdict == Verdict::Fail) {
        left.iter().for_each(|line| env.complain(line));
        return Ok(Verdict::Fail);
    }
    say_what_is_not_in_the_lock(&accepted, target, claims, &policy, env);
    let next = NextStep {
        bundle: request.bundle.as_deref(),
        at: request.at,
        commands: found.commands.as_ref(),
        waiver: beyond_the_lock::options(&waivers),
        is_simulated: request.roots.kind() == TrustRootKind::Custom,
    };
    write(target, &there, &accepted, &next, env)?;
    left.iter().for_each(|line| env.complain(line));
    if let (Ok(quote), false) = (&claims.quote, is_printed(&target.output)) {
        env.say(&format!(
            "It ran on the machine {} (SHA-256 of its PPID). To accept no other: --platform-id. A redeployment may move it.\n",
            hex::encode(quote.platform_id())
        ));
    }
    Ok(Verdict::Pass)
}

/// Says why nothing was pinned; gives the verdict of that.
fn nothing_pinned(why: &str, verdict: Verdict, env: &mut Env) -> Verdict {
    env.complain(&format!("Nothing was pinned: {}", escape::terminal(why)));
    verdict
}

/// Says which findings a person must accept before anything is pinned, and how.
fn say_what_to_accept(unaccepted: &Unaccepted, from: &PinnedFrom<'_>, env: &mut Env) {
    env.complain("Nothing was pinned. You must accept these findings first:");
    for warning in &unaccepted.0 {
        env.complain(&format!("  - {}", escape::terminal(&warning.to_string())));
    }
    for line in beyond_the_lock::how_to_pin(unaccepted, from) {
        env.complain(&line);
    }
}

/// Says what was accepted for nothing, and what the lock does not hold of this run.
fn say_what_is_not_in_the_lock(
    accepted: &AcceptedPin,
    target: &PinTarget,
    claims: &Claims,
    policy: &Policy,
    env: &mut Env,
) {
    for name in &accepted.needless {
        env.note(&format!(
            "--accept {name} is not needed. The finding does not apply, or the existing lock already accepts it."
        ));
    }
    for section in &accepted.unasked {
        env.note(&stays(*section, &target.output));
    }
    // Something that does not hold is not the same as nothing to hold: who reads the new lock cannot see what is not in it.
    let binding = (Check::of(CheckId::TlsBinding).run)(claims, policy);
    if binding.status == Status::Warn {
        env.note(&format!(
            "{} The lock holds no TLS binding. If the app has one, pin from a network in which nothing ends TLS before it.",
            binding.detail
        ));
    }
}

/// That a section of the lock was not asked for, and how it is.
fn stays(section: Unasked, lock: &Path) -> String {
    let how = match section {
        Unasked::Sources => "pin from evidence that shows the compose document",
        Unasked::Gpus => "pin the live app, which answers a nonce",
        Unasked::Kms => "pin the live app, or name the KMS as `kms-host` in the policy file",
        Unasked::Governance => "name two nodes with --rpc-url",
        Unasked::Tls => "pin the live app over https",
        Unasked::ImageHash => {
            return format!(
                "known_by of [os_image] stays as it is in {}: nothing in this run confirms the hash, and a verdict that \
                 relies on it says so. To confirm it: --os-image-files FILE.",
                lock.display()
            );
        }
    };
    let section = section.section();
    let lock = lock.display();
    format!("{section} stays unchanged in {lock}: this run did not ask about it. To update it, {how}.")
}

/// What is proven of who built the images, for review; or why not, and the verdict of it.
fn pinned_sources(claims: &Claims, sources: &SourcePolicy) -> Result<Vec<WrittenRule>, (String, Verdict)> {
    let policy = Policy {
        sources: sources.clone(),
        ..Policy::default()
    };
    let finding = (Check::of(CheckId::SourceProvenance).run)(claims, &policy);
    match finding.status {
        Status::Fail => return Err((finding.detail, Verdict::Fail)),
        Status::Error => return Err((finding.detail, Verdict::Inconclusive)),
        Status::Pass | Status::Warn | Status::Skip => {}
    }
    locked_sources(claims, sources)
        .map_err(|error| (format!("{error}; give both the same workflow."), Verdict::Fail))
}

/// The rules of the lock that is there, without ref and commit: a new release has others.
fn expected_before(lock: Option<&Lock>, sources: SourcePolicy) -> SourcePolicy {
    let rules = lock.iter().flat_map(|lock| &lock.sources).filter_map(|rule| {
        let rule = WrittenRule {
            refs: Vec::new(),
            commits: Vec::new(),
            // A new release may have dropped or renamed an image: the new lock shows that, to be reviewed.
            optional: true,
            ..rule.clone()
        };
        rule.rule(Origin::Option("--output")).ok()
    });
    SourcePolicy {
        rules: rules.collect::<Vec<_>>().into(),
        ..sources
    }
}
