//! Options of the network: collateral, proxies, TLS, the cache, and the root of trust.

use std::path::PathBuf;

use clap::Args;

use super::ReplacedRoot;
use cvm_verify_core::policy::CollateralMaxAge;

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct TransportArgs {
    /// Fetch collateral from this PCCS only. Default: Intel's PCS, then Phala's PCCS.
    #[arg(long, value_name = "URL")]
    pub pccs_url: Option<String>,
    /// How long one attempt at a target may take, with all its requests: 30s, 2m. Default: 30s for each request, and
    /// 2m for three attempts together.
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
    /// Ask this address for the attestations of a repository instead of https://api.github.com, with the token in
    /// CVM_VERIFY_SOURCE_TOKEN if it is set. For a registry, the credentials are those of its line in
    /// CVM_VERIFY_REGISTRY_CREDENTIALS, if there is one: `ghcr.io USERNAME:PASSWORD`.
    #[arg(long, value_name = "URL")]
    pub source_api_url: Option<String>,
    #[command(flatten)]
    pub http: HttpArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct HttpArgs {
    /// Send all requests except those to loopback through this HTTP proxy. The environment's proxy settings are never
    /// used.
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Trust the certificates in this PEM file, in addition to the public ones, for TLS (not for quotes).
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Allow private and loopback addresses, and plain http to loopback.
    #[arg(long)]
    pub allow_private_network: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct CacheArgs {
    /// Keep collateral in this folder between runs. Default: the user's cache folder.
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    pub cache_dir: Option<PathBuf>,
    /// Keep no collateral between runs.
    #[arg(long)]
    pub no_cache: bool,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Network")]
pub struct CollateralAgeArgs {
    /// Fetch collateral again when it was fetched this long ago: 5m to 7d. If that fails, the old set is used with a
    /// warning until it is 7 days old; after that it proves nothing. `replay` counts the age from the time that the
    /// bundle recorded.
    #[arg(long, value_name = "DURATION", default_value_t = CollateralMaxAge::default())]
    pub collateral_max_age: CollateralMaxAge,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Tests")]
pub struct TrustArgs {
    /// Trust this root certificate instead of Intel's; `nvidia=FILE` instead of NVIDIA's, for GPUs. May be given once for
    /// each, and once as `nras=FILE` for the intermediate of NVIDIA's attestation service. For simulators only: the
    /// result proves nothing about hardware, and the first line of every output says which root was replaced.
    #[arg(long, value_name = "[nvidia=]FILE")]
    pub insecure_trust_root: Vec<ReplacedRoot>,
}
