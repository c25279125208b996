//! Options that say which run of a CI this is.

use clap::Args;

use cvm_verify_core::report::RunId;

#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub struct RunArgs {
    /// The name of the run that all shards share; `merge` joins reports of one run. Default: what GitHub Actions or GitLab
    /// CI call it.
    #[arg(long, value_name = "ID")]
    pub run_id: Option<RunId>,
}
