//! The result model: what a run found, in types that every output format is rendered from.
//!
//! Begin with [`Report`]: a [`TargetReport`] for each deployment, and in it a [`CheckResult`] for each [`CheckId`].
//!
//! The serialised form is `cvm-verify/report/v1`. A field is never removed or renamed within v1; hex is lower
//! case without `0x`, times are RFC 3339 in UTC.

mod accepted;
mod and_more;
mod check_id;
mod check_result;
mod earlier_attempts;
mod location;
mod measured_value;
mod older_attempt;
mod run_id;
mod shard;
mod shard_of;
mod shared;
mod shared_parts;
mod source_record;
mod target;
mod target_name;
mod tier;
mod verdict;
mod word_enum;

pub use accepted::{Accepted, AcceptedKind};
pub use check_id::CheckId;
pub(crate) use check_id::each_check;
pub use check_result::{CheckResult, ResultFields, Status};
pub use earlier_attempts::{AttemptReason, EarlierAttempts};
pub use location::Location;
pub(crate) use measured_value::MeasuredValue;
pub use older_attempt::OlderAttempt;
pub use run_id::RunId;
pub use shard::Shard;
pub use shard_of::ShardOf;
pub use shared::Shared;
pub use source_record::SourceRecord;
pub use target::{
    DeviceRootKind, EvidenceRecord, ListedInstances, Measurements, TargetReport, TcbRecord, TlsRoute,
    TrustRootKind,
};
pub use tier::{Assurance, AssuranceError, RequiredAssurance, SideTier, SideTiers, Tier};
pub use verdict::Verdict;
#[doc(hidden)]
pub use word_enum::WordEnum;

// For the program.
#[doc(hidden)]
pub use self::{
    and_more::and_more,
    shared_parts::SharedParts,
    target::simulated,
    target_name::{MAX_NAME, is_name},
};

use serde::{Deserialize, Serialize};

/// The name of the JSON format of a [`Report`].
#[doc(hidden)]
pub const SCHEMA: &str = "cvm-verify/report/v1";

/// Everything that one run of the program found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Report {
    /// `SIMULATED: …` if a target was judged by another root than a built-in one. Absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The program that made the report.
    pub tool: Tool,
    /// Whether live deployments or recorded evidence were verified.
    pub mode: Mode,
    /// Which part of the targets this is, as `2/5`. Absent where it is all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub shard: Option<Shard>,
    /// What this shard is a part of; `merge` joins shards that agree. Absent without `--shard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard_of: Option<ShardOf>,
    /// Which run of a CI this is a part of; `merge` joins reports of one run. Absent if nothing names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub run_id: Option<RunId>,
    /// Which attempt at that run this is, from 1, where the CI counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The parts of a joined report that an older attempt at the run verified. Empty if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub older_attempts: Vec<OlderAttempt>,
    /// When the run began, RFC 3339 UTC.
    pub started_at: String,
    /// How long the run took, in milliseconds.
    pub duration_ms: u64,
    /// The worst verdict of all targets.
    pub verdict: Verdict,
    /// The verdict's own exit code: 0 pass, 1 fail, 3 inconclusive.
    pub exit_code: u8,
    /// One entry per deployment.
    pub targets: Vec<TargetReport>,
    /// What became of each alert. Empty where no channel is configured.
    pub alerts: Vec<AlertRecord>,
}

impl Report {
    /// Joins the targets of a run; the verdict is that of the worst. No target at all is inconclusive.
    #[must_use]
    pub fn new(
        tool: Tool,
        mode: Mode,
        started_at: String,
        duration_ms: u64,
        targets: Vec<TargetReport>,
    ) -> Self {
        let verdict = Verdict::worst(targets.iter().map(|target| target.verdict));
        let notice = targets
            .iter()
            .find_map(TargetReport::simulated)
            .map(str::to_owned);
        Self {
            notice,
            schema: SCHEMA.to_owned(),
            tool,
            mode,
            shard: None,
            shard_of: None,
            run_id: None,
            attempt: None,
            older_attempts: Vec::new(),
            started_at,
            duration_ms,
            verdict,
            exit_code: verdict.exit_code(),
            targets,
            alerts: Vec::new(),
        }
    }
}

/// Name, version and commit of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Tool {
    /// `cvm-verify`.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// Commit that the binary was built from, hex, or `unknown`.
    pub git: String,
}

/// Whether live deployments or recorded evidence were verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Evidence was fetched during this run.
    Live,
    /// Evidence was recorded earlier.
    Replay,
}

/// What became of one alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct AlertRecord {
    /// The channel's name.
    pub channel: String,
    /// What the alert was about.
    pub event: String,
    /// Whether the channel accepted it.
    pub delivered: bool,
    /// What the channel answered, without secrets.
    pub detail: String,
}

impl AlertRecord {
    /// Of one alert.
    #[must_use]
    pub fn new(channel: &str, event: &str, delivered: bool, detail: impl Into<String>) -> Self {
        Self {
            channel: channel.to_owned(),
            event: event.to_owned(),
            delivered,
            detail: detail.into(),
        }
    }
}

/// A time in Unix seconds as RFC 3339 in UTC, as `2026-08-13T12:00:00Z`. Times beyond the calendar are its end.
#[doc(hidden)]
#[must_use]
pub fn rfc3339(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| chrono::DateTime::<chrono::Utc>::from_timestamp(seconds, 0))
        .map_or_else(
            || "9999-12-31T23:59:59Z".to_owned(),
            |time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        )
}

/// The day in UTC of a time in Unix seconds; `None` where the calendar ends before it.
#[doc(hidden)]
#[must_use]
pub fn day(seconds: u64) -> Option<chrono::NaiveDate> {
    let seconds = i64::try_from(seconds).ok()?;
    Some(chrono::DateTime::from_timestamp(seconds, 0)?.date_naive())
}

/// The Unix seconds of an RFC 3339 time from 1970 on; `None` for any other text.
#[doc(hidden)]
#[must_use]
pub fn unix_seconds(rfc3339: &str) -> Option<u64> {
    let time = chrono::DateTime::parse_from_rfc3339(rfc3339).ok()?;
    u64::try_from(time.timestamp()).ok()
}
