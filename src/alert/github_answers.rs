//! What is read of GitHub's answers.
//!
//! octocrab's own models ask for 18 members of an issue and as many of its author, and know a fixed list of reasons why an issue was
//! closed. One issue that lacks a member, on an older Enterprise Server or after GitHub adds a reason, would make a whole page
//! unreadable, and nobody would be alerted. These ask for what is used.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// A row of a page of issues. One that is not an issue is left out.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum GithubRow {
    Issue(IssueRow),
    Other(IgnoredAny),
}

/// An issue or a pull request.
#[derive(Debug, Deserialize)]
pub(super) struct IssueRow {
    pub number: u64,
    pub user: User,
    #[serde(default)]
    pub body: Option<String>,
    /// Present if it is a pull request.
    #[serde(default)]
    pub pull_request: Option<IgnoredAny>,
}

/// An account.
#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub login: String,
    /// `User`, `Bot` or `Organization`.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
}

impl User {
    /// Whether it is the account of this name. Apps are called `name[bot]` in one API of GitHub's and `name` in the other.
    pub fn is(&self, name: &str) -> bool {
        let plain = |login: &str| login.strip_suffix("[bot]").unwrap_or(login).to_owned();
        self.login == name || (self.kind.as_deref() == Some("Bot") && plain(&self.login) == plain(name))
    }
}

/// An issue that was made.
#[derive(Debug, Deserialize)]
pub(super) struct Made {
    pub number: u64,
}

/// GraphQL's answer to `query { viewer { login } }`.
#[derive(Debug, Deserialize)]
pub(super) struct ViewerAnswer {
    pub data: Viewer,
}

#[derive(Debug, Deserialize)]
pub(super) struct Viewer {
    pub viewer: User,
}
