//! Options of alerts: where the alert state is kept, and `alert test`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::HttpArgs;
use crate::alert::help_of_channels;
use crate::alert::incident::{Rules, Share};

#[derive(Debug, Args)]
pub struct AlertArgs {
    #[command(subcommand)]
    pub command: AlertCommand,
}

#[derive(Debug, Subcommand)]
pub enum AlertCommand {
    /// Send a marked test message through every configured channel and say what each answered.
    #[command(after_help = help_of_channels())]
    Test(AlertTestArgs),
}

#[derive(Debug, Args)]
pub struct AlertTestArgs {
    /// The GitHub repository whose issues are used. Default: the one that the workflow runs in.
    #[arg(long, value_name = "OWNER/REPO")]
    pub github_issue: Option<String>,
    #[command(flatten)]
    pub http: HttpArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Alerts")]
pub struct MemoryArgs {
    /// Keep the alert state in this file: which alerts were sent, so that a failure and its end are each reported
    /// once. Without it, every run of `verify` that does not pass alerts, and `watch` keeps the state until it ends.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// With alert state: report an inconclusive target only after this many inconclusive runs in a row.
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub inconclusive_after: u32,
    /// With alert state: also report an inconclusive target after this many inconclusive runs among the latest, such
    /// as 6/12 for six of twelve, even with passes between them.
    #[arg(long, value_name = "N/M", default_value_t = Share::default())]
    pub inconclusive_of: Share,
    /// Keep an issue in this GitHub repository for each target that does not pass; CVM_VERIFY_GITHUB_TOKEN must be a
    /// token that may write issues there. Default, if the token is set: the repository that the workflow runs in.
    #[arg(long, value_name = "OWNER/REPO")]
    pub github_issue: Option<String>,
}

impl MemoryArgs {
    /// When to alert.
    pub fn rules(&self) -> Rules {
        Rules {
            inconclusive_after: self.inconclusive_after,
            inconclusive_of: self.inconclusive_of,
            ..Rules::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::alert::{CHANNELS, help_of_channels};

    #[test]
    fn the_help_names_the_variable_of_every_secret() {
        let help = help_of_channels();
        for secret in CHANNELS.iter().flat_map(|channel| channel.secrets) {
            assert!(help.contains(&secret.variable()), "{}", secret.variable());
        }
    }
}
