//! `cvm-verify verify`: live deployments.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::args::VerifyArgs;
use super::interrupt::Interrupt;
use super::output::{self, Alerts};
use super::selection::{policy_file, selection_or_found_lock};
use super::transport::{self, nras, opinions};
use super::trust_roots::trust_roots;
use super::{cache, chain, run_id, wait};
use crate::alert::alerting::{AlertedTarget, Alerting};
use crate::alert::state_file::StateFile;
use crate::artifacts::{BundleFiles, bundle_path_of, bundle_paths, statements, unfinished};
use crate::engine::{self, Collection, Deployment, Run, Session, Time, milliseconds};
use crate::env::Env;
use crate::net::Trace;
use crate::plan::planner::{Job, Plan, plan};
use crate::plan::shard;
use crate::plan::source_rules::refuse_commit_on_schedule;
use crate::render::progress::{Place, ProgressLine};
use crate::render::{escape, still_different};
use crate::runtime::runtime;
use cvm_verify_core::policy::{GpuVerifier, Verifier};
use cvm_verify_core::report::{AlertRecord, Mode, Report, TargetReport, Verdict, rfc3339};

pub(super) fn run(args: &VerifyArgs, env: &mut Env) -> anyhow::Result<u8> {
    let started = Instant::now();
    let started_at = (env.now)();
    let run = run_id::of(args.run.run_id.as_ref(), env);
    let mut unfinished = unfinished(Mode::Live, args.shard, started_at);
    run_id::name(&mut unfinished, run.as_ref());
    output::prepare(&args.output, &unfinished, env)?;
    let selection = selection_or_found_lock(&args.plan, args.output.is_quiet(), env)?;
    let file = policy_file(&args.plan, args.output.is_quiet(), env);
    let Plan {
        targets,
        alerts: channels,
        ..
    } = plan(&selection, started_at, file.as_deref())?;
    refuse_commit_on_schedule(&args.plan.expect.keys.settings, env)?;
    let targets = shard::part(args.shard, targets)?;
    let names: Vec<&str> = targets.iter().map(Job::name).collect();
    let alerting = Alerting::new(args.memory.github_issue.as_deref(), args.memory.rules(), env)?;
    let bundle_paths = bundle_paths(
        args.evidence.as_deref(),
        args.output.output_dir.as_deref(),
        &names,
    )?;
    let wait = wait::parse(args.wait.as_deref())?;
    let deadline = wait::deadline(args.deadline.as_deref(), wait)?;
    let one_attempt = wait::timeout(args.transport.timeout.as_deref())?;
    let deadline = Instant::now() + deadline.saturating_sub(started.elapsed());
    // An attempt that is under way when the waiting is over ends with it.
    let waits_until = (!wait.is_zero()).then(|| Instant::now() + wait.saturating_sub(started.elapsed()));
    let time = Time {
        one_attempt,
        until: Some(waits_until.map_or(deadline, |until| until.min(deadline))),
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
        store: cache::store(&args.cache, &args.plan.collateral_age, env),
        keep_bundles: bundle_paths.iter().any(Option::is_some),
        opinions: opinions(verifier, args.plan.verifier.phala_verifier_url.as_deref())?.with_nras(nras(
            gpu_verifier,
            args.plan.expect.gpu.gpu_verifier_url.as_deref(),
        )?),
        nodes: chain::nodes(&args.plan.chain)?,
        ..reach
    });
    let deployments: Vec<Arc<Deployment>> = targets
        .iter()
        .map(|target| Arc::clone(&target.deployment))
        .collect();
    let how = Run {
        concurrency: args.concurrency,
        time,
        deadline: Some(deadline),
    };
    env.note_a_run_inside_a_cvm();
    let runtime = runtime()?;
    let mut interrupt = Interrupt::new(&runtime, env.stop.take()).context("signals cannot be caught")?;
    let attest = statements::folder(&args.output.files()).map(|_| file.as_deref());
    let mut previous = None;
    let (reports, of_reports, bundles) = loop {
        let mut round = Round::new(&targets, &bundle_paths, attest);
        let line = RefCell::new(ProgressLine::new(progress_place(args, env), &names));
        let cancel = async {
            interrupt.next().await;
        };
        let ran = runtime.block_on(engine::run(
            &session,
            &deployments,
            &how,
            |progress| {
                if let Some(text) = line.borrow_mut().show(progress.elapsed) {
                    env.write_error(&text);
                }
            },
            cancel,
            |index, collection| {
                line.borrow_mut().done(index);
                round.finish(&session, index, collection);
            },
        ));
        if let Some(text) = line.borrow().clear() {
            env.write_error(text);
        }
        for line in trace.iter().flat_map(Trace::take) {
            env.complain(&escape::terminal(&escape::shorten(&line, 400)));
        }
        if ran.is_err() {
            return Ok(interrupted(runtime, env));
        }
        for note in &round.notes {
            env.complain(note);
        }
        let (reports, of_reports, bundles) = round.reports();
        let verdict = Verdict::worst(reports.iter().map(|report| report.verdict));
        let left = wait
            .saturating_sub(started.elapsed())
            .min(deadline.saturating_duration_since(Instant::now()));
        if let (Verdict::Inconclusive, true, Some(before)) = (verdict, left.is_zero(), previous.take()) {
            // The end of the waiting cut this round short; what the one before it found stands.
            break before;
        }
        if verdict == Verdict::Pass || left.is_zero() {
            break (reports, of_reports, bundles);
        }
        env.complain(&still_different(&reports, left));
        if !runtime.block_on(wait::pause(env.pause.min(left), &mut interrupt)) {
            return Ok(interrupted(runtime, env));
        }
        previous = Some((reports, of_reports, bundles));
    };
    let mut report = Report::new(
        crate::env::tool(),
        Mode::Live,
        rfc3339(started_at),
        milliseconds(started.elapsed()),
        reports,
    );
    report.shard = args.shard;
    run_id::name(&mut report, run.as_ref());
    let alerted: Vec<AlertedTarget<'_>> = of_reports
        .iter()
        .filter_map(|index| targets.get(*index))
        .map(Job::alerted)
        .collect();
    let follow =
        alerting.any(&channels, env) || targets.iter().any(|target| alerting.any(&target.alerts, env));
    if !follow {
        return output::emit(&report, bundles, &args.output, env);
    }
    let announced = output::announce(&report, bundles, &args.output, Alerts::Follow, env);
    let mut file = args
        .memory
        .state
        .as_deref()
        .map(|path| StateFile::open(path, env));
    let state = file.as_mut().map(|file| &mut file.state);
    // The addresses of channels are secrets.
    let client = &session.client.untraced();
    let delivering = alerting.deliver(&mut report, &channels, &alerted, state, client, env);
    if let Some(signal) = runtime.block_on(until_interrupted(delivering, &mut interrupt)) {
        report.alerts.push(interrupted_alerts(signal));
    }
    if let Some(file) = file {
        file.close(env);
    }
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

