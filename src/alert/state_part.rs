//! A part of the alert state, which a delivery changes and returns when it ends.

use std::ops::{Deref, DerefMut};

use super::incident::State;

/// What is remembered of some targets while their alerts are sent. It goes back when it is dropped, so that what a channel took is known
/// also where a signal, a time limit or a panic ends the sending.
pub(crate) struct StatePart<Back: FnMut(State)> {
    part: State,
    back: Back,
}

impl<Back: FnMut(State)> StatePart<Back> {
    pub(crate) fn new(part: State, back: Back) -> Self {
        Self { part, back }
    }
}

impl<Back: FnMut(State)> Deref for StatePart<Back> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.part
    }
}

impl<Back: FnMut(State)> DerefMut for StatePart<Back> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.part
    }
}

impl<Back: FnMut(State)> Drop for StatePart<Back> {
    fn drop(&mut self) {
        (self.back)(std::mem::take(&mut self.part));
    }
}
