//! Where the log goes.

use super::{Entry, Level, LogFormat};
use crate::env::Surroundings;

/// Lines on standard output.
pub(crate) struct Log {
    pub format: LogFormat,
    /// Whether what is as it should be is left out.
    pub quiet: bool,
}

impl Log {
    pub fn write(&self, entry: &Entry<'_>, surroundings: &mut Surroundings) {
        if self.quiet && entry.level() == Level::Info {
            return;
        }
        surroundings.print(&format!("{}\n", entry.line(self.format)));
    }
}
