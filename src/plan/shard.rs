//! `--shard`: a part of the targets.

use super::job::Job;
use crate::usage_error::UsageError;
use cvm_verify_core::report::Shard;

/// The targets of this shard; all of them without one.
pub(crate) fn part(shard: Option<Shard>, targets: Vec<Job>) -> Result<Vec<Job>, UsageError> {
    let Some(shard) = shard else {
        return Ok(targets);
    };
    let total = targets.len();
    let mine = shard.of(targets, Job::name);
    if mine.is_empty() {
        return Err(UsageError::option(
            "--shard",
            format!(
                "{shard} contains no target, because there are only {total}; share them between at most {total} runs"
            ),
        ));
    }
    Ok(mine)
}
