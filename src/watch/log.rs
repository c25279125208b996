//! Log lines: one event a line, as text or as JSON.

use serde::Serialize;

use crate::render::escape;
use crate::report::{AlertRecord, Status, TargetReport, rfc3339};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Entry<'a> {
    /// When, RFC 3339 UTC.
    at: String,
    /// `info`, `warn` or `error`.
    level: &'static str,
    /// What kind of thing, stable for ever.
    event: &'static str,
    /// The target's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    /// The verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    /// Failing checks, `id/reason`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<String>,
    /// How long it took, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    /// In words.
    message: String,
}

impl<'a> Entry<'a> {
    /// A round of a target ended.
    #[must_use]
    pub fn verified(report: &'a TargetReport, duration_ms: u64, now: u64) -> Self {
        let failed = report
            .checks
            .iter()
            .filter(|check| matches!(check.status, Status::Fail | Status::Error))
            .map(|check| format!("{}/{}", check.id, check.reason.as_deref().unwrap_or_default()))
            .collect();
        let cause = [Status::Fail, Status::Error]
            .into_iter()
            .find_map(|status| report.checks.iter().find(|check| check.status == status));
        let level = match report.verdict {
            crate::report::Verdict::Pass => "info",
            crate::report::Verdict::Inconclusive => "warn",
            crate::report::Verdict::Fail => "error",
        };
        Self {
            target: Some(&report.name),
            verdict: Some(report.verdict.as_str()),
            failed,
            duration_ms: Some(duration_ms),
            message: cause.map_or_else(String::new, |check| {
                escape::shorten(&check.detail, 300).to_string()
            }),
            ..Self::of(level, "verified", now)
        }
    }

    /// An alert was sent, or was not.
    #[must_use]
    pub fn alert(target: &'a str, record: &AlertRecord, now: u64) -> Self {
        let (level, word) = if record.delivered {
            ("info", "delivered")
        } else {
            ("warn", "not delivered")
        };
        Self {
            target: Some(target),
            message: format!(
                "{} through {}: {word}: {}",
                record.event, record.channel, record.detail
            ),
            ..Self::of(level, "alert", now)
        }
    }

    /// Anything else that a person should know.
    #[must_use]
    pub fn note(level: &'static str, event: &'static str, message: String, now: u64) -> Self {
        Self {
            message,
            ..Self::of(level, event, now)
        }
    }

    fn of(level: &'static str, event: &'static str, now: u64) -> Self {
        Self {
            at: rfc3339(now),
            level,
            event,
            target: None,
            verdict: None,
            failed: Vec::new(),
            duration_ms: None,
            message: String::new(),
        }
    }

    /// The line, without a line feed.
    #[must_use]
    pub fn line(&self, format: LogFormat) -> String {
        match format {
            LogFormat::Json => serde_json::to_string(self).unwrap_or_default(),
            LogFormat::Text => self.text(),
        }
    }

    fn text(&self) -> String {
        let mut parts = vec![self.at.clone(), format!("{:5}", self.level)];
        match (self.target, self.verdict) {
            (Some(target), Some(verdict)) => parts.push(format!("{target}: {}", verdict.to_uppercase())),
            (Some(target), None) => parts.push(format!("{target}: {}", self.event)),
            _ => parts.push(self.event.to_owned()),
        }
        if let Some(duration) = self.duration_ms {
            parts.push(format!("({duration} ms)"));
        }
        if !self.failed.is_empty() {
            parts.push(format!("[{}]", self.failed.join(", ")));
        }
        if !self.message.is_empty() {
            parts.push(self.message.clone());
        }
        // What a stranger sent stands in it: one line, and nothing that a terminal obeys.
        escape::terminal(&parts.join(" ")).into_owned()
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
