//! Alert channels of a run: secrets from the environment in, records of what became of each alert out.

use std::collections::BTreeMap;

use anyhow::Context as _;
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::{Digest as _, Sha256};

use super::args::{AlertArgs, AlertCommand};
use super::channels::{self, Variables};
use super::error::UsageError;
use super::surroundings::Surroundings;
use super::transport;
use crate::alert::{self, Channels, Context};
use crate::net::Client;
use crate::render;
use crate::report::{AlertRecord, Mode, Report, TargetReport, TrustRootKind, Verdict};

/// Tells every configured channel what the run found, and records in the report what became of it. Never changes
/// the verdict. `of_targets` are the channels of each target of the report, `of_run` those of the whole run.
pub(super) async fn deliver(
    report: &mut Report,
    of_run: &Variables,
    of_targets: &[&Variables],
    client: &Client,
    surroundings: &Surroundings,
) {
    let sha256 = hex::encode(Sha256::digest(render::json(report)));
    let run_url = run_url(surroundings);
    let context = Context {
        now: (surroundings.now)(),
        mode: report.mode,
        run_url: run_url.as_deref(),
        report_sha256: Some(&sha256),
    };
    // Targets with the same channels are told of together.
    let mut groups: BTreeMap<&Variables, Vec<TargetReport>> = BTreeMap::new();
    for (variables, target) in of_targets.iter().zip(&report.targets) {
        groups.entry(variables).or_default().push(target.clone());
    }
    let heartbeat_url = of_run.channels(surroundings).heartbeat_url;
    let simulated = report
        .targets
        .iter()
        .any(|target| target.trust_root == TrustRootKind::Custom);
    let heartbeat_url = match heartbeat_url {
        Some(_) if simulated && report.verdict == Verdict::Pass => {
            // A ping carries no label: it would pass for a genuine pass.
            report.alerts.push(AlertRecord {
                channel: "heartbeat".to_owned(),
                event: "passed".to_owned(),
                delivered: false,
                detail: "not sent: the pass rests on a root that is not Intel's".to_owned(),
            });
            None
        }
        heartbeat_url => heartbeat_url,
    };
    // One ping for the run, and one errand for all channels wherever the targets share them.
    let mut errands: Vec<(Channels, Vec<TargetReport>)> = groups
        .into_iter()
        .map(|(variables, targets)| {
            let channels = Channels {
                heartbeat_url: None,
                ..variables.channels(surroundings)
            };
            (channels, targets)
        })
        .collect();
    match errands.as_mut_slice() {
        [(channels, _)] => channels.heartbeat_url = heartbeat_url,
        _ => {
            let channels = Channels {
                heartbeat_url,
                ..Channels::default()
            };
            errands.push((channels, report.targets.clone()));
        }
    }
    for (channels, targets) in errands {
        if channels::any(&channels) {
            let records = alert::deliver(client, &channels, &targets, &context, entropy).await;
            report.alerts.extend(records);
        }
    }
}

/// `cvm-verify alert test`.
pub(super) fn run(args: &AlertArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let AlertCommand::Test(http) = &args.command;
    let channels = Variables::default().channels(surroundings);
    if !channels::any(&channels) {
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
    let records = runtime.block_on(alert::test(&client, &channels, &context, entropy));
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
