//! What became of an alert, in words.

use cvm_verify_core::report::AlertRecord;

/// How the record begins of a channel whose secret is not there, as in a run for a fork: no error.
pub const NO_SECRET: &str = "skipped: no secret";

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    Delivered,
    /// There was no secret to send it with.
    Skipped,
    Failed,
}

impl Delivery {
    /// Of a record.
    pub(super) fn of(alert: &AlertRecord) -> Self {
        match alert.delivered {
            true => Self::Delivered,
            false if alert.detail.starts_with(NO_SECRET) => Self::Skipped,
            false => Self::Failed,
        }
    }

    /// The word.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "alert delivered",
            Self::Skipped => "alert skipped",
            Self::Failed => "alert NOT delivered",
        }
    }
}

/// What an alert was about, and what the channel said.
pub(super) fn about(alert: &AlertRecord) -> String {
    let detail = match Delivery::of(alert) {
        // The word says so.
        Delivery::Skipped => alert.detail.trim_start_matches("skipped: "),
        Delivery::Delivered | Delivery::Failed => &alert.detail,
    };
    format!("{}, event {}: {detail}", alert.channel, alert.event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_alert_is_recorded_in_the_words_of_the_alerts() {
        assert_eq!(NO_SECRET, crate::alert::NO_SECRET);
    }
}
