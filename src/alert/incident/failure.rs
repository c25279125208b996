//! What failed, in names of our own: nothing here holds a word that a CVM chose (T61). Of what was measured it holds a hash, of
//! proven values alone.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::alert::cause::causes;
use cvm_verify_core::checks::Check;
use cvm_verify_core::report::{CheckId, Status, TargetReport, Verdict};

/// Stands for a reason that this version of the program does not know.
const UNKNOWN: &str = "unknown";
/// Longest list of failing checks: one for each check.
pub(super) const MAX_FAILING: usize = CheckId::ALL.len();
/// Longest reason, in bytes. Ours are shorter.
const MAX_REASON: usize = 64;

/// A target, whatever it is called: SHA-256 of its name, and of the policy file that it is of. 32 bytes, hex in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TargetId(#[serde(with = "hex")] [u8; 32]);

impl TargetId {
    /// The id of the target that the user calls `name`.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(hash("cvm-verify/target/v1", [name]))
    }

    /// The id of what is no target, such as a run, by what tells it from others of its name. Without that it is the id of a target of
    /// this name.
    pub(in crate::alert) fn of_job(name: &str, job: &[String]) -> Self {
        match job {
            [] => Self::of(name),
            job => Self(hash(
                "cvm-verify/run-of-job/v1",
                std::iter::once(name).chain(job.iter().map(String::as_str)),
            )),
        }
    }

    /// The id of the target that a policy file calls `name`; `file` is its id.
    pub(super) fn in_file(name: &str, file: &[u8; 32]) -> Self {
        Self(hash("cvm-verify/target-of-file/v1", [name, &hex::encode(file)]))
    }

    /// Reads 64 hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut id = [0; 32];
        hex::decode_to_slice(text, &mut id).ok().map(|()| Self(id))
    }
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Whether two failures are the same: SHA-256 of the target, the sorted ids of the failing checks and their reasons.
/// 32 bytes, hex in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FailureKey(#[serde(with = "hex")] [u8; 32]);

impl fmt::Display for FailureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// What a target was measured to be by the checks that failed: SHA-256 of their ids and of the proven measurements that they
/// compare. 32 bytes, hex in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Measured(#[serde(with = "hex")] [u8; 32]);

impl Measured {
    /// What the failed checks of `report` measured; `None` where none of them compares anything that was proven.
    fn of(report: &TargetReport) -> Option<Self> {
        let failed = report.checks.iter().filter(|check| check.status == Status::Fail);
        let mut parts: Vec<&str> = Vec::new();
        for check in failed {
            let compares = Check::of(check.id).compares.iter();
            let values: Vec<Option<&str>> = compares.map(|value| value.of(report)).collect();
            if values.iter().any(Option::is_some) {
                parts.push(check.id.as_str());
                parts.extend(values.into_iter().map(Option::unwrap_or_default));
            }
        }
        (!parts.is_empty()).then(|| Self(hash("cvm-verify/alert-measured/v1", parts)))
    }

    /// What several reports measured that are alerted on as one, in any order: each value once.
    fn of_all<'a>(reports: impl IntoIterator<Item = &'a TargetReport>) -> Option<Self> {
        let values: BTreeSet<[u8; 32]> = reports
            .into_iter()
            .filter_map(|report| Self::of(report).map(|measured| measured.0))
            .collect();
        match values.len() {
            0 | 1 => values.first().copied().map(Self),
            _ => {
                let values: Vec<String> = values.into_iter().map(hex::encode).collect();
                Some(Self(hash(
                    "cvm-verify/alert-measured-by-several/v1",
                    values.iter().map(String::as_str),
                )))
            }
        }
    }
}

/// A check that keeps a target from passing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failing {
    /// Which.
    pub check: CheckId,
    /// The code of its reason, one of the check's own, or `unknown`.
    pub reason: String,
}

/// A result that is no pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Tells it from others.
    pub key: FailureKey,
    /// `fail` or `inconclusive`.
    pub verdict: Verdict,
    /// What the verdict hangs on, sorted.
    pub failing: Vec<Failing>,
    /// What the checks that failed measured. Absent where nothing that they compare was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// When it was found, Unix seconds.
    pub at: u64,
}

