//! What is in an issue and its comments: Markdown, with every text of an untrusted party's escaped, and a state that nobody
//! sees.
//!
//! The first line of an issue's body is a mark with the target's id, the second a block of JSON with what was reported.
//! Neither counts anywhere else, and neither holds a word that a CVM chose; a `<` in the rest is an entity, so no text
//! makes a comment of HTML.

use std::fmt::Write as _;

use super::event::AlertEvent;
use super::incident::{State, TargetId, TargetState};
use super::message::Message;
use super::sanitize::sanitize;
use crate::render::escape::{code, markdown, prose};
use cvm_verify_core::report::rfc3339;

/// Largest visible part, in bytes: with the state it is below the 65,536 characters that GitHub takes.
const MAX_TEXT: usize = 40_000;
/// Largest state, in bytes.
const MAX_MEMORY: usize = 16_000;
/// Longest title. GitHub takes 256 characters.
const MAX_TITLE: usize = 200;
/// Longest address of a link.
const MAX_LINK: usize = 500;

const STATE: (&str, &str) = ("<!-- cvm-verify:state=", " -->");

/// The mark of a target's issue.
fn mark(target: TargetId) -> String {
    format!("<!-- cvm-verify:target={target} -->")
}

/// The title: the target's name alone, since titles stay when what fails changes.
pub(super) fn title(message: &Message) -> String {
    let name: String = message
        .name
        .chars()
        .map(|c| {
            if matches!(c, '`' | '@' | '#' | ':') {
                '_'
            } else {
                c
            }
        })
        .collect();
    sanitize(&format!("cvm-verify: {name} does not pass"), MAX_TITLE)
}

/// The body of an issue.
pub(super) fn body(message: &Message, target: TargetId, state: &TargetState) -> String {
    let text = fitting(message);
    let footer = "*cvm-verify keeps this issue up to date and closes it when the target passes again by the same policy. \
                  The first two lines of its source are its alert state.*";
    format!("{}\n\n{text}\n{footer}\n", hidden(target, state))
}

/// The body of an issue that says the same, with another state.
pub(super) fn with_state(body: &str, target: TargetId, state: &TargetState) -> String {
    let visible: String = body.split_inclusive('\n').skip(2).collect();
    format!("{}\n{visible}", hidden(target, state))
}

/// A comment on it.
pub(super) fn comment(message: &Message) -> String {
    format!("**{}**\n\n{}", heading(message.event), fitting(message))
}

/// The first two lines of an issue's body, which nobody sees: its target, and what is remembered of it.
#[must_use]
pub fn hidden(target: TargetId, state: &TargetState) -> String {
    format!("{}\n{}", mark(target), state_block(target, state))
}

/// What the body of an issue says in its first two lines: its target, and the state of it where that can be read.
#[must_use]
pub fn remembered(body: &str) -> Option<(TargetId, Option<TargetState>)> {
    let target = target_of(body)?;
    Some((target, memory_of(body, target)))
}

/// The target that an issue is about.
fn target_of(body: &str) -> Option<TargetId> {
    let first = body.lines().next()?.trim_end();
    let id = first
        .strip_prefix("<!-- cvm-verify:target=")?
        .strip_suffix(" -->")?;
    let id = TargetId::parse(id)?;
    (mark(id) == first).then_some(id)
}

/// What an issue remembers of its target. `None` where that cannot be read: then everything is reported again.
fn memory_of(body: &str, target: TargetId) -> Option<TargetState> {
    let second = body.lines().nth(1)?.trim_end();
    let json = second.strip_prefix(STATE.0)?.strip_suffix(STATE.1)?;
    State::parse(json.as_bytes()).ok()?.get(target).cloned()
}

/// A state that does not fit is left out: it counts as none.
fn state_block(target: TargetId, state: &TargetState) -> String {
    let mut all = State::default();
    all.set(target, state.clone());
    // Two hyphens would end the comment: a name may hold them.
    let json = all.to_json().replace("--", "-\\u002d");
    let hidden = if json.len() <= MAX_MEMORY { &json } else { "" };
    format!("{}{hidden}{}", STATE.0, STATE.1)
}

const fn heading(event: AlertEvent) -> &'static str {
    match event {
        AlertEvent::Failed => "It fails.",
        AlertEvent::Inconclusive => "It could not be determined whether it passes.",
        AlertEvent::Changed => "It changed.",
        AlertEvent::Recovered => "It recovered.",
        AlertEvent::Reminder => "It goes on.",
        AlertEvent::Expiring => "Something that the pass relies on ends soon.",
        AlertEvent::Test => "This is a test.",
    }
}

/// The text with as many of its checks as fit.
fn fitting(message: &Message) -> String {
    let fits = |text: &String| text.len() <= MAX_TEXT;
    message.with_checks_that_fit(usize::MAX, |shown| text(message, shown), fits)
}

