//! The channels: one file and one row for each.

use sha2::{Digest as _, Sha256};

use super::channel::{Channel, ChannelSecret, Role};
use super::channels::Channels;
use super::github_issue;
use super::incident::RECEIVER;
use super::no_secret::no_secret;

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

/// It has its own steps, since it stores the state too.
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

    /// What is recorded where a secret of a channel is not there.
    pub(super) fn no_secret(&self, channel: &Channel) -> String {
        let secrets = channel.secrets.iter();
        no_secret(secrets.filter_map(|secret| self.variable_of_missing(secret.name)))
    }

    /// Which receiver a channel goes to: the first 4 bytes of a hash of what opens it, hex. Too few to find a secret by. `None` where
    /// nothing opens it, or a token that changes with each run.
    fn receiver(&self, channel: &Channel) -> Option<String> {
        let opening = channel.secrets.iter().filter(|secret| secret.role == Role::Opens);
        let mut hash = Sha256::new_with_prefix("cvm-verify/alert-receiver/v1");
        let mut is_given = false;
        for secret in opening {
            let value = self
                .secret(secret.name)
                .map(|secret| secret.expose().trim())
                .unwrap_or_default();
            is_given |= !value.is_empty();
            hash.update((value.len() as u64).to_be_bytes());
            hash.update(value);
        }
        is_given.then(|| hex::encode(hash.finalize().get(..4).unwrap_or_default()))
    }

    /// The channels that remember and that somebody asked for, by kind and receiver: what was reported to one Slack channel, another one was
    /// not.
    pub(super) fn remembering(&self) -> Vec<String> {
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
            .map(|channel| match self.receiver(channel) {
                Some(receiver) => format!("{}{RECEIVER}{receiver}", channel.name),
                None => channel.name.to_owned(),
            })
            .collect()
    }
}
