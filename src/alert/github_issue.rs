//! One issue on GitHub for each target that does not pass: made, kept up to date, commented, closed.
//!
//! It is found by the label `cvm-verify` and the mark in its first line, and only if the owner of our token opened
//! it: a mark that somebody else wrote into their own issue has no effect. Anyone who may edit the issue can edit the
//! alert state in it; state that does not parse counts as none, and everything is reported again.

use octocrab::Octocrab;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::delivery::AlertSender;
use super::error::{DeliveryError, OnlyIfNotTaken};
use super::github_answers::{GithubRow, Made, User, ViewerAnswer};
use super::github_client::{GithubClient, meant};
use super::github_page::{body, comment, remembered, title, with_state};
use super::incident::{About, Due, FORGOTTEN_AFTER, TargetId, TargetState};
use super::message::Message;
use super::no_secret::{GITHUB_TOKEN, no_secret};
use crate::address::shown_text;
use crate::net::Secret;
use crate::net::retry::retry;
use cvm_verify_core::report::{AlertRecord, rfc3339};

/// The channel's name.
pub(super) const CHANNEL: &str = "github-issue";

/// The label of our issues.
const LABEL: &str = "cvm-verify";
/// GitHub's API, where no other is named.
const PUBLIC_API: &str = "https://api.github.com";
/// Which issues hold the incidents that are open.
const OPEN: &str = "state=open&sort=created&direction=asc";
/// Issues on a page, and how many pages are read: with more open issues of this label than that, some are not found.
const PAGE: usize = 50;
const MAX_PAGES: usize = 10;

/// The issues of a repository.
#[derive(Debug, Clone)]
pub struct GithubIssues {
    api: Url,
    owner: String,
    repository: String,
    token: Secret,
}

/// Why the issues of a repository cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not `OWNER/REPO`.
    #[error("{0:?} is not a repository; write OWNER/REPO")]
    NoRepository(String),
    /// The API's address is not a URL.
    #[error("the API's address {0:?} is not an https URL")]
    NoApi(String),
}

impl GithubIssues {
    /// The issues of `repository` (`OWNER/REPO`), at GitHub or, for GitHub Enterprise Server, at `api`. An empty token is
    /// one that is not there: the channel is skipped.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(api: Option<&str>, repository: &str, token: Secret) -> Result<Self, SettingsError> {
        let name = |text: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            !text.is_empty()
                && text.len() <= 100
                && text.chars().all(known)
                && !text.chars().all(|c| c == '.')
        };
        let parts = repository.split_once('/');
        let (owner, repository) = parts
            .filter(|(owner, repository)| name(owner) && name(repository))
            .ok_or_else(|| SettingsError::NoRepository(repository.to_owned()))?;
        let text = api.unwrap_or(PUBLIC_API);
        let api = Url::parse(text)
            .ok()
            .filter(|url| url.has_host() && url.query().is_none() && url.username().is_empty());
        Ok(Self {
            api: api.ok_or_else(|| SettingsError::NoApi(shown_text(text).to_owned()))?,
            owner: owner.to_owned(),
            repository: repository.to_owned(),
            token,
        })
    }

    /// Finds the open issues. `None` if there is no token.
    pub(super) async fn open(
        &self,
        sender: &AlertSender<'_>,
        deadline: Instant,
    ) -> Result<Option<OpenIssues>, DeliveryError> {
        let Some(token) = crate::alert::secret_text::word(&self.token, "its token")? else {
            return Ok(None);
        };
        let client_of_github = GithubClient {
            client: sender.client.clone(),
            api: self.api.clone(),
            token: Secret::new(token.to_owned()),
            deadline,
            retry_policy: sender.retry_policy,
            jitter: sender.jitter(),
        };
        let github = client_of_github.clone().octocrab();
        let path = format!("/repos/{}/{}/issues", self.owner, self.repository);
        let me = owner_of_the_token(&github).await?;
        let issues = own_issues(&github, &path, &me, OPEN).await?;
        Ok(Some(OpenIssues {
            client_of_github,
            github,
            path,
            me,
            issues,
            recovered: Vec::new(),
        }))
    }

    /// Looks whether the token can read the issues, and writes nothing.
    pub(super) async fn probe(&self, sender: &AlertSender<'_>, deadline: Instant) -> AlertRecord {
        let (delivered, detail) = match self.open(sender, deadline).await {
            Ok(Some(open_issues)) => {
                let open = open_issues.issues.len();
                let path = &open_issues.path;
                let said = format!("{path} can be read, {open} open issues of ours; nothing was written");
                (true, said)
            }
            Ok(None) => (false, no_secret([GITHUB_TOKEN])),
            Err(error) => (false, error.to_string()),
        };
        AlertRecord::new(CHANNEL, "test", delivered, detail)
    }
}

