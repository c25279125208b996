//! A part of a joined report that an older attempt at the run verified.

use serde::{Deserialize, Serialize};

use super::Shard;

/// A report that was joined although a newer attempt at the same run was made: its targets were not verified again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct OlderAttempt {
    /// Which part of the targets it is of, as `2/5`. Absent where it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub shard: Option<Shard>,
    /// The attempt that verified it, from 1.
    pub attempt: u32,
    /// The newest attempt at the run, from 1.
    pub newest: u32,
    /// When the run of that report ended, RFC 3339 UTC.
    pub ended_at: String,
}
