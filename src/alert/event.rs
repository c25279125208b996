//! What happened, and whether to tell.

use std::fmt;

use serde::Serialize;

use cvm_verify_core::report::Verdict;

/// What an alert is about: the `event` of alert v1.
///
/// One run knows only its own verdict, so it makes [`AlertEvent::Failed`] and [`AlertEvent::Inconclusive`]; what compares runs
/// (`changed`, `recovered`, `reminder`, `expiring`) needs a memory of the run before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertEvent {
    /// Something is wrong with the deployment.
    Failed,
    /// It could not be determined whether something is wrong.
    Inconclusive,
    /// Other checks fail than before.
    Changed,
    /// What failed before passes.
    Recovered,
    /// What failed before still does.
    Reminder,
    /// Something that the pass rests on is about to end.
    Expiring,
    /// A person tries out the channels.
    Test,
}

impl AlertEvent {
    /// The name as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
            Self::Changed => "changed",
            Self::Recovered => "recovered",
            Self::Reminder => "reminder",
            Self::Expiring => "expiring",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for AlertEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What there is to tell of a verdict. A pass is told to nobody; only the heartbeat hears of it.
#[must_use]
pub const fn occasion(verdict: Verdict) -> Option<AlertEvent> {
    match verdict {
        Verdict::Pass => None,
        Verdict::Fail => Some(AlertEvent::Failed),
        Verdict::Inconclusive => Some(AlertEvent::Inconclusive),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_json_name_is_the_shown_name() {
        for event in [
            AlertEvent::Failed,
            AlertEvent::Inconclusive,
            AlertEvent::Changed,
            AlertEvent::Recovered,
            AlertEvent::Reminder,
            AlertEvent::Expiring,
            AlertEvent::Test,
        ] {
            assert_eq!(serde_json::to_value(event).unwrap(), event.as_str());
        }
    }

    #[test]
    fn everything_but_a_pass_is_told() {
        assert_eq!(occasion(Verdict::Pass), None);
        assert_eq!(occasion(Verdict::Fail), Some(AlertEvent::Failed));
        assert_eq!(occasion(Verdict::Inconclusive), Some(AlertEvent::Inconclusive));
    }
}
