//! A progress line for anything over a second, on a terminal only.

use std::time::Duration;

use super::surroundings::Surroundings;
use crate::engine::Progress;

/// How long a run takes before there is a line.
const SILENT: Duration = Duration::from_secs(1);

/// A progress line on standard error.
pub(super) struct ProgressLine {
    wanted: bool,
    shown: bool,
}

impl ProgressLine {
    /// Silent where standard error is no terminal, or the user wants quiet.
    pub fn new(surroundings: &Surroundings, quiet: bool) -> Self {
        Self {
            wanted: surroundings.stderr_is_terminal && !quiet,
            shown: false,
        }
    }

    /// Shows or renews the line.
    pub fn show(&mut self, progress: Progress, surroundings: &mut Surroundings) {
        let Progress { done, total, elapsed } = progress;
        if !self.wanted || elapsed < SILENT {
            return;
        }
        self.shown = true;
        let seconds = elapsed.as_secs();
        let what = if total == 1 {
            "Verifying …".to_owned()
        } else {
            format!("Verifying … {done} of {total} done")
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
