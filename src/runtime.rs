//! The async runtime of a command: one thread, with time and I/O.

use tokio::runtime::{Builder, Runtime};

use crate::usage_error::CommandError;

/// A runtime on the thread that blocks on it.
///
/// # Errors
/// [`CommandError::System`]: the system has no more file descriptors, for instance.
pub(crate) fn runtime() -> Result<Runtime, CommandError> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::System {
            what: "no async runtime",
            error,
        })
}
