//! What was waived or accepted in writing, in words: the notes of the verdict line, and one line for each.

use cvm_verify_core::report::{Accepted, AcceptedKind, CheckId, TargetReport};

use super::escape::shorten;

/// Longest name of a file or option in the verdict line, in characters.
const MAX_BY: usize = 40;
/// How many files and options the verdict line names.
const MAX_GROUPS: usize = 5;
/// How many lines are shown for what was accepted.
const MAX_LINES: usize = 20;

/// The notes of the verdict line: `waived: os-image`, then `accepted by cvm.lock: development image` for each place where
/// that is written. `escape` is the rule of the format for an untrusted party's text: where something is written is the user's own
/// word in a run, and any text in a report that was read from a file.
pub(crate) fn notes(
    waived: &[CheckId],
    accepted: &[Accepted],
    escape: impl Fn(&str) -> String,
) -> Vec<String> {
    let mut notes = Vec::new();
    if !waived.is_empty() {
        notes.push(format!("waived: {}", list(waived)));
    }
    let groups = groups(accepted);
    for (by, kinds) in groups.iter().take(MAX_GROUPS) {
        let counted = AcceptedKind::ALL.into_iter().filter_map(|kind| {
            let count = kinds.iter().filter(|one| **one == kind).count();
            (count > 0).then(|| kind.counted(count))
        });
        let kinds: Vec<String> = counted.collect();
        notes.push(format!(
            "accepted by {}: {}",
            escape(&shorten(by, MAX_BY)),
            kinds.join(", ")
        ));
    }
    let more: usize = groups.iter().skip(MAX_GROUPS).map(|(_, kinds)| kinds.len()).sum();
    if more > 0 {
        notes.push(format!("accepted elsewhere: {more} more"));
    }
    notes
}

/// Names, with commas.
pub(super) fn list(ids: &[CheckId]) -> String {
    ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ")
}

/// The same as a sentence without a full stop, for alerts and annotations. Nothing if nothing was waived or accepted.
pub(crate) fn sentence(waived: &[CheckId], accepted: &[Accepted]) -> Option<String> {
    let notes = notes(waived, accepted, str::to_owned).join("; ");
    let mut chars = notes.chars();
    let first = chars.next()?;
    Some(format!("{}{}", first.to_ascii_uppercase(), chars.as_str()))
}

/// A line for each thing that was accepted, beside waivers, which have a row of their own among the checks. What a line
/// says may be an untrusted party's: escape it.
pub(super) fn lines(target: &TargetReport) -> Vec<String> {
    let all: Vec<&Accepted> = beside_waivers(&target.accepted).collect();
    let mut lines: Vec<String> = all.iter().take(MAX_LINES).map(|one| line(one)).collect();
    if all.len() > MAX_LINES {
        lines.push(format!("and {} more: see the JSON report", all.len() - MAX_LINES));
    }
    lines
}

fn line(one: &Accepted) -> String {
    let until = one.until.as_ref().map(|until| format!(" until {until}"));
    format!(
        "{} (by {}{}): {}",
        one.what.words(),
        shorten(&one.by, MAX_BY),
        until.unwrap_or_default(),
        one.reason
    )
}

fn beside_waivers(accepted: &[Accepted]) -> impl Iterator<Item = &Accepted> {
    accepted.iter().filter(|one| one.what != AcceptedKind::Waiver)
}

/// What each file and option accepts, in the order in which they first occur.
fn groups(accepted: &[Accepted]) -> Vec<(&str, Vec<AcceptedKind>)> {
    let mut groups: Vec<(&str, Vec<AcceptedKind>)> = Vec::new();
    for one in beside_waivers(accepted) {
        let by = file_of(&one.by);
        match groups.iter_mut().find(|(known, _)| *known == by) {
            Some((_, kinds)) => kinds.push(one.what),
            None => groups.push((by, vec![one.what])),
        }
    }
    groups
}

/// `cvm.lock` of `cvm.lock:12`: the lines of a file are one place in the verdict line.
fn file_of(by: &str) -> &str {
    match by.rsplit_once(':') {
        Some((file, line)) if !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()) => file,
        _ => by,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn the_lines_of_a_file_are_one_place_in_the_verdict_line_and_each_has_a_line_below_it() {
        let mut target = samples::pass();
        for by in ["cvm.lock:12", "cvm.lock:18", "--accept-tcb", "cvm.lock"] {
            samples::accept(&mut target, CheckId::ImagePins, AcceptedKind::ReviewedPlace, by);
        }
        assert_eq!(
            notes(&[], &target.accepted, str::to_owned),
            [
                "accepted by cvm.lock: 3 reviewed places",
                "accepted by --accept-tcb: reviewed place"
            ]
        );
        assert_eq!(lines(&target).len(), 4);
        assert!(lines(&target)[1].starts_with("reviewed place (by cvm.lock:18): dstack-dev-0.5.8 allows"));
    }

    #[test]
    fn nothing_accepted_says_nothing() {
        assert_eq!(sentence(&[], &[]), None);
        assert_eq!(
            sentence(&[CheckId::OsImage], &[]).as_deref(),
            Some("Waived: os-image")
        );
    }

    #[test]
    fn only_so_many_lines_are_shown() {
        let mut target = samples::pass();
        for _ in 0..MAX_LINES + 5 {
            samples::accept(
                &mut target,
                CheckId::ImagePins,
                AcceptedKind::ReviewedPlace,
                "cvm.lock",
            );
        }
        let lines = lines(&target);
        assert_eq!(lines.len(), MAX_LINES + 1);
        assert!(
            lines
                .last()
                .is_some_and(|line| line == "and 5 more: see the JSON report")
        );
    }
}
