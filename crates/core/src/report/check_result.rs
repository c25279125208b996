//! What one check found.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{CheckId, Location, Shared, SideTier};

crate::word_enum! {
    /// The outcome of a check. `skip` and `warn` are never `pass`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
    #[serde(rename_all = "lowercase")]
    pub enum Status {
        /// Proven.
        Pass = "pass",
        /// Proven, with something that a person should look at; or short of its requirement, which it then says.
        Warn = "warn",
        /// Something is wrong with the deployment.
        Fail = "fail",
        /// It could not be determined.
        Error = "error",
        /// Not configured, or waived.
        Skip = "skip",
    }
}

/// What one check found. The reports on many targets hold what they have in common once.
pub type CheckResult = Shared<ResultFields>;

/// What one check found, in words for people and a reason for machines.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[cfg_attr(any(test, feature = "schema"), schemars(rename = "CheckResult"))]
pub struct ResultFields {
    /// Which check.
    pub id: CheckId,
    /// Its outcome.
    pub status: Status,
    /// The reason, kebab-case; a reason never changes its id. Null if the check passed.
    pub reason: Option<String>,
    /// The check's name in words.
    pub title: Cow<'static, str>,
    /// What a pass of this check proves.
    pub proves: Cow<'static, str>,
    /// The attack that it prevents.
    pub prevents: Cow<'static, str>,
    /// What was found, one sentence.
    pub detail: String,
    /// What was expected, where a value was.
    pub expected: Option<String>,
    /// Where the expectation is written. Absent for one that no file holds, and for a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// What was found instead.
    pub actual: Option<String>,
    /// What to do next. Null when there is nothing to do.
    pub fix: Option<String>,
    /// The tier in addition to `code` that this result grants. Absent if it grants none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<SideTier>,
}
