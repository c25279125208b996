//! Alert channels of a run: secrets from the environment in, records of what became of each alert out.

use anyhow::Context as _;
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::{Digest as _, Sha256};

use super::args::{AlertArgs, AlertCommand};
use super::error::UsageError;
use super::surroundings::Surroundings;
use super::transport;
use crate::alert::{self, Channels, Context};
use crate::net::{Client, Secret};
use crate::render;
use crate::report::{AlertRecord, Mode, Report, TrustRootKind, Verdict};

/// The channels of the environment. An empty variable is unset: forks have no secrets, and that is no error.
fn channels(surroundings: &Surroundings) -> Channels {
    let secret = |name: &str| {
        let value = surroundings.env.get(&format!("CVM_VERIFY_{name}"));
        value
            .filter(|value| !value.trim().is_empty())
            .cloned()
            .map(Secret::new)
    };
    Channels {
        slack_webhook_url: secret("SLACK_WEBHOOK_URL"),
        discord_webhook_url: secret("DISCORD_WEBHOOK_URL"),
        teams_webhook_url: secret("TEAMS_WEBHOOK_URL"),
        pagerduty_routing_key: secret("PAGERDUTY_ROUTING_KEY"),
        pagerduty_url: secret("PAGERDUTY_URL"),
        webhook_url: secret("WEBHOOK_URL"),
        webhook_secret: secret("WEBHOOK_SECRET"),
        heartbeat_url: secret("HEARTBEAT_URL"),
    }
}

/// Whether any channel is configured.
pub(super) fn any(surroundings: &Surroundings) -> bool {
    let channels = channels(surroundings);
    channels.slack_webhook_url.is_some() || channels.webhook_url.is_some() || channels.heartbeat_url.is_some()
}

/// Tells every configured channel what the run found, and records in the report what became of it. Never changes
/// the verdict.
pub(super) async fn deliver(report: &mut Report, client: &Client, surroundings: &Surroundings) {
    let mut channels = channels(surroundings);
    let simulated = report
        .targets
        .iter()
        .any(|target| target.trust_root == TrustRootKind::Custom);
    if simulated && report.verdict == Verdict::Pass && channels.heartbeat_url.take().is_some() {
        // A ping carries no label: it would pass for a genuine pass.
        report.alerts.push(AlertRecord {
            channel: "heartbeat".to_owned(),
            event: "passed".to_owned(),
            delivered: false,
            detail: "not sent: the pass rests on a root that is not Intel's".to_owned(),
        });
    }
    let sha256 = hex::encode(Sha256::digest(render::json(report)));
    let run_url = run_url(surroundings);
    let context = Context {
        now: (surroundings.now)(),
        mode: report.mode,
        run_url: run_url.as_deref(),
        report_sha256: Some(&sha256),
    };
    let records = alert::deliver(client, &channels, &report.targets, &context, entropy).await;
    report.alerts.extend(records);
}

/// `cvm-verify alert test`.
pub(super) fn run(args: &AlertArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let AlertCommand::Test(http) = &args.command;
    if !any(surroundings) {
        return Err(UsageError::new(
            "no alert channel is set; set CVM_VERIFY_SLACK_WEBHOOK_URL, CVM_VERIFY_WEBHOOK_URL or CVM_VERIFY_HEARTBEAT_URL",
        )
        .into());
    }
    let client = transport::client(http)?;
    let run_url = run_url(surroundings);
    let context = Context {
        now: (surroundings.now)(),
        mode: Mode::Live,
        run_url: run_url.as_deref(),
        report_sha256: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")?;
    let records = runtime.block_on(alert::test(&client, &channels(surroundings), &context, entropy));
    for record in &records {
        let word = if record.delivered { "delivered" } else { "FAILED" };
        let detail = render::escape::terminal(&record.detail).into_owned();
        surroundings.print(&format!("{word:9}  {}: {detail}\n", record.channel));
    }
    Ok(if records.iter().all(|record| record.delivered) {
        0
    } else {
        super::FAIL
    })
}

/// The page of this run, where GitHub or GitLab say which it is.
fn run_url(surroundings: &Surroundings) -> Option<String> {
    let get = |name: &str| surroundings.env.get(name).filter(|value| !value.is_empty());
    if surroundings.on_github() {
        let (server, repository, run) = (
            get("GITHUB_SERVER_URL")?,
            get("GITHUB_REPOSITORY")?,
            get("GITHUB_RUN_ID")?,
        );
        return Some(format!("{server}/{repository}/actions/runs/{run}"));
    }
    get("CI_JOB_URL").cloned()
}

/// 16 random bytes for a delivery's id. Where the system has none, ids repeat; nothing rests on them.
fn entropy() -> [u8; 16] {
    let mut bytes = [0; 16];
    let _ = SysRng.try_fill_bytes(&mut bytes);
    bytes
}
