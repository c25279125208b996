//! Which job of a CI this process is a part of, whichever run of it.

use super::Env;

/// The names that a job keeps from one run to the next: GitHub's repository, workflow file and job, or GitLab's project and job. Empty
/// elsewhere.
pub(crate) fn of(env: &Env) -> Vec<String> {
    let get = |name: &str| {
        let value = env.variables.get(name).map(|value| value.trim());
        value.unwrap_or_default().to_owned()
    };
    if env.on_github() {
        // OWNER/NAME/.github/workflows/FILE@REF
        let workflow = get("GITHUB_WORKFLOW_REF");
        let file = workflow.split('@').next().unwrap_or_default().to_owned();
        return vec![get("GITHUB_REPOSITORY"), file, get("GITHUB_JOB")];
    }
    match get("GITLAB_CI") == "true" {
        true => vec![get("CI_PROJECT_URL"), get("CI_JOB_NAME")],
        false => Vec::new(),
    }
}
