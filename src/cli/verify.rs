//! `cvm-verify verify`: live deployments.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::time::Instant;

use super::args::VerifyArgs;
use super::output::{self, Alerts};
use super::selection::{policy_file, refuse_no_lock, selection_or_found_lock};
use super::transport::session_of_run;
use super::{cache, proxy_hint, wait};
use crate::alert::alerting::Alerting;
use crate::alert::state_file::StateFile;
use crate::artifacts::{SharedNames, bundle_paths, statements, unfinished};
use crate::bounded_io::ReadsWithin;
use crate::config::Settings;
use crate::engine::{Session, milliseconds};
use crate::env::Env;
use crate::env::run_id::{self, RunAttempt};
use crate::interrupt::Interrupt;
use crate::net::Trace;
use crate::plan::job::Job;
use crate::plan::planner::{Plan, plan};
use crate::plan::shard;
use crate::plan::source_rules::refuse_commit_on_schedule;
use crate::render::progress::ShownOn;
use crate::run_alerts::RunAlerts;
use crate::runtime::runtime;
use crate::usage_error::UsageError;
use crate::verify_run::{RunTime, VerifyRun};
use cvm_verify_core::report::{Mode, Report, ShardOf, rfc3339};

pub(super) fn run(args: &VerifyArgs, env: &mut Env) -> anyhow::Result<u8> {
    let begun = Begun {
        at: Instant::now(),
        unix: (env.now)(),
        run: run_id::of(args.run.run_id.as_ref(), env),
    };
    prepare(args, &begun, env)?;
    let time = run_time(args, begun.at)?;
    // A pipe that gives nothing takes time of the run, too.
    let _reads = ReadsWithin::new(time.deadline.saturating_sub(begun.at.elapsed()));
    let Planned {
        plan,
        file,
        shard_of,
        shared_names,
    } = planned(args, begun.unix, env)?;
    let alerting = Alerting::new(
        args.alert_state.github_issue.as_deref(),
        args.alert_state.rules(),
        env,
    )?;
    let names: Vec<&str> = plan.targets.iter().map(Job::name).collect();
    let bundle_paths = bundle_paths(
        args.evidence.as_deref(),
        args.output.output_dir.as_deref(),
        &names,
    )?;
    let trace = args.verbose.then(Trace::default);
    let keep_bundles = bundle_paths.iter().any(Option::is_some);
    let session = session(args, &plan, trace.as_ref(), keep_bundles, env)?;
    let runtime = runtime()?;
    let mut interrupt = Interrupt::new(&runtime, env.stop.take()).context("signals cannot be caught")?;
    let run = VerifyRun {
        session: &session,
        targets: &plan.targets,
        concurrency: args.concurrency,
        time,
        bundle_paths: &bundle_paths,
        attest: statements::folder(&args.output.files()).map(|_| file.as_deref()),
        shared_names: &shared_names,
        trace: trace.as_ref(),
        progress: progress_place(args, env),
    };
    let mut alerts = RunAlerts {
        alerting: &alerting,
        plan: &plan,
        is_all: args.shard.is_none(),
        state: args.alert_state.state.as_deref(),
        // The addresses of channels are secrets.
        client: &session.client.for_alerts(),
        runtime: &runtime,
        records: Vec::new(),
        reported: BTreeSet::new(),
    };
    let verified = run.until_pass(&runtime, &mut interrupt, env, &mut |found, interrupt, env| {
        alerts.send_early(found, interrupt, env)
    });
    let Ok(verified) = verified else {
        env.complain("Interrupted: there is no verdict.");
        return Ok(super::INCONCLUSIVE);
    };
    if let Some(hint) = proxy_hint::of(&verified.reports, &args.transport.http, env) {
        env.note(&hint);
    }
    let mut report = Report::new(
        crate::env::tool(),
        Mode::Live,
        rfc3339(begun.unix),
        milliseconds(begun.at.elapsed()),
        verified.reports,
    );
    report.shard = args.shard;
    report.shard_of = shard_of;
    report.alerts = std::mem::take(&mut alerts.records);
    run_id::name(&mut report, begun.run.as_ref());
    if !alerts.are_sent(env) {
        if args.alert_state.state.is_some() && !args.output.is_quiet() {
            env.note(
                "--state is given and no alert channel is set in the environment: no alert is sent. `cvm-verify alert test --help` \
                 lists the variables",
            );
        }
        return output::emit(&report, verified.bundles, &args.output, env);
    }
    let announced = output::announce(&report, verified.bundles, &args.output, Alerts::Follow, env);
    alerts.send(&mut report, &verified.of_reports, &mut interrupt, env);
    Ok(announced.finish(&report, &args.output, env))
}

