//! What is due on one channel.

use super::failure::Failure;
use super::forecast::Forecast;
use crate::alert::event::AlertEvent;

/// What is between the kind of a channel and the receiver.
pub(in crate::alert) const RECEIVER: &str = "-to-";

/// Something to tell one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which channel: its kind, and behind `-to-` which receiver, as the state names them.
    pub channel: String,
    /// What is reported to it.
    pub event: AlertEvent,
    /// What that is about.
    pub about: About,
}

impl Due {
    /// Which kind of channel, without its receiver.
    #[must_use]
    pub fn kind(&self) -> &str {
        kind_of(&self.channel)
    }
}

/// The kind of a channel, without its receiver.
pub(super) fn kind_of(channel: &str) -> &str {
    channel.split(RECEIVER).next().unwrap_or_default()
}

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A failure: the one just found, or one that was found earlier and that the channel has not heard of.
    Failure {
        /// Which.
        failure: Failure,
        /// Whether it is older than the result at hand.
        late: bool,
        /// Whether it is the last message about another failure in this incident.
        last: bool,
    },
    /// A failure that was reported, now with other measured values: the same checks fail for the same reasons, and other code or
    /// another machine runs there.
    Exchanged {
        /// Which.
        failure: Failure,
        /// Whether it is older than the result at hand.
        late: bool,
        /// Whether it is the last message about such a change in this incident.
        last: bool,
    },
    /// A failure that was reported a while ago and goes on.
    Reminder {
        /// Which.
        failure: Failure,
        /// Whether the result at hand is another one: a target that passes now and then.
        late: bool,
    },
    /// It passes, but under another policy than the one that it failed under. That may be what the user meant to do, and
    /// is no recovery yet: a later pass is.
    PassUnderAnotherPolicy {
        /// How many more passes in a row there must be.
        more: u32,
    },
    /// It passes, but at another address than the one that it failed at. That may be what the user meant to do, and is not a
    /// recovery yet: a later pass is.
    PassAtAnotherAddress {
        /// How many more passes in a row there must be.
        more: u32,
    },
    /// It failed, and has left the policy file: nobody verifies it any more.
    Departed {
        /// The failure that it left with.
        failure: Failure,
    },
    /// It passes in full, under the policy of the run before.
    Recovery,
    /// Something that the pass relies on is about to end.
    Forecast(Forecast),
}
