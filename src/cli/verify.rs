//! `cvm-verify verify`: live deployments.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::time::Instant;

use super::args::VerifyArgs;
use super::early_alerts::EarlyAlerts;
use super::output::{self, Alerts};
use super::selection::{policy_file, refuse_no_lock, selection_or_found_lock};
use super::transport::{self, nras, second_verifiers};
use super::trust_roots::trust_roots;
use super::{cache, chain, proxy_hint, wait};
use crate::alert::alerting::{AlertedRun, AlertedTarget, Alerting, WholeFile, ended_by};
use crate::alert::state_file::StateFile;
use crate::artifacts::{bundle_paths, statements, unfinished};
use crate::engine::{Session, milliseconds};
use crate::env::{Env, run_id};
use crate::interrupt::Interrupt;
use crate::net::Trace;
use crate::plan::planner::{Job, Plan, plan};
use crate::plan::shard;
use crate::plan::source_rules::refuse_commit_on_schedule;
use crate::render::escape;
use crate::render::progress::Place;
use crate::runtime::runtime;
use crate::verify_run::{RunTime, Verified, VerifyRun};
use cvm_verify_core::policy::{GpuVerifier, Verifier};
use cvm_verify_core::report::{Mode, Report, ShardOf, Verdict, rfc3339};

