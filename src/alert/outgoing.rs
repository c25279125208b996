//! A message for one channel, and the targets that it is about.

use std::borrow::Cow;

use super::incident::TargetId;
use super::message::Message;

/// One target that a message is about, and which of the memory's due messages it is, if there is a memory.
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
    /// `message`, which is one of the memory's due messages if there is a memory.
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
