//! The sentences that every format for people shares: what the result is, what it proves, and what it does not.

use std::borrow::Cow;

use super::accepted;
use super::escape::shorten;
use cvm_verify_core::checks::{Check, Reason};
use cvm_verify_core::report::{
    Accepted, AcceptedKind, CheckId, CheckResult, Location, Mode, Report, SideTier, Status, TargetReport,
    Tier, TrustRootKind, Verdict,
};
use cvm_verify_core::tiers::{is_met, required_from};

/// What is said if nothing but consequences is left of an inconclusive verdict.
pub(super) const UNDETERMINED: &str = "Something that was required could not be determined: see the checks.";

/// Where the expectation of a check is written: `cvm.lock:7 (compose_hash)`.
pub(super) fn location(check: &CheckResult) -> Option<String> {
    let Location { file, line, key } = check.location.as_ref()?;
    Some(format!("{file}:{line} ({key})"))
}

/// Longest day, in characters: `2026-12-31`.
const MAX_DAY: usize = 10;

/// Longest id of a KMS that is offered for copying, in hex digits. Real ones have 182.
const MAX_ID: usize = 512;

/// The word for a status: capitals where a person must look. No colour is needed to tell them apart.
pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Warn => "WARN",
        Status::Fail => "FAIL",
        Status::Error => "error",
        Status::Skip => "skip",
    }
}

/// The word for a verdict.
pub(super) const fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Fail => "FAIL",
        Verdict::Inconclusive => "INCONCLUSIVE",
    }
}

/// Whether a verdict is all that was asked for, by Intel's root: nothing else may be shown as green.
pub(super) fn is_whole(target: &TargetReport) -> bool {
    target.waived.is_empty() && target.accepted.is_empty() && target.simulated().is_none()
}

/// The verdict with everything that qualifies it:
/// `PASS (code; waived: image-pins; accepted by cvm.lock: development image; reached: hardware)`.
///
/// A pass names the tier that was required; whatever else was reached, and what was waived or accepted in writing, every
/// verdict says. The text may hold an untrusted party's characters: escape it, or see [`verdict_in`].
pub(super) fn verdict(target: &TargetReport) -> String {
    verdict_in(target, str::to_owned)
}

/// The verdict, with a format's own rule for an untrusted party's text.
pub(super) fn verdict_in(target: &TargetReport, escape: impl Fn(&str) -> String) -> String {
    let on_trust = on_trust(target, escape).join("; ");
    let on_trust = (!on_trust.is_empty()).then_some(on_trust);
    let reached = format!("reached: {}", target.assurance);
    let open_rule = without_source(target).map(|check| match check.status {
        Status::Warn => "not reached: source, a script is not reviewed".to_owned(),
        _ => "not reached: source, a rule is open".to_owned(),
    });
    let notes = match target.verdict {
        Verdict::Pass => {
            let other = target.assurance != target.required.into();
            [
                Some(target.required.to_string()),
                on_trust,
                other.then_some(reached),
                open_rule,
            ]
        }
        Verdict::Fail => [None, on_trust, None, None],
        Verdict::Inconclusive => {
            let required = format!("required: {}", target.required);
            [Some(required), on_trust, Some(reached), open_rule]
        }
    };
    let word = verdict_word(target.verdict);
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    if notes.is_empty() {
        word.to_owned()
    } else {
        format!("{word} ({})", notes.join("; "))
    }
}

/// What the verdict counts without proof, as the verdict line names it: a second release, waivers, and what was accepted in writing.
pub(crate) fn on_trust(target: &TargetReport, escape: impl Fn(&str) -> String) -> Vec<String> {
    let second = target.second_release_until.as_deref();
    let second =
        second.map(|until| format!("the second release, until {}", escape(&shorten(until, MAX_DAY))));
    let accepted = accepted::notes(&target.waived, &target.accepted, escape);
    second.into_iter().chain(accepted).collect()
}

