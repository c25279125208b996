//! Options that say whom to ask for evidence.

use clap::Args;

use super::keys::{KeyArgs, SourceOptions};

/// Whom to ask.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Source")]
pub struct SourceArgs {
    #[command(flatten)]
    pub keys: KeyArgs<SourceOptions>,
    /// Do not ask the app once for a quote that it should refuse. That is done if --require-assurance asks for `endpoint`.
    #[arg(long)]
    pub no_endpoint_probe: bool,
}
