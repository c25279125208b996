//! What a run verifies: settings in, deployments with their policies out.
//!
//! Settings are options and the policy file. Each target gets an address (`target`) and a policy (`policy`, and a file for each of
//! its larger parts). A mistake in one of them is noted (`setting_problem`), so that a user reads all mistakes at once.

mod compose;
pub(crate) mod found_lock;
mod governance_policy;
pub(crate) mod job;
pub(crate) mod kms_and_contracts;
pub(crate) mod kms_policy;
mod lock;
pub(crate) mod named_files;
pub(crate) mod next_commands;
pub(crate) mod nodes;
pub(crate) mod one_target;
mod os_image;
pub(crate) mod planner;
pub(crate) mod policy;
pub(crate) mod policy_file;
mod reader;
mod release;
pub(crate) mod replayed_files;
pub(crate) mod report_data;
pub(crate) mod selection;
pub(crate) mod setting_problem;
pub(crate) mod shard;
pub(crate) mod source_rules;
pub(crate) mod target;
mod tls_mode;

use crate::engine::Session;
use crate::env::Env;
use crate::usage_error::UsageError;

/// Makes the session that a live deployment is asked in.
pub(crate) type LiveSession<'a> = &'a dyn Fn(&Env) -> Result<Session, UsageError>;
