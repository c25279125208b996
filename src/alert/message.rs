//! What one alert says, whatever channel it goes to.

use super::cause::causes;
use super::event::Event;
use super::visible::visible;
use crate::checks::Check;
use crate::report::{CheckId, CheckResult, Mode, Status, TargetReport, TrustRootKind, Verdict};

/// Longest text of each kind, in UTF-16 units.
const MAX_NAME: usize = 200;
const MAX_URL: usize = 500;
const MAX_SENTENCE: usize = 2000;

/// What an alert says first when the proof rests on another root than Intel's.
const SIMULATED: &str = "SIMULATED: not Intel's root, proves nothing about hardware";

/// What is known of a run beside its report.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The time of the alert, Unix seconds.
    pub now: u64,
    /// Whether live deployments or recorded evidence were verified.
    pub mode: Mode,
    /// Where a person finds the run: an https URL of at most 500 bytes.
    pub run_url: Option<&'a str>,
    /// SHA-256 of the report JSON as it was before its `alerts` were known, hex.
    pub report_sha256: Option<&'a str>,
}

/// What one alert says. Every text in it is on one line, visible and of bounded length; escaping it for its own format
/// is for each channel to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub event: Event,
    /// The answer. Absent in a test: nothing was verified.
    pub verdict: Option<Verdict>,
    /// What must stand above everything else: that it is simulated, that it is a replay.
    pub labels: Vec<String>,
    /// The deployment's name.
    pub name: String,
    /// Its address.
    pub url: Option<String>,
    /// The first line: what is wrong.
    pub cause: String,
    /// The second line: what to do about it.
    pub next: String,
    /// The checks that the verdict hangs on, the one to act on first.
    pub failed: Vec<FailedCheck>,
    /// The checks that the user waived in writing.
    pub waived: Vec<CheckId>,
    /// Where a person finds the run.
    pub run_url: Option<String>,
    /// SHA-256 of the report JSON, hex.
    pub report_sha256: Option<String>,
    /// The time of the alert, Unix seconds.
    pub at: u64,
    /// Names this alert in all its tries and on all channels: 32 hex digits.
    pub delivery_id: String,
}

/// One check that the verdict hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCheck {
    /// Which.
    pub id: CheckId,
    /// Its outcome: `fail`, `error`, or a `skip` or `warn` short of its requirement.
    pub status: Status,
    /// Its reason.
    pub reason: Option<String>,
    /// What was found.
    pub detail: String,
    /// What to do about it.
    pub fix: Option<String>,
}

impl Message {
    /// What there is to say of `target`.
    #[must_use]
    pub fn new(target: &TargetReport, event: Event, context: &Context<'_>, delivery_id: [u8; 16]) -> Self {
        let failed: Vec<FailedCheck> = causes(target).into_iter().map(FailedCheck::of).collect();
        let (cause, next) = match causes(target).first() {
            Some(check) => (cause(check), next(check)),
            None if target.verdict == Verdict::Pass => ("All checks pass.".to_owned(), "Nothing.".to_owned()),
            None => (
                "No check says why the verdict is not a pass.".to_owned(),
                "This is a bug in cvm-verify: please report it with the report JSON.".to_owned(),
            ),
        };
        Self {
            verdict: Some(target.verdict),
            labels: labels(target, context.mode),
            name: visible(&target.name, MAX_NAME),
            url: target.url.as_deref().map(|url| visible(url, MAX_URL)),
            cause,
            next,
            failed,
            waived: target.waived.clone(),
            ..Self::about(event, context, delivery_id)
        }
    }

    /// A message by which a person tries out the channels.
    #[must_use]
    pub fn test(context: &Context<'_>, delivery_id: [u8; 16]) -> Self {
        Self::about(Event::Test, context, delivery_id)
    }

    fn about(event: Event, context: &Context<'_>, delivery_id: [u8; 16]) -> Self {
        Self {
            event,
            verdict: None,
            labels: Vec::new(),
            name: "cvm-verify alert test".to_owned(),
            url: None,
            cause: "This is a test of the alert channels: nothing was verified, nothing is wrong.".to_owned(),
            next: "Nothing to do: alerts of real runs will arrive here.".to_owned(),
            failed: Vec::new(),
            waived: Vec::new(),
            // A link that is cut leads nowhere.
            run_url: context
                .run_url
                .filter(|url| url.len() <= MAX_URL)
                .map(|url| visible(url, MAX_URL)),
            report_sha256: context.report_sha256.map(|hash| visible(hash, MAX_NAME)),
            at: context.now,
            delivery_id: hex::encode(delivery_id),
        }
    }

