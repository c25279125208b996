//! Options about GPUs that are not keys of the policy file.

use clap::Args;

/// Who verifies GPUs in addition to this program.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "GPUs")]
pub struct GpuArgs {
    /// Ask this server instead of NVIDIA's: a mirror, or a test server. Its tokens must still be signed by NVIDIA.
    #[arg(long, value_name = "URL")]
    pub gpu_verifier_url: Option<String>,
}
