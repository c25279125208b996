//! Options of `watch`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::keys::{KeyArgs, RoundOptions};
use super::{AlertStateArgs, CacheArgs, PlanArgs, TransportArgs, TrustArgs};
use crate::watch::LogFormat;

#[derive(Debug, Args)]
pub struct WatchArgs {
    #[command(flatten)]
    pub rounds: KeyArgs<RoundOptions>,
    /// Verify every target once, send the alerts, and exit with the verdict.
    #[arg(long)]
    pub once: bool,
    /// How many targets are verified at the same time.
    #[arg(long, value_name = "NUMBER", default_value = "32", value_parser = super::concurrency)]
    pub concurrency: NonZeroUsize,
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Serve metrics for Prometheus (/metrics) and health (/healthz) at this address, such as 127.0.0.1:9464. `:9464`
    /// listens on every address of this machine. Without this option nothing is served.
    #[arg(long, value_name = "IP:PORT", help_heading = "Output", value_parser = listen_address)]
    pub listen: Option<SocketAddr>,
    /// Keep the evidence of a round that did not pass in this folder, to replay it later: the first of each failure, one file
    /// for each target.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub evidence: Option<PathBuf>,
    /// The format of the log.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, help_heading = "Output")]
    pub log_format: LogFormat,
    /// Log only what needs attention.
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,
    #[command(flatten)]
    pub alert_state: AlertStateArgs,
    #[command(flatten)]
    pub transport: TransportArgs,
    #[command(flatten)]
    pub cache: CacheArgs,
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// An address and a port; `localhost` is loopback, and a port alone is every address.
fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    let text = text.trim();
    let whole = match (text.strip_prefix("localhost:"), text.strip_prefix(':')) {
        (Some(port), _) => format!("127.0.0.1:{port}"),
        (None, Some(port)) => format!("0.0.0.0:{port}"),
        (None, None) => text.to_owned(),
    };
    whole
        .parse()
        .map_err(|_| "write an IP address and a port, such as 127.0.0.1:9464, localhost:9464 or :9464")
}
