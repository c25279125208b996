//! Options of the second opinion.

use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Second opinion")]
pub struct VerifierArgs {
    /// Who verifies the quote: `local` by default. `both` also asks Phala's verification API. That publishes the quote: anybody can read it
    /// there. Each attempt of --wait and each round of `watch` has a quote of its own, and all are published. The API never
    /// decides for a pass.
    #[arg(long, value_enum)]
    pub verifier: Option<VerifierOption>,
    /// Ask this server for the second verification instead of Phala's: a mirror, or a test's.
    #[arg(long, value_name = "URL")]
    pub phala_verifier_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifierOption {
    /// This program.
    Local,
    /// This program and, in addition, Phala's verification API.
    Both,
}

impl From<VerifierOption> for cvm_verify_core::policy::Verifier {
    fn from(verifier: VerifierOption) -> Self {
        match verifier {
            VerifierOption::Local => Self::Local,
            VerifierOption::Both => Self::Both,
        }
    }
}