/// The result of `source-provenance` where the images are as the rules say and its tier is not granted: it passes if a rule leaves open
/// which workflow or which code it accepts, and warns of a script that nobody reviewed. Said where nothing else keeps the tier away.
pub(super) fn without_source(target: &TargetReport) -> Option<&CheckResult> {
    let of_rules = |check: &&CheckResult| {
        let warns_of_script = check.reason.as_deref() == Some("unreviewed-script");
        let says = check.status == Status::Pass || warns_of_script;
        check.id == CheckId::SourceProvenance && is_met(check) && check.grants.is_none() && says
    };
    let is_said = target.verdict != Verdict::Fail && target.assurance.tier() == Some(Tier::Code);
    target.checks.iter().find(of_rules).filter(|_| is_said)
}

/// How many of several targets pass.
pub(super) fn summary(report: &Report) -> String {
    let word = verdict_word(report.verdict);
    let passes = |target: &&TargetReport| target.verdict == Verdict::Pass;
    let passing = report.targets.iter().filter(passes).count();
    match (report.targets.len(), passing) {
        (0, _) => format!("{word}: nothing was verified"),
        (total, 1) => format!("{word}: 1 of {total} targets passes"),
        (total, _) => format!("{word}: {passing} of {total} targets pass"),
    }
}

/// What a pass proves and what it does not; nothing of what was waived is claimed. Empty unless the target passes.
pub(super) fn proven(target: &TargetReport, mode: Mode) -> String {
    let mut proven = claimed(target, mode).to_owned();
    if !proven.is_empty() && target.assurance.sides().includes(SideTier::Source) {
        proven.push_str("; the expected workflow states that it built every image from the expected source");
    }
    let is_waiver = |one: &Accepted| one.what == AcceptedKind::Waiver;
    if proven.is_empty() || target.accepted.iter().all(is_waiver) {
        return proven;
    }
    format!("{proven}; what was accepted in writing is taken on trust")
}

fn claimed(target: &TargetReport, mode: Mode) -> &'static str {
    if target.verdict != Verdict::Pass {
        return "";
    }
    if target.trust_root == TrustRootKind::Custom {
        return "the checks pass against a root that is not Intel's: a test of the checks, no proof about any machine";
    }
    let waived_code = target
        .waived
        .iter()
        .any(|id| required_from(*id) == Some(Tier::Code));
    let required_code = target.required.tier() == Tier::Code && !waived_code;
    let code = target.assurance.tier() == Some(Tier::Code) || required_code;
    let fresh = mode == Mode::Live && !target.waived.contains(&CheckId::Freshness);
    let endpoint = |side| target.assurance.sides().includes(side) || target.required.sides().includes(side);
    match (code, fresh) {
        (true, true) if endpoint(SideTier::Endpoint) => {
            "a genuine CVM runs this code and serves this address"
        }
        (true, true) if endpoint(SideTier::EndpointReplayable) => {
            "a genuine CVM runs this code; a CVM that meets the policy quoted the TLS key of this address, at a time that is not \
             known; that only this CVM holds the key is not proven"
        }
        (true, true) => "a genuine CVM runs this code; that this address is served by it is not proven",
        (false, true) => {
            "a genuine CVM made this quote for this run; which code it runs, and that this address is served by it, \
             is not proven"
        }
        (true, false) => {
            "a genuine CVM ran this code when it made this quote; that it still does, and that an address is served \
             by it, is not proven"
        }
        (false, false) => {
            "a genuine CVM made this quote at some time; which code it ran, and that an address is served by it, is \
             not proven"
        }
    }
}

/// What a check found, in its own words but for two cases: under another root than Intel's nothing may claim genuine
/// hardware, and a hash that is offered for copying is on a line of its own.
pub(super) fn detail<'a>(target: &TargetReport, check: &'a CheckResult) -> Cow<'a, str> {
    let claims_hardware = check.id == CheckId::QuoteSignature && check.status == Status::Pass;
    if claims_hardware && target.trust_root == TrustRootKind::Custom {
        return Cow::Borrowed(
            "The quote's signature chains up to the root that was given, which is not Intel's.",
        );
    }
    match option_to_write_down(check).and_then(|_| reason_of(check)) {
        Some(reason) => Cow::Borrowed(reason.means),
        None => Cow::Borrowed(&check.detail),
    }
}