    /// The verdict in capitals, or that it is a test.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.verdict {
            None => "TEST",
            Some(Verdict::Pass) => "PASS",
            Some(Verdict::Fail) => "FAIL",
            Some(Verdict::Inconclusive) => "INCONCLUSIVE",
        }
    }
}

impl FailedCheck {
    fn of(check: &CheckResult) -> Self {
        Self {
            id: check.id,
            status: check.status,
            reason: check.reason.as_deref().map(|reason| visible(reason, MAX_NAME)),
            detail: visible(&check.detail, MAX_SENTENCE),
            fix: check.fix.as_deref().map(|fix| visible(fix, MAX_SENTENCE)),
        }
    }
}

fn labels(target: &TargetReport, mode: Mode) -> Vec<String> {
    let simulated = (target.trust_root == TrustRootKind::Custom).then(|| SIMULATED.to_owned());
    let replay =
        (mode == Mode::Replay).then(|| visible(&format!("REPLAY as of {}", target.evaluated_at), MAX_NAME));
    simulated.into_iter().chain(replay).collect()
}

/// What a check found. Where the one thing missing is that the user writes down a value, what that means: the value
/// itself would push the meaning out of the line.
fn cause(check: &CheckResult) -> String {
    let reasons = Check::of(check.id).reasons.iter();
    let reason = reasons
        .copied()
        .find(|reason| Some(reason.id) == check.reason.as_deref());
    let text = match reason {
        Some(reason) if check.status == Status::Skip => reason.means,
        _ => &check.detail,
    };
    visible(text, MAX_SENTENCE)
}

fn next(check: &CheckResult) -> String {
    let explain = || {
        format!(
            "Read the run's report, and `cvm-verify explain {}` for what this check is about.",
            check.id
        )
    };
    check
        .fix
        .as_deref()
        .map_or_else(explain, |fix| visible(fix, MAX_SENTENCE))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::alert::samples;

    fn message(target: &TargetReport) -> Message {
        Message::new(target, Event::Failed, &samples::context(), [7; 16])
    }

    #[test]
    fn the_first_line_is_the_cause_and_the_second_what_to_do() {
        let message = message(&samples::fail());
        assert_eq!(
            (message.cause.as_str(), message.word()),
            (
                "The VM runs another compose document than the one expected by cvm.lock.",
                "FAIL"
            )
        );
        assert!(
            message.next.starts_with("If you deployed a new version, run"),
            "{}",
            message.next
        );
        let ids: Vec<CheckId> = message.failed.iter().map(|check| check.id).collect();
        assert_eq!(ids, [CheckId::ComposeHash]);
        assert_eq!(message.delivery_id, "07".repeat(16));
    }

    #[test]
    fn a_missing_expectation_is_told_by_its_meaning_and_the_value_stays_in_the_detail() {
        let message = message(&samples::inconclusive());
        assert!(
            message
                .cause
                .starts_with("No compose hash is expected, so any code")
        );
        assert!(message.failed[0].detail.contains(samples::MEASURED));
    }

    #[test]
    fn simulated_and_replayed_results_say_so_first() {
        let mut target = samples::fail();
        target.trust_root = TrustRootKind::Custom;
        let replay = Context {
            mode: Mode::Replay,
            ..samples::context()
        };
        let message = Message::new(&target, Event::Failed, &replay, [0; 16]);
        assert_eq!(message.labels, [SIMULATED, "REPLAY as of 2026-08-13T12:00:00Z"]);
    }

    #[test]
    fn a_check_without_advice_of_its_own_leads_to_the_explanation() {
        let mut target = samples::fail();
        samples::of(&mut target, CheckId::ComposeHash).fix = None;
        assert!(
            message(&target)
                .next
                .contains("`cvm-verify explain compose-hash`")
        );
    }

    #[test]
    fn a_verdict_that_no_check_explains_is_still_told() {
        let mut target = samples::fail();
        target.checks.clear();
        let message = message(&target);
        assert!(message.failed.is_empty() && message.cause.starts_with("No check says why"));
    }

    #[test]
    fn what_a_stranger_chose_is_one_visible_line() {
        let mut target = samples::fail();
        target.name = "app\n::error::\u{202e}".to_owned();
        target.url = Some("https://x/\u{1b}[2J".to_owned());
        samples::of(&mut target, CheckId::ComposeHash).detail = format!("a\nb{}", "x".repeat(9000));
        let message = message(&target);
        assert_eq!(message.name, "app\\u{a}::error::\\u{202e}");
        assert_eq!(message.url.as_deref(), Some("https://x/\\u{1b}[2J"));
        assert!(
            message.failed[0].detail.starts_with("a\\u{a}bxxx") && message.failed[0].detail.ends_with('…')
        );
        assert_eq!(message.failed[0].detail.chars().count(), MAX_SENTENCE);
    }
}
