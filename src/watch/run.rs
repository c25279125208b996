//! `cvm-verify watch`: all targets, again and again.
//!
//! One loop on one thread does everything that is said; fetching, judging and telling run beside it, so that neither a target that hangs or
//! takes long to judge nor a channel that is down holds up the rest.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::alert_queue::AlertQueue;
use super::evidence_archive::EvidenceArchive;
use super::log_writer::Log;
use super::options::{Options, SessionOf};
use super::pages::{WatchPages, locked};
use super::policy_files::{PolicyFiles, Reading};
use super::signals::{Signal, Signals};
use super::timetable::Timetable;
use super::{LogEntry, LogLevel, WatchStatus, endpoint};
use crate::engine::{
    Appraised, Computation, Deployment, RunSchedule, Session, TimeLimits, follow, jitter, milliseconds,
};
use crate::env::Env;
use crate::plan::job::Job;
use crate::plan::next_commands::leave_out_waiting;
use crate::plan::planner::Plan;
use crate::render::Unjudged;
use crate::runtime::runtime;
use crate::usage_error::{CommandError, UsageError};
use cvm_verify_core::evidence::Bundle;
use cvm_verify_core::report::{AlertRecord, TargetReport, Verdict};

/// How often the files of the policy are looked at, and the state is written where it changed.
const TICK: Duration = Duration::from_secs(2);

/// How often collateral that could not be fetched may be asked for again.
const COLLATERAL_ROUND: Duration = Duration::from_secs(60);

/// How often it is looked at whether a channel is still to hear that it runs by a valid policy: as often as one that is refused is read.
const POLICY_ROUND: Duration = Duration::from_secs(10);

/// How long alerts that are on their way may take after the signal to stop; the whole takes less than 5 seconds.
const LAST_ALERTS: Duration = Duration::from_secs(4);

/// Watches until a signal ends it, or each target was verified once. Returns the exit code.
pub(crate) fn run(options: &Options, session_of: SessionOf<'_>, env: &mut Env) -> Result<u8, CommandError> {
    let mut policy = PolicyFiles::new(&options.selection, options.policy_file.clone());
    let plan = policy.read((env.now)())?;
    let session = session_of(&plan, &Computation::default(), env)?;
    let kept = EvidenceArchive::new(options.evidence.clone())?;
    let queue = AlertQueue::new(options, &plan, &session, env)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let signals = Signals::new(env.stop.take()).map_err(|error| CommandError::System {
            what: "signals cannot be caught",
            error,
        })?;
        let now = Instant::now();
        let watch = Watch {
            options,
            session_of,
            log: Log {
                format: options.log_format,
                quiet: options.quiet,
            },
            policy,
            session,
            timetable: Timetable::new(env.acceleration),
            queue,
            kept,
            watch_status: Arc::default(),
            started: now,
            next_tick: now + TICK,
            next_collateral_round: now,
            next_policy_round: now + POLICY_ROUND,
            signals,
            worst: Verdict::Pass,
            env,
        };
        watch.run(plan).await
    })
}

/// What to do where the policy is refused.
const REFUSED_NEXT: &str = "Correct what it names in the policy file, or in a file that this one names. What the new policy requires is not \
                            checked until then, and `watch` does not start with it.";

/// What a watch holds. It is the schedule of the loop.
struct Watch<'a> {
    options: &'a Options,
    session_of: SessionOf<'a>,
    log: Log,
    policy: PolicyFiles<'a>,
    session: Arc<Session>,
    timetable: Timetable,
    queue: AlertQueue,
    kept: EvidenceArchive,
    watch_status: Arc<Mutex<WatchStatus>>,
    /// When the loop began.
    started: Instant,
    next_tick: Instant,
    next_collateral_round: Instant,
    next_policy_round: Instant,
    signals: Signals,
    /// The worst verdict so far.
    worst: Verdict,
    env: &'a mut Env,
}

