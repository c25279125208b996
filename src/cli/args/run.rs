//! Options that say which run of a CI this is.

use clap::Args;

use cvm_verify_core::report::RunId;

#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub struct RunArgs {
    /// The name of the run, which all its shards share; `merge` joins reports of one run. Default: the run id of GitHub
    /// Actions or the pipeline id of GitLab CI.
    #[arg(long, value_name = "ID")]
    pub run_id: Option<RunId>,
}