/// When a run began, and which run of a CI it is.
struct Begun {
    at: Instant,
    /// By the clock, Unix seconds.
    unix: u64,
    run: Option<RunAttempt>,
}

/// Makes the files of the run ready: a run that is killed leaves no result of an earlier one.
fn prepare(args: &VerifyArgs, begun: &Begun, env: &mut Env) -> anyhow::Result<()> {
    let mut unfinished = unfinished(Mode::Live, args.shard, begun.unix);
    run_id::name(&mut unfinished, begun.run.as_ref());
    output::prepare(&args.output, &unfinished, env)?;
    args.alert_state.refuse_idle(false, env)?;
    let state = args.alert_state.state.as_deref();
    Ok(state.map_or(Ok(()), StateFile::prepare)?)
}

/// What the run verifies.
struct Planned {
    plan: Plan,
    /// Its policy file.
    file: Option<PathBuf>,
    /// What it is a part of, if it is a shard.
    shard_of: Option<ShardOf>,
    shared_names: SharedNames,
}

fn planned(args: &VerifyArgs, at: u64, env: &mut Env) -> anyhow::Result<Planned> {
    let is_quiet = args.output.is_quiet();
    let selection =
        selection_or_found_lock(&args.plan, &Settings::default(), &args.transport, is_quiet, env)?;
    let file = policy_file(&args.plan, is_quiet, env);
    refuse_no_lock(&args.plan, file.as_deref())?;
    let mut plan = plan(&selection, at, file.as_deref())?;
    for note in &plan.notes {
        env.note(note);
    }
    refuse_commit_on_schedule(&args.plan.expect.keys.settings, env)?;
    let shared_names = shared_names(args, &plan, env)?;
    let all = plan
        .targets
        .iter()
        .map(|target| (target.name(), target.policy().fingerprint().to_string()));
    let shard_of = args.shard.map(|_| ShardOf::new(all));
    plan.targets = shard::part(args.shard, plan.targets)?;
    Ok(Planned {
        plan,
        file,
        shard_of,
        shared_names,
    })
}

/// The targets whose statements would have one name: a usage error if statements are asked for, else they have none.
fn shared_names(args: &VerifyArgs, plan: &Plan, env: &mut Env) -> Result<SharedNames, UsageError> {
    let files = args.output.files();
    if statements::folder(&files).is_none() {
        return Ok(SharedNames::default());
    }
    let shared = SharedNames::of(plan.targets.iter().map(|target| &*target.deployment));
    for problem in shared.problems() {
        match files.statement {
            Some(_) => return Err(UsageError::option("--statement", problem)),
            None => env.note(&format!("{problem}; no statement is written of them")),
        }
    }
    Ok(shared)
}

fn run_time(args: &VerifyArgs, started: Instant) -> Result<RunTime, UsageError> {
    let (wait, waits_for) = wait::parse(args.wait.as_deref())?;
    Ok(RunTime {
        started,
        wait,
        waits_for,
        deadline: wait::deadline(args.deadline.as_deref(), wait)?,
        one_attempt: wait::timeout(args.transport.timeout.as_deref())?,
    })
}

fn session(
    args: &VerifyArgs,
    plan: &Plan,
    trace: Option<&Trace>,
    keep_bundles: bool,
    env: &Env,
) -> Result<Arc<Session>, UsageError> {
    let session = session_of_run(&args.plan, &args.transport, &args.trust, plan, env)?;
    Ok(Arc::new(Session {
        client: match trace {
            Some(trace) => session.client.traced(trace.clone()),
            None => session.client,
        },
        collateral_cache: cache::collateral_cache(&args.cache, &args.plan.collateral_age, env),
        keep_bundles,
        ..session
    }))
}

/// Where progress is shown: nowhere if the user wants quiet.
fn progress_place(args: &VerifyArgs, env: &Env) -> ShownOn {
    match (
        args.output.is_quiet(),
        env.stderr_is_terminal && !env.is_dumb_terminal(),
    ) {
        (true, _) => ShownOn::Nowhere,
        (false, true) => ShownOn::Terminal,
        (false, false) => ShownOn::Log,
    }
}
