//! What people and service managers tell a running `watch`.

use std::time::Duration;

use crate::interrupt::{Stop, ended};
use crate::watchdog;

/// How long after a signal the process may live: longer than its last alerts.
const LONGEST: Duration = Duration::from_secs(5);

/// What was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Stop, and by whom.
    Stop(&'static str),
    /// Read the policy again.
    Reload,
}

/// The signals of this process, and what else may stop it.
pub(crate) struct Signals {
    stop: Option<Stop>,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: tokio::signal::unix::Signal,
}

impl Signals {
    /// From now on they no longer end the process by themselves.
    #[cfg(unix)]
    pub fn new(stop: Option<Stop>) -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listening = Self {
            stop,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        };
        watchdog::watch(LONGEST);
        Ok(listening)
    }

    /// From now on they no longer end the process by themselves.
    #[cfg(not(unix))]
    pub fn new(stop: Option<Stop>) -> std::io::Result<Self> {
        Ok(Self { stop })
    }

    /// The next one.
    #[cfg(unix)]
    pub async fn next(&mut self) -> Signal {
        let signal = tokio::select! {
            _ = self.terminate.recv() => Signal::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Signal::Stop("SIGINT"),
            _ = self.hang_up.recv() => Signal::Reload,
            () = ended(&mut self.stop) => Signal::Stop("asked to"),
        };
        if signal != Signal::Reload {
            watchdog::noticed();
        }
        signal
    }

    /// The next one.
    #[cfg(not(unix))]
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => Signal::Stop("Ctrl-C"),
            () = ended(&mut self.stop) => Signal::Stop("asked to"),
        }
    }
}