impl Watch<'_> {
    async fn run(mut self, plan: Plan) -> Result<u8, CommandError> {
        self.say_on_what_root();
        self.serve().await?;
        let count = plan.targets.len();
        // Whoever runs it once has the exit code.
        let silent = !self.options.once && self.queue.is_silent(&plan, self.env);
        self.adopt(plan);
        self.confirm(self.options.state.is_some());
        let version = env!("CARGO_PKG_VERSION");
        self.note(
            LogLevel::Info,
            "started",
            format!("cvm-verify {version}, {}", targets(count)),
        );
        if silent {
            let said =
                "no alert channel is set in the environment: results are only in this log and in the metrics";
            self.note(LogLevel::Warn, "note", said.to_owned());
        }
        let Options {
            concurrency,
            one_attempt,
            ..
        } = *self.options;
        let time = TimeLimits {
            one_attempt,
            until: None,
        };
        let ended = follow(&mut self, concurrency, time).await;
        let stopped_by = ended.map(|(signal, _)| signal);
        if let Some(signal) = stopped_by {
            self.note(LogLevel::Info, "stopping", signal.to_owned());
        } else {
            self.queue.tell_of_end(&self.options.run_subject);
        }
        self.last_alerts(stopped_by.is_some()).await;
        self.queue.stop().await;
        self.save();
        Ok(match stopped_by {
            // Whoever asked for one round and stopped it has no verdict over all targets: that is no pass.
            Some(_) if self.options.once => Verdict::worst([self.worst, Verdict::Inconclusive]).exit_code(),
            Some(_) => 0,
            None => self.worst.exit_code(),
        })
    }

    /// What is done every two seconds.
    fn tick(&mut self) {
        let now = Instant::now();
        self.next_tick = now + TICK;
        self.read_policy(false);
        if now >= self.next_policy_round {
            self.next_policy_round = now + POLICY_ROUND;
            self.confirm(true);
        }
        self.queue.tell_all();
        if self.queue.has_news() {
            self.save();
        }
    }

    /// Reads the policy again where its files changed, or anyway.
    fn read_policy(&mut self, anyway: bool) {
        let now = (self.env.now)();
        let plan = match self.policy.look(anyway, now) {
            Reading::Same => return,
            Reading::Read(plan) => plan,
            Reading::Refused(error) => return self.refuse(&error),
        };
        let second_verifiers = &self.session.second_verifiers;
        if plan.verifier() != second_verifiers.verifier()
            || plan.gpu_verifier().asks_nras() != second_verifiers.asks_nras()
        {
            // What is still computed for the old one takes room of the new one.
            match (self.session_of)(&plan, &self.session.computation, self.env) {
                Ok(session) => self.session = session,
                Err(error) => return self.refuse(&error),
            }
        }
        self.policy.used();
        self.queue.tell_of(&self.options.policy_subject, None);
        let was_refused =
            self.with_status(|watch_status| std::mem::take(&mut watch_status.policy_is_refused));
        let count = plan.targets.len();
        let change = self.adopt(plan);
        if change.is_some() || was_refused || anyway {
            let change = change.unwrap_or_else(|| "nothing changed".to_owned());
            self.note(
                LogLevel::Info,
                "policy-read",
                format!("{}: {change}", targets(count)),
            );
        }
    }

    /// Tells that it runs, and that the policy is in use, where a channel is still to hear of it. Where no state `knows` what was told,
    /// PagerDuty hears of it anyway: but not from a machine with state, for another one with the same arguments has the same incidents.
    fn confirm(&mut self, knows: bool) {
        if self.options.once {
            return;
        }
        let is_refused = self.with_status(|watch_status| watch_status.policy_is_refused);
        let policy = (!is_refused).then_some(&self.options.policy_subject);
        for subject in [&self.options.run_subject].into_iter().chain(policy) {
            match knows {
                true => self.queue.tell_of(subject, None),
                false => self.queue.tell_of_end(subject),
            }
        }
    }

    /// Goes on by the policy that was read before. The same reason is said once.
    fn refuse(&mut self, error: &UsageError) {
        self.with_status(|watch_status| watch_status.policy_is_refused = true);
        let why = error.to_string();
        let refused = Unjudged {
            cause: why.clone(),
            next: REFUSED_NEXT,
        };
        let trouble = (refused.sentence(), refused.next);
        self.queue
            .tell_of(&self.options.policy_subject, Some((&trouble.0, trouble.1)));
        if self.policy.refused_anew(&why) {
            let said = format!("the previous policy stays in use, because the new one is not valid:\n{why}");
            self.note(LogLevel::Error, "policy-refused", said);
        }
    }

    /// Verifies these targets from now on. Says what changed, if anything did.
    fn adopt(&mut self, plan: Plan) -> Option<String> {
        let intervals = plan
            .targets
            .iter()
            .map(|target| (target.name().to_owned(), target.interval.duration()));
        self.with_status(|watch_status| watch_status.watch(intervals, self.started.elapsed()));
        self.queue.watch(&plan, self.env);
        self.timetable.replace(plan.targets)
    }

    /// Waits for alerts: after a signal for those on their way and not for long, else for all.
    async fn last_alerts(&mut self, hurry: bool) {
        let deadline = Instant::now() + LAST_ALERTS;
        while self.queue.is_telling() {
            tokio::select! {
                records = self.queue.delivered() => self.write_down(&records),
                () = sleep_until(deadline), if hurry => {
                    self.note(
                        LogLevel::Warn,
                        "stopping",
                        "alerts were still being sent; what no channel confirmed is sent again after the next start".to_owned(),
                    );
                    return;
                }
                // Whoever asks twice does not want to wait.
                signal = self.signals.next() => match signal {
                    Signal::Stop(_) => return,
                    Signal::Reload => {}
                },
            }
        }
    }

    fn write_down(&mut self, records: &[AlertRecord]) {
        let now = (self.env.now)();
        for record in records {
            self.with_status(|watch_status| {
                let [taken, lost] = watch_status.alerts.entry(record.channel.clone()).or_default();
                *(if record.delivered { taken } else { lost }) += 1;
            });
            self.log.write(&LogEntry::alert(record, now), self.env);
        }
    }

    /// Writes the state.
    fn save(&mut self) {
        if let Some(problem) = self.queue.save() {
            let said = format!("{problem}; after a restart the same alerts are sent again");
            self.note(LogLevel::Warn, "state", said);
        }
    }

    /// The first line of the output, where the root is not Intel's.
    fn say_on_what_root(&mut self) {
        if let Some(said) = self.session.simulated() {
            let said = format!("{said}. A pass sends no ping to the heartbeat.");
            let entry = LogEntry::note(LogLevel::Warn, "simulated", said, (self.env.now)());
            self.log.write(&entry, self.env);
        }
    }

    /// Serves metrics and health, where that is asked for.
    async fn serve(&mut self) -> Result<(), CommandError> {
        let Some(address) = self.options.listen else {
            return Ok(());
        };
        let listener = endpoint::listen(address).await.map_err(|error| {
            UsageError::option("--listen", format!("{address} cannot be listened on: {error}"))
        })?;
        let address = listener.local_addr().unwrap_or(address);
        let pages = WatchPages {
            watch_status: Arc::clone(&self.watch_status),
            simulated: self.session.simulated(),
            started: self.started,
        };
        tokio::spawn(endpoint::serve(listener, Arc::new(pages)));
        self.note(
            LogLevel::Info,
            "listening",
            format!("http://{address}/metrics and http://{address}/healthz"),
        );
        Ok(())
    }

    fn with_status<T>(&self, write: impl FnOnce(&mut WatchStatus) -> T) -> T {
        write(&mut locked(&self.watch_status))
    }

    fn note(&mut self, level: LogLevel, event: &'static str, message: String) {
        let entry = LogEntry::note(level, event, message, (self.env.now)());
        self.log.write(&entry, self.env);
    }
}

