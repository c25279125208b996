//! The checks of a target as lines of text.

use super::cause::{is_consequence, is_to_act_on};
use super::escape::{shorten, terminal};
use super::page::{Ink, TextPage};
use super::{accepted, diff_lines, words};
use cvm_verify_core::report::{CheckId, CheckResult, Status, TargetReport};
use cvm_verify_core::tiers::is_required;

/// Longest detail, in characters.
pub(super) const MAX_DETAIL: usize = 600;
/// Longest expected or found value, in characters: two report data and more.
pub(super) const MAX_VALUE: usize = 1_000;

/// Where ids begin: behind the marker.
const ID: usize = 9;
/// Where details begin: behind the longest id.
const DETAIL: usize = ID + LONGEST_ID + 2;
/// The longest name of a check, in characters.
#[expect(
    clippy::indexing_slicing,
    reason = "the compiler evaluates it: an index out of bounds would not build"
)]
const LONGEST_ID: usize = {
    let (mut longest, mut at) = (0, 0);
    while at < CheckId::ALL.len() {
        let length = CheckId::ALL[at].as_str().len();
        if length > longest {
            longest = length;
        }
        at += 1;
    }
    longest
};
/// Where values begin: behind `expected`, in the id's column.
const VALUE: usize = 19;

/// One line per check; below it, where something is to be done, what was expected, what was found, and what to do.
/// What only follows from another check is told in one line for each reason.
///
/// `causes` are the checks that the verdict hangs on. What to do about the first was said above the table already.
pub(super) fn write(page: &mut TextPage, target: &TargetReport, causes: &[&CheckResult]) {
    for check in target.checks.iter().filter(|check| !is_consequence(check)) {
        let detail = words::detail(target, check);
        let detail = shorten(&detail, MAX_DETAIL);
        let text = match &check.reason {
            Some(reason) => format!("{} [{}]", terminal(&detail), terminal(reason)),
            None => terminal(&detail).into_owned(),
        };
        row(
            page,
            check.status,
            check.id.as_str(),
            detail_ink(check.status),
            &text,
        );
        if is_to_act_on(check, causes) {
            let is_shown = causes.first().is_some_and(|first| first.id == check.id);
            below(page, check, is_shown);
            if check.id == CheckId::ComposeHash {
                diff_lines::on_page(page, ID, &target.compose_diff);
            }
        }
    }
    consequences(page, target);
}

/// The values and the next step.
fn below(page: &mut TextPage, check: &CheckResult, is_shown: bool) {
    let fix = check.fix.as_ref().filter(|_| !is_shown);
    let location = words::location(check);
    for (label, value) in [
        ("expected", check.expected.as_ref()),
        ("actual", check.actual.as_ref()),
        ("written", location.as_ref()),
        ("fix", fix),
    ] {
        if let Some(value) = value {
            let lead = format!(
                "{}{}",
                " ".repeat(ID),
                page.ink(Ink::Dim, &format!("{label:<10}"))
            );
            let value = shorten(value, MAX_VALUE);
            let value = terminal(&value);
            match label {
                "fix" => page.advice(&lead, VALUE, Ink::Plain, &value),
                _ => page.hanging(&lead, VALUE, Ink::Plain, &value),
            }
        }
    }
}

/// What was not determined because another check did not pass, in the order of the checks.
fn consequences(page: &mut TextPage, target: &TargetReport) {
    let mut groups: Vec<(&str, Vec<CheckId>)> = Vec::new();
    for check in target.checks.iter().filter(|check| is_consequence(check)) {
        let reason = check.reason.as_deref().unwrap_or_default();
        match groups.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, ids)) => ids.push(check.id),
            None => groups.push((reason, vec![check.id])),
        }
    }
    for (reason, ids) in groups {
        let (label, text) = match ids.as_slice() {
            [id] => (id.to_string(), format!("Not determined. [{}]", terminal(reason))),
            ids => (
                format!("{} checks", ids.len()),
                format!("Not determined: {}. [{}]", named(ids, target), terminal(reason)),
            ),
        };
        row(page, Status::Error, &label, Ink::Dim, &text);
    }
}

/// The checks by name that the required tier asks for; of the others, which nobody may have asked for, how many.
fn named(ids: &[CheckId], target: &TargetReport) -> String {
    let (required, others): (Vec<CheckId>, Vec<CheckId>) =
        ids.iter().partition(|id| is_required(**id, target.required));
    match (required.as_slice(), others.len()) {
        ([], _) | (_, 0) => accepted::list(ids),
        (required, count) => {
            format!(
                "{}; and {count} that `{}` does not require",
                accepted::list(required),
                target.required
            )
        }
    }
}

fn row(page: &mut TextPage, status: Status, id: &str, detail_ink: Ink, detail: &str) {
    let marker = page.ink(ink(status), &format!("{:<5}", words::status(status)));
    let lead = format!("  {marker}  {id:<width$}", width = DETAIL - ID);
    page.hanging(&lead, DETAIL, detail_ink, detail);
}

const fn ink(status: Status) -> Ink {
    match status {
        Status::Pass => Ink::Green,
        Status::Warn | Status::Error => Ink::Yellow,
        Status::Fail => Ink::Red,
        Status::Skip => Ink::Dim,
    }
}

const fn detail_ink(status: Status) -> Ink {
    match status {
        Status::Skip => Ink::Dim,
        Status::Pass | Status::Warn | Status::Fail | Status::Error => Ink::Plain,
    }
}
