//! The async runtime of a command: one thread, with time and I/O, and threads beside it for what computes.

use tokio::runtime::{Builder, Runtime};

use crate::usage_error::CommandError;

/// The stack of a thread that computes, in bytes: that of a main thread on Linux. What it judges nests as a host chooses, within limits.
const STACK: usize = 8 * 1024 * 1024;

/// A runtime on the thread that blocks on it.
///
/// # Errors
/// [`CommandError::System`]: the system has no more file descriptors, for instance.
pub(crate) fn runtime() -> Result<Runtime, CommandError> {
    Builder::new_current_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
        .map_err(|error| CommandError::System {
            what: "no async runtime",
            error,
        })
}
