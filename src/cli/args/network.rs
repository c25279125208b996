//! Options of the network: collateral, proxies, TLS, the cache, and the root of trust.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct TransportArgs {
    /// Fetch collateral from this PCCS only. Default: Intel's PCS, then Phala's PCCS.
    #[arg(long, value_name = "URL")]
    pub pccs_url: Option<String>,
    #[command(flatten)]
    pub http: HttpArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct HttpArgs {
    /// Send everything through this HTTP proxy. The environment's proxy settings are never used.
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Trust the certificates in this PEM file, beside the public ones, for TLS (not for quotes).
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Allow private and loopback addresses, and plain http to loopback.
    #[arg(long)]
    pub allow_private_network: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct CacheArgs {
    /// Keep collateral in this folder between runs, as long as its own dates allow. Default: the user's cache folder.
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    pub cache_dir: Option<PathBuf>,
    /// Keep nothing between runs.
    #[arg(long)]
    pub no_cache: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Tests")]
pub struct TrustArgs {
    /// Trust this root certificate instead of Intel's. For simulators: proves nothing about hardware, and every output
    /// says so in its first line.
    #[arg(long, value_name = "FILE")]
    pub insecure_trust_root: Option<PathBuf>,
}
