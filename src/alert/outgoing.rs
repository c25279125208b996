//! A message for one channel, and the targets that it is about.

use std::borrow::Cow;

use super::incident::TargetId;
use super::message::Message;

/// One target that a message is about, and which of the due messages of the state it is, if state is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AlertedDue {
    pub(super) target: TargetId,
    pub(super) due: Option<usize>,
}

/// A message for one channel, and the targets that it is about: several in a digest.
#[derive(Clone)]
pub(super) struct OutgoingMessage<'a> {
    pub(super) message: Cow<'a, Message>,
    pub(super) of: Vec<AlertedDue>,
}

impl<'a> OutgoingMessage<'a> {
    /// `message`, which is one of the due messages of the state if state is stored.
    pub(super) fn new(message: &'a Message, due: Option<usize>) -> Self {
        Self {
            message: Cow::Borrowed(message),
            of: vec![AlertedDue {
                target: message.target,
                due,
            }],
        }
    }
}
