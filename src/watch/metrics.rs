//! Metrics in the text format of Prometheus, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! Labels hold what the user named and what Intel signed; nothing that a CVM sends, so that it cannot make new series.

use std::fmt::Write as _;
use std::time::Duration;

use super::watch_status::place;
use super::{Health, TargetStatus, WatchStatus};
use cvm_verify_core::report::{Tool, Verdict};

/// Everything that the status holds, `uptime` after the loop began. The first line is `simulated`: what the proofs do not show because a
/// built-in root was replaced.
#[must_use]
pub fn metrics(watch_status: &WatchStatus, simulated: Option<&str>, tool: &Tool, uptime: Duration) -> String {
    let mut page = MetricsPage::default();
    if let Some(said) = simulated {
        page.text.push_str(&format!("# {said}\n"));
    }
    page.family("cvm_verify_build_info", "gauge", "The program that verifies.");
    page.sample(&[("version", &tool.version), ("git", &tool.git)], 1.0);
    // Comments are gone once the page was read.
    page.gauge(
        "cvm_verify_simulated",
        "1 if the proofs rely on a root other than Intel's or NVIDIA's and say nothing about hardware or GPUs.",
        flag(simulated.is_some()),
    );
    targets(&mut page, watch_status, uptime);
    rounds(&mut page, watch_status);
    page.gauge(
        "cvm_verify_policy_current",
        "1 while the policy in use is the one on disk; 0 while that one is not valid and the previous one is used.",
        flag(!watch_status.policy_is_refused),
    );
    page.gauge(
        "cvm_verify_healthy",
        "1 while every target is verified as often as it should be.",
        flag(watch_status.health(uptime) == Health::Good),
    );
    page.text
}

/// What was last found of each target.
fn targets(page: &mut MetricsPage, watch_status: &WatchStatus, uptime: Duration) {
    page.family(
        "cvm_verify_target_verdict",
        "gauge",
        "1 for the verdict of the last round, 0 for the others.",
    );
    for (name, status) in watch_status.targets() {
        for verdict in VERDICTS {
            let value = flag(status.verdict == verdict);
            page.sample(&[("target", name), ("verdict", verdict.as_str())], value);
        }
    }
    page.each(
        watch_status,
        "cvm_verify_target_on_trust",
        "How many waivers and acceptances in writing the last verdict counts; 0 if all that it counts is proven.",
        |status| Some(seconds(status.on_trust as u64)),
    );
    page.each(
        watch_status,
        "cvm_verify_target_verified_timestamp_seconds",
        "When the last round ended, Unix time.",
        |status| Some(seconds(status.at)),
    );
    page.each(
        watch_status,
        "cvm_verify_target_passed_timestamp_seconds",
        "When the last pass was, Unix time.",
        |status| status.passed_at.map(seconds),
    );
    page.each(
        watch_status,
        "cvm_verify_target_age_seconds",
        "Time since the last round ended.",
        |status| Some(seconds(uptime.saturating_sub(status.ended).as_secs())),
    );
    page.each(
        watch_status,
        "cvm_verify_target_duration_seconds",
        "How long the last round took.",
        |status| Some(status.duration.as_secs_f64()),
    );
    page.each(
        watch_status,
        "cvm_verify_target_collateral_expiry_timestamp_seconds",
        "When the first part of the collateral ends, Unix time. Absent if nothing was proven.",
        |status| status.collateral_expires_at.map(seconds),
    );
    page.family(
        "cvm_verify_target_tcb_status",
        "gauge",
        "1 for the patch level of the platform as Intel names it. Absent if nothing was proven.",
    );
    for (name, status) in watch_status.targets() {
        if let Some(tcb) = &status.tcb_status {
            page.sample(&[("target", name), ("status", tcb)], 1.0);
        }
    }
}

/// What was verified and told since the start.
fn rounds(page: &mut MetricsPage, watch_status: &WatchStatus) {
    page.family("cvm_verify_target_rounds_total", "counter", "Rounds by verdict.");
    for (name, status) in watch_status.targets() {
        for verdict in VERDICTS {
            let count = status.rounds.get(place(verdict)).copied().unwrap_or_default();
            page.sample(&[("target", name), ("verdict", verdict.as_str())], seconds(count));
        }
    }
    page.family(
        "cvm_verify_rounds_missed_total",
        "counter",
        "Rounds that were skipped because the one before ran too long.",
    );
    page.sample(&[], seconds(watch_status.missed_rounds));
    page.gauge(
        "cvm_verify_longest_wait_seconds",
        "The longest time between when a round was due and when it began, since the start.",
        watch_status.longest_wait.as_secs_f64(),
    );
    page.family(
        "cvm_verify_alerts_total",
        "counter",
        "Alerts by channel and by whether the channel accepted them.",
    );
    for (channel, [delivered, lost]) in &watch_status.alerts {
        for (is_delivered, count) in [("true", delivered), ("false", lost)] {
            let labels = [("channel", channel.as_str()), ("delivered", is_delivered)];
            page.sample(&labels, seconds(*count));
        }
    }
}

const VERDICTS: [Verdict; 3] = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive];

/// Counts and times are far below 2^53, up to which every whole number is exact.
#[expect(clippy::cast_precision_loss, reason = "see above")]
const fn seconds(value: u64) -> f64 {
    value as f64
}

fn flag(is_set: bool) -> f64 {
    f64::from(u8::from(is_set))
}

#[derive(Default)]
struct MetricsPage {
    text: String,
    name: &'static str,
}

impl MetricsPage {
    fn gauge(&mut self, name: &'static str, help: &str, value: f64) {
        self.family(name, "gauge", help);
        self.sample(&[], value);
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, text)| format!("{label}=\"{}\"", escaped(text)))
            .collect();
        let _ = match labels.as_slice() {
            [] => writeln!(self.text, "{} {value}", self.name),
            labels => writeln!(self.text, "{}{{{}}} {value}", self.name, labels.join(",")),
        };
    }

    fn each(
        &mut self,
        watch_status: &WatchStatus,
        name: &'static str,
        help: &str,
        value: impl Fn(&TargetStatus) -> Option<f64>,
    ) {
        self.family(name, "gauge", help);
        for (target, status) in watch_status.targets() {
            if let Some(value) = value(status) {
                self.sample(&[("target", target)], value);
            }
        }
    }
}

/// A label's value: backslash, quote and line feed are escaped; other control characters have no business there.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars().take(256) {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}') => {
                escaped.push('\u{fffd}')
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
