//! Log lines: one event a line, as text or as JSON.

use clap::ValueEnum;
use serde::Serialize;

use crate::alert::{self, causes};
use crate::render::{escape, on_trust, safe_json_line};
use cvm_verify_core::report::{AlertRecord, TargetReport, Verdict, rfc3339};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

cvm_verify_core::word_enum! {
    /// How much a line matters.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
    #[serde(rename_all = "lowercase")]
    pub enum LogLevel {
        /// All is as it should be.
        Info = "info",
        /// Somebody may want to look.
        Warn = "warn",
        /// Somebody should look.
        Error = "error",
    }
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct LogEntry<'a> {
    /// When, RFC 3339 UTC.
    at: String,
    /// How much it matters.
    level: LogLevel,
    /// What kind of thing, stable permanently.
    event: &'static str,
    /// The target's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    /// The verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    /// Whether the verdict relies on another root than Intel's, and so proves nothing about hardware.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    simulated: bool,
    /// What keeps it from passing, `id/reason`, the most important first. What only follows from another is left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<String>,
    /// What the verdict counts without proof, in the words of the verdict line: what was waived or accepted in writing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    on_trust: Vec<String>,
    /// How long it took, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    /// In words.
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

impl<'a> LogEntry<'a> {
    /// A round of a target ended.
    #[must_use]
    pub fn verified(report: &'a TargetReport, duration_ms: u64, now: u64) -> Self {
        let causes = causes(report);
        let failed = causes
            .iter()
            .map(|check| format!("{}/{}", check.id, check.reason.as_deref().unwrap_or_default()))
            .collect();
        let level = match report.verdict {
            Verdict::Pass => LogLevel::Info,
            Verdict::Inconclusive => LogLevel::Warn,
            Verdict::Fail => LogLevel::Error,
        };
        Self {
            target: Some(&report.name),
            verdict: Some(report.verdict.as_str()),
            simulated: report.simulated().is_some(),
            failed,
            on_trust: on_trust(report, str::to_owned),
            duration_ms: Some(duration_ms),
            message: causes.first().map_or_else(String::new, |check| {
                escape::shorten(&check.detail, 300).to_string()
            }),
            ..Self::of(level, "verified", now)
        }
    }

    /// An alert was sent, or was not.
    #[must_use]
    pub fn alert(record: &AlertRecord, now: u64) -> Self {
        let (level, word) = match (record.delivered, alert::lacks_secret(record)) {
            (true, _) => (LogLevel::Info, "delivered"),
            (false, true) => (LogLevel::Warn, "skipped"),
            (false, false) => (LogLevel::Warn, "NOT DELIVERED"),
        };
        let (event, channel) = (&record.event, &record.channel);
        // The word says so.
        let detail = match alert::lacks_secret(record) {
            true => record.detail.trim_start_matches("skipped: "),
            false => &record.detail,
        };
        let message = format!("{channel} {word}, event {event}: {detail}");
        Self {
            message,
            ..Self::of(level, "alert", now)
        }
    }

    /// Anything else that a person should know.
    #[must_use]
    pub fn note(level: LogLevel, event: &'static str, message: String, now: u64) -> Self {
        Self {
            message,
            ..Self::of(level, event, now)
        }
    }

    fn of(level: LogLevel, event: &'static str, now: u64) -> Self {
        Self {
            at: rfc3339(now),
            level,
            event,
            target: None,
            verdict: None,
            simulated: false,
            failed: Vec::new(),
            on_trust: Vec::new(),
            duration_ms: None,
            message: String::new(),
        }
    }

    /// How much it matters.
    #[must_use]
    pub const fn level(&self) -> LogLevel {
        self.level
    }

    /// The line, without a line feed.
    #[must_use]
    pub fn line(&self, format: LogFormat) -> String {
        match format {
            LogFormat::Json => safe_json_line(self),
            LogFormat::Text => self.text(),
        }
    }

    fn text(&self) -> String {
        let mut parts = vec![self.at.clone(), format!("{:5}", self.level)];
        if self.simulated {
            parts.push("SIMULATED".to_owned());
        }
        match (self.target, self.verdict) {
            (Some(target), Some(verdict)) => parts.push(format!("{target}: {}", verdict.to_uppercase())),
            _ => parts.push(format!("{}:", self.event)),
        }
        if !self.on_trust.is_empty() {
            parts.push(format!("({})", self.on_trust.join("; ")));
        }
        if let Some(duration) = self.duration_ms {
            parts.push(format!("({duration} ms)"));
        }
        if !self.failed.is_empty() {
            parts.push(format!("[{}]", self.failed.join(", ")));
        }
        // What a stranger sent is in it: one line, and nothing that a terminal obeys. Only a note of our own has more
        // lines, and those are set in.
        let (first, rest) = match self.target {
            Some(_) => (self.message.as_str(), None),
            None => self
                .message
                .split_once('\n')
                .map_or((self.message.as_str(), None), |(first, rest)| (first, Some(rest))),
        };
        if !first.is_empty() {
            parts.push(first.to_owned());
        }
        let mut text = escape::terminal(&parts.join(" ")).into_owned();
        for line in rest.iter().flat_map(|rest| rest.lines()) {
            text.push_str("\n    ");
            text.push_str(&escape::terminal(line));
        }
        text
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
