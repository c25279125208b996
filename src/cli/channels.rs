//! Which environment variables hold the secrets of the alert channels, and what they hold.

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
            // An empty variable is unset: forks have no secrets, and that is no error.
            Self::Usual => value(usual).map(Secret::new),
            Self::Named(name) => Some(Secret::new(value(name).unwrap_or_default())),
            Self::None => None,
        }
    }
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
            pagerduty_url: secret(&Place::Usual, "CVM_VERIFY_PAGERDUTY_URL"),
            github_issue: None,
            webhook_url: secret(&self.webhook_url, "CVM_VERIFY_WEBHOOK_URL"),
            webhook_secret: secret(&self.webhook_secret, "CVM_VERIFY_WEBHOOK_SECRET"),
            heartbeat_url: secret(&self.heartbeat_url, "CVM_VERIFY_HEARTBEAT_URL"),
        }
    }
}
