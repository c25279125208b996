//! Which run of a CI this process is a part of: named by `--run-id`, else by the CI itself.

use super::Env;
use cvm_verify_core::report::{Report, RunId};

/// The run, and which attempt at it, from 1, where the CI counts them.
pub(crate) struct RunAttempt {
    pub id: RunId,
    pub attempt: Option<u32>,
}

/// The run of this process. GitHub's run id stays the same when its failed jobs are run again, and so does GitLab's id of
/// a pipeline.
pub(crate) fn of(named: Option<&RunId>, env: &Env) -> Option<RunAttempt> {
    let get = |name: &str| env.variables.get(name).map(|value| value.trim());
    let attempt = || get("GITHUB_RUN_ATTEMPT")?.parse().ok();
    if let Some(id) = named {
        return Some(RunAttempt {
            id: id.clone(),
            attempt: env.on_github().then(attempt).flatten(),
        });
    }
    let of_ci = |ci: &str, variable: &str| format!("{ci}/{}", get(variable)?).parse().ok();
    if env.on_github() {
        return Some(RunAttempt {
            id: of_ci("github-actions", "GITHUB_RUN_ID")?,
            attempt: attempt(),
        });
    }
    let on_gitlab = get("GITLAB_CI") == Some("true");
    let id = on_gitlab
        .then(|| of_ci("gitlab-ci", "CI_PIPELINE_ID"))
        .flatten()?;
    Some(RunAttempt { id, attempt: None })
}

/// Names the run in a report of it.
pub(crate) fn name(report: &mut Report, run: Option<&RunAttempt>) {
    report.run_id = run.map(|run| run.id.clone());
    report.attempt = run.and_then(|run| run.attempt);
}
