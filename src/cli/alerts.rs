//! Alert channels of a run: secrets from the environment in, records of what became of each alert out.

use std::path::PathBuf;

use anyhow::Context as _;
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

use super::alert_state::StateFile;
use super::args::{AlertArgs, AlertCommand, MemoryArgs};
use super::error::UsageError;
use super::surroundings::Surroundings;
use super::transport;
use crate::alert::state::{Fingerprint, Rules, State};
use crate::alert::{self, Channels, Context, GithubIssues, Memory};
use crate::net::{Client, Secret};
use crate::render;
use crate::report::{AlertRecord, Mode, Report, TrustRootKind, Verdict};

/// Where this run tells what it finds, and how it remembers what was told.
pub(super) struct Alerting {
    channels: Channels,
    state: Option<PathBuf>,
    rules: Rules,
}

impl Alerting {
    /// As `args` and the environment say.
    pub(super) fn new(args: &MemoryArgs, surroundings: &Surroundings) -> Result<Self, UsageError> {
        let mut channels = channels(surroundings);
        channels.github_issue = github_issue(args.github_issue.as_deref(), surroundings)?;
        Ok(Self {
            channels,
            state: args.state.clone(),
            rules: Rules {
                inconclusive_after: args.inconclusive_after,
                ..Rules::default()
            },
        })
    }

    /// For a run that remembers nothing.
    pub(super) fn forgetful(surroundings: &Surroundings) -> Self {
        Self {
            channels: channels(surroundings),
            state: None,
            rules: Rules::default(),
        }
    }

    /// Whether any channel is configured.
    pub(super) fn any(&self) -> bool {
        let channels = &self.channels;
        let secrets = [
            &channels.slack_webhook_url,
            &channels.discord_webhook_url,
            &channels.teams_webhook_url,
            &channels.pagerduty_routing_key,
            &channels.webhook_url,
            &channels.heartbeat_url,
        ];
        secrets.into_iter().any(Option::is_some) || channels.github_issue.is_some()
    }

    /// Tells every configured channel what the run found, and records in the report what became of it. Never changes
    /// the verdict. `policies` are what the targets were judged by, in their order.
    pub(super) fn deliver(
        mut self,
        report: &mut Report,
        policies: &[Fingerprint],
        runtime: &Runtime,
        client: &Client,
        surroundings: &mut Surroundings,
    ) {
        let simulated = report
            .targets
            .iter()
            .any(|target| target.trust_root == TrustRootKind::Custom);
        if simulated && report.verdict == Verdict::Pass && self.channels.heartbeat_url.take().is_some() {
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
        let mut file = self
            .state
            .as_deref()
            .map(|path| StateFile::open(path, surroundings));
        let context = Context {
            now: (surroundings.now)(),
            mode: report.mode,
            run_url: run_url.as_deref(),
            report_sha256: Some(&sha256),
        };
        let (channels, targets) = (&self.channels, &report.targets);
        let mut no_file = State::default();
        let records = if file.is_some() || channels.github_issue.is_some() {
            let memory = Memory {
                state: file.as_mut().map_or(&mut no_file, |file| &mut file.state),
                policies,
                rules: self.rules,
            };
            runtime.block_on(alert::deliver_remembering(
                client, channels, targets, memory, &context, entropy,
            ))
        } else {
            runtime.block_on(alert::deliver(client, channels, targets, &context, entropy))
        };
        report.alerts.extend(records);
        if let Some(file) = file {
            file.close(surroundings);
        }
    }
}

/// A secret of the environment. An empty variable is unset: forks have no secrets, and that is no error.
fn secret(surroundings: &Surroundings, name: &str) -> Option<Secret> {
    let value = surroundings.env.get(&format!("CVM_VERIFY_{name}"));
    value
        .filter(|value| !value.trim().is_empty())
        .cloned()
        .map(Secret::new)
}

/// The channels of the environment, but for the one that needs options.
fn channels(surroundings: &Surroundings) -> Channels {
    let secret = |name| secret(surroundings, name);
    Channels {
        slack_webhook_url: secret("SLACK_WEBHOOK_URL"),
        discord_webhook_url: secret("DISCORD_WEBHOOK_URL"),
        teams_webhook_url: secret("TEAMS_WEBHOOK_URL"),
        pagerduty_routing_key: secret("PAGERDUTY_ROUTING_KEY"),
        pagerduty_url: secret("PAGERDUTY_URL"),
        github_issue: None,
        webhook_url: secret("WEBHOOK_URL"),
        webhook_secret: secret("WEBHOOK_SECRET"),
        heartbeat_url: secret("HEARTBEAT_URL"),
    }
}

/// The issues of the repository that was named, or of the one that this workflow runs in: a token, or a name without
/// one, asks for them.
fn github_issue(
    named: Option<&str>,
    surroundings: &Surroundings,
) -> Result<Option<GithubIssues>, UsageError> {
    let get = |name: &str| surroundings.env.get(name).filter(|value| !value.is_empty());
    let token = secret(surroundings, "GITHUB_TOKEN");
    if named.is_none() && token.is_none() {
        return Ok(None);
    }
    let Some(repository) = named.or_else(|| get("GITHUB_REPOSITORY").map(String::as_str)) else {
        return Err(UsageError::new(
            "CVM_VERIFY_GITHUB_TOKEN is set, but not for which repository; write --github-issue OWNER/REPO",
        ));
    };
    // A token of an Enterprise Server must not go to github.com.
    let server = get("GITHUB_SERVER_URL").filter(|server| *server != "https://github.com");
    let api = get("GITHUB_API_URL").cloned();
    let api = api.or_else(|| server.map(|server| format!("{server}/api/v3")));
    let token = token.unwrap_or_else(|| Secret::new(String::new()));
    GithubIssues::new(api.as_deref(), repository, token)
        .map(Some)
        .map_err(|error| UsageError::option("--github-issue", error))
}

/// `cvm-verify alert test`.
pub(super) fn run(args: &AlertArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let AlertCommand::Test(args) = &args.command;
    let mut alerting = Alerting::forgetful(surroundings);
    alerting.channels.github_issue = github_issue(args.github_issue.as_deref(), surroundings)?;
    if !alerting.any() {
        return Err(UsageError::new(
            "no alert channel is set; set CVM_VERIFY_SLACK_WEBHOOK_URL, CVM_VERIFY_DISCORD_WEBHOOK_URL, \
             CVM_VERIFY_TEAMS_WEBHOOK_URL, CVM_VERIFY_PAGERDUTY_ROUTING_KEY, CVM_VERIFY_WEBHOOK_URL, \
             CVM_VERIFY_HEARTBEAT_URL or CVM_VERIFY_GITHUB_TOKEN",
        )
        .into());
    }
    let client = transport::client(&args.http)?;
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
    let records = runtime.block_on(alert::test(&client, &alerting.channels, &context, entropy));
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
