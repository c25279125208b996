//! Options that find the policy file and a target in it.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Policy file")]
pub struct ConfigArgs {
    /// The policy file. Default: cvm-verify.toml in the working folder, if it exists and no URL is given.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Do not read the cvm-verify.toml of the working folder.
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
    /// Verify this target of the policy file only. Repeatable. With one URL: the name of that URL's target in policy
    /// file and lock.
    #[arg(long, value_name = "NAME")]
    pub target: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Policy file")]
pub struct TargetArgs {
    /// The policy file that describes the target.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The name of the target in the policy file, and in a lock of several targets.
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
}
