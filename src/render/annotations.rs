//! GitHub's workflow commands: the lines next to a run that people see before they open anything.

use super::alert::{self, Delivery};
use super::alike::groups;
use super::cause::{causes, is_to_act_on};
use super::escape::{shorten, workflow_data, workflow_property};
use super::{accepted, words};
use cvm_verify_core::report::{CheckResult, Report, Status, TargetReport, Verdict, and_more};

/// GitHub shows ten of each kind per step. Ten in all leave every one of them seen.
const MOST: usize = 10;
/// Longest text of an untrusted party, in characters.
const MAX_DETAIL: usize = 200;
/// Longest problem with a file, in characters.
const MAX_PROBLEM: usize = 500;
/// Longest path of a file, in characters.
const MAX_PATH: usize = 500;
/// Longest name of a target, in characters.
const MAX_NAME: usize = 80;

/// How loud an annotation is, the loudest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Error,
    Warning,
    Notice,
}

/// A `warning` for each alert that was not delivered, a `notice` for each whose secret is not there, a line each, at most ten.
#[must_use]
pub fn alert_annotations(report: &Report) -> String {
    at_most_ten(of_alerts(report).collect(), "see the report")
}

/// A line each, the most important first. The tenth counts those that are left out, and says where they are.
fn at_most_ten(mut all: Vec<Annotation>, place: &str) -> String {
    all.sort_by_key(|annotation| (annotation.level, annotation.rank));
    if all.len() > MOST {
        let left_out = all.split_off(MOST - 1);
        let level = left_out
            .first()
            .map_or(Level::Notice, |annotation| annotation.level);
        let message = format!("And {} more: {place}.", left_out.len());
        all.push(Annotation::new(level, "cvm-verify".to_owned(), message));
    }
    all.iter().map(line).collect()
}

/// A `notice` that these inputs of alert channels, with commas, are given and empty.
#[must_use]
pub fn empty_channels(inputs: &str) -> String {
    line(&Annotation::new(
        Level::Notice,
        "alert channel without a secret".to_owned(),
        format!(
            "These inputs are given and empty, so nothing is sent there: {inputs}. Check the name of the secret: a \
             misspelt one is empty. In a run for a fork all secrets are."
        ),
    ))
}

/// An `error` for each result that could not be written, a line each, at most ten.
#[must_use]
pub fn lost_results(problems: &[String]) -> String {
    let annotation = |problem: &String| {
        line(&Annotation::new(
            Level::Error,
            "cvm-verify: a result is lost".to_owned(),
            format!(
                "{}. Make room on the disk, or let this run write there, and run it again.",
                shorten(problem, MAX_PROBLEM)
            ),
        ))
    };
    problems.iter().take(MOST).map(annotation).collect()
}

fn of_alerts(report: &Report) -> impl Iterator<Item = Annotation> {
    alert::lines(&report.alerts)
        .into_iter()
        .filter_map(|(delivery, about)| {
            let level = match delivery {
                Delivery::Delivered => return None,
                Delivery::Skipped => Level::Notice,
                Delivery::Failed => Level::Warning,
            };
            let text = shorten(&about, MAX_DETAIL).into_owned();
            Some(Annotation::new(level, delivery.as_str().to_owned(), text))
        })
}

/// One line next to the run.
struct Annotation {
    level: Level,
    /// How many causes of the same target come before it.
    rank: usize,
    title: String,
    message: String,
    /// The line of a file in the repository that it is about.
    place: Option<(String, usize)>,
}

impl Annotation {
    /// One about no file.
    const fn new(level: Level, title: String, message: String) -> Self {
        Self {
            level,
            rank: 0,
            title,
            message,
            place: None,
        }
    }
}