/// A round of a target that is under way.
struct RunningRound {
    job: Arc<Job>,
    began: Instant,
}

impl RunSchedule for Watch<'_> {
    type Key = RunningRound;
    /// The name of the signal.
    type End = &'static str;

    fn session(&self) -> &Arc<Session> {
        &self.session
    }

    fn begin(&mut self) -> Option<(RunningRound, Arc<Deployment>)> {
        let (job, waited) = self.timetable.begin()?;
        self.with_status(|watch_status| watch_status.longest_wait = watch_status.longest_wait.max(waited));
        let began = Instant::now();
        if began >= self.next_collateral_round {
            self.session.collateral_cache.new_round();
            self.session.statements.new_round();
            self.next_collateral_round = began + COLLATERAL_ROUND;
        }
        let deployment = Arc::clone(&job.deployment);
        Some((RunningRound { job, began }, deployment))
    }

    fn next_due(&self) -> Option<Instant> {
        self.timetable.next_due()
    }

    /// Not if the policy has the target no more, or describes it in another way by now: that is another question.
    fn awaits(&self, running: &RunningRound) -> bool {
        self.timetable.has(&running.job)
    }

    fn finish(&mut self, RunningRound { job, began }: RunningRound, appraised: Appraised) {
        let (now, took) = ((self.env.now)(), began.elapsed());
        let Some(ended) = self.timetable.end(&job, jitter()) else {
            return;
        };
        let (reports, bundles): (Vec<TargetReport>, Vec<Option<Bundle>>) = appraised
            .instances
            .into_iter()
            .map(|mut one| {
                job.commands.fill(&mut one.report);
                leave_out_waiting(&mut one.report);
                (one.report, one.bundle)
            })
            .unzip();
        self.with_status(|watch_status| {
            watch_status.missed_rounds += ended.missed;
            watch_status.record(job.name(), &reports, took, now, self.started.elapsed());
        });
        if let Some(note) = appraised.note {
            self.note(LogLevel::Warn, "note", note);
        }
        for report in &reports {
            let entry = LogEntry::verified(report, milliseconds(took), now);
            self.log.write(&entry, self.env);
        }
        for (report, bundle) in reports.iter().zip(&bundles) {
            match self.kept.keep(report, bundle.as_ref()) {
                None => {}
                Some(Ok(said)) => self.note(LogLevel::Info, "evidence", said),
                Some(Err(error)) => self.note(LogLevel::Warn, "evidence", error.to_string()),
            }
        }
        if ended.missed > 0 {
            let rounds = if ended.missed == 1 { "round" } else { "rounds" };
            let said = format!(
                "{}: it took longer than its interval; {} {rounds} skipped",
                job.name(),
                ended.missed
            );
            self.note(LogLevel::Warn, "late", said);
        }
        self.worst = Verdict::worst(reports.iter().map(|report| report.verdict).chain([self.worst]));
        self.queue.take(&job, reports, now, self.env);
    }

    fn is_over(&self) -> bool {
        self.options.once && self.timetable.each_had_one()
    }

    async fn meanwhile(&mut self) -> ControlFlow<&'static str> {
        tokio::select! {
            records = self.queue.delivered() => {
                self.write_down(&records);
                self.save();
            }
            signal = self.signals.next() => match signal {
                Signal::Stop(name) => return ControlFlow::Break(name),
                Signal::Reload => self.read_policy(true),
            },
            () = sleep_until(self.next_tick) => self.tick(),
        }
        ControlFlow::Continue(())
    }
}

fn targets(count: usize) -> String {
    match count {
        1 => "1 target".to_owned(),
        count => format!("{count} targets"),
    }
}
