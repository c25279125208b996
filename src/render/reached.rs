//! What `reached` and a pass over checks that did not pass mean, in sentences for somebody who sees them for the first time.

use super::cause::is_consequence;
use super::words::{reason_of, without_source};
use cvm_verify_core::report::{
    Assurance, CheckId, CheckResult, RequiredAssurance, Status, TargetReport, Tier, Verdict,
};
use cvm_verify_core::tiers::{grants_too_little, is_accepted, is_met, is_waived, required_from};

/// How many checks a sentence names.
const MAX_NAMED: usize = 4;

/// What is to be said below a verdict line, a sentence each. Empty for a plain pass and for a plain fail.
pub(super) fn explained(target: &TargetReport) -> Vec<String> {
    [not_asked_for(target), reached(target), open_rule(target)]
        .into_iter()
        .flatten()
        .collect()
}

/// Why a pass is above checks that did not pass: the tier does not require them.
fn not_asked_for(target: &TargetReport) -> Option<String> {
    let passes_hardware = target.verdict == Verdict::Pass && target.required == RequiredAssurance::Hardware;
    let undetermined = target
        .checks
        .iter()
        .filter(|check| check.status == Status::Error)
        .count();
    let checks = match undetermined {
        0 => return None,
        1 => "The check below that could not be determined does",
        _ => "The checks below that could not be determined do",
    };
    passes_hardware.then(|| {
        format!(
            "Only `hardware` was required: a genuine, patched machine. {checks} not count; which code runs there is not known."
        )
    })
}

/// Why the tier `source` is not reached where who built the images is as the rules say.
fn open_rule(target: &TargetReport) -> Option<String> {
    let check = without_source(target)?;
    Some(match check.status {
        Status::Warn => {
            "`not reached: source`: every image is as its rule says, but a script before the containers, which could start others, is \
             neither known nor in the lock. Read it, pin it (`cvm-verify pin`) and give the lock."
        }
        _ => {
            "`not reached: source`: every image is as its rule says, but a rule accepts any workflow, any branch, any ref of a reusable \
             workflow, or a signature without provenance. Name what is missing in that rule (`workflow`; `ref` or `commit`; `workflow-ref` \
             of a reusable workflow), and attest provenance of an image that is only signed."
        }
    }
    .to_owned())
}

/// What the tier after `reached:` means, and which checks are short of the next one. Said if the verdict line says
/// `reached:`.
fn reached(target: &TargetReport) -> Option<String> {
    let is_said = match target.verdict {
        Verdict::Pass => target.assurance != target.required.into(),
        Verdict::Inconclusive => true,
        Verdict::Fail => false,
    };
    let (means, is_missing): (String, &dyn Fn(&CheckResult) -> bool) = match target.assurance {
        Assurance::None => (
            "`reached: none`: not even the tier `hardware` (a fresh quote of a genuine, patched machine) is met by proof alone"
                .to_owned(),
            &|check| is_short_of(target, check, Tier::Hardware),
        ),
        Assurance::Hardware => (
            "`reached: hardware`: the tier `hardware` (a fresh quote of a genuine, patched machine) is met by proof alone, and `code` \
             (which code it runs) is not"
                .to_owned(),
            &|check| is_short_of(target, check, Tier::Code),
        ),
        Assurance::Code(sides) => {
            let required = target.required.sides().iter();
            let missing: Vec<String> = required
                .filter(|side| !sides.includes(*side))
                .map(|side| format!("`{side}`"))
                .collect();
            if missing.is_empty() {
                return None;
            }
            let means = format!(
                "`reached: {}`: the tier `code` is met by proof alone, and {}, required in addition, is not",
                target.assurance,
                missing.join(" and ")
            );
            (means, &|check| grants_too_little(check, target.required))
        }
    };
    // Above the required tier nothing is missing.
    let is_above = target.assurance.tier() >= Some(target.required.tier());
    if !is_said || (is_above && target.verdict == Verdict::Pass) {
        return None;
    }
    let short: Vec<String> = target
        .checks
        .iter()
        .filter(|check| is_missing(check) && !is_consequence(check))
        .map(|check| why(target, check))
        .collect();
    let named = short
        .iter()
        .take(MAX_NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    Some(match short.len() {
        0 => format!("{means}."),
        count if count > MAX_NAMED => {
            format!("{means}. Missing for it: {named} and {} more.", count - MAX_NAMED)
        }
        _ => format!("{means}. Missing for it: {named}."),
    })
}

/// Whether a check keeps the assurance below a tier.
fn is_short_of(target: &TargetReport, check: &CheckResult, tier: Tier) -> bool {
    let required = required_from(check.id).is_some_and(|from| from <= tier);
    required && (!is_met(check) || is_accepted(check, &target.accepted))
}

fn why(target: &TargetReport, check: &CheckResult) -> String {
    let id: CheckId = check.id;
    if is_waived(check) {
        format!("{id} (waived)")
    } else if is_accepted(check, &target.accepted) {
        format!("{id} (accepted in writing)")
    } else {
        // Only a reason of ours: a report that was read from a file may hold any text.
        reason_of(check).map_or_else(|| id.to_string(), |reason| format!("{id} [{}]", reason.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use cvm_verify_core::report::SideTier;

    #[test]
    fn a_plain_pass_and_a_plain_fail_need_no_explanation() {
        assert!(explained(&samples::pass()).is_empty());
        assert!(explained(&samples::fail()).is_empty());
    }

    #[test]
    fn a_waiver_says_what_was_reached_and_what_is_missing() {
        assert_eq!(
            explained(&samples::pass_with_waiver()),
            [
                "`reached: hardware`: the tier `hardware` (a fresh quote of a genuine, patched machine) is met by proof alone, and `code` (which code it runs) is not. Missing for it: os-image (waived)."
            ]
        );
    }

    #[test]
    fn a_source_rule_that_is_open_says_why_its_tier_is_missing() {
        let open = |sides: &str| {
            let mut target = samples::pass();
            let check = samples::check_mut(&mut target, CheckId::SourceProvenance);
            (check.status, check.reason, check.grants) = (Status::Pass, None, None);
            target.required = sides.parse().unwrap();
            target
        };
        let said = explained(&open("code"));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].contains("any branch") && said[0].contains("Name what is missing"),
            "{said:?}"
        );
        let mut target = open("code+source");
        target.verdict = Verdict::Inconclusive;
        assert_eq!(explained(&target).len(), 2);
        samples::check_mut(&mut target, CheckId::SourceProvenance).grants = Some(SideTier::Source);
        assert_eq!(explained(&target).len(), 1);
    }

    #[test]
    fn a_pass_over_checks_that_were_not_determined_says_why_they_do_not_count() {
        let mut target = samples::pass();
        target.required = RequiredAssurance::Hardware;
        target.assurance = Assurance::Hardware;
        for id in [CheckId::EventLog, CheckId::BootOrder, CheckId::ComposeHash] {
            samples::set(
                &mut target,
                id,
                Status::Error,
                "event-log-not-proven",
                "Not determined.",
            );
        }
        let said = explained(&target);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("Only `hardware` was required"), "{said:?}");
    }

    #[test]
    fn nothing_reached_names_the_causes_and_not_their_consequences() {
        assert_eq!(
            explained(&samples::unreachable()),
            [
                "`reached: none`: not even the tier `hardware` (a fresh quote of a genuine, patched machine) is met by proof \
                 alone. Missing for it: evidence [unreachable]."
            ]
        );
    }
}