/// At most ten workflow commands, a line each, the most important first, and those of every target before the further ones of one; empty
/// for a clean pass. More than three targets that are alike have theirs together.
///
/// An `error` for each cause of a fail; a `warning` for each cause of an inconclusive verdict, for a simulation, for
/// waivers and for alerts that were not delivered; a `notice` for what else a passing target warns of. What only
/// follows from another check has none. A check whose expectation a file of the repository holds is shown at that line:
/// `in_repository` gives the path of a file from the root of the repository, where it is in it. Print it to standard output,
/// where the runner reads it.
#[must_use]
pub fn annotations(report: &Report, in_repository: impl Fn(&str) -> Option<String>) -> String {
    let targets = &report.targets;
    let groups = groups(targets.iter());
    let mut all: Vec<Annotation> = groups
        .iter()
        .flat_map(|group| of_checks(group, &in_repository))
        .collect();
    all.extend(groups.iter().filter_map(|group| of_reservations(group)));
    if targets.is_empty() {
        let title = words::verdict_word(report.verdict).to_owned();
        all.push(Annotation::new(Level::Warning, title, words::summary(report)));
    }
    all.extend(of_alerts(report));
    at_most_ten(all, "see the job summary")
}

/// The causes of a verdict; of a pass, its warnings.
fn of_checks(group: &[&TargetReport], in_repository: &impl Fn(&str) -> Option<String>) -> Vec<Annotation> {
    let Some(target) = group.first() else {
        return Vec::new();
    };
    let level = match target.verdict {
        Verdict::Fail => Level::Error,
        Verdict::Inconclusive => Level::Warning,
        Verdict::Pass => Level::Notice,
    };
    let title = format!("{} {}", words::verdict_word(target.verdict), name(group));
    let causes = causes(target);
    let shown: Vec<&CheckResult> = match target.verdict {
        Verdict::Pass => target
            .checks
            .iter()
            .filter(|check| is_to_act_on(check, &causes))
            .collect(),
        Verdict::Fail | Verdict::Inconclusive => causes,
    };
    if shown.is_empty() && target.verdict != Verdict::Pass {
        return vec![Annotation::new(level, title, words::UNDETERMINED.to_owned())];
    }
    let annotation = |(rank, check): (usize, &&CheckResult)| Annotation {
        rank,
        // What could not be determined next to a fail is told below the fails.
        level: if level == Level::Error && check.status != Status::Fail {
            Level::Warning
        } else {
            level
        },
        title: format!("{title}: {}", check.id),
        message: message(target, check),
        place: check
            .location
            .as_ref()
            .and_then(|location| Some((in_repository(&location.file)?, location.line))),
    };
    shown.iter().enumerate().map(annotation).collect()
}

/// What a verdict must not be read without: another root than Intel's, what was waived or accepted in writing.
fn of_reservations(group: &[&TargetReport]) -> Option<Annotation> {
    let target = group.first()?;
    let simulated = target.simulated().map(|said| format!("{said}."));
    let accepted =
        accepted::sentence(&target.waived, &target.accepted).map(|sentence| format!("{sentence}."));
    let all: Vec<String> = [simulated, accepted].into_iter().flatten().collect();
    (!all.is_empty()).then(|| {
        let title = format!("{} {}", words::verdict(target), name(group));
        Annotation::new(Level::Warning, title, all.join(" "))
    })
}

/// The first of the group, and how many others there are.
fn name(group: &[&TargetReport]) -> String {
    let first = group.first().map(|target| shorten(&target.name, MAX_NAME));
    format!(
        "{}{}",
        first.unwrap_or_default(),
        and_more("", group.len().saturating_sub(1))
    )
}

/// What was found and what to do, on one line.
fn message(target: &TargetReport, check: &CheckResult) -> String {
    let detail = words::detail(target, check);
    let found = shorten(&detail, MAX_DETAIL);
    let hash = words::option_to_write_down(check);
    let fix = check
        .fix
        .as_deref()
        .map(|fix| format!("What to do: {}", shorten(fix, 2 * MAX_DETAIL)));
    let parts: Vec<String> = [Some(found.into_owned()), hash, fix]
        .into_iter()
        .flatten()
        .collect();
    parts.join(" ")
}

fn line(annotation: &Annotation) -> String {
    let command = match annotation.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    };
    let place = annotation.place.as_ref().map(|(file, line)| {
        let file = workflow_property(&shorten(file, MAX_PATH));
        format!("file={file},line={line},")
    });
    format!(
        "::{command} {}title={}::{}\n",
        place.unwrap_or_default(),
        workflow_property(&annotation.title),
        workflow_data(&annotation.message),
    )
}

#[cfg(test)]
#[path = "annotations_tests.rs"]
mod tests;
