//! Options of alerts: where the alert state is kept, and `alert test`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::HttpArgs;
use crate::alert::help_of_channels;
use crate::alert::incident::{Rules, Share};
use crate::alert::variables::GITHUB_TOKEN;
use crate::env::Env;
use crate::usage_error::UsageError;

#[derive(Debug, Args)]
pub struct AlertArgs {
    #[command(subcommand)]
    pub command: AlertCommand,
}

#[derive(Debug, Subcommand)]
pub enum AlertCommand {
    /// Send a marked test message through every channel of the environment and of the policy file, and say what each
    /// answered.
    #[command(after_help = help_of_channels())]
    Test(AlertTestArgs),
}

#[derive(Debug, Args)]
pub struct AlertTestArgs {
    /// The policy file whose channels are tested, too. Default: cvm-verify.toml in the working folder, if it exists.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Do not read the cvm-verify.toml of the working folder.
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
    /// The GitHub repository whose issues are used. Default: the one that the workflow runs in.
    #[arg(long, value_name = "OWNER/REPO")]
    pub github_issue: Option<String>,
    #[command(flatten)]
    pub http: HttpArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Alerts")]
pub struct AlertStateArgs {
    /// Keep the alert state in this file: which alerts were sent, so that a failure and its end are each reported
    /// once. Without it, every run of `verify` that does not pass alerts, and `watch` keeps the state until it ends.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// With alert state: report an inconclusive target only after this many inconclusive runs in a row. Default: 3.
    #[arg(long, value_name = "NUMBER", value_parser = super::whole_number(1_u32, 1000))]
    pub inconclusive_after: Option<u32>,
    /// With alert state: also report an inconclusive target after this many inconclusive runs among the latest, such
    /// as 6/12 for six of twelve, even with passes between them. Default: 6/12.
    #[arg(long, value_name = "N/M")]
    pub inconclusive_of: Option<Share>,
    /// Keep an issue in this GitHub repository for each target that does not pass; CVM_VERIFY_GITHUB_TOKEN must be a
    /// token that may write issues there. Default, if the token is set: the repository that the workflow runs in.
    #[arg(long, value_name = "OWNER/REPO")]
    pub github_issue: Option<String>,
}

impl AlertStateArgs {
    /// When to alert.
    pub fn rules(&self) -> Rules {
        let usual = Rules::default();
        Rules {
            inconclusive_after: self.inconclusive_after.unwrap_or(usual.inconclusive_after),
            inconclusive_of: self.inconclusive_of.unwrap_or(usual.inconclusive_of),
            ..usual
        }
    }

    /// Refuses options that would do nothing: rules for state that is not stored, and issues that nobody may write.
    /// `has_memory` is whether the command remembers without a file, too.
    pub fn refuse_idle(&self, has_memory: bool, env: &Env) -> Result<(), UsageError> {
        let is_set = |name: &str| {
            env.variables
                .get(name)
                .is_some_and(|value| !value.trim().is_empty())
        };
        let has_token = is_set(GITHUB_TOKEN);
        // Where a secret is not there in a job, its variable is empty, as in a run for a fork: the report says so.
        if self.github_issue.is_some()
            && !env.variables.contains_key(GITHUB_TOKEN)
            && !is_set("GITHUB_ACTIONS")
        {
            return Err(UsageError::option(
                "--github-issue",
                format!(
                    "no issue can be written without a token; set {GITHUB_TOKEN}, or leave the option out"
                ),
            ));
        }
        let rule = match (self.inconclusive_after, self.inconclusive_of) {
            (Some(_), _) => "--inconclusive-after",
            (None, Some(_)) => "--inconclusive-of",
            (None, None) => return Ok(()),
        };
        match has_memory || has_token || self.state.is_some() {
            true => Ok(()),
            false => Err(UsageError::option(
                rule,
                "it counts earlier runs, and there is no alert state that records them; name a file with --state, or leave the option out",
            )),
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
