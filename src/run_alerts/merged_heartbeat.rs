//! The ping of a run whose shards were verified by other jobs: none of them knows whether all passed.

use super::client::client;
use crate::alert::alerting::{entropy, no_pass_to_ping};
use crate::alert::variables::ChannelVariables;
use crate::alert::{self, AlertSender, HEARTBEAT_URL};
use crate::env::Env;
use crate::render::escape;
use crate::runtime::runtime;
use cvm_verify_core::report::Report;

/// Pings the heartbeat that the environment names, with the verdict of the report. What it did not accept is said on standard error,
/// and changes no verdict.
pub(crate) fn ping(report: &Report, env: &mut Env) {
    let channels = ChannelVariables::default().channels(env);
    let is_given = channels.secret(HEARTBEAT_URL);
    if is_given.is_none_or(|url| url.expose().trim().is_empty()) {
        return;
    }
    let problem = match no_pass_to_ping(report) {
        Some(why) => Some(format!("not sent: {why}")),
        None => send(report, &channels, env).err(),
    };
    if let Some(problem) = problem {
        let line = format!("note: heartbeat: {problem}");
        env.complain(&escape::terminal(&line));
    }
}

fn send(report: &Report, channels: &alert::Channels, env: &mut Env) -> Result<(), String> {
    let client = client(env)?;
    let runtime = runtime().map_err(|error| error.to_string())?;
    let sender = AlertSender::new(&client, &entropy).with_one_deadline();
    let records = runtime.block_on(alert::ping(&sender, channels, report.verdict));
    match records.into_iter().find(|record| !record.delivered) {
        Some(record) => Err(record.detail),
        None => Ok(()),
    }
}
