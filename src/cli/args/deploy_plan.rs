//! Options of `cvm-verify plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ExpectArgs, TargetArgs, TransportArgs};

/// After the help of `plan`.
pub const PLAN_CODES: &str = "Exit codes: 0 no reason found to refuse the deployment, 1 verify would not pass, 2 usage error, \
                              3 it could not be determined who built an image.";

#[derive(Debug, Args)]
pub struct DeployPlanArgs {
    /// What to print.
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
    /// Write the document of --app-compose-file into a lock: its hash, images, fields and places; everything else stays as --lock
    /// has it. Review the difference, and commit it with the release. The plan is judged by the lock as it was.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// In which JSON form your tool deploys the document: the lock of --output then expects the hash of that form. `sdk` for Phala
    /// Cloud and dstack's SDKs, `verbatim` if exactly the file is deployed; `cvm-verify compose-hash FILE` explains all forms.
    #[arg(long, value_name = "FORM", requires = "output")]
    pub compose_form: Option<String>,
    #[command(flatten)]
    pub expect: ExpectArgs,
    #[command(flatten)]
    pub config: TargetArgs,
    /// Do not read the cvm-verify.toml of the working folder, which is the policy file if no other is named.
    #[arg(long, conflicts_with = "config", help_heading = "Policy file")]
    pub no_config: bool,
    #[command(flatten)]
    pub transport: TransportArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people.
    Text,
    /// cvm-verify/plan/v1, for the step that deploys.
    Json,
}
