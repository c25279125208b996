//! The async runtime of a command: one thread, with time and I/O, and threads beside it for what computes.

use std::ops::Deref;

use tokio::runtime::{Builder, Runtime};

use crate::usage_error::CommandError;

/// The stack of a thread that computes, in bytes: that of a main thread on Linux. What it judges nests as a host chooses, within limits.
const STACK: usize = 8 * 1024 * 1024;

/// The runtime of a command. When it is dropped, it waits for no thread beside it: a document may still be judged there, or the system's
/// resolver look for a name, and neither ends before its time. A command that has its result ends with the process.
pub(crate) struct CommandRuntime(Option<Runtime>);

impl Deref for CommandRuntime {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        match &self.0 {
            Some(runtime) => runtime,
            None => unreachable!("only `drop` takes it"),
        }
    }
}

impl Drop for CommandRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A runtime on the thread that blocks on it.
///
/// # Errors
/// [`CommandError::System`]: the system has no more file descriptors, for instance.
pub(crate) fn runtime() -> Result<CommandRuntime, CommandError> {
    Builder::new_current_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
        .map(|runtime| CommandRuntime(Some(runtime)))
        .map_err(|error| CommandError::System {
            what: "no async runtime",
            error,
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_command_that_ends_does_not_wait_for_what_is_still_judged() {
        let runtime = runtime().unwrap();
        let ((open, gate), (began, begins)) = (mpsc::channel::<()>(), mpsc::channel());
        let ended = Arc::new(AtomicBool::new(false));
        let is_ended = Arc::clone(&ended);
        let judging = move || {
            began.send(()).unwrap();
            // A runtime that waits goes on after this, and the test fails.
            let _ = gate.recv_timeout(Duration::from_secs(30));
            is_ended.store(true, Ordering::SeqCst);
        };
        runtime.spawn_blocking(judging);
        begins.recv().unwrap();
        drop(runtime);
        assert!(!ended.load(Ordering::SeqCst));
        drop(open);
    }
}