/// The option that says what was measured, where the one thing missing is that the user writes it down. Made of hex alone:
/// what is anything else must not be offered for copying into a command.
pub(super) fn option_to_write_down(check: &CheckResult) -> Option<String> {
    let actual = check.actual.as_deref()?;
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match (check.id, check.reason.as_deref()?) {
        (CheckId::ComposeHash, "no-expectation") => {
            (is_hex(actual) && actual.len() == 64).then(|| format!("--compose-hash {actual}"))
        }
        (CheckId::KeyProvider, "unpinned") => {
            let id = actual.strip_prefix("kms:")?;
            let is_id = is_hex(id) && (2..=MAX_ID).contains(&id.len());
            is_id.then(|| format!("--key-provider kms:{id}"))
        }
        _ => None,
    }
}

/// The explanation of a result's reason.
pub(super) fn reason_of(check: &CheckResult) -> Option<&'static Reason> {
    Check::of(check.id).reason(check.reason.as_deref()?)
}

/// A check and its reason: `image-pins [unpinned-image]`.
pub(super) fn named(check: &CheckResult) -> String {
    match &check.reason {
        Some(reason) => format!("{} [{reason}]", check.id),
        None => check.id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use cvm_verify_core::report::{Assurance, RequiredAssurance, SideTiers};

    #[test]
    fn the_verdict_names_tier_waivers_and_what_was_reached() {
        assert_eq!(verdict(&samples::pass()), "PASS (code)");
        assert_eq!(
            verdict(&samples::pass_with_waiver()),
            "PASS (code; waived: os-image; reached: hardware)"
        );
        assert_eq!(verdict(&samples::fail()), "FAIL");
        let mut target = samples::fail();
        target.waived = vec![CheckId::OsImage, CheckId::ImagePins];
        assert_eq!(verdict(&target), "FAIL (waived: os-image, image-pins)");
        assert_eq!(
            verdict(&samples::no_expectation()),
            "INCONCLUSIVE (required: code; reached: hardware)"
        );
    }

    #[test]
    fn what_was_accepted_in_writing_is_in_every_verdict() {
        let mut target = samples::pass_with_acceptance();
        assert_eq!(
            verdict(&target),
            "PASS (code; accepted by cvm.lock: development image; reached: hardware)"
        );
        assert!(!is_whole(&target));
        assert!(proven(&target, Mode::Live).ends_with("; what was accepted in writing is taken on trust"));
        samples::accept(&mut target, CheckId::TcbStatus, AcceptedKind::Tcb, "--accept-tcb");
        samples::accept(
            &mut target,
            CheckId::ImagePins,
            AcceptedKind::ReviewedPlace,
            "cvm.lock",
        );
        samples::accept(
            &mut target,
            CheckId::ImagePins,
            AcceptedKind::ReviewedPlace,
            "cvm.lock",
        );
        target.waived = vec![CheckId::KeyProvider];
        assert_eq!(
            verdict(&target),
            "PASS (code; waived: key-provider; accepted by cvm.lock: development image, 2 reviewed places; accepted by \
             --accept-tcb: TCB status; reached: hardware)"
        );
        target.verdict = Verdict::Fail;
        assert!(
            verdict(&target)
                .starts_with("FAIL (waived: key-provider; accepted by cvm.lock: development image,")
        );
        target.verdict = Verdict::Inconclusive;
        assert!(
            verdict(&target)
                .starts_with("INCONCLUSIVE (required: code; waived: key-provider; accepted by cvm.lock:")
        );
    }

    #[test]
    fn who_accepted_is_cut_and_counted() {
        let mut target = samples::pass();
        for number in 0..9 {
            let by = format!("{number}{}", "x".repeat(500));
            samples::accept(&mut target, CheckId::ImagePins, AcceptedKind::ReviewedPlace, &by);
        }
        let said = verdict(&target);
        assert!(
            said.chars().count() < 500 && said.contains("; accepted elsewhere: 4 more"),
            "{said}"
        );
    }

    #[test]
    fn nothing_that_was_waived_is_claimed() {
        let mut target = samples::pass();
        assert!(proven(&target, Mode::Live).starts_with("a genuine CVM runs this code;"));
        assert!(proven(&target, Mode::Replay).starts_with("a genuine CVM ran this code when"));
        target.waived = vec![CheckId::Freshness];
        target.assurance = Assurance::None;
        assert!(proven(&target, Mode::Live).starts_with("a genuine CVM ran this code when"));
        target.waived = vec![CheckId::Freshness, CheckId::ImagePins];
        assert!(proven(&target, Mode::Live).starts_with("a genuine CVM made this quote at some time;"));
        target.waived = vec![CheckId::OsImage];
        target.assurance = Assurance::Hardware;
        assert!(proven(&target, Mode::Live).contains("which code it runs, and"));
    }

    #[test]
    fn the_hardware_tier_claims_no_code_unless_it_was_reached() {
        let mut target = samples::pass();
        target.required = RequiredAssurance::Hardware;
        assert!(proven(&target, Mode::Live).starts_with("a genuine CVM runs this code;"));
        target.assurance = Assurance::Hardware;
        assert!(proven(&target, Mode::Live).contains("which code it runs, and"));
        assert_eq!(verdict(&target), "PASS (hardware)");
    }

    #[test]
    fn who_serves_the_address_is_claimed_by_its_tier_alone() {
        let mut target = samples::pass();
        let not_claimed = "that this address is served by it is not proven";
        assert!(proven(&target, Mode::Live).ends_with(not_claimed));
        for (side, words) in [
            (
                SideTier::Source,
                "the expected workflow states that it built every image from the expected source",
            ),
            (
                SideTier::EndpointReplayable,
                "that only this CVM holds the key is not proven",
            ),
            (
                SideTier::Endpoint,
                "a genuine CVM runs this code and serves this address",
            ),
        ] {
            target.assurance = Assurance::Code(SideTiers::NONE.with(side));
            assert!(proven(&target, Mode::Live).ends_with(words), "{side}");
            assert!(
                !proven(&target, Mode::Replay).contains("serves this address"),
                "{side}"
            );
        }
        target.waived = vec![CheckId::Freshness];
        assert!(!proven(&target, Mode::Live).contains("serves this address"));
    }

    #[test]
    fn only_a_pass_under_intels_root_speaks_of_a_genuine_cvm() {
        let mut target = samples::pass();
        target.trust_root = TrustRootKind::Custom;
        let said = proven(&target, Mode::Live);
        assert!(!said.contains("genuine") && !said.contains("CVM"));
        assert_eq!(proven(&samples::fail(), Mode::Live), "");
        assert_eq!(proven(&samples::no_expectation(), Mode::Live), "");
    }

    #[test]
    fn only_hex_is_offered_for_copying() {
        let mut target = samples::no_expectation();
        let check = samples::check_mut(&mut target, CheckId::ComposeHash);
        assert!(option_to_write_down(check).is_some_and(|option| option.starts_with("--compose-hash 3f9a")));
        check.actual = Some("x; rm -rf ~".to_owned());
        assert_eq!(option_to_write_down(check), None);
        samples::set(
            &mut target,
            CheckId::KeyProvider,
            Status::Warn,
            "unpinned",
            "Neither known nor named.",
        );
        let check = samples::check_mut(&mut target, CheckId::KeyProvider);
        for (actual, option) in [
            ("kms:3059", Some("--key-provider kms:3059")),
            ("kms:", None),
            ("kms:30 59", None),
            ("none", None),
        ] {
            check.actual = Some(actual.to_owned());
            assert_eq!(option_to_write_down(check).as_deref(), option, "{actual}");
        }
    }
}
