//! A progress line for anything over a second, on a terminal only.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::surroundings::Surroundings;

/// A progress line on standard error.
pub(super) struct Progress {
    wanted: bool,
    shown: bool,
    total: usize,
    done: usize,
    started: std::time::Instant,
}

impl Progress {
    /// Silent where standard error is no terminal, or the user wants quiet.
    pub fn new(surroundings: &Surroundings, quiet: bool, total: usize) -> Self {
        Self {
            wanted: surroundings.stderr_is_terminal && !quiet,
            shown: false,
            total,
            done: 0,
            started: std::time::Instant::now(),
        }
    }

    /// One target more is done.
    pub fn done(&mut self) {
        self.done += 1;
    }

    /// Ends a second later; never where no line is wanted.
    pub async fn tick(&self) {
        if !self.wanted {
            std::future::pending::<()>().await;
        }
        sleep_until(Instant::now() + Duration::from_secs(1)).await;
    }

    /// Shows or renews the line.
    pub fn show(&mut self, surroundings: &mut Surroundings) {
        self.shown = true;
        let seconds = self.started.elapsed().as_secs();
        let what = if self.total == 1 {
            "Verifying …".to_owned()
        } else {
            format!("Verifying … {} of {} done", self.done, self.total)
        };
        let _ = write!(surroundings.stderr, "\r{what} ({seconds} s)");
        let _ = surroundings.stderr.flush();
    }

    /// Removes the line.
    pub fn clear(&self, surroundings: &mut Surroundings) {
        if self.shown {
            let _ = write!(surroundings.stderr, "\r\u{1b}[K");
            let _ = surroundings.stderr.flush();
        }
    }
}
