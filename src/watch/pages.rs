//! The board that the loop writes on and the endpoint shows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Health, WatchStatus, endpoint, metrics};
use cvm_verify_core::report::TrustRootKind;

/// A panic while the board was locked leaves it as it was.
pub(crate) fn locked(board: &Mutex<WatchStatus>) -> MutexGuard<'_, WatchStatus> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the endpoint shows.
pub(crate) struct WatchPages {
    pub board: Arc<Mutex<WatchStatus>>,
    pub root: TrustRootKind,
    pub now: fn() -> u64,
}

impl endpoint::Pages for WatchPages {
    fn metrics(&self) -> String {
        metrics(&locked(&self.board), self.root, &crate::env::tool(), (self.now)())
    }

    fn health(&self) -> (bool, String) {
        match locked(&self.board).health((self.now)()) {
            Health::Good => (
                true,
                "every target is verified as often as it should be\n".to_owned(),
            ),
            Health::Stuck(names) => (false, format!("not verified lately: {}\n", names.join(", "))),
        }
    }
}
