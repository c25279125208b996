//! What one alert says, whatever channel it goes to.

use url::Url;

use super::cause::causes;
use super::event::AlertEvent;
use super::failed_check::{FailedCheck, cause, next};
use super::incident::{About, Due, Failure, PolicyFileId, TargetId};
use super::named_targets::Digest;
use super::sanitize::MAX_NAME;
use super::sanitize::sanitize;
use crate::render::accepted::sentence;
use cvm_verify_core::report::{Accepted, CheckId, Mode, TargetReport, Verdict, rfc3339};

const MAX_URL: usize = 500;
/// How many accepted things an alert carries; the report has all of them.
pub(super) const MAX_ACCEPTED: usize = 50;
/// Longest name within a title, in characters.
const MAX_TITLE_NAME: usize = 60;

/// What an alert says first when a failure took the place of another.
const CHANGED: &str = "CHANGED: other checks or reasons than before keep it from passing";
/// The same, of the last one that is reported.
const CHANGED_OFTEN: &str = "CHANGED: the checks and reasons that keep it from passing change from run to run; further changes are \
                             reported with the reminder only, but for the first FAIL";
/// What an alert says first when the same check fails of a VM that measured something else.
const EXCHANGED: &str =
    "CHANGED: it fails as before, but the measured values differ from those reported before";
/// The same, of the last one that is reported.
const EXCHANGED_OFTEN: &str = "CHANGED: it fails as before, but the measured values change from run to run; further changes are reported \
                               with the reminder only";
/// What an alert says first when it repeats an earlier one.
pub(super) const REMINDER: &str = "REMINDER: this was reported before, and it continues";
/// The target of a test.
const TEST_NAME: &str = "cvm-verify alert test";

/// What is known of a run beside its report.
#[derive(Debug, Clone, Copy)]
pub struct RunContext<'a> {
    /// The time of the alert, Unix seconds.
    pub now: u64,
    /// Whether live deployments or recorded evidence were verified.
    pub mode: Mode,
    /// Where a person finds the run: an https URL of at most 500 bytes.
    pub run_url: Option<&'a str>,
    /// SHA-256 of the report JSON as it was before its `alerts` were known, hex.
    pub report_sha256: Option<&'a str>,
    /// The policy file of the targets, where there is one.
    pub file: Option<PolicyFileId>,
}

impl<'a> RunContext<'a> {
    /// Of a run over live deployments that has no report of its own.
    pub(crate) fn live(now: u64, run_url: Option<&'a str>, file: Option<PolicyFileId>) -> Self {
        Self {
            now,
            mode: Mode::Live,
            run_url,
            report_sha256: None,
            file,
        }
    }

    /// Which target this run calls `name`.
    #[must_use]
    pub fn target(&self, name: &str) -> TargetId {
        self.file
            .map_or_else(|| TargetId::of(name), |file| file.target(name))
    }
}

/// What one alert says. Every text in it is on one line, visible and of bounded length; escaping it for its own format
/// is for each channel to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub event: AlertEvent,
    /// The answer. Absent in a test: nothing was verified.
    pub verdict: Option<Verdict>,
    /// What must stand above everything else: that it is simulated, that it is a replay.
    pub labels: Vec<String>,
    /// The deployment, whatever it is called.
    pub target: TargetId,
    /// The deployment's name, or how many targets a digest is about.
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
    /// Everything that the user accepted in writing, waivers among it.
    pub accepted: Vec<Accepted>,
    /// Where a person finds the run.
    pub run_url: Option<String>,
    /// SHA-256 of the report JSON, hex.
    pub report_sha256: Option<String>,
    /// The time of the alert, Unix seconds.
    pub at: u64,
    /// Names this alert in all its tries and on all channels: 32 hex digits.
    pub delivery_id: String,
    /// The targets, where the message is about several that share one cause.
    pub digest: Option<Digest>,
}

