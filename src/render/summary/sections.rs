//! The parts of the summary, each a piece of Markdown that ends with an empty line.

use super::headline::{fix, named};
use super::long_hex::shortened;
use crate::render::alert::{self, Delivery};
use crate::render::cause::{causes, is_to_act_on};
use crate::render::escape::{code, markdown, prose};
use crate::render::own_words::cell;
use crate::render::{accepted, attempts, banner, diff_lines, marks, measured, more, older_attempts, words};
use cvm_verify_core::checks::Check;
use cvm_verify_core::report::{CheckResult, Report, Status, TargetReport};

/// One row per check: result, what was found, what a pass proves, which attack that prevents. What there is something
/// to do about is first.
///
/// Two columns, for no table of more can be read on a phone without moving it sideways.
pub(super) fn checks(target: &TargetReport) -> String {
    let mut table =
        "| Check | Found; what a pass proves; which attack that prevents |\n|---|---|\n".to_owned();
    let urgent = to_act_on(target);
    let others = target
        .checks
        .iter()
        .filter(|check| !urgent.iter().any(|urgent| urgent.id == check.id));
    for check in urgent.iter().copied().chain(others) {
        let about = Check::of(check.id);
        table.push_str(&format!(
            "| {} {}<br>**{}** | {}<br><sub>{}: {}<br>Prevents: {}</sub> |\n",
            marks::status(check.status),
            words::status(check.status),
            check.id,
            prose(&shortened(&words::detail(target, check))),
            proves(target, check),
            cell(about.proves),
            cell(about.prevents),
        ));
    }
    table.push('\n');
    table
}

/// Only a pass under Intel's root proves what a check is for.
fn proves(target: &TargetReport, check: &CheckResult) -> &'static str {
    match check.status {
        Status::Pass if banner::is_simulated(target) => "Would prove under Intel's root",
        Status::Pass => "Proves",
        Status::Warn | Status::Fail | Status::Error | Status::Skip => "A pass would prove",
    }
}

/// The attempts of the run that did not pass, before the one that this is the result of.
pub(super) fn earlier_attempts(target: &TargetReport) -> String {
    attempts::earlier(target).map_or_else(String::new, |said| format!("{}\n\n", prose(&said)))
}

/// What was accepted in writing, and why that was needed.
pub(super) fn accepted(target: &TargetReport) -> String {
    let lines = accepted::lines(target);
    if lines.is_empty() {
        return String::new();
    }
    let list: String = lines.iter().map(|line| format!("- {}\n", prose(line))).collect();
    format!("#### Accepted in writing: not proven\n\n{list}\n")
}

/// What was measured: the identity in sight, the registers folded away.
pub(super) fn measured(target: &TargetReport) -> String {
    let lines = measured::lines(target);
    if lines.is_empty() {
        return String::new();
    }
    let shown: String = lines.iter().map(|(label, value)| line(label, value)).collect();
    let registers: String = measured::registers(target)
        .iter()
        .map(|(label, value)| line(label, value))
        .collect();
    let folded = if registers.is_empty() {
        String::new()
    } else {
        format!("<details><summary>Registers</summary>\n\n{registers}\n</details>\n\n")
    };
    format!("#### {}\n\n{shown}\n{folded}", measured::heading(target))
}

/// What to do about each check.
pub(super) fn fixes(target: &TargetReport) -> String {
    let mut list = String::new();
    for check in to_act_on(target) {
        let fix = check.fix.as_deref().map(|text| format!(": {}", fix(check, text)));
        list.push_str(&format!("- {}{}\n", named(check), fix.unwrap_or_default()));
        if let Some(more) = more::markdown(check) {
            list.push_str(&format!("  - more: {more}\n"));
        }
        let location = words::location(check);
        for (label, value) in [
            ("expected", &check.expected),
            ("actual", &check.actual),
            ("written in", &location),
        ] {
            if let Some(value) = value {
                list.push_str(&format!("  - {label} {}\n", code(value)));
            }
        }
    }
    if list.is_empty() {
        return list;
    }
    format!("#### How to fix\n\n{list}\n")
}

/// What differs from the expected compose document.
pub(super) fn compose_diff(target: &TargetReport) -> String {
    if target.compose_diff.is_empty() {
        return String::new();
    }
    format!(
        "#### What differs: what is expected (-), what was measured (+)\n\n{}",
        diff_lines::in_markdown(&target.compose_diff)
    )
}

/// What the result relies on, and how to look again.
pub(super) fn evidence(target: &TargetReport) -> String {
    let evidence = &target.evidence;
    let list: String = [
        ("bundle", &evidence.bundle),
        ("address", &target.url),
        ("instances", &target.instances.map(measured::instances)),
        ("SHA-256 of what was signed", &evidence.signed_sha256),
        (
            "SHA-256 of the file of reference values",
            &evidence.reference_values_sha256,
        ),
        ("judged as of", &Some(target.evaluated_at.to_string())),
    ]
    .into_iter()
    .filter_map(|(label, value)| value.as_ref().map(|value| line(label, value)))
    .collect();
    let again = evidence.bundle.as_ref().map_or(
        "",
        |_| "`cvm-verify replay` with the bundle verifies it again on any machine, offline.\n\n",
    );
    format!("#### Evidence\n\n{list}\n{again}")
}

/// The alerts that did not arrive.
pub(super) fn alerts(report: &Report) -> String {
    const MOST: usize = 50;
    let mut list = String::new();
    let alerts = alert::lines(report.alerts.iter().filter(|alert| !alert.delivered));
    for (delivery, about) in alerts.iter().take(MOST) {
        let mark = match delivery {
            Delivery::Delivered => marks::status(Status::Pass),
            Delivery::Skipped => marks::status(Status::Skip),
            Delivery::Failed => marks::status(Status::Warn),
        };
        list.push_str(&format!(
            "{mark} **{}:** {}\n\n",
            delivery.as_str(),
            markdown(about)
        ));
    }
    if let Some(more @ 1..) = alerts.len().checked_sub(MOST) {
        list.push_str(&format!("And {more} more of them.\n\n"));
    }
    list
}

/// Alerts, and which program wrote this.
pub(super) fn end(report: &Report) -> String {
    let older: String = older_attempts::lines(report)
        .iter()
        .map(|line| format!("- {}\n", prose(line)))
        .collect();
    let mut end = if older.is_empty() {
        String::new()
    } else {
        format!("#### Not verified again\n\n{older}\n")
    };
    end.push_str(&alerts(report));
    let tool = &report.tool;
    let seconds = report.duration_ms / 1_000;
    let tenths = report.duration_ms % 1_000 / 100;
    end.push_str(&format!(
        "<sub>{} {} ({}), {}, took {seconds}.{tenths} s</sub>\n",
        markdown(&tool.name),
        markdown(&tool.version),
        markdown(&tool.git),
        markdown(&report.started_at),
    ));
    end
}

/// The checks that there is something to do about, the causes of the verdict first.
fn to_act_on(target: &TargetReport) -> Vec<&CheckResult> {
    let causes = causes(target);
    let is_cause = |check: &CheckResult| causes.iter().any(|cause| cause.id == check.id);
    let others = target
        .checks
        .iter()
        .filter(|check| is_to_act_on(check, &causes) && !is_cause(check));
    causes.iter().copied().chain(others).collect()
}

fn line(label: &str, value: &str) -> String {
    format!("- {label} {}\n", code(value))
}
