//! One run of `verify`: all targets, again until they pass or the time is up. Each is appraised, and its evidence is written, as
//! soon as it is collected.

mod round;

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::artifacts::{BundleFiles, SharedNames};
use crate::attempts::{Attempts, Next, WaitsFor, no_deploy_heals};
use crate::engine::{self, Cancelled, Deployment, Run, Session, TimeLimits};
use crate::env::Env;
use crate::interrupt::Interrupt;
use crate::net::{STAY, Trace};
use crate::plan::job::Job;
use crate::render::progress::{ProgressLine, ShownOn};
use crate::render::{asked_once_more, escape, final_result, still_different};
use cvm_verify_core::report::{TargetReport, Verdict};
use round::{Round, TargetResult};

/// How long a run may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunTime {
    /// When it began.
    pub started: Instant,
    /// How long targets that do not pass are verified again; zero: once.
    pub wait: Duration,
    /// What is waited for.
    pub waits_for: WaitsFor,
    /// How long the whole run may take.
    pub deadline: Duration,
    /// How long one attempt at a target may take, if a user says so.
    pub one_attempt: Option<Duration>,
}

impl RunTime {
    fn deadline(&self) -> Instant {
        self.started + self.deadline
    }

    /// The time of one target. An attempt that is under way when the waiting is over ends with it, and one that confirms a pass
    /// with the run.
    fn of_target(&self, until: Until) -> TimeLimits {
        let waits = !self.wait.is_zero() && until == Until::EndOfWaiting;
        let waits_until = waits.then(|| self.started + self.wait);
        TimeLimits {
            one_attempt: self.one_attempt,
            until: Some(waits_until.map_or(self.deadline(), |until| until.min(self.deadline()))),
        }
    }

    /// How long it still waits.
    fn left(&self) -> Duration {
        self.wait
            .saturating_sub(self.started.elapsed())
            .min(self.until_deadline())
    }

    fn until_deadline(&self) -> Duration {
        self.deadline().saturating_duration_since(Instant::now())
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
    /// Targets that have no statement, because another one would have the same name.
    pub shared_names: &'a SharedNames,
    /// The requests, if a user wants to see them.
    pub trace: Option<&'a Trace>,
    pub progress: ShownOn,
}

/// What a run found.
pub(crate) struct Verified {
    pub reports: Vec<TargetReport>,
    /// The index of the target of each report.
    pub of_reports: Vec<usize>,
    pub bundles: BundleFiles,
}

/// Is called with each target whose evidence is forged or replayed while the run waits for others, its index and its reports.
/// False where a signal ended what it does.
pub(crate) type OnFinal<'a> = dyn FnMut(&[(usize, &[TargetReport])], &mut Interrupt, &mut Env) -> bool + 'a;

/// Where a run stands.
struct RunStanding {
    attempts: Attempts,
    /// What was last found of each target.
    results: Vec<Option<TargetResult>>,
    /// The targets whose result is final.
    is_final: Vec<bool>,
}

/// Until when a round may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// The end of the waiting.
    EndOfWaiting,
    /// The deadline of the run: a pass is confirmed.
    Deadline,
}

