//! One run of `verify`: all targets, again until they pass or the time is up. Each is appraised, and its evidence is written, as
//! soon as it is collected.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::artifacts::{BundleFiles, bundle_path_of, statements};
use crate::attempts::{Attempts, Next};
use crate::engine::{
    self, Cancelled, Collection, Deployment, OrderedReports, Run, RunReports, Session, Time,
};
use crate::env::Env;
use crate::interrupt::Interrupt;
use crate::net::{STAY, Trace};
use crate::plan::planner::Job;
use crate::render::progress::{Place, ProgressLine};
use crate::render::{asked_once_more, escape, still_different};
use cvm_verify_core::report::{TargetReport, Verdict};

/// How long a run may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunTime {
    /// When it began.
    pub started: Instant,
    /// How long targets that do not pass are verified again; zero: once.
    pub wait: Duration,
    /// How long the whole run may take.
    pub deadline: Duration,
    /// How long one attempt at a target may take, if a user says so.
    pub one_attempt: Option<Duration>,
}

impl RunTime {
    fn deadline(&self) -> Instant {
        self.started + self.deadline
    }

    /// The time of one target. An attempt that is under way when the waiting is over ends with it.
    fn of_target(&self) -> Time {
        let waits_until = (!self.wait.is_zero()).then(|| self.started + self.wait);
        Time {
            one_attempt: self.one_attempt,
            until: Some(waits_until.map_or(self.deadline(), |until| until.min(self.deadline()))),
        }
    }

    /// How long it still waits.
    fn left(&self) -> Duration {
        self.wait
            .saturating_sub(self.started.elapsed())
            .min(self.deadline().saturating_duration_since(Instant::now()))
    }
}

/// What is verified, and how.
pub(crate) struct VerifyRun<'a> {
    pub session: &'a Arc<Session>,
    pub targets: &'a [Job],
    /// How many targets are verified at one time.
    pub concurrency: NonZeroUsize,
    pub time: RunTime,
    /// Where the evidence of each target goes.
    pub bundle_paths: &'a [Option<PathBuf>],
    /// Whether statements are written, and the policy file that they name.
    pub attest: Option<Option<&'a Path>>,
    /// The requests, if a user wants to see them.
    pub trace: Option<&'a Trace>,
    pub progress: Place,
}

/// What a run found.
pub(crate) struct Verified {
    pub reports: Vec<TargetReport>,
    /// The index of the target of each report.
    pub of_reports: Vec<usize>,
    pub bundles: BundleFiles,
}

impl Verified {
    fn of_target(&self, index: usize) -> Vec<TargetReport> {
        let reports = self.of_reports.iter().zip(&self.reports);
        reports
            .filter(|(of, _)| **of == index)
            .map(|(_, report)| report.clone())
            .collect()
    }
}

/// The reports of the targets whose result is final, by the index of the target.
type Settled = BTreeMap<usize, Vec<TargetReport>>;

