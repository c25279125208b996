//! Where the log goes.

use super::{LogEntry, LogFormat, LogLevel};
use crate::env::Env;

/// Lines on standard output.
pub(crate) struct Log {
    pub format: LogFormat,
    /// Whether what is as it should be is left out.
    pub quiet: bool,
}

impl Log {
    pub fn write(&self, entry: &LogEntry<'_>, env: &mut Env) {
        if self.quiet && entry.level() == LogLevel::Info {
            return;
        }
        env.print(&format!("{}\n", entry.line(self.format)));
    }
}
