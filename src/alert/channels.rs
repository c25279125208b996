//! Where alerts go. The URLs are secrets: anyone who knows one can post in your name.

use std::collections::BTreeMap;

use super::github_issue::GithubIssues;
use crate::net::Secret;

/// Where alerts go: the secrets of the channels, by the names in their rows of [`CHANNELS`](super::CHANNELS). One that is absent
/// was not asked for; an empty one was asked for and is not there, as in a run for a pull request from a fork: the channel is
/// skipped, and the record says so.
#[derive(Debug, Clone, Default)]
pub struct Channels {
    secrets: BTreeMap<&'static str, Secret>,
    /// Where those that are not there would be: the names of environment variables.
    missing: BTreeMap<&'static str, String>,
    /// The issues of a repository on GitHub. It takes part only if state is stored: it is such a store.
    pub github_issue: Option<GithubIssues>,
}

impl Channels {
    /// With this secret, or without it.
    #[must_use]
    pub fn with(mut self, name: &'static str, secret: Option<Secret>) -> Self {
        match secret {
            Some(secret) => self.secrets.insert(name, secret),
            None => self.secrets.remove(name),
        };
        self
    }

    /// One secret alone, or where it would be.
    #[must_use]
    pub fn only(&self, name: &'static str) -> Self {
        let one = Self::default().with(name, self.secret(name).cloned());
        match self.missing.get(name) {
            Some(variable) => one.missing(name, variable.clone()),
            None => one,
        }
    }

    /// With the variable of a secret that is not there.
    #[must_use]
    pub fn missing(mut self, name: &'static str, variable: String) -> Self {
        self.missing.insert(name, variable);
        self
    }

    /// The variable of a secret that is not there.
    pub(super) fn variable_of_missing(&self, name: &str) -> Option<&str> {
        self.missing.get(name).map(String::as_str)
    }

    /// With the issues of a repository, or without.
    #[must_use]
    pub fn with_issues(mut self, issues: Option<GithubIssues>) -> Self {
        self.github_issue = issues;
        self
    }

    /// A secret by its name.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_never_print_their_secrets() {
        let secret = || Secret::new("hunter2".to_owned());
        let channels = Channels::default()
            .with("slack-webhook-url", Some(secret()))
            .with_issues(GithubIssues::new(None, "o/r", secret()).ok());
        assert!(!format!("{channels:?} {channels:#?}").contains("hunter2"));
    }
}