/// The open issues of ours in one repository.
pub(super) struct OpenIssues {
    client_of_github: GithubClient,
    github: Octocrab,
    path: String,
    /// Whose token it is.
    me: String,
    issues: Vec<Issue>,
    /// Those that were closed when their target recovered: a relapse opens them again, and what other channels did not take is in them.
    recovered: Vec<Issue>,
}

#[derive(Debug, Clone)]
struct Issue {
    target: TargetId,
    number: u64,
    body: String,
    stored: Option<TargetState>,
}

/// What became of one due message.
pub(super) struct Step {
    pub(super) due: usize,
    /// Why it was not delivered.
    pub(super) result: Result<(), DeliveryError>,
    /// Whether anything was written: some messages need no words here.
    pub(super) spoken: bool,
}

impl OpenIssues {
    fn issue(&self, target: TargetId) -> Option<&Issue> {
        self.issues.iter().find(|issue| issue.target == target)
    }

    /// Finds the issues of the targets that recovered so shortly before `now` that a failure is a relapse, or that a channel is still to
    /// hear of it. Where GitHub does not list them, a failure is one that is new.
    pub(super) async fn find_recovered(&mut self, now: u64) {
        let since = rfc3339(now.saturating_sub(FORGOTTEN_AFTER));
        let which = format!("state=closed&since={since}&sort=updated&direction=desc");
        let closed = own_issues(&self.github, &self.path, &self.me, &which).await;
        let recovered = |issue: Issue| {
            let stored = Some(issue.stored?.after_recovery(now)?);
            Some(Issue { stored, ..issue })
        };
        self.recovered = closed
            .unwrap_or_default()
            .into_iter()
            .filter_map(recovered)
            .collect();
    }

    /// What the target's issue remembers.
    pub(super) fn stored(&self, target: TargetId) -> Option<&TargetState> {
        let recovered = || self.recovered_issue(target);
        self.issue(target).or_else(recovered)?.stored.as_ref()
    }

    fn recovered_issue(&self, target: TargetId) -> Option<&Issue> {
        self.recovered.iter().find(|issue| issue.target == target)
    }

    /// Brings a target's issue to where `state` is. `due` are this channel's messages with their numbers; what is reported is
    /// noted in `state`. `standing` is what is in the issue's body as long as it is open.
    pub(super) async fn settle(
        &mut self,
        target: TargetId,
        state: &mut TargetState,
        due: &[(usize, &Due, &Message)],
        standing: Option<&Message>,
        now: u64,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        for (number, due, message) in due {
            let outcome = self.tell(target, state, due, message, now).await;
            let step = Step {
                due: *number,
                spoken: outcome.unwrap_or(true),
                result: outcome.map(|_| ()),
            };
            let failed = step.result.is_err();
            steps.push(step);
            if failed {
                return steps;
            }
        }
        if let (Some(issue), Some(message)) = (self.issue(target), standing)
            && !issue.stored.as_ref().is_some_and(|stored| stored.is_same(state))
        {
            // What is not written now is written in the next run: the state there is the older one then.
            let _ = self
                .edit(issue.number, &json!({ "body": body(message, target, state) }))
                .await;
        }
        if let (None, Some(issue)) = (self.issue(target), self.recovered_issue(target))
            && state.failure().is_none()
            && let Some(stored) = &issue.stored
            && stored.waiting_channels() != state.waiting_channels()
        {
            // Another channel took the end of what it knew of.
            let _ = self
                .edit(
                    issue.number,
                    &json!({ "body": with_state(&issue.body, target, state) }),
                )
                .await;
        }
        steps
    }

    /// Whether anything had to be written.
    async fn tell(
        &mut self,
        target: TargetId,
        state: &mut TargetState,
        due: &Due,
        message: &Message,
        now: u64,
    ) -> Result<bool, DeliveryError> {
        let mut after = state.clone();
        after.record(due, now);
        let spoken = match (self.issue(target).map(|issue| issue.number), &due.about) {
            // No issue is opened for what has not happened yet, nor for the end of what has none.
            (_, About::Forecast(_))
            | (
                None,
                About::Recovery
                | About::Departed { .. }
                | About::PassUnderAnotherPolicy { .. }
                | About::PassAtAnotherAddress { .. },
            ) => false,
            (None, About::Failure { .. } | About::Exchanged { .. } | About::Reminder { .. }) => {
                let (title, body) = (title(message), body(message, target, &after));
                let number = match self.recovered_issue(target).map(|issue| issue.number) {
                    Some(number) => {
                        let issue = json!({ "title": title, "body": body, "state": "open" });
                        self.edit(number, &issue).await?;
                        // Open it says all; what is said here besides is for those who read only comments.
                        let route = format!("{}/{number}/comments", self.path);
                        let _ = self.comment(&route, &json!({ "body": comment(message) })).await;
                        number
                    }
                    None => {
                        let issue = json!({ "title": title, "body": body, "labels": [LABEL] });
                        self.create(target, &issue).await?
                    }
                };
                self.issues.push(Issue {
                    target,
                    number,
                    body,
                    stored: Some(after.clone()),
                });
                true
            }
            (Some(number), about) => {
                let route = format!("{}/{number}/comments", self.path);
                self.comment(&route, &json!({ "body": comment(message) })).await?;
                if matches!(about, About::Recovery | About::Departed { .. }) {
                    let body = body(message, target, &after);
                    self.edit(
                        number,
                        &json!({ "body": body, "state": "closed", "state_reason": "completed" }),
                    )
                    .await?;
                    self.issues.retain(|issue| issue.target != target);
                }
                true
            }
        };
        *state = after;
        Ok(spoken)
    }