impl VerifyRun<'_> {
    /// Verifies all targets until each passes or the time is up.
    ///
    /// # Errors
    /// [`Cancelled`] if a signal ended the run.
    pub fn until_pass(
        &self,
        runtime: &Runtime,
        interrupt: &mut Interrupt,
        env: &mut Env,
    ) -> Result<Verified, Cancelled> {
        let mut attempts = Attempts::of(self.targets.len());
        let mut found = self.attempts(&mut attempts, runtime, interrupt, env)?;
        attempts.name(&mut found.reports, &found.of_reports);
        Ok(found)
    }

    fn attempts(
        &self,
        attempts: &mut Attempts,
        runtime: &Runtime,
        interrupt: &mut Interrupt,
        env: &mut Env,
    ) -> Result<Verified, Cancelled> {
        // An attempt, and whether it stands if the next one does not end.
        let mut previous: Option<(Verified, bool)> = None;
        let mut settled = Settled::new();
        loop {
            let found = self.round(&settled, runtime, interrupt, env)?;
            let open = found.of_reports.iter().zip(&found.reports);
            let open = open.filter(|(index, _)| !settled.contains_key(*index));
            let verdict = Verdict::worst(open.map(|(_, report)| report.verdict));
            let left = self.time.left();
            if let Some((before, stands)) = previous.take() {
                if verdict == Verdict::Inconclusive && left.is_zero() && stands {
                    // The end of the waiting cut this round short; what the one before it found stands.
                    return Ok(before);
                }
                attempts.note(&before.reports, &before.of_reports);
            }
            let next = if left.is_zero() {
                Next::End
            } else {
                attempts.next(&found.reports, &found.of_reports)
            };
            let pause = match next {
                Next::End => return Ok(found),
                Next::Again => {
                    env.complain(&still_different(&found.reports, left));
                    env.pause
                }
                Next::OnceMore => {
                    env.complain(&asked_once_more(left));
                    // Longer than a connection stays, so that the next attempt makes a new one.
                    2 * STAY
                }
            };
            if !runtime.block_on(interrupt.pause(pause.min(left))) {
                return Err(Cancelled);
            }
            for index in Attempts::convicted(&found.reports, &found.of_reports) {
                settled.entry(index).or_insert_with(|| found.of_target(index));
            }
            let stands = Attempts::stands(next, self.time.left());
            previous = Some((found, stands));
        }
    }

    /// Verifies all targets once.
    fn round(
        &self,
        settled: &Settled,
        runtime: &Runtime,
        interrupt: &mut Interrupt,
        env: &mut Env,
    ) -> Result<Verified, Cancelled> {
        let names: Vec<&str> = self.targets.iter().map(Job::name).collect();
        let deployments: Vec<Arc<Deployment>> = self
            .targets
            .iter()
            .map(|target| Arc::clone(&target.deployment))
            .collect();
        let how = Run {
            concurrency: self.concurrency,
            time: self.time.of_target(),
            deadline: Some(self.time.deadline()),
        };
        let mut round = Round::new(self, settled);
        let line = RefCell::new(ProgressLine::new(self.progress, &names));
        let cancel = async {
            interrupt.next().await;
        };
        let ran = runtime.block_on(engine::run(
            self.session,
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
                round.finish(index, collection);
            },
        ));
        if let Some(text) = line.borrow().clear() {
            env.write_error(text);
        }
        for line in self.trace.into_iter().flat_map(Trace::take) {
            env.complain(&escape::terminal(&escape::shorten(&line, 400)));
        }
        ran?;
        for note in &round.notes {
            env.complain(note);
        }
        Ok(round.found())
    }
}

/// What a round over all targets found.
struct Round<'a> {
    run: &'a VerifyRun<'a>,
    settled: &'a Settled,
    reports: RunReports,
    bundles: BundleFiles,
    notes: Vec<String>,
}

impl<'a> Round<'a> {
    fn new(run: &'a VerifyRun<'a>, settled: &'a Settled) -> Self {
        Self {
            run,
            settled,
            reports: RunReports::default(),
            bundles: BundleFiles::default(),
            notes: Vec::new(),
        }
    }

    /// Appraises what a target handed over, and writes its bundles.
    fn finish(&mut self, index: usize, collection: Collection) {
        // Neither the report nor the evidence of forged evidence is replaced.
        if self.settled.contains_key(&index) {
            return;
        }
        let (Some(target), Some(path)) = (self.run.targets.get(index), self.run.bundle_paths.get(index))
        else {
            return;
        };
        let appraised = self.run.session.appraise(&target.deployment, collection);
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
            if let Some(policy_file) = self.run.attest {
                let attested =
                    statements::attested(&target.policy(), one.app_compose, &report, evidence, policy_file);
                self.bundles.attested.extend(attested);
            }
            self.reports.add(index, report);
        }
    }

    fn found(mut self) -> Verified {
        for (index, settled) in self.settled {
            for report in settled {
                let bundle = report.evidence.bundle.as_ref();
                self.bundles.paths.extend(bundle.map(PathBuf::from));
                self.reports.add(*index, report.clone());
            }
        }
        let OrderedReports { reports, of_reports } = self.reports.in_order();
        Verified {
            reports,
            of_reports,
            bundles: self.bundles,
        }
    }
}