impl VerifyRun<'_> {
    /// Verifies all targets until each passes or the time is up. A run that a signal ends has the results that are final by then,
    /// and says of all other targets that it was interrupted.
    ///
    /// # Errors
    /// [`Cancelled`] if a signal ended the run before the first attempt at any target had ended.
    pub fn until_pass(
        &self,
        runtime: &Runtime,
        interrupt: &mut Interrupt,
        env: &mut Env,
        on_final: &mut OnFinal<'_>,
    ) -> Result<Verified, Cancelled> {
        let mut standing = RunStanding {
            attempts: Attempts::of(self.targets.len(), self.time.waits_for),
            results: self.targets.iter().map(|_| None).collect(),
            is_final: vec![false; self.targets.len()],
        };
        let ended = self.attempts(&mut standing, runtime, interrupt, env, on_final);
        if ended.is_err() && standing.results.iter().all(Option::is_none) {
            return Err(Cancelled);
        }
        Ok(self.found(standing))
    }

    fn attempts(
        &self,
        standing: &mut RunStanding,
        runtime: &Runtime,
        interrupt: &mut Interrupt,
        env: &mut Env,
        on_final: &mut OnFinal<'_>,
    ) -> Result<(), Cancelled> {
        let mut asked: Vec<usize> = (0..self.targets.len()).collect();
        let mut until = Until::EndOfWaiting;
        loop {
            let (found, ended) = self.round(&asked, until, runtime, interrupt, env);
            let left = self.time.left();
            let mut next = Followed::default();
            for (index, result) in found {
                match standing.take(index, result, until, !left.is_zero()) {
                    Next::End => {}
                    Next::Again => next.again.push(index),
                    Next::OnceMore => next.once_more.push(index),
                }
            }
            ended?;
            asked = next.asked();
            if asked.is_empty() {
                return Ok(());
            }
            let pause = if next.again.is_empty() {
                until = Until::Deadline;
                env.complain(&asked_once_more(self.time.until_deadline()));
                // Longer than a connection stays, so that the next attempt makes a new one.
                (2 * STAY).min(self.time.until_deadline())
            } else {
                until = Until::EndOfWaiting;
                env.complain(&still_different(&standing.reports_of(&asked), left));
                env.pause.min(left)
            };
            let began = Instant::now();
            if !standing.say_what_is_final(interrupt, env, on_final) {
                return Err(Cancelled);
            }
            if !runtime.block_on(interrupt.pause(pause.saturating_sub(began.elapsed()))) {
                return Err(Cancelled);
            }
        }
    }

    /// Verifies these targets once. A signal ends it, and what is there by then was found.
    fn round(
        &self,
        asked: &[usize],
        until: Until,
        runtime: &Runtime,
        interrupt: &mut Interrupt,
        env: &mut Env,
    ) -> (Vec<(usize, TargetResult)>, Result<(), Cancelled>) {
        let jobs: Vec<&Job> = asked
            .iter()
            .filter_map(|index| self.targets.get(*index))
            .collect();
        let names: Vec<&str> = jobs.iter().map(|job| job.name()).collect();
        let deployments: Vec<Arc<Deployment>> = jobs.iter().map(|job| Arc::clone(&job.deployment)).collect();
        let how = Run {
            concurrency: self.concurrency,
            time: self.time.of_target(until),
            deadline: Some(self.time.deadline()),
        };
        let mut round = Round::new(self);
        let line = RefCell::new(ProgressLine::new(self.progress, &names));
        let cancel = async {
            interrupt.next().await;
        };
        let ended = runtime.block_on(Box::pin(engine::run(
            self.session,
            &deployments,
            &how,
            |progress| {
                if let Some(text) = line.borrow_mut().show(progress.elapsed) {
                    env.write_error(&text);
                }
            },
            cancel,
            |place, appraised| {
                line.borrow_mut().done(place);
                if let Some(index) = asked.get(place) {
                    round.finish(*index, appraised);
                }
            },
        )));
        if let Some(text) = line.borrow().clear() {
            env.write_error(text);
        }
        for line in self.trace.into_iter().flat_map(Trace::take) {
            env.complain(&escape::terminal(&escape::shorten(&line, 400)));
        }
        for note in &round.notes {
            env.note(note);
        }
        (round.results, ended)
    }

    /// The results that are final; of every other target that the run was interrupted.
    fn found(&self, standing: RunStanding) -> Verified {
        let RunStanding {
            mut attempts,
            results,
            is_final,
        } = standing;
        let count = results.iter().flatten().map(|result| result.reports.len()).sum();
        let mut found = Verified {
            reports: Vec::with_capacity(count),
            of_reports: Vec::with_capacity(count),
            bundles: BundleFiles::default(),
        };
        for ((index, (job, result)), is_final) in (0..).zip(self.targets.iter().zip(results)).zip(is_final) {
            let mut result = match result {
                Some(result) if is_final => result,
                last => {
                    attempts.note(index, &last.map(|last| last.reports).unwrap_or_default());
                    let mut round = Round::new(self);
                    let interrupted = engine::interrupted((self.session.now)());
                    round.finish(index, self.session.appraise(&job.deployment, interrupted));
                    round.results.pop().map(|(_, result)| result).unwrap_or_default()
                }
            };
            attempts.name(index, &mut result.reports);
            found.of_reports.extend(result.reports.iter().map(|_| index));
            found.reports.extend(result.reports);
            found.bundles.extend(result.bundles);
        }
        found
    }
}

/// The targets that are asked again, by why.
#[derive(Default)]
struct Followed {
    again: Vec<usize>,
    once_more: Vec<usize>,
}

impl Followed {
    fn asked(&self) -> Vec<usize> {
        let mut asked: Vec<usize> = self.again.iter().chain(&self.once_more).copied().collect();
        asked.sort_unstable();
        asked
    }
}

impl RunStanding {
    /// Takes what an attempt found of a target; what follows it. `waits` is whether time is left to wait.
    fn take(&mut self, index: usize, result: TargetResult, until: Until, waits: bool) -> Next {
        let Some(slot) = self.results.get_mut(index) else {
            return Next::End;
        };
        let verdict = Verdict::worst(result.reports.iter().map(|report| report.verdict));
        let next = match slot {
            // The end of the waiting cut this attempt short; what the one before it found stands, and a pass that must hold once
            // more has the time of the run for that.
            Some(_) if verdict == Verdict::Inconclusive && !waits && until == Until::EndOfWaiting => {
                match self.attempts.is_unconfirmed(index) {
                    true => Next::OnceMore,
                    false => Next::End,
                }
            }
            _ => {
                if let Some(before) = slot {
                    self.attempts.note(index, &before.reports);
                }
                let next = self.attempts.next(index, &result.reports, waits);
                *slot = Some(result);
                next
            }
        };
        if let Some(is_final) = self.is_final.get_mut(index) {
            *is_final = next == Next::End;
        }
        next
    }

    fn reports_of(&self, asked: &[usize]) -> Vec<TargetReport> {
        let results = asked
            .iter()
            .filter_map(|index| self.results.get(*index)?.as_ref());
        results
            .flat_map(|result| result.reports.iter().cloned())
            .collect()
    }

    /// Says once which targets have forged or replayed evidence, while others are waited on.
    fn say_what_is_final(
        &mut self,
        interrupt: &mut Interrupt,
        env: &mut Env,
        on_final: &mut OnFinal<'_>,
    ) -> bool {
        let mut said = Vec::new();
        for (index, result) in (0..).zip(&mut self.results) {
            let new = result
                .as_mut()
                .filter(|result| !result.is_said && result.reports.iter().any(no_deploy_heals));
            if let Some(result) = new {
                result.is_said = true;
                said.push(index);
            }
        }
        if said.is_empty() {
            return true;
        }
        let results = said.iter().filter_map(|index: &usize| {
            let result = self.results.get(*index)?.as_ref()?;
            Some((*index, result.reports.as_slice()))
        });
        let new: Vec<(usize, &[TargetReport])> = results.collect();
        for (_, reports) in &new {
            env.complain(&final_result(reports));
        }
        on_final(&new, interrupt, env)
    }
}