/// What a round over all targets found.
struct Round<'a> {
    targets: &'a [Job],
    bundle_paths: &'a [Option<PathBuf>],
    /// The reports on each target.
    reports: Vec<Vec<TargetReport>>,
    bundles: BundleFiles,
    notes: Vec<String>,
    /// Whether statements are written, and the policy file that they name.
    attest: Option<Option<&'a Path>>,
}

impl<'a> Round<'a> {
    fn new(
        targets: &'a [Job],
        bundle_paths: &'a [Option<PathBuf>],
        attest: Option<Option<&'a Path>>,
    ) -> Self {
        Self {
            targets,
            bundle_paths,
            reports: targets.iter().map(|_| Vec::new()).collect(),
            bundles: BundleFiles::default(),
            notes: Vec::new(),
            attest,
        }
    }

    /// Appraises what a target handed over, and writes its bundles.
    fn finish(&mut self, session: &Session, index: usize, collection: Collection) {
        let (Some(target), Some(path), Some(reports)) = (
            self.targets.get(index),
            self.bundle_paths.get(index),
            self.reports.get_mut(index),
        ) else {
            return;
        };
        let appraised = session.appraise(&target.deployment, collection);
        self.notes.extend(appraised.note);
        for one in appraised.instances {
            let path = match (path, one.number) {
                (Some(path), Some(number)) if appraised.several => Some(bundle_path_of(path, number)),
                (path, _) => path.clone(),
            };
            let evidence = self.bundles.write(path.as_deref(), one.bundle.as_ref());
            let mut report = one.report;
            report.evidence.bundle = path
                .filter(|_| one.bundle.is_some())
                .map(|path| path.display().to_string());
            if let Some(policy_file) = self.attest {
                let attested =
                    statements::attested(target.policy(), one.app_compose, &report, evidence, policy_file);
                self.bundles.attested.extend(attested);
            }
            reports.push(report);
        }
    }

    /// All reports, the index of the target of each, and what became of the bundles.
    fn reports(self) -> (Vec<TargetReport>, Vec<usize>, BundleFiles) {
        let of_reports = (0..)
            .zip(&self.reports)
            .flat_map(|(index, reports)| reports.iter().map(move |_| index))
            .collect();
        let reports = self.reports.into_iter().flatten().collect();
        (reports, of_reports, self.bundles)
    }
}

/// Waits for the alerts, or for a signal, which it names: a verdict that is out does not wait for a channel.
pub(super) async fn until_interrupted(
    delivering: impl Future<Output = ()>,
    interrupt: &mut Interrupt,
) -> Option<&'static str> {
    tokio::select! {
        () = delivering => None,
        signal = interrupt.next() => Some(signal),
    }
}

/// What is recorded where a signal ended the alerts.
pub(super) fn interrupted_alerts(signal: &str) -> AlertRecord {
    AlertRecord {
        channel: "all".to_owned(),
        event: "alert".to_owned(),
        delivered: false,
        detail: format!("ended by {signal}; with --state, what no channel confirmed is told by the next run"),
    }
}

fn interrupted(runtime: Runtime, env: &mut Env) -> u8 {
    // A lookup of a name waits for the system's resolver in a thread of its own, and that one for no signal.
    runtime.shutdown_background();
    env.complain("Interrupted: nothing was decided.");
    super::INCONCLUSIVE
}
