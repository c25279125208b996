//! Which environment variables hold the secrets of the alert channels, and what they hold.

use super::environment::truth;
use super::surroundings::Surroundings;
use crate::alert::Channels;
use crate::config::Settings;
use crate::net::Secret;

/// Where a secret of a channel is.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// In the channel's usual variable, where that is set.
    #[default]
    Usual,
    /// In a variable that the policy file names, so its absence is told.
    Named(String),
    /// Nowhere: this channel is not told.
    None,
}

impl Place {
    fn of(settings: &Settings, key: &str) -> Self {
        match settings.one(key).map(|value| value.text.as_str()) {
            None => Self::Usual,
            Some("none") => Self::None,
            Some(name) => Self::Named(name.to_owned()),
        }
    }

    fn secret(&self, usual: &str, surroundings: &Surroundings) -> Option<Secret> {
        let value = |name: &str| {
            let value = surroundings.env.get(name).cloned();
            value.filter(|value| !value.trim().is_empty())
        };
        match self {
            // An empty variable is unset: forks have no secrets, and that is not an error.
            Self::Usual => {
                let absent = || is_given_empty(usual, surroundings).then(String::new);
                value(usual).or_else(absent).map(Secret::new)
            }
            Self::Named(name) => Some(Secret::new(value(name).unwrap_or_default())),
            Self::None => None,
        }
    }
}

/// The usual variables of the channels. Each is an input of the action.
const USUAL: [&str; 8] = [
    "CVM_VERIFY_SLACK_WEBHOOK_URL",
    "CVM_VERIFY_DISCORD_WEBHOOK_URL",
    "CVM_VERIFY_TEAMS_WEBHOOK_URL",
    "CVM_VERIFY_PAGERDUTY_ROUTING_KEY",
    GITHUB_TOKEN,
    "CVM_VERIFY_WEBHOOK_URL",
    "CVM_VERIFY_WEBHOOK_SECRET",
    "CVM_VERIFY_HEARTBEAT_URL",
];

/// The variable of the token that keeps issues.
pub(super) const GITHUB_TOKEN: &str = "CVM_VERIFY_GITHUB_TOKEN";

/// Whether `variable` is set and empty in a step of GitHub Actions. A secret whose name is misspelt is empty there, and the
/// action unsets what was not given. Elsewhere an empty variable counts as unset.
pub(super) fn is_given_empty(variable: &str, surroundings: &Surroundings) -> bool {
    let empty = |value: &String| value.trim().is_empty();
    is_github_step(surroundings) && surroundings.env.get(variable).is_some_and(empty)
}

fn is_github_step(surroundings: &Surroundings) -> bool {
    let set = surroundings.env.get("CVM_VERIFY_GITHUB");
    surroundings.on_github()
        || set.and_then(|value| truth(value)) == Some(true)
        || surroundings.args.iter().any(|arg| arg == "--github")
}

/// The channels that are given and empty, by the names of their inputs, with commas. `None` where there are none.
pub(super) fn given_empty(surroundings: &Surroundings) -> Option<String> {
    let empty = USUAL.iter().filter(|name| is_given_empty(name, surroundings));
    let inputs: Vec<String> = empty
        .map(|name| {
            name.trim_start_matches("CVM_VERIFY_")
                .to_ascii_lowercase()
                .replace('_', "-")
        })
        .collect();
    (!inputs.is_empty()).then(|| inputs.join(", "))
}

/// The variables of all channels.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Variables {
    slack_webhook_url: Place,
    discord_webhook_url: Place,
    teams_webhook_url: Place,
    pagerduty_routing_key: Place,
    webhook_url: Place,
    webhook_secret: Place,
    heartbeat_url: Place,
}

impl Variables {
    /// Those that settings name.
    pub fn of(settings: &Settings) -> Self {
        let place = |key| Place::of(settings, key);
        Self {
            slack_webhook_url: place("slack-webhook-url-env"),
            discord_webhook_url: place("discord-webhook-url-env"),
            teams_webhook_url: place("teams-webhook-url-env"),
            pagerduty_routing_key: place("pagerduty-routing-key-env"),
            webhook_url: place("webhook-url-env"),
            webhook_secret: place("webhook-secret-env"),
            heartbeat_url: place("heartbeat-url-env"),
        }
    }

    /// What they hold.
    pub fn channels(&self, surroundings: &Surroundings) -> Channels {
        let secret = |place: &Place, usual| place.secret(usual, surroundings);
        Channels {
            slack_webhook_url: secret(&self.slack_webhook_url, "CVM_VERIFY_SLACK_WEBHOOK_URL"),
            discord_webhook_url: secret(&self.discord_webhook_url, "CVM_VERIFY_DISCORD_WEBHOOK_URL"),
            teams_webhook_url: secret(&self.teams_webhook_url, "CVM_VERIFY_TEAMS_WEBHOOK_URL"),
            pagerduty_routing_key: secret(&self.pagerduty_routing_key, "CVM_VERIFY_PAGERDUTY_ROUTING_KEY"),
            // Not a secret: an empty one is the default.
            pagerduty_url: secret(&Place::Usual, "CVM_VERIFY_PAGERDUTY_URL")
                .filter(|url| !url.expose().is_empty()),
            github_issue: None,
            webhook_url: secret(&self.webhook_url, "CVM_VERIFY_WEBHOOK_URL"),
            webhook_secret: secret(&self.webhook_secret, "CVM_VERIFY_WEBHOOK_SECRET"),
            heartbeat_url: secret(&self.heartbeat_url, "CVM_VERIFY_HEARTBEAT_URL"),
        }
    }
}
