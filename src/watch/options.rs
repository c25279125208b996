//! What a watch is asked to do, and how it asks.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::LogFormat;
use crate::alert::RunSubject;
use crate::alert::incident::Rules;
use crate::engine::{Computation, Session};
use crate::env::Env;
use crate::plan::planner::Plan;
use crate::plan::selection::Selection;
use crate::usage_error::UsageError;

/// What a watch does, and how.
pub(crate) struct Options {
    /// Which targets it verifies.
    pub selection: Selection,
    /// The policy file, if it has one.
    pub policy_file: Option<PathBuf>,
    /// Whether it ends when each target was verified once.
    pub once: bool,
    /// How many targets are asked at the same time.
    pub concurrency: NonZeroUsize,
    /// How long one attempt at a target may take.
    pub one_attempt: Option<Duration>,
    /// Where metrics and health are served.
    pub listen: Option<SocketAddr>,
    /// The folder of the evidence of rounds that did not pass.
    pub evidence: Option<PathBuf>,
    /// The form of the log's lines.
    pub log_format: LogFormat,
    /// Whether what is as it should be is left out of the log.
    pub quiet: bool,
    /// The file that remembers what was reported.
    pub state: Option<PathBuf>,
    /// The repository whose issues are kept.
    pub github_issue: Option<String>,
    /// When to alert.
    pub rules: Rules,
    /// What alerts call a start that failed, and with `once` a run that ended before it verified anything.
    pub run_subject: RunSubject,
    /// What alerts call the policy.
    pub policy_subject: RunSubject,
}

/// Makes the session of a plan: what does not change from target to target. What it computes has the bound that is given.
pub(crate) type SessionOf<'a> = &'a dyn Fn(&Plan, &Computation, &Env) -> Result<Arc<Session>, UsageError>;