fn text(message: &Message, shown: usize) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for label in &message.labels {
        let _ = writeln!(text, "**{}**\n", prose(label));
    }
    let _ = writeln!(
        text,
        "**{} {}:** {}\n",
        message.word(),
        code(&message.name),
        prose(&message.cause)
    );
    let _ = writeln!(text, "**Next:** {}\n", prose(&message.next));
    if shown > 0 {
        let _ = writeln!(text, "| check | result | reason | found |\n|---|---|---|---|");
    }
    for check in message.failed.iter().take(shown) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            check.id,
            check.status.as_str(),
            markdown(check.reason.as_deref().unwrap_or("–")),
            prose(&check.detail)
        );
    }
    if let Some(sentence) = message.hidden_checks(shown) {
        let _ = writeln!(
            text,
            "
{sentence}"
        );
    }
    if let Some(accepted) = message.accepted() {
        let _ = writeln!(text, "\n{}.", prose(&accepted));
    }
    let address = message
        .url
        .as_deref()
        .map(code)
        .map(|url| format!("Target: {url}. "));
    let run = message
        .run_link(MAX_LINK)
        .map(|url| format!(" [Open the run](<{url}>)."));
    let _ = writeln!(
        text,
        "\n{}Told at {}.{}",
        address.unwrap_or_default(),
        rfc3339(message.at),
        run.unwrap_or_default()
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::incident::{Observation, PolicyEntry, Rules, decide};
    use crate::alert::message::RunContext;
    use crate::alert::samples;
    use crate::alert::slack_text::tests::hostile;
    use cvm_verify_core::policy::Policy;
    use cvm_verify_core::report::TargetReport;
    use proptest::prelude::*;

    fn state(report: &TargetReport) -> TargetState {
        state_of(report, None)
    }

    fn state_of(report: &TargetReport, entry: Option<PolicyEntry>) -> TargetState {
        let observation = Observation::of(report, Policy::default().fingerprint(), 1_786_622_400);
        let observation = observation.of_entry(entry);
        let (mut state, due) = decide(
            None,
            1_786_622_400,
            &observation,
            &["slack", "github-issue"],
            &Rules::default(),
        );
        for due in &due {
            state.record(due, 1_786_622_400);
        }
        state
    }

    #[test]
    fn what_is_remembered_may_hold_the_end_of_a_comment() {
        let id = TargetId::of("shop");
        for name in ["shop--eu", "xn--a---b", "a-->b", "a--!>b"] {
            let entry = PolicyEntry::new(None, name);
            let kept = state_of(&samples::fail(), Some(entry));
            let body = hidden(id, &kept);
            assert_eq!(body.matches("--").count(), 4, "{body}");
            assert_eq!(remembered(&body), Some((id, Some(kept))), "{name}");
        }
    }

    fn page(report: &TargetReport, context: &RunContext<'_>) -> String {
        let message = Message::new(report, AlertEvent::Failed, context, [1; 16]);
        body(&message, TargetId::of(&report.name), &state(report))
    }

    #[test]
    fn the_body_of_an_issue() {
        insta::assert_snapshot!(page(&samples::fail(), &samples::context()));
    }

    #[test]
    fn a_comment() {
        let message = Message::new(
            &samples::pass(),
            AlertEvent::Recovered,
            &samples::context(),
            [1; 16],
        );
        insta::assert_snapshot!(comment(&message));
    }

    #[test]
    fn what_an_issue_remembers_is_read_from_its_first_two_lines_alone() {
        let report = samples::fail();
        let id = TargetId::of(&report.name);
        let page = page(&report, &samples::context());
        assert_eq!(target_of(&page), Some(id));
        assert_eq!(memory_of(&page, id), Some(state(&report)));
        // As GitHub's editor stores it.
        assert_eq!(memory_of(&page.replace('\n', "\r\n"), id), Some(state(&report)));
        let moved = format!("\n{page}");
        assert_eq!((target_of(&moved), memory_of(&moved, id)), (None, None));
        assert_eq!(memory_of(&page, TargetId::of("other")), None);
        for damaged in [
            page.replace("\"seen\"", "\"seeen\""),
            page.replace("alert-state/v1", "v2"),
            String::new(),
        ] {
            assert_eq!(memory_of(&damaged, id), None);
        }
        for odd in [
            "",
            "<!-- cvm-verify:target= -->",
            "<!-- cvm-verify:target=00 -->",
            &mark(id).to_uppercase(),
        ] {
            assert_eq!(target_of(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_limits_hold_and_what_is_left_out_is_counted() {
        for piece in ["x", "|", "{", "\u{202e}", "🦀", "@#"] {
            let page = page(&samples::all_fail(&piece.repeat(5000)), &samples::context());
            assert!(page.chars().count() < 65_536, "{piece}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn hostile_text_makes_no_mark_mention_or_reference(text in hostile(), run in hostile()) {
            let run_url = format!("https://forge.example/{run}");
            let context = RunContext { run_url: Some(&run_url), ..samples::context() };
            let text = format!("{text}<!-- cvm-verify:target=00 --> @acme #1 {text}");
            let page = page(&samples::all_fail(&text), &context);
            let visible: String = page.lines().skip(2).collect();
            prop_assert!(!visible.contains("<!--") && !visible.contains("@acme") && !visible.contains("#1 "));
            prop_assert!(page.chars().count() < 65_536);
            prop_assert_eq!(page.matches("<!--").count(), 2);
        }
    }
}
