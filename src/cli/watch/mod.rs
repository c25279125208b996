//! `cvm-verify watch`: all targets, again and again.
//!
//! One loop on one thread does everything that is decided or said; fetching and telling run beside it, so that neither a
//! target that hangs nor a channel that is down holds up the rest.

mod desk;
mod endpoint;
mod kept;
mod log;
mod pages;
mod policy;
mod rounds;
mod signals;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep_until};

use super::args::WatchArgs;
use super::error::UsageError;
use super::plan::{Plan, policy_file};
use super::surroundings::Surroundings;
use super::transport::{nras, opinions};
use super::trust_roots::trust_roots;
use super::verify::note_a_run_inside_a_cvm;
use super::{cache, chain, output, transport, wait};
use crate::engine::{Session, Time};
use crate::watch::{Board, Entry, Level};
use cvm_verify_core::evidence::Bundle;
use cvm_verify_core::policy::{GpuVerifier, Verifier};
use cvm_verify_core::report::{AlertRecord, TargetReport, Verdict};
use desk::Desk;
use kept::Kept;
use log::Log;
use pages::{Pages, locked};
use policy::{PolicyFiles, Reading};
use rounds::{Finished, Rounds};
use signals::{Signal, Signals};

/// How often the files of the policy are looked at, and the memory is written where it changed.
const TICK: Duration = Duration::from_secs(2);

/// How often collateral that could not be fetched may be asked for again.
const COLLATERAL_ROUND: Duration = Duration::from_secs(60);

/// How long alerts that are on their way may take after the signal to stop; the whole takes less than 5 seconds.
const LAST_ALERTS: Duration = Duration::from_secs(4);

pub(super) fn run(args: &WatchArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let file = policy_file(&args.plan, args.quiet, surroundings);
    let mut policy = PolicyFiles::new(args, file);
    let plan = policy.read((surroundings.now)())?;
    let session = session(args, &plan, surroundings)?;
    let kept = Kept::new(args.evidence.clone())?;
    let time = Time {
        one_attempt: wait::timeout(args.transport.timeout.as_deref())?,
        until: None,
    };
    let desk = Desk::new(args, &plan, &session, surroundings)?;
    note_a_run_inside_a_cvm(surroundings);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")?;
    let ended = runtime.block_on(async {
        let signals = Signals::new(surroundings.stop.take()).context("signals cannot be caught")?;
        let watch = Watch {
            args,
            log: Log {
                format: args.log_format.into(),
                quiet: args.quiet,
            },
            policy,
            session,
            rounds: Rounds::new(args.concurrency, time, surroundings.acceleration),
            desk,
            kept,
            board: Arc::default(),
            signals,
            worst: Verdict::Pass,
            surroundings,
        };
        watch.run(plan).await
    });
    // A lookup of a name waits for the system's resolver in a thread of its own, and that one for no signal.
    runtime.shutdown_background();
    ended
}

/// What does not change from target to target.
fn session(args: &WatchArgs, plan: &Plan, surroundings: &Surroundings) -> Result<Arc<Session>, UsageError> {
    let url = args.plan.verifier.phala_verifier_url.as_deref();
    let roots = trust_roots(&args.trust)?;
    Ok(Arc::new(Session {
        root: roots.quote,
        device_root: roots.device,
        nras_intermediates: roots.nras,
        store: cache::store(&args.cache, &args.plan.collateral_age, surroundings),
        keep_bundles: args.evidence.is_some(),
        opinions: opinions(verifier(plan), url)?.with_nras(nras(
            gpu_verifier(plan),
            args.plan.expect.gpu.gpu_verifier_url.as_deref(),
        )?),
        nodes: chain::nodes(&args.plan.chain)?,
        ..transport::session(&args.transport, surroundings)?
    }))
}

/// A setting of the whole run.
fn verifier(plan: &Plan) -> Verifier {
    let first = plan.targets.first();
    first.map_or(Verifier::Local, |target| target.policy().verifier)
}

/// The same for GPUs.
fn gpu_verifier(plan: &Plan) -> GpuVerifier {
    let first = plan.targets.first();
    first.map_or(GpuVerifier::Local, |target| target.policy().gpu.verifier)
}

/// The loop, and all that it holds.
struct Watch<'a> {
    args: &'a WatchArgs,
    log: Log,
    policy: PolicyFiles<'a>,
    session: Arc<Session>,
    rounds: Rounds,
    desk: Desk,
    kept: Kept,
    board: Arc<Mutex<Board>>,
    signals: Signals,
    /// The worst verdict so far.
    worst: Verdict,
    surroundings: &'a mut Surroundings,
}