impl Message {
    /// What there is to say of `target`.
    #[must_use]
    pub fn new(
        target: &TargetReport,
        event: AlertEvent,
        context: &RunContext<'_>,
        delivery_id: [u8; 16],
    ) -> Self {
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
            target: context.target(&target.name),
            name: sanitize(&target.name, MAX_NAME),
            url: target.url.as_deref().map(|url| sanitize(url, MAX_URL)),
            cause,
            next,
            failed,
            waived: target.waived.clone(),
            accepted: target.accepted.iter().take(MAX_ACCEPTED).map(shown).collect(),
            ..Self::about(event, context, delivery_id)
        }
    }

    /// What is `due` on `target`, which has just been found as it is.
    #[must_use]
    pub fn due(target: &TargetReport, due: &Due, context: &RunContext<'_>, delivery_id: [u8; 16]) -> Self {
        let now = Self::new(target, due.event, context, delivery_id);
        match &due.about {
            About::Failure { failure, late, last } => {
                let changed = (due.event == AlertEvent::Changed).then_some(CHANGED);
                let label = if *last { Some(CHANGED_OFTEN) } else { changed };
                now.found_late(*late, failure, label)
            }
            About::Exchanged { failure, late, last } => {
                let said = if *last { EXCHANGED_OFTEN } else { EXCHANGED };
                now.found_late(*late, failure, Some(said))
            }
            About::Reminder { failure, late } => now.found_late(*late, failure, Some(REMINDER)),
            About::PassUnderAnotherPolicy { more } => Self {
                cause: "It passes now, but under another policy than the one that it failed under."
                    .to_owned(),
                next: format!(
                    "If you changed what is expected of it, look at that change once more: {}. If you did not, find out who did.",
                    recovery_after(*more)
                ),
                ..now
            },
            About::PassAtAnotherAddress { more } => Self {
                cause: "It passes now, but at another address than the one that failed.".to_owned(),
                next: format!(
                    "If you changed the address, look at the deployment that failed: it is no longer verified, and {}. If you did not \
                     change the address, find out who did.",
                    recovery_after(*more)
                ),
                ..now
            },
            About::Departed { failure } => now.departed(failure),
            About::Recovery => Self {
                cause: match now.accepted() {
                    None => "Passes again, in full and by the same policy as before.".to_owned(),
                    Some(accepted) => format!("Passes again, by the same policy as before. {accepted}."),
                },
                next: "Nothing to do. If nobody fixed it, find out why it failed.".to_owned(),
                ..now
            },
            About::Forecast(forecast) => {
                let (id, _) = forecast.source();
                let said = target.check(id);
                Self {
                    cause: said.map(cause).unwrap_or_default(),
                    next: said.map(next).unwrap_or_default(),
                    failed: said.map(FailedCheck::of).into_iter().collect(),
                    ..now
                }
            }
        }
    }

    /// That a target, by this name, left the policy file while it failed.
    #[must_use]
    pub(super) fn departure(
        target: TargetId,
        name: &str,
        failure: &Failure,
        context: &RunContext<'_>,
        delivery_id: [u8; 16],
    ) -> Self {
        let said = Self {
            target,
            name: sanitize(name, MAX_NAME),
            ..Self::about(AlertEvent::Changed, context, delivery_id)
        };
        said.departed(failure)
    }

    fn departed(self, failure: &Failure) -> Self {
        Self {
            cause: "It is no longer verified: it failed, and was taken out of the policy file or has another name there, or nothing \
                    verified it for 14 days."
                .to_owned(),
            next: "It is no longer verified. If you took it out of the policy file, renamed it or the file, changed its address or \
                   replaced the instance, check the deployment that failed, and close its open incidents: this is the last message \
                   about it. If you did not, find out who did."
                .to_owned(),
            ..self.instead_of(failure)
        }
    }

    /// What stands of an incident whose latest failure is `failure`, now that `target` has been found as it is.
    #[must_use]
    pub fn standing(target: &TargetReport, failure: &Failure, context: &RunContext<'_>) -> Self {
        let event = if failure.verdict == Verdict::Fail {
            AlertEvent::Failed
        } else {
            AlertEvent::Inconclusive
        };
        let now = Self::new(target, event, context, [0; 16]);
        match Failure::of(target, context.now) {
            Some(current) if current.has_same_causes(failure) => now,
            _ => now.instead_of(failure).labelled([late_label(failure)]),
        }
    }

    /// The same message about a failure that was found before, in words of our own: what the target said is not kept.
    fn instead_of(self, failure: &Failure) -> Self {
        let failed: Vec<FailedCheck> = failure
            .failing
            .iter()
            .map(|failing| FailedCheck::remembered(failing, failure.verdict))
            .collect();
        let first = failed.first();
        Self {
            verdict: Some(failure.verdict),
            cause: first.map_or_else(|| "It did not pass.".to_owned(), |check| check.detail.clone()),
            next: first
                .and_then(|check| check.fix.clone())
                .unwrap_or_else(|| "Read the report of that run.".to_owned()),
            failed,
            ..self
        }
    }

    /// The same message with this label; about `failure` instead, with a label that says when it was found, if that is late.
    fn found_late(self, late: bool, failure: &Failure, label: Option<&str>) -> Self {
        let labels = label.map(str::to_owned).into_iter();
        if late {
            self.instead_of(failure)
                .labelled(labels.chain([late_label(failure)]))
        } else {
            self.labelled(labels)
        }
    }

    pub(super) fn labelled(mut self, labels: impl IntoIterator<Item = String>) -> Self {
        self.labels.extend(labels);
        self
    }

    /// A message by which a person tries out the channels.
    #[must_use]
    pub fn test(context: &RunContext<'_>, delivery_id: [u8; 16]) -> Self {
        Self::about(AlertEvent::Test, context, delivery_id)
    }

    pub(super) fn about(event: AlertEvent, context: &RunContext<'_>, delivery_id: [u8; 16]) -> Self {
        Self {
            event,
            verdict: None,
            labels: Vec::new(),
            target: TargetId::of(TEST_NAME),
            name: TEST_NAME.to_owned(),
            url: None,
            cause: "This is a test of the alert channels: nothing was verified, nothing is wrong.".to_owned(),
            next: "Nothing to do: alerts of real runs will arrive here.".to_owned(),
            failed: Vec::new(),
            waived: Vec::new(),
            accepted: Vec::new(),
            // A link that is cut leads nowhere.
            run_url: context
                .run_url
                .filter(|url| url.len() <= MAX_URL)
                .map(|url| sanitize(url, MAX_URL)),
            report_sha256: context.report_sha256.map(|hash| sanitize(hash, MAX_NAME)),
            at: context.now,
            delivery_id: hex::encode(delivery_id),
            digest: None,
        }
    }

    /// What was waived or accepted in writing, one sentence without a full stop. A verdict is not to be read without it.
    #[must_use]
    pub fn accepted(&self) -> Option<String> {
        sentence(&self.waived, &self.accepted)
    }

    /// The target's address, what was accepted, and which event it is.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let target = self.url.as_deref().map(|url| format!("Target: {url}"));
        [target, self.accepted(), Some(self.source_line())]
            .into_iter()
            .flatten()
    }

    /// Who says it, of which event, and when.
    pub(super) fn source_line(&self) -> String {
        format!("cvm-verify, event {}, {}", self.event, rfc3339(self.at))
    }

    /// The verdict in capitals. Without one it is a test, or a run that verifies its targets again.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match (self.verdict, self.event) {
            (None, AlertEvent::Recovered) => "RECOVERED",
            (None, _) => "TEST",
            (Some(Verdict::Pass), _) => "PASS",
            (Some(Verdict::Fail), _) => "FAIL",
            (Some(Verdict::Inconclusive), _) => "INCONCLUSIVE",
        }
    }

    /// The first line: the verdict, the deployment, the cause.
    #[must_use]
    pub fn title(&self) -> String {
        let word = match self.event {
            AlertEvent::Recovered => "RECOVERED",
            AlertEvent::Expiring => "EXPIRING",
            _ => self.word(),
        };
        match self.verdict {
            Some(_) => format!("{word} {}: {}", short_name(&self.name), self.cause),
            None => format!("{word}: {}", self.cause),
        }
    }

    /// The value for how grave it is: a pass of which something was waived or accepted in writing is as a warning.
    pub(super) fn by_gravity<T: Copy>(&self, fail: T, warning: T, pass: T, test: T) -> T {
        let is_whole = self.waived.is_empty() && self.accepted.is_empty();
        match (self.event, self.verdict) {
            (AlertEvent::Expiring, _) | (_, Some(Verdict::Inconclusive)) => warning,
            (_, Some(Verdict::Fail)) => fail,
            (_, Some(Verdict::Pass)) if is_whole => pass,
            // What was waived or accepted in writing is not shown as green.
            (_, Some(Verdict::Pass)) => warning,
            (_, None) => test,
        }
    }

    /// The payload with as many of the checks as fit, at most `most`. `with` makes it of the first checks, of this number.
    pub(super) fn with_checks_that_fit<T>(
        &self,
        most: usize,
        with: impl Fn(usize) -> T,
        fits: impl Fn(&T) -> bool,
    ) -> T {
        let mut shown = self.failed.len().min(most);
        loop {
            let payload = with(shown);
            if shown == 0 || fits(&payload) {
                return payload;
            }
            shown -= 1;
        }
    }

    /// A sentence on the checks beyond the first ones, of this number, which a message does not show.
    pub(super) fn hidden_checks(&self, shown: usize) -> Option<String> {
        let hidden = self.failed.len().saturating_sub(shown);
        (hidden > 0)
            .then(|| format!("{hidden} more of these checks do not fit here; the run's report has them."))
    }

    /// The address of the run, where it is one of the web of at most `max` bytes.
    #[must_use]
    pub fn run_link(&self, max: usize) -> Option<Url> {
        let url = Url::parse(self.run_url.as_deref()?).ok()?;
        (matches!(url.scheme(), "https" | "http") && url.as_str().len() <= max).then_some(url)
    }
}

