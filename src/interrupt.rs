//! What ends a run early: Ctrl-C at a terminal, SIGTERM of a CI or a service manager.

use std::pin::Pin;
use std::time::Duration;

use crate::watchdog;

/// How long a run goes on after a signal: its alerts take a minute, and it waits for the memory of another run before.
const LONGEST: Duration = Duration::from_secs(180);

/// What else than a signal ends a run.
pub(crate) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The signals of this process, and what else may end a run. As long as it lives they do not end the process by themselves.
pub(crate) struct Interrupt {
    stop: Option<Stop>,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Interrupt {
    /// Listens from now on, in this runtime. `stop` ends a run as a signal does.
    pub fn new(runtime: &tokio::runtime::Runtime, stop: Option<Stop>) -> std::io::Result<Self> {
        let _inside = runtime.enter();
        Self::living(LONGEST, stop)
    }

    /// Listens from now on, in the runtime that it is called in. The process ends if it lives longer than `longest` after a signal.
    #[cfg(unix)]
    pub fn living(longest: Duration, stop: Option<Stop>) -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listening = Self {
            stop,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        };
        watchdog::watch(longest);
        Ok(listening)
    }

    /// Listens from now on, in the runtime that it is called in.
    #[cfg(not(unix))]
    pub fn living(_longest: Duration, stop: Option<Stop>) -> std::io::Result<Self> {
        Ok(Self { stop })
    }

    /// The next signal, by its name.
    #[cfg(unix)]
    pub async fn next(&mut self) -> &'static str {
        let name = tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            () = ended(&mut self.stop) => "a request to stop",
        };
        watchdog::noticed();
        name
    }

    /// The next signal, by its name.
    #[cfg(not(unix))]
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => "Ctrl-C",
            () = ended(&mut self.stop) => "a request to stop",
        }
    }

    /// Sleeps; false when a signal ends the sleep.
    pub async fn pause(&mut self, duration: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(duration) => true,
            _ = self.next() => false,
        }
    }

    /// Waits for some work, or for a signal, which it names.
    pub async fn or_done(&mut self, work: impl Future<Output = ()>) -> Option<&'static str> {
        tokio::select! {
            () = work => None,
            signal = self.next() => Some(signal),
        }
    }
}

/// Ends once, when `stop` does.
async fn ended(stop: &mut Option<Stop>) {
    match stop {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
    *stop = None;
}