    /// Opens an issue for `target`, in up to three tries, and says its number. An answer that was lost may have been that it
    /// was made, so each later try first looks for it.
    async fn create(&self, target: TargetId, issue: &Value) -> Result<u64, DeliveryError> {
        retry(
            &self.client_of_github.schedule(),
            || self.client_of_github.jitter,
            |attempt| async move {
                if attempt.number > 1 {
                    let issues = own_issues(&self.github, &self.path, &self.me, OPEN).await?;
                    if let Some(made) = issues.iter().find(|issue| issue.target == target) {
                        return Ok(made.number);
                    }
                }
                let made: Made = post(&self.github, &self.path, issue).await?;
                Ok(made.number)
            },
        )
        .await
    }

    /// Comments at `route`, again only where the comment was certainly not taken. Otherwise it is due in the next run.
    async fn comment(&self, route: &str, content: &Value) -> Result<(), DeliveryError> {
        let comment = || async { post(&self.github, route, content).await.map_err(OnlyIfNotTaken) };
        let made: Result<IgnoredAny, _> = retry(
            &self.client_of_github.schedule(),
            || self.client_of_github.jitter,
            |_| comment(),
        )
        .await;
        made.map(|_| ()).map_err(|OnlyIfNotTaken(error)| error)
    }

    async fn edit(&self, number: u64, change: &Value) -> Result<(), DeliveryError> {
        let route = format!("{}/{number}", self.path);
        let changed: Result<IgnoredAny, _> = self.github.patch(route, Some(change)).await;
        changed.map(|_| ()).map_err(|error| meant(&error))
    }
}

async fn get<T: DeserializeOwned>(github: &Octocrab, route: &str) -> Result<T, DeliveryError> {
    github
        .get(route, None::<&()>)
        .await
        .map_err(|error| meant(&error))
}

async fn post<T: DeserializeOwned>(
    github: &Octocrab,
    route: &str,
    content: &Value,
) -> Result<T, DeliveryError> {
    github
        .post(route, Some(content))
        .await
        .map_err(|error| meant(&error))
}

/// GraphQL knows it for every kind of token; REST for those of people.
async fn owner_of_the_token(github: &Octocrab) -> Result<String, DeliveryError> {
    let is_refusal = |error: &DeliveryError| {
        matches!(
            error,
            DeliveryError::NotUnderstood
                | DeliveryError::Status {
                    status: 403 | 404,
                    ..
                }
        )
    };
    let query = json!({ "query": "query { viewer { login } }" });
    match post::<ViewerAnswer>(github, "/graphql", &query).await {
        Ok(said) => return Ok(said.data.viewer.login),
        Err(error) if is_refusal(&error) => {}
        Err(error) => return Err(error),
    }
    match get::<User>(github, "/user").await {
        Ok(user) => Ok(user.login),
        Err(error) if is_refusal(&error) => Err(DeliveryError::NobodysToken {
            status: match error {
                DeliveryError::Status { status, .. } => Some(status),
                _ => None,
            },
        }),
        Err(error) => Err(error),
    }
}

/// The issues that `me` opened under the label, by the target in their first line: those that the parameters `which` ask for. Of two,
/// the one that is listed first counts.
async fn own_issues(
    github: &Octocrab,
    path: &str,
    me: &str,
    which: &str,
) -> Result<Vec<Issue>, DeliveryError> {
    let mut issues: Vec<Issue> = Vec::new();
    for page in 1..=MAX_PAGES {
        let route = format!("{path}?{which}&labels={LABEL}&per_page={PAGE}&page={page}");
        let rows: Vec<GithubRow> = get(github, &route).await?;
        for row in &rows {
            if let GithubRow::Issue(row) = row
                && row.pull_request.is_none()
                && row.user.is(me)
                && let Some((target, stored)) = remembered(row.body.as_deref().unwrap_or_default())
                && !issues.iter().any(|issue| issue.target == target)
            {
                issues.push(Issue {
                    target,
                    number: row.number,
                    body: row.body.clone().unwrap_or_default(),
                    stored,
                });
            }
        }
        if rows.len() < PAGE {
            break;
        }
    }
    Ok(issues)
}

#[cfg(test)]
#[path = "github_issue_tests.rs"]
mod tests;
