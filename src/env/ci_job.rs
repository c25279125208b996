//! Which job of a CI this process is a part of, whichever run of it.

use super::Env;

/// The names that a job keeps from one run to the next: GitHub's repository, workflow file with its ref and job, or GitLab's project,
/// branch and job. Empty elsewhere.
pub(crate) fn of(env: &Env) -> Vec<String> {
    let get = |name: &str| {
        let value = env.variables.get(name).map(|value| value.trim());
        value.unwrap_or_default().to_owned()
    };
    if env.on_github() {
        // OWNER/NAME/.github/workflows/FILE@REF
        return ["GITHUB_WORKFLOW_REF", "GITHUB_JOB"].map(get).to_vec();
    }
    match get("GITLAB_CI") == "true" {
        true => ["CI_PROJECT_URL", "CI_COMMIT_REF_NAME", "CI_JOB_NAME"]
            .map(get)
            .to_vec(),
        false => Vec::new(),
    }
}