impl Failure {
    /// What failed in `report`, found at `at`. `None` for a pass.
    #[must_use]
    pub fn of(report: &TargetReport, at: u64) -> Option<Self> {
        if report.verdict == Verdict::Pass {
            return None;
        }
        let mut failing: Vec<Failing> = causes(report)
            .into_iter()
            .map(|result| Failing {
                check: result.id,
                reason: known_reason(result.id, result.reason.as_deref()).to_owned(),
            })
            .collect();
        failing.sort_unstable();
        failing.dedup();
        let target = TargetId::of(&report.name).to_string();
        let parts = failing.iter().flat_map(|one| [one.check.as_str(), &one.reason]);
        let key = hash(
            "cvm-verify/alert-key/v1",
            [target.as_str()].into_iter().chain(parts),
        );
        Some(Self {
            key: FailureKey(key),
            verdict: report.verdict,
            failing,
            measured: Measured::of(report),
            at,
        })
    }

    /// The same, where it stands for all of `reports`.
    #[must_use]
    pub(crate) fn of_several<'a>(self, reports: impl IntoIterator<Item = &'a TargetReport>) -> Self {
        let measured = Measured::of_all(reports);
        Self { measured, ..self }
    }

    /// Whether the same checks fail for the same reasons, whatever they measured.
    #[must_use]
    pub(in crate::alert) fn has_same_causes(&self, other: &Self) -> bool {
        (self.key, self.verdict) == (other.key, other.verdict)
    }

    /// Of what is no target and has no checks, by its id: `cause` says what is wrong with it. The cause is not kept, but a hash of it is.
    pub(in crate::alert) fn without_checks(id: TargetId, cause: &str, at: u64) -> Self {
        Self {
            key: FailureKey(hash(
                "cvm-verify/alert-key-without-checks/v1",
                [id.to_string().as_str()],
            )),
            verdict: Verdict::Inconclusive,
            failing: Vec::new(),
            measured: Some(Measured(hash("cvm-verify/alert-cause/v1", [cause]))),
            at,
        }
    }

    /// Whether it tells the same, whenever it was found: the same checks for the same reasons, and the same measured values as far
    /// as both know them.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let measured = self.measured.zip(other.measured);
        self.has_same_causes(other) && measured.is_none_or(|(one, two)| one == two)
    }

    /// Whether it is what [`Failure::of`] can give: a state from outside is checked by it.
    pub(super) fn is_sound(&self) -> bool {
        self.verdict != Verdict::Pass
            && self.failing.len() <= MAX_FAILING
            && self.failing.iter().all(|one| is_word(&one.reason, MAX_REASON))
    }
}

/// Whether a text of the state is one of our own words, of at most `longest` bytes: a reason, a channel's name.
pub(super) fn is_word(text: &str, longest: usize) -> bool {
    let is_ours = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=longest).contains(&text.len()) && text.bytes().all(is_ours)
}

/// The reason as the check itself lists it: what is not in the list is not ours to repeat.
fn known_reason(check: CheckId, reason: Option<&str>) -> &'static str {
    let known = reason.and_then(|reason| Check::of(check).reason(reason));
    known.map_or(UNKNOWN, |known| known.id)
}

