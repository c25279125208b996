//! Options of `cvm-verify statement`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::Interval;

#[derive(Debug, Args)]
pub struct StatementArgs {
    #[command(subcommand)]
    pub command: StatementCommand,
}

#[derive(Debug, Subcommand)]
pub enum StatementCommand {
    /// Verify a signed statement about a deployment: who signed it, what it is about, its levels and its age. Exit
    /// code 0: the statement is as expected; 1: it is not.
    Check(StatementCheckArgs),
}

#[derive(Debug, Args)]
pub struct StatementCheckArgs {
    /// The signed statement: a Sigstore bundle, as `actions/attest` writes it or `gh attestation download` fetches it.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The measured compose document that the statement is about: app-compose.json.
    #[arg(long, value_name = "FILE", conflicts_with = "subject_digest")]
    pub subject: Option<PathBuf>,
    /// The SHA-256 of that document, as in the action's output `subject-digest`.
    #[arg(long, value_name = "sha256:HEX")]
    pub subject_digest: Option<String>,
    /// The repository whose workflow must have signed it: OWNER/NAME.
    #[arg(long, value_name = "OWNER/NAME")]
    pub signer_repository: String,
    /// The workflow that must have signed it: .github/workflows/FILE.
    #[arg(long, value_name = "PATH")]
    pub signer_workflow: String,
    /// The ref that the workflow must have run on: refs/heads/main, refs/tags/*. Repeatable. A branch without review
    /// can contain any version of the workflow, so there is no default.
    #[arg(long, value_name = "REF", required = true)]
    pub signer_ref: Vec<String>,
    /// The machines that may have run the workflow: `github-hosted`, or `any` to accept the repository owner's own, too.
    #[arg(long, value_name = "RUNNER", default_value = "github-hosted")]
    pub signer_runner: String,
    /// The issuer of the signer's identity, if it is not GitHub's: that of an enterprise or of a ghe.com tenant.
    #[arg(long, value_name = "URL")]
    pub signer_issuer: Option<String>,
    /// The deployment that the statement must be about, as its resourceUri: the address with its path, or
    /// urn:dstack:app:ID[:instance:ID].
    #[arg(long, value_name = "URL")]
    pub resource: String,
    /// A level that the statement must contain. Repeatable.
    #[arg(long, value_name = "LEVEL", default_value = "CVM_VERIFY_CODE")]
    pub level: Vec<String>,
    /// Also accept a statement about a result for which something was accepted in writing.
    #[arg(long)]
    pub accept_waivers: bool,
    /// How old the statement may be: 10m, 24h, 7d.
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    pub max_age: Interval,
    /// The Sigstore instances to trust, instead of the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub sigstore_root: Option<PathBuf>,
}
