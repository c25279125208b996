//! What a channel is: its name, the secrets that it takes, and what it has to do.

use url::Url;

use super::channel_delivery::{ChannelDelivery, for_each};
use super::channels::Channels;
use super::delivery::ChannelRequest;
use super::digest::gather;
use super::message::Message;
use super::outgoing::OutgoingMessage;
use crate::config::variable_of;
use cvm_verify_core::report::Verdict;

/// A row of the list of channels.
pub struct Channel {
    /// Its name in records.
    pub name: &'static str,
    /// The variables of its secrets, and what they do: a part of a list in the help.
    pub help: &'static str,
    /// The secrets that it takes.
    pub secrets: &'static [ChannelSecret],
    /// Whether what was reported to it is stored, so that it is reported once.
    pub remembers: bool,
    /// What it has to do.
    pub(super) deliveries: fn(&Occasion<'_>) -> Vec<ChannelDelivery>,
}

/// A secret that a channel takes.
#[derive(Debug, Clone, Copy)]
pub struct ChannelSecret {
    /// Its name: that of the action's input, and with `-env` that of the policy file's key.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
}

/// What a secret of a channel is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Where the channel is, or what opens it: alone it makes alerts go there.
    Opens,
    /// It signs what goes to a channel. Alone it reaches nobody, and the record says so.
    Signs,
    /// A setting that is not a secret: an empty one is the default, and the policy file has no key for it.
    Setting,
    /// A token for a place that is named elsewhere, so [`Channels`] does not hold it.
    Token,
}

impl ChannelSecret {
    /// Alone it makes alerts go to its channel.
    pub(super) const fn opens(name: &'static str) -> Self {
        Self {
            name,
            role: Role::Opens,
        }
    }

    /// Its usual environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        variable_of(self.name)
    }
}

/// What there is to tell.
pub(super) struct Occasion<'a> {
    pub channels: &'a Channels,
    pub outgoing: Vec<OutgoingMessage<'a>>,
    /// The event of the run.
    pub event: &'static str,
    /// The verdict of the run; absent for a test.
    pub verdict: Option<Verdict>,
}

impl Occasion<'_> {
    /// What a channel that people read has to send to the address in its secret: one request for each message, or for each digest
    /// of messages that share a cause.
    pub(super) fn gathered(
        &self,
        channel: &'static str,
        secret: &str,
        request: fn(&Message, Url) -> ChannelRequest,
    ) -> Vec<ChannelDelivery> {
        let outgoing = gather(self.outgoing.clone());
        let request = |message: &Message, url: Url| Ok(request(message, url));
        for_each(
            channel,
            self.channels.secret(secret),
            &outgoing,
            self.event,
            &request,
        )
    }
}