/// Each part with its length before it, so that no two lists are one text.
pub(super) fn hash<'a>(label: &'static str, parts: impl IntoIterator<Item = &'a str>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [label].into_iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::samples::{self, of, set};
    use cvm_verify_core::report::Status;
    use proptest::prelude::*;

    fn key(report: &TargetReport) -> FailureKey {
        Failure::of(report, 0).unwrap().key
    }

    #[test]
    fn a_pass_is_no_failure() {
        assert_eq!(Failure::of(&samples::pass(), 0), None);
    }

    #[test]
    fn t61_another_target_check_or_reason_is_another_failure() {
        let one = key(&samples::fail());
        let mut other = samples::fail();
        other.name = "other".to_owned();
        assert_ne!(key(&other), one);
        let mut more = samples::fail();
        set(&mut more, CheckId::AppId, Status::Fail, "app-id-mismatch");
        assert_ne!(key(&more), one);
        assert_ne!(key(&samples::inconclusive()), one);
        let mut reason = samples::unreachable();
        let unreachable = key(&reason);
        set(&mut reason, CheckId::Evidence, Status::Error, "not-json");
        assert_ne!(key(&reason), unreachable);
    }

    #[test]
    fn t61_a_reason_that_no_check_has_is_not_repeated() {
        let mut report = samples::fail();
        of(&mut report, CheckId::ComposeHash).reason = Some("whatever the CVM says".to_owned());
        let failure = Failure::of(&report, 0).unwrap();
        assert_eq!(failure.failing.first().unwrap().reason, UNKNOWN);
        assert!(failure.is_sound());
    }

    #[test]
    fn t61_another_proven_value_under_the_same_reason_is_told_apart() {
        let one = Failure::of(&samples::fail(), 0).unwrap();
        let mut other = samples::fail();
        other.measurements.compose_hash = Some("1a".repeat(32).into());
        let other = Failure::of(&other, 0).unwrap();
        assert_eq!(other.key, one.key);
        assert!(other.measured.is_some() && !other.is_same(&one));
        // Not what no failed check compares, nor what is not proven.
        let mut same = samples::fail();
        same.measurements.rtmr3 = Some("1a".repeat(48).into());
        same.measurements.key_provider = None;
        assert!(Failure::of(&same, 0).unwrap().is_same(&one));
        let mut unproven = samples::fail();
        *unproven.measurements = cvm_verify_core::report::Measurements::default();
        assert_eq!(Failure::of(&unproven, 0).unwrap().measured, None);
        assert_eq!(Failure::of(&samples::inconclusive(), 0).unwrap().measured, None);
    }

    /// Each check that compares a value has its own.
    #[test]
    fn t61_each_value_that_a_failed_check_compares_is_told_apart() {
        type Change = fn(&mut TargetReport);
        let rows: [(CheckId, Change); 13] = [
            (CheckId::ComposeHash, |report| {
                report.measurements.compose_hash = Some("1a".into())
            }),
            (CheckId::ImagePins, |report| {
                report.measurements.compose_hash = Some("1a".into())
            }),
            (CheckId::OsImage, |report| {
                report.measurements.mrtd = Some("1a".into())
            }),
            (CheckId::OsImage, |report| {
                report.measurements.rtmr0 = Some("1a".into())
            }),
            (CheckId::OsImage, |report| {
                report.measurements.rtmr1 = Some("1a".into())
            }),
            (CheckId::OsImage, |report| {
                report.measurements.rtmr2 = Some("1a".into())
            }),
            (CheckId::KeyProvider, |report| {
                report.measurements.key_provider = Some("1a".into())
            }),
            (CheckId::AppId, |report| {
                report.measurements.app_id = Some("1a".into())
            }),
            (CheckId::InstanceId, |report| {
                report.measurements.instance_id = Some("1a".into())
            }),
            (CheckId::MrConfigId, |report| {
                report.measurements.mr_config_id = Some("1a".into())
            }),
            (CheckId::TdAttributes, |report| {
                report.measurements.td_attributes = Some("1a".into())
            }),
            (CheckId::TdAttributes, |report| {
                report.measurements.xfam = Some("1a".into())
            }),
            (CheckId::PlatformId, |report| {
                report.tcb.platform_id = Some("1a".to_owned())
            }),
        ];
        for (check, change) in rows {
            let mut report = samples::fail();
            for result in &mut report.checks {
                if result.status == Status::Fail {
                    result.status = Status::Pass;
                }
            }
            set(&mut report, check, Status::Fail, "a reason");
            let one = Failure::of(&report, 0).unwrap();
            change(&mut report);
            let other = Failure::of(&report, 0).unwrap();
            assert_eq!(other.key, one.key, "{check}");
            assert!(
                other.measured.is_some() && other.measured != one.measured,
                "{check}"
            );
        }
    }

    proptest! {
        #[test]
        fn t61_no_text_of_a_result_changes_the_key(detail: String, actual: String, fix: String, url: String, at: u64) {
            let mut report = samples::fail();
            let one = key(&report);
            report.url = Some(url);
            for check in &mut report.checks {
                check.detail = detail.clone();
                check.actual = Some(actual.clone());
                check.fix = Some(fix.clone());
            }
            prop_assert_eq!(Failure::of(&report, at).unwrap().key, one);
        }
    }
}