pub(super) fn run(args: &VerifyArgs, env: &mut Env) -> anyhow::Result<u8> {
    let started = Instant::now();
    let started_at = (env.now)();
    let run_id = run_id::of(args.run.run_id.as_ref(), env);
    let mut unfinished = unfinished(Mode::Live, args.shard, started_at);
    run_id::name(&mut unfinished, run_id.as_ref());
    args.alert_state.refuse_idle(false, env)?;
    args.alert_state
        .state
        .as_deref()
        .map_or(Ok(()), StateFile::prepare)?;
    output::prepare(&args.output, &unfinished, env)?;
    let selection = selection_or_found_lock(&args.plan, &args.transport, args.output.is_quiet(), env)?;
    let file = policy_file(&args.plan, args.output.is_quiet(), env);
    refuse_no_lock(&args.plan, file.as_deref())?;
    let Plan {
        targets,
        alerts: channels,
        notes,
        policy_file: of_file,
        ..
    } = plan(&selection, started_at, file.as_deref())?;
    for note in notes {
        env.note(&escape::terminal(&note));
    }
    refuse_commit_on_schedule(&args.plan.expect.keys.settings, env)?;
    let all = targets
        .iter()
        .map(|target| (target.name(), target.policy().fingerprint().to_string()));
    let shard_of = args.shard.map(|_| ShardOf::new(all));
    let targets = shard::part(args.shard, targets)?;
    let names: Vec<&str> = targets.iter().map(Job::name).collect();
    let alerting = Alerting::new(
        args.alert_state.github_issue.as_deref(),
        args.alert_state.rules(),
        env,
    )?;
    let bundle_paths = bundle_paths(
        args.evidence.as_deref(),
        args.output.output_dir.as_deref(),
        &names,
    )?;
    let (wait, waits_for) = wait::parse(args.wait.as_deref())?;
    let time = RunTime {
        started,
        wait,
        waits_for,
        deadline: wait::deadline(args.deadline.as_deref(), wait)?,
        one_attempt: wait::timeout(args.transport.timeout.as_deref())?,
    };
    // A setting of the whole run.
    let verifier = targets
        .first()
        .map_or(Verifier::Local, |target| target.policy().verifier);
    let trace = args.verbose.then(Trace::default);
    let reach = transport::session(&args.transport, env)?;
    let gpu_verifier = targets
        .first()
        .map_or(GpuVerifier::Local, |target| target.policy().gpu.verifier);
    let session = Arc::new(Session {
        client: match &trace {
            Some(trace) => reach.client.traced(trace.clone()),
            None => reach.client.clone(),
        },
        roots: trust_roots(&args.trust)?,
        collateral_cache: cache::collateral_cache(&args.cache, &args.plan.collateral_age, env),
        keep_bundles: bundle_paths.iter().any(Option::is_some),
        second_verifiers: second_verifiers(verifier, args.plan.phala_verifier_url.as_deref())?.with_nras(
            nras(gpu_verifier, args.plan.expect.gpu.gpu_verifier_url.as_deref())?,
        ),
        nodes: chain::nodes(&args.plan.chain)?,
        ..reach
    });
    env.note_a_run_inside_a_cvm();
    let runtime = runtime()?;
    let mut interrupt = Interrupt::new(&runtime, env.stop.take()).context("signals cannot be caught")?;
    let run = VerifyRun {
        session: &session,
        targets: &targets,
        concurrency: args.concurrency,
        time,
        bundle_paths: &bundle_paths,
        attest: statements::folder(&args.output.files()).map(|_| file.as_deref()),
        trace: trace.as_ref(),
        progress: progress_place(args, env),
    };
    // The addresses of channels are secrets.
    let client = &session.client.for_alerts();
    let policy_file = of_file.map(|(file, _)| file);
    let mut early = EarlyAlerts {
        alerting: &alerting,
        targets: &targets,
        policy_file,
        state: args.alert_state.state.as_deref(),
        client,
        runtime: &runtime,
        records: Vec::new(),
        reported: BTreeSet::new(),
    };
    let verified = run.until_pass(&runtime, &mut interrupt, env, &mut |found, interrupt, env| {
        early.send(found, interrupt, env)
    });
    let EarlyAlerts {
        records, reported, ..
    } = early;
    let Ok(Verified {
        reports,
        of_reports,
        bundles,
    }) = verified
    else {
        // A lookup of a name waits for the system's resolver in a thread of its own, and that one for no signal.
        runtime.shutdown_background();
        env.complain("Interrupted: there is no verdict.");
        return Ok(super::INCONCLUSIVE);
    };
    if let Some(hint) = proxy_hint::of(&reports, &args.transport.http, env) {
        env.note(&hint);
    }
    let mut report = Report::new(
        crate::env::tool(),
        Mode::Live,
        rfc3339(started_at),
        milliseconds(started.elapsed()),
        reports,
    );
    report.shard = args.shard;
    report.shard_of = shard_of;
    report.alerts = records;
    run_id::name(&mut report, run_id.as_ref());
    // Which targets have left the file is known where all that it has were verified.
    let whole = of_file.filter(|(_, is_whole)| *is_whole && args.shard.is_none());
    let whole = whole.map(|(file, _)| WholeFile {
        file,
        names: targets.iter().map(Job::name).collect(),
    });
    let alerted = |index: &usize| {
        let job = targets.get(*index)?;
        Some(AlertedTarget {
            is_reported: reported.contains(index),
            ..job.alerted(policy_file)
        })
    };
    let mut alerted: Vec<AlertedTarget<'_>> = of_reports.iter().filter_map(alerted).collect();
    let follow =
        alerting.any(&channels, env) || targets.iter().any(|target| alerting.any(&target.alerts, env));
    if !follow {
        if args.alert_state.state.is_some() && !args.output.is_quiet() {
            env.note(
                "--state is given and no alert channel is set in the environment: no alert is sent. `cvm-verify alert test --help` \
                 lists the variables",
            );
        }
        return output::emit(&report, bundles, &args.output, env);
    }
    let announced = output::announce(&report, bundles, &args.output, Alerts::Follow, env);
    let mut pause = |pause| runtime.block_on(async { interrupt.or_done(tokio::time::sleep(pause)).await });
    let path = args.alert_state.state.as_deref();
    let opened = path
        .map(|path| StateFile::open(path, env, &mut pause))
        .transpose();
    let ended = match opened {
        Err(signal) => Some(signal),
        Ok(mut file) => {
            let is_locked = file.as_ref().is_none_or(StateFile::is_locked);
            for (one, target) in alerted.iter_mut().zip(&report.targets) {
                one.is_reported |= !is_locked && target.verdict == Verdict::Pass;
            }
            let run = AlertedRun {
                channels: &channels,
                targets: &alerted,
                state: file.as_mut().map(|file| &mut file.state),
                job: super::unjudged_alerts::job(env),
                whole: whole.filter(|_| is_locked),
            };
            let delivering = alerting.deliver(&mut report, run, client, env);
            let ended = runtime.block_on(interrupt.or_done(delivering));
            if let Some(file) = file {
                file.close(env);
            }
            ended
        }
    };
    report.alerts.extend(ended.map(ended_by));
    let code = announced.finish(&report, &args.output, env);
    // A lookup of a name may still be under way.
    runtime.shutdown_background();
    Ok(code)
}

/// Where progress is shown: nowhere if the user wants quiet.
fn progress_place(args: &VerifyArgs, env: &Env) -> Place {
    match (
        args.output.is_quiet(),
        env.stderr_is_terminal && !env.is_dumb_terminal(),
    ) {
        (true, _) => Place::Nowhere,
        (false, true) => Place::Terminal,
        (false, false) => Place::Log,
    }
}
