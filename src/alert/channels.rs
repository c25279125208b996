//! Where alerts go. The URLs are secrets: whoever knows one can post in your name.

use super::github_issue::GithubIssues;
use crate::net::Secret;

/// Where alerts go. `None` is a channel that nobody asked for; an empty secret is one that was asked for and whose
/// secret is not there, as in a run for a pull request from a fork: it is skipped, and the record says so.
#[derive(Debug, Clone, Default)]
pub struct Channels {
    /// A Slack incoming webhook.
    pub slack_webhook_url: Option<Secret>,
    /// A Discord webhook.
    pub discord_webhook_url: Option<Secret>,
    /// A webhook of a Microsoft Teams workflow.
    pub teams_webhook_url: Option<Secret>,
    /// The key of a PagerDuty integration of type Events API v2.
    pub pagerduty_routing_key: Option<Secret>,
    /// Where PagerDuty takes events, where that is not the default.
    pub pagerduty_url: Option<Secret>,
    /// The issues of a repository on GitHub. It takes part only where there is a memory: it is one.
    pub github_issue: Option<GithubIssues>,
    /// A receiver of alert v1.
    pub webhook_url: Option<Secret>,
    /// The key that signs what goes to `webhook_url`. Without it, or with an empty one, nothing is signed.
    pub webhook_secret: Option<Secret>,
    /// A dead man's switch, as healthchecks.io.
    pub heartbeat_url: Option<Secret>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn channels_never_print_their_secrets() {
        let channels = Channels {
            slack_webhook_url: Some(secret("hunter2")),
            discord_webhook_url: Some(secret("hunter2")),
            teams_webhook_url: Some(secret("hunter2")),
            pagerduty_routing_key: Some(secret("hunter2")),
            pagerduty_url: Some(secret("hunter2")),
            github_issue: GithubIssues::new(None, "o/r", secret("hunter2")).ok(),
            webhook_url: Some(secret("hunter2")),
            webhook_secret: Some(secret("hunter2")),
            heartbeat_url: Some(secret("hunter2")),
        };
        assert!(!format!("{channels:?} {channels:#?}").contains("hunter2"));
    }
}
