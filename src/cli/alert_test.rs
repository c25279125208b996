//! `cvm-verify alert test`: one message to every channel that is set.

use super::args::{AlertArgs, AlertCommand};
use super::transport;
use crate::alert::alerting::{Alerting, entropy, run_url};
use crate::alert::incident::Rules;
use crate::alert::variables::ChannelVariables;
use crate::alert::{self, AlertSender, CHANNELS, ChannelSecret, Role, RunContext};
use crate::env::Env;
use crate::render;
use crate::runtime::runtime;
use crate::usage_error::UsageError;

/// `cvm-verify alert test`.
pub(super) fn run(args: &AlertArgs, env: &mut Env) -> anyhow::Result<u8> {
    let AlertCommand::Test(args) = &args.command;
    let alerting = Alerting::new(args.github_issue.as_deref(), Rules::default(), env)?;
    let channels = alerting.channels(&ChannelVariables::default(), env);
    if !channels.is_any() {
        let opening = CHANNELS.iter().flat_map(|channel| channel.secrets);
        let opening = opening.filter(|secret| matches!(secret.role, Role::Opens | Role::Token));
        let variables: Vec<String> = opening.map(ChannelSecret::variable).collect();
        return Err(UsageError::new(format!(
            "no alert channel is set; set one of {}",
            variables.join(", ")
        ))
        .into());
    }
    let client = transport::client(&args.http)?.for_alerts();
    let run_url = run_url(env);
    let context = RunContext::live((env.now)(), run_url.as_deref(), None);
    let runtime = runtime()?;
    let sender = AlertSender::new(&client, &entropy);
    let records = runtime.block_on(alert::test(&sender, &channels, &context));
    for record in &records {
        let word = if record.delivered { "delivered" } else { "FAILED" };
        let detail = render::escape::terminal(&record.detail).into_owned();
        env.print(&format!("{word:9}  {}: {detail}\n", record.channel));
    }
    Ok(if records.iter().all(|record| record.delivered) {
        0
    } else {
        super::FAIL
    })
}
