//! The channels: one file and one row for each.

use super::channel::{Channel, ChannelSecret, Role};
use super::channels::Channels;
use super::github_issue;

/// Every channel, in the order of records.
pub const CHANNELS: &[&Channel] = &[
    &super::slack::ROW,
    &super::discord::ROW,
    &super::teams::ROW,
    &super::pagerduty::ROW,
    &GITHUB_ISSUE,
    &super::webhook::ROW,
    &super::heartbeat::ROW,
];

/// It is told by its own steps, since it is a memory too.
const GITHUB_ISSUE: Channel = Channel {
    name: github_issue::CHANNEL,
    help: "CVM_VERIFY_GITHUB_TOKEN (keeps an issue)",
    secrets: &[ChannelSecret {
        name: "github-token",
        role: Role::Token,
    }],
    remembers: true,
    deliveries: |_| Vec::new(),
};

/// What the help says of the channels.
pub(crate) fn help_of_channels() -> String {
    let helps: Vec<&str> = CHANNELS.iter().map(|channel| channel.help).collect();
    format!(
        "Alert channels are set in the environment, never on the command line: {}.",
        helps.join(", ")
    )
}

impl Channels {
    /// Whether any channel is configured.
    #[must_use]
    pub fn is_any(&self) -> bool {
        let mut secrets = CHANNELS.iter().flat_map(|channel| channel.secrets);
        self.github_issue.is_some()
            || secrets.any(|secret| secret.role == Role::Opens && self.secret(secret.name).is_some())
    }

    /// The channels that remember and that somebody asked for, by name.
    pub(super) fn remembering(&self) -> Vec<&'static str> {
        let is_asked_for = |channel: &&&Channel| {
            channel.secrets.iter().any(|secret| match secret.role {
                Role::Opens | Role::Signs => self.secret(secret.name).is_some(),
                Role::Token => self.github_issue.is_some(),
                Role::Setting => false,
            })
        };
        let remembering = CHANNELS.iter().filter(|channel| channel.remembers);
        remembering
            .filter(is_asked_for)
            .map(|channel| channel.name)
            .collect()
    }
}
