//! Options that say whom to ask for evidence.

use clap::Args;

use crate::source::SourceKind;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Source")]
pub struct SourceArgs {
    /// Whom to ask for evidence. Only the app can sign this run's nonce: evidence of the other two is not fresh, so that
    /// the verdict stays inconclusive unless --freshness unchecked waives it.
    #[arg(long, value_enum)]
    pub source: Option<SourceKind>,
    /// The gateway's base domain, to reach the guest agent by app or instance id: https://ID-8090.DOMAIN.
    #[arg(long, value_name = "DOMAIN")]
    pub gateway_domain: Option<String>,
    /// Ask this mirror of Phala Cloud's API instead of Phala.
    #[arg(long, value_name = "URL")]
    pub phala_api_url: Option<String>,
    /// Take the app's information from this address instead of the info endpoint: the guest agent's, for an app that
    /// serves none, https://ID-8090.DOMAIN/prpc/Info?json.
    #[arg(long, value_name = "URL")]
    pub info_url: Option<String>,
    /// Path of the app's attestation endpoint, by default /attestation; `reportData=<nonce>` is appended.
    #[arg(long, value_name = "PATH")]
    pub attestation_path: Option<String>,
    /// Path of the app's info endpoint, by default /info.
    #[arg(long, value_name = "PATH")]
    pub info_path: Option<String>,
    /// Path of an endpoint of the app that serves evidence of its GPUs; `nonce=<nonce>` is appended. By default the evidence
    /// is taken from the attestation (`nvidia_payload`).
    #[arg(long, value_name = "PATH")]
    pub gpu_path: Option<String>,
    /// Do not ask the app once for a quote that it should refuse. That is done if --require-assurance asks for `endpoint`.
    #[arg(long)]
    pub no_endpoint_probe: bool,
    /// The query parameter that takes the nonce, by default reportData. Private AI gateways call it nonce, and answer with
    /// `intel_quote` and `info` in one body.
    #[arg(long, value_name = "NAME")]
    pub nonce_parameter: Option<String>,
}
