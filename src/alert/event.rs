//! What happened, and whether to tell.

use serde::Serialize;

use cvm_verify_core::report::Verdict;

cvm_verify_core::word_enum! {
    /// What an alert is about: the `event` of alert v1.
    ///
    /// One run knows only its own verdict, so it makes [`AlertEvent::Failed`] and [`AlertEvent::Inconclusive`]; what compares runs
    /// (`changed`, `recovered`, `reminder`, `expiring`) needs the stored state of the run before.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
    #[serde(rename_all = "lowercase")]
    pub enum AlertEvent {
        /// Something is wrong with the deployment.
        Failed = "failed",
        /// It could not be determined whether something is wrong.
        Inconclusive = "inconclusive",
        /// Other checks fail than before.
        Changed = "changed",
        /// What failed before passes.
        Recovered = "recovered",
        /// What failed before still does.
        Reminder = "reminder",
        /// Something that the pass relies on is about to end.
        Expiring = "expiring",
        /// A person tries out the channels.
        Test = "test",
    }
}

/// What there is to report about a verdict. A pass is reported to nobody; only the heartbeat hears of it.
#[must_use]
pub const fn occasion(verdict: Verdict) -> Option<AlertEvent> {
    match verdict {
        Verdict::Pass => None,
        Verdict::Fail => Some(AlertEvent::Failed),
        Verdict::Inconclusive => Some(AlertEvent::Inconclusive),
    }
}

#[cfg(test)]
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
