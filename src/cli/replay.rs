//! `cvm-verify replay`: recorded evidence, offline. Opens no socket but for `--fetch-collateral` and `--alert`.

use std::time::Instant;

use anyhow::Context as _;
use chrono::DateTime;

use super::args::ReplayArgs;
use super::output::{self, Alerts};
use super::trust_roots::trust_roots;
use super::{fetched_collateral, transport};
use crate::alert::alerting::{AlertedRun, AlertedTarget, Alerting, ended_by};
use crate::alert::variables::ChannelVariables;
use crate::artifacts::{BundleFiles, refuse_foreign, unfinished};
use crate::config::Settings;
use crate::engine::{RecordedEvidence, milliseconds};
use crate::env::Env;
use crate::interrupt::Interrupt;
use crate::plan::next_commands::{Commands, TargetNames, leave_out_live_options};
use crate::plan::one_target::OneTarget;
use crate::plan::policy::verifier;
use crate::plan::replayed_files::ReplayedFiles;
use crate::recorded::bundle::write_bundle;
use crate::recorded::evidence::Recorded;
use crate::recorded::named;
use crate::runtime::runtime;
use crate::usage_error::UsageError;
use cvm_verify_core::appraise::Subject;
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::{Mode, Report, rfc3339};

pub(super) fn run(args: &ReplayArgs, env: &mut Env) -> anyhow::Result<u8> {
    let started = Instant::now();
    let started_at = (env.now)();
    output::prepare(&args.output, &unfinished(Mode::Replay, None, started_at), env)?;
    args.evidence.as_deref().map_or(Ok(()), refuse_foreign)?;
    let roots = trust_roots(&args.trust)?;
    let mut recorded = named(args.bundle.as_deref(), &args.loose.files())?;
    if args.fetch_collateral {
        fetched_collateral::fetch(args, &mut recorded, &roots.quote, env)?;
    }
    let at = match &args.at {
        Some(text) => parse_time(text)?,
        // What is fetched today says nothing of the time of capture.
        None if args.fetch_collateral => started_at,
        None => recorded.captured_at.unwrap_or(started_at),
    };
    let written = match &args.evidence {
        Some(path) => Some(write_bundle(path, &mut recorded, at)?),
        None => None,
    };
    let OneTarget {
        settings,
        name: target,
        expectations,
    } = OneTarget::read(
        args.config.config.as_deref(),
        args.config.target.as_deref(),
        &args.expect.keys.settings,
        at,
        env,
    )?;
    let commands = commands(args, &recorded, target.as_deref(), &settings);
    recorded.inputs = recorded
        .inputs
        .with_compose_copy(expectations.compose_file.as_deref());
    let policy = Policy {
        address_id: recorded.address_id,
        verifier: verifier(&args.keys.settings),
        collateral_max_age: args.collateral_age.collateral_max_age,
        ..expectations.policy
    };
    let claims = recorded.prove(&roots, at, &policy);
    let subject = Subject {
        name: target.unwrap_or(recorded.name),
        url: recorded.url,
        root: roots.quote,
        at,
        bundle: written.or(recorded.bundle),
    };
    let mut target = RecordedEvidence::appraise(&claims, &policy, &subject);
    leave_out_live_options(&mut target);
    if let Some(commands) = commands {
        commands.fill(&mut target);
    }
    let mut report = Report::new(
        crate::env::tool(),
        Mode::Replay,
        rfc3339(started_at),
        milliseconds(started.elapsed()),
        vec![target],
    );
    if !args.alert {
        return output::emit(&report, BundleFiles::default(), &args.output, env);
    }
    let alerted = AlertedTarget {
        name: &subject.name,
        variables: &ChannelVariables::of(&settings),
        policy: policy.fingerprint(),
        asked: None,
        is_reported: false,
        file: None,
    };
    announce_and_alert(args, &mut report, alerted, env)
}

/// The next commands for this evidence; none where no other command can read it as this one did.
fn commands(
    args: &ReplayArgs,
    recorded: &Recorded,
    name: Option<&str>,
    settings: &Settings,
) -> Option<Commands> {
    let files = ReplayedFiles {
        written: args.evidence.as_deref(),
        given: args.bundle.as_deref(),
        is_bundle: recorded.bundle.is_some(),
        loose: &args.loose.files(),
        at: args.at.as_deref(),
        is_collateral_fetched: args.fetch_collateral,
    };
    let named = TargetNames {
        is_typed: true,
        name,
        config: args.config.config.as_deref(),
        is_one_of_several: false,
    };
    Some(Commands::of_files(files.evidence_files()?, &named, settings))
}

/// Prints the report and writes its files, and then tells the channels.
fn announce_and_alert(
    args: &ReplayArgs,
    report: &mut Report,
    alerted: AlertedTarget<'_>,
    env: &mut Env,
) -> anyhow::Result<u8> {
    let alerting = Alerting::forgetful();
    if !alerting.any(alerted.variables, env) {
        return Err(UsageError::option(
            "--alert",
            "no alert channel is set; see `cvm-verify alert test --help`",
        )
        .into());
    }
    let client = transport::client(&args.http)?.for_alerts();
    let runtime = runtime()?;
    let mut interrupt = Interrupt::new(&runtime, env.stop.take()).context("signals cannot be caught")?;
    let bundles = BundleFiles::default();
    let announced = output::announce(report, bundles, &args.output, Alerts::Follow, env);
    let run = AlertedRun {
        channels: alerted.variables,
        targets: &[alerted],
        state: None,
        subject: None,
        run_targets: None,
    };
    let delivering = alerting.deliver(report, run, &client, env);
    let ended = runtime.block_on(interrupt.or_done(delivering));
    report.alerts.extend(ended.map(ended_by));
    Ok(announced.finish(report, &args.output, env))
}

/// A time that a user typed, RFC 3339; a bare date is its first second, UTC.
pub(super) fn parse_time(text: &str) -> Result<u64, UsageError> {
    let text = text.trim();
    let full = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    DateTime::parse_from_rfc3339(&full)
        .ok()
        .and_then(|time| u64::try_from(time.timestamp()).ok())
        .ok_or_else(|| {
            UsageError::option(
                "--at",
                format!("{text:?} is not an RFC 3339 time such as 2026-08-13T12:00:00Z"),
            )
        })
}
