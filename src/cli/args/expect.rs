//! Options that say what is expected of a deployment.

use clap::Args;

use super::GpuArgs;
use super::keys::{ExpectationOptions, KeyArgs};

/// What is expected.
#[derive(Debug, Clone, Args)]
pub struct ExpectArgs {
    #[command(flatten)]
    pub keys: KeyArgs<ExpectationOptions>,
    #[command(flatten)]
    pub gpu: GpuArgs,
}
