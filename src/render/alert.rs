//! What became of an alert, in words.

use cvm_verify_core::report::{AlertRecord, and_more};

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

/// How many alerts of one event, of which a channel said the same, have a line each.
const SHOWN_EACH: usize = 3;

/// What became of alerts, and what they were about: a line each, or one for more than three that are alike.
pub(super) fn lines<'a>(alerts: impl IntoIterator<Item = &'a AlertRecord>) -> Vec<(Delivery, String)> {
    let alike = |a: &AlertRecord, b: &AlertRecord| {
        (Delivery::of(a), &a.channel, &a.event, said(a)) == (Delivery::of(b), &b.channel, &b.event, said(b))
    };
    let mut groups: Vec<Vec<&AlertRecord>> = Vec::new();
    for alert in alerts {
        let is_alike =
            |group: &&mut Vec<&AlertRecord>| group.first().is_some_and(|first| alike(first, alert));
        match groups.iter_mut().find(is_alike) {
            Some(group) => group.push(alert),
            None => groups.push(vec![alert]),
        }
    }
    let of_group = |group: Vec<&AlertRecord>| {
        let count = group.len();
        let shown = if count > SHOWN_EACH { 1 } else { count };
        let line = move |alert: &AlertRecord| (Delivery::of(alert), about(alert, count - shown));
        group.into_iter().take(shown).map(line).collect::<Vec<_>>()
    };
    groups.into_iter().flat_map(of_group).collect()
}

/// What became of an alert, without the name of its target.
fn said(alert: &AlertRecord) -> &str {
    let detail = alert.detail.as_str();
    detail.split_once(": ").map_or(detail, |(_, said)| said)
}

/// What an alert was about, and what the channel said. `others` are alike.
fn about(alert: &AlertRecord, others: usize) -> String {
    let detail = match Delivery::of(alert) {
        // The word says so.
        Delivery::Skipped => alert.detail.trim_start_matches("skipped: "),
        Delivery::Delivered | Delivery::Failed => &alert.detail,
    };
    format!(
        "{}, event {}{}: {detail}",
        alert.channel,
        alert.event,
        and_more("", others)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_three_that_are_alike_share_a_line() {
        let record = |channel: &str, delivered, name: &str| {
            AlertRecord::new(channel, "failed", delivered, format!("{name}: said"))
        };
        let three = ["a", "b", "c"].map(|name| record("webhook", true, name));
        let four = ["a", "b", "c", "d"].map(|name| record("pagerduty", false, name));
        // A team whose channel has another secret, say.
        let other = AlertRecord::new("pagerduty", "failed", false, "e: another reason");
        let all: Vec<AlertRecord> = three.into_iter().chain(four).chain([other]).collect();
        let said: Vec<String> = lines(&all).into_iter().map(|(_, line)| line).collect();
        let expected = [
            "webhook, event failed: a: said",
            "webhook, event failed: b: said",
            "webhook, event failed: c: said",
            "pagerduty, event failed and 3 more: a: said",
            "pagerduty, event failed: e: another reason",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_skipped_alert_is_recorded_in_the_words_of_the_alerts() {
        assert_eq!(NO_SECRET, crate::alert::NO_SECRET);
    }
}
