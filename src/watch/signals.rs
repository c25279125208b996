//! What people and service managers tell a running `watch`.

use std::time::Duration;

use crate::interrupt::{Interrupt, Stop};

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
    interrupt: Interrupt,
    #[cfg(unix)]
    hang_up: tokio::signal::unix::Signal,
}

impl Signals {
    /// From now on they no longer end the process by themselves.
    pub fn new(stop: Option<Stop>) -> std::io::Result<Self> {
        Ok(Self {
            interrupt: Interrupt::living(LONGEST, stop)?,
            #[cfg(unix)]
            hang_up: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Signal {
        #[cfg(unix)]
        let hang_up = self.hang_up.recv();
        #[cfg(not(unix))]
        let hang_up = std::future::pending::<Option<()>>();
        tokio::select! {
            name = self.interrupt.next() => Signal::Stop(name),
            _ = hang_up => Signal::Reload,
        }
    }
}