impl Watch<'_> {
    async fn run(mut self, plan: Plan) -> anyhow::Result<u8> {
        self.say_on_what_root();
        self.serve().await?;
        let count = plan.targets.len();
        // Whoever runs it once has the exit code.
        let silent = !self.args.once && self.desk.is_silent(&plan, self.surroundings);
        self.adopt(plan);
        let version = env!("CARGO_PKG_VERSION");
        self.note(
            Level::Info,
            "started",
            format!("cvm-verify {version}, {}", targets(count)),
        );
        if silent {
            let said = "no alert channel is set in the environment: what is found stands in this log and in the metrics only";
            self.note(Level::Warn, "note", said.to_owned());
        }
        let stopped_by = self.turn().await;
        if let Some(signal) = stopped_by {
            self.note(Level::Info, "stopping", signal.to_owned());
            self.rounds.abort();
        }
        self.last_alerts(stopped_by.is_some()).await;
        self.save();
        Ok(match stopped_by {
            // Whoever asked for one round and stopped it has no verdict over all targets: that is no pass.
            Some(_) if self.args.once => Verdict::worst([self.worst, Verdict::Inconclusive]).exit_code(),
            Some(_) => 0,
            None => self.worst.exit_code(),
        })
    }

    /// Turns until a signal ends it, which it names, or `--once` is done.
    async fn turn(&mut self) -> Option<&'static str> {
        let mut tick = Instant::now() + TICK;
        let mut collateral_round = Instant::now();
        loop {
            if Instant::now() >= collateral_round {
                self.session.store.new_round();
                collateral_round = Instant::now() + COLLATERAL_ROUND;
            }
            let waited = self.rounds.begin_due(&self.session);
            self.on_board(|board| board.longest_wait = board.longest_wait.max(waited));
            if self.args.once && self.rounds.each_had_one() {
                return None;
            }
            let due = self.rounds.next_due().unwrap_or(tick).min(tick);
            tokio::select! {
                finished = self.rounds.finished(&self.session) => self.conclude(finished),
                records = self.desk.told() => {
                    self.write_down(&records);
                    self.save();
                }
                signal = self.signals.next() => match signal {
                    Signal::Stop(name) => return Some(name),
                    Signal::Reload => self.read_policy(true),
                },
                () = sleep_until(due) => {}
            }
            if Instant::now() >= tick {
                tick = Instant::now() + TICK;
                self.read_policy(false);
                if self.desk.has_news() {
                    self.save();
                }
            }
        }
    }

    /// Judges what a target handed over.
    fn conclude(&mut self, finished: Finished) {
        let now = (self.surroundings.now)();
        let Finished {
            planned,
            collection,
            took,
        } = finished;
        let mut jitter = [0; 4];
        jitter.copy_from_slice(super::alerts::entropy().get(..4).unwrap_or(&[0; 4]));
        // A target that the policy has no more, or describes in another way by now: that is another question.
        let Some(ended) = self.rounds.end(&planned, u32::from_le_bytes(jitter)) else {
            return;
        };
        let appraised = self.session.appraise(&planned.deployment, collection);
        let (reports, bundles): (Vec<TargetReport>, Vec<Option<Bundle>>) = appraised
            .instances
            .into_iter()
            .map(|one| (one.report, one.bundle))
            .unzip();
        self.on_board(|board| {
            board.missed_rounds += ended.missed;
            board.record(planned.name(), &reports, took, now);
        });
        if let Some(note) = appraised.note {
            let said = note.strip_prefix("note: ").unwrap_or(&note).to_owned();
            self.note(Level::Warn, "note", said);
        }
        for report in &reports {
            let entry = Entry::verified(report, output::milliseconds(took), now);
            self.log.write(&entry, self.surroundings);
        }
        for (report, bundle) in reports.iter().zip(&bundles) {
            match self.kept.keep(report, bundle.as_ref()) {
                None => {}
                Some(Ok(said)) => self.note(Level::Info, "evidence", said),
                Some(Err(error)) => self.note(Level::Warn, "evidence", error.to_string()),
            }
        }
        if ended.missed > 0 {
            let rounds = if ended.missed == 1 { "round" } else { "rounds" };
            let said = format!(
                "{}: it took longer than its interval; {} {rounds} fell out",
                planned.name(),
                ended.missed
            );
            self.note(Level::Warn, "late", said);
        }
        self.worst = Verdict::worst(reports.iter().map(|report| report.verdict).chain([self.worst]));
        self.desk.take(&planned, reports, now, self.surroundings);
    }

    /// Reads the policy again where its files changed, or anyway.
    fn read_policy(&mut self, anyway: bool) {
        let now = (self.surroundings.now)();
        let plan = match self.policy.look(anyway, now) {
            Reading::Same => return,
            Reading::Read(plan) => plan,
            Reading::Refused(error) => return self.refuse(&error),
        };
        let opinions = &self.session.opinions;
        if verifier(&plan) != opinions.verifier() || gpu_verifier(&plan).asks_nras() != opinions.asks_nras() {
            match session(self.args, &plan, self.surroundings) {
                Ok(session) => self.session = session,
                Err(error) => return self.refuse(&error),
            }
        }
        self.policy.used();
        let was_refused = self.on_board(|board| std::mem::take(&mut board.policy_is_refused));
        let count = plan.targets.len();
        let change = self.adopt(plan);
        if change.is_some() || was_refused || anyway {
            let change = change.unwrap_or_else(|| "nothing changed".to_owned());
            self.note(
                Level::Info,
                "policy-read",
                format!("{}: {change}", targets(count)),
            );
        }
    }

    /// Goes on by the policy that was read before. The same reason is said once.
    fn refuse(&mut self, error: &UsageError) {
        self.on_board(|board| board.policy_is_refused = true);
        let why = error.to_string();
        if self.policy.refused_anew(&why) {
            let said =
                format!("the policy that was read before stays in use, since the new one is wrong:\n{why}");
            self.note(Level::Error, "policy-refused", said);
        }
    }

    /// Verifies these targets from now on. Says what changed, if anything did.
    fn adopt(&mut self, plan: Plan) -> Option<String> {
        let now = (self.surroundings.now)();
        let intervals = plan
            .targets
            .iter()
            .map(|target| (target.name().to_owned(), target.interval.duration()));
        self.on_board(|board| board.watch(intervals, now));
        self.desk.watch(&plan, self.surroundings);
        self.rounds.replace(plan.targets)
    }

    /// Waits for alerts: after a signal for those on their way and not for long, else for all.
    async fn last_alerts(&mut self, hurry: bool) {
        let deadline = Instant::now() + LAST_ALERTS;
        while self.desk.is_telling() {
            tokio::select! {
                records = self.desk.told() => self.write_down(&records),
                () = sleep_until(deadline), if hurry => {
                    self.note(
                        Level::Warn,
                        "stopping",
                        "alerts were on their way; what no channel confirmed is told again after the next start".to_owned(),
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
        let now = (self.surroundings.now)();
        for record in records {
            self.on_board(|board| {
                let [taken, lost] = board.alerts.entry(record.channel.clone()).or_default();
                *(if record.delivered { taken } else { lost }) += 1;
            });
            self.log.write(&Entry::alert(record, now), self.surroundings);
        }
    }

    /// Writes the memory.
    fn save(&mut self) {
        if let Some(problem) = self.desk.save() {
            let said = format!("{problem}; after a restart the same is told again");
            self.note(Level::Warn, "state", said);
        }
    }

    /// The first line of the output, where the root is not Intel's.
    fn say_on_what_root(&mut self) {
        if let Some(said) = self.session.simulated() {
            let said = format!("{said}. A pass pings no heartbeat.");
            let entry = Entry::note(Level::Warn, "simulated", said, (self.surroundings.now)());
            self.log.write(&entry, self.surroundings);
        }
    }

    /// Serves metrics and health, where that is asked for.
    async fn serve(&mut self) -> anyhow::Result<()> {
        let Some(address) = self.args.listen else {
            return Ok(());
        };
        let listener = endpoint::listen(address).await.map_err(|error| {
            UsageError::option("--listen", format!("{address} cannot be listened on: {error}"))
        })?;
        let address = listener.local_addr().unwrap_or(address);
        let pages = Pages {
            board: Arc::clone(&self.board),
            root: self.session.root.kind(),
            now: self.surroundings.now,
        };
        tokio::spawn(endpoint::serve(listener, Arc::new(pages)));
        self.note(
            Level::Info,
            "listening",
            format!("http://{address}/metrics and http://{address}/healthz"),
        );
        Ok(())
    }

    fn on_board<T>(&self, write: impl FnOnce(&mut Board) -> T) -> T {
        write(&mut locked(&self.board))
    }

    fn note(&mut self, level: Level, event: &'static str, message: String) {
        let entry = Entry::note(level, event, message, (self.surroundings.now)());
        self.log.write(&entry, self.surroundings);
    }
}

fn targets(count: usize) -> String {
    match count {
        1 => "1 target".to_owned(),
        count => format!("{count} targets"),
    }
}
