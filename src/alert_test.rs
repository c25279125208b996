//! One message to every channel that is set: `cvm-verify alert test`.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::future::{join, join_all};

use crate::alert::alerting::{Alerting, entropy, run_url};
use crate::alert::variables::{ChannelVariables, NamedChannel};
use crate::alert::{self, AlertSender, CHANNELS, ChannelSecret, Channels, Role, RunContext};
use crate::config::Settings;
use crate::env::Env;
use crate::net::Client;
use crate::plan::policy_file;
use crate::plan::setting_problem::refuse_any;
use crate::runtime::runtime;
use crate::usage_error::{CommandError, UsageError};

/// What became of one message: whether the channel took it, and a line about it.
pub(crate) type Tested = (bool, String);

/// Sends it through the channels of the environment and of a policy file, and to the issues of GitHub.
///
/// # Errors
/// No channel is set, or the policy file cannot be read.
pub(crate) fn test_channels(
    alerting: &Alerting,
    file: Option<&Path>,
    client: &dyn Fn() -> Result<Client, UsageError>,
    env: &Env,
) -> Result<Vec<Tested>, CommandError> {
    let variables = variables(file)?;
    let named = ChannelVariables::each_once(variables.iter(), env);
    let issues = alerting.channels(&ChannelVariables::default(), env).github_issue;
    if named.is_empty() && issues.is_none() {
        return Err(no_channel(file).into());
    }
    let client = client()?.for_alerts();
    let run_url = run_url(env);
    let context = RunContext::live((env.now)(), run_url.as_deref(), None);
    let sender = AlertSender::new(&client, &entropy);
    let of_secrets = named.iter().map(|one| test(one, &sender, &context));
    let of_issues = Channels::default().with_issues(issues);
    let (of_secrets, of_issues) = runtime()?.block_on(join(
        join_all(of_secrets),
        alert::test(&sender, &of_issues, &context),
    ));
    let of_issues = of_issues.into_iter();
    let of_issues =
        of_issues.map(|record| (record.delivered, format!("{}: {}", record.channel, record.detail)));
    Ok(of_secrets.into_iter().flatten().chain(of_issues).collect())
}

/// What a channel answered: whether it took the message, and a line. Nothing is sent to a channel of which a secret is missing: no
/// receiver must learn to do without a signature.
async fn test(one: &NamedChannel, sender: &AlertSender<'_>, context: &RunContext<'_>) -> Vec<Tested> {
    let name = one.name;
    if !one.missing.is_empty() {
        let missing = one.missing.join(" and ");
        return vec![(
            false,
            format!("{name}: nothing was sent: {missing} is not set, or empty"),
        )];
    }
    let of_file = match one.named.as_slice() {
        [] => String::new(),
        variables => format!(" ({})", variables.join(", ")),
    };
    let records = alert::test(sender, &one.channels, context).await.into_iter();
    let line = |detail: &str| format!("{name}{of_file}: {detail}");
    records
        .map(|record| (record.delivered, line(&record.detail)))
        .collect()
}

/// The variables of all channels: the usual ones, through which it is told that nothing was verified, and those of the file.
fn variables(file: Option<&Path>) -> Result<BTreeSet<ChannelVariables>, UsageError> {
    let usual = [ChannelVariables::default()];
    let Some(path) = file else {
        return Ok(usual.into());
    };
    let config = policy_file::read(path)?;
    let settings = |target| ChannelVariables::of(&config.settings(&Settings::default(), target));
    let of_targets = config.file.targets.iter().map(|target| settings(Some(target)));
    let all = usual
        .into_iter()
        .chain([settings(None)])
        .chain(of_targets)
        .collect();
    refuse_any(config.problems)?;
    Ok(all)
}

fn no_channel(file: Option<&Path>) -> UsageError {
    let opening = CHANNELS.iter().flat_map(|channel| channel.secrets);
    let opening = opening.filter(|secret| matches!(secret.role, Role::Opens | Role::Token));
    let variables: Vec<String> = opening.map(ChannelSecret::variable).collect();
    let variables = variables.join(", ");
    UsageError::new(match file {
        None => format!("no alert channel is set; set one of {variables}"),
        Some(path) => format!(
            "no alert channel is set, and {} names none; set one of {variables}",
            path.display()
        ),
    })
}
