//! Options of the nodes that are asked about contracts.

use clap::Args;

use crate::net::Secret;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "On-chain governance")]
pub struct ChainArgs {
    /// A node of the blockchain that governs the app, to ask about its contracts by JSON-RPC. Give it twice, with
    /// nodes of different operators: an answer counts only if both nodes give it. If the URL contains a key, set it
    /// as CVM_VERIFY_RPC_URL, one URL per line. Reports, logs and bundles show only its host.
    #[arg(long, value_name = "URL")]
    pub rpc_url: Vec<Secret>,
}
