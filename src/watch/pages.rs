//! The watch_status that the loop writes on and the endpoint shows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::{Health, WatchStatus, endpoint, metrics};

/// A panic while the status was locked leaves it as it was.
pub(crate) fn locked(watch_status: &Mutex<WatchStatus>) -> MutexGuard<'_, WatchStatus> {
    watch_status.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the endpoint shows.
pub(crate) struct WatchPages {
    pub watch_status: Arc<Mutex<WatchStatus>>,
    /// What the first line must say if a built-in root was replaced.
    pub simulated: Option<&'static str>,
    /// When the loop began.
    pub started: Instant,
}

impl endpoint::Pages for WatchPages {
    fn metrics(&self) -> String {
        metrics(
            &locked(&self.watch_status),
            self.simulated,
            &crate::env::tool(),
            self.started.elapsed(),
        )
    }

    fn health(&self) -> (bool, String) {
        match locked(&self.watch_status).health(self.started.elapsed()) {
            Health::Good => (
                true,
                "every target is verified as often as it should be\n".to_owned(),
            ),
            Health::Stuck(names) => (false, format!("not verified lately: {}\n", names.join(", "))),
        }
    }
}