/// On one line, visible and of bounded length.
fn shown(one: &Accepted) -> Accepted {
    Accepted {
        by: sanitize(&one.by, MAX_NAME),
        until: one.until.as_deref().map(|until| sanitize(until, MAX_NAME)),
        reason: sanitize(&one.reason, MAX_NAME),
        ..one.clone()
    }
}

/// The middle of a long name tells the least.
pub(super) fn short_name(name: &str) -> String {
    let count = name.chars().count();
    if count <= MAX_TITLE_NAME {
        return name.to_owned();
    }
    let half = MAX_TITLE_NAME / 2;
    let start = name.chars().take(half - 1);
    let end = name.chars().skip(count - half);
    start.chain(['…']).chain(end).collect()
}

fn late_label(failure: &Failure) -> String {
    format!(
        "Found at {}; the latest result is another one",
        rfc3339(failure.at)
    )
}

fn labels(target: &TargetReport, mode: Mode) -> Vec<String> {
    let simulated = target.simulated().map(str::to_owned);
    let replay =
        (mode == Mode::Replay).then(|| sanitize(&format!("REPLAY as of {}", target.evaluated_at), MAX_NAME));
    simulated.into_iter().chain(replay).collect()
}

/// Which pass ends the incident.
fn recovery_after(more: u32) -> String {
    match more {
        1 => "the next pass is reported as recovered".to_owned(),
        more => format!("it failed again before, so {more} more passes in a row are reported as recovered"),
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
