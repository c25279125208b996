//! `--rpc-url` in, the nodes that are asked about contracts out.

use super::args::ChainArgs;
use crate::net::Secret;
use crate::source::chain::Nodes;
use crate::usage_error::UsageError;

/// The nodes to ask; none if none is named.
pub(super) fn nodes(args: &ChainArgs) -> Result<Option<Nodes>, UsageError> {
    if args.rpc_url.is_empty() {
        return Ok(None);
    }
    Nodes::parse(args.rpc_url.iter().map(Secret::expose))
        .map(Some)
        .map_err(|error| UsageError::option("--rpc-url", error))
}
