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
    /// Require that the KMS that gives the app its keys is attested and runs code that you named. Its host and its code are named in
    /// the policy file or the lock.
    #[arg(long, help_heading = "Expectations")]
    pub require_kms: bool,
}
