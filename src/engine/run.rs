//! All deployments once: at most so many at one time, until a deadline or until the caller cancels.

use std::iter::Enumerate;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::slice::Iter;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep};

use super::collected::{not_judged, out_of_time};
use super::schedule::{RunSchedule, at, follow};
use super::time::JUDGING;
use super::{Appraised, Deployment, RunReports, Session, TimeLimits};
use cvm_verify_core::report::TargetReport;

/// How often progress is told while nothing is done.
const PROGRESS: Duration = Duration::from_secs(1);

/// How a run goes about its deployments.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// How many deployments are asked at one time.
    pub concurrency: NonZeroUsize,
    /// How long one deployment's evidence and collateral may take.
    pub time: TimeLimits,
    /// When the run ends. A deployment whose evidence is not complete by then is inconclusive.
    pub deadline: Option<Instant>,
}

impl Default for Run {
    /// Eight at one time, the usual times, no deadline.
    fn default() -> Self {
        Self {
            concurrency: NonZeroUsize::MIN.saturating_add(7),
            time: TimeLimits::default(),
            deadline: None,
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Deployments that are done.
    pub done: usize,
    /// All deployments of the run.
    pub total: usize,
    /// How long the run took so far.
    pub elapsed: Duration,
}

/// The caller ended the run before it had all results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the run was cancelled before every deployment had a result")]
pub struct Cancelled;

/// Verifies deployments: a report for each, in their order, or for each instance of one that has several.
///
/// `progress` is told once a second and after each deployment. The run ends early when `cancel` does.
///
/// # Errors
/// [`Cancelled`] when `cancel` ended first.
pub async fn verify(
    session: &Arc<Session>,
    deployments: Vec<Deployment>,
    how: &Run,
    progress: impl FnMut(Progress),
    cancel: impl Future<Output = ()>,
) -> Result<Vec<TargetReport>, Cancelled> {
    let deployments: Vec<Arc<Deployment>> = deployments.into_iter().map(Arc::new).collect();
    let mut reports = RunReports::default();
    let finish = |index: usize, appraised: Appraised| {
        for instance in appraised.instances {
            reports.add(index, instance.report);
        }
    };
    run(session, &deployments, how, progress, cancel, finish).await?;
    Ok(reports.in_order().reports)
}

/// Verifies each deployment once, and hands each result to `finish` with the index of its deployment as soon as it is there.
///
/// # Errors
/// [`Cancelled`] when `cancel` ended first.
pub(crate) async fn run(
    session: &Arc<Session>,
    deployments: &[Arc<Deployment>],
    how: &Run,
    progress: impl FnMut(Progress),
    cancel: impl Future<Output = ()>,
    finish: impl FnMut(usize, Appraised),
) -> Result<(), Cancelled> {
    let mut tick = interval(PROGRESS);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once, and nothing is worth telling yet.
    tick.tick().await;
    session.collateral_cache.new_round();
    session.statements.new_round();
    let mut once = EachOnce {
        session,
        started: Instant::now(),
        deadline: how.deadline,
        tick,
        total: deployments.len(),
        waiting: deployments.iter().enumerate(),
        done: 0,
        progress,
        cancel: std::pin::pin!(cancel),
        finish,
    };
    // What is asked beside the evidence ends before the run does, so that what is proven by then is judged.
    let until = how.time.until.into_iter().chain(how.deadline).min();
    let time = TimeLimits { until, ..how.time };
    match follow(&mut once, how.concurrency, time).await {
        None => Ok(()),
        Some((EndedEarly::Cancelled, _)) => Err(Cancelled),
        Some((EndedEarly::OutOfTime, mut tasks)) => {
            let mut late = tasks.stop_collecting();
            // What is proven by now is judged, so that what it convicts is not inconclusive.
            let judged = async {
                while let Some((index, appraised)) = tasks.next(session).await {
                    (once.finish)(index, appraised);
                }
            };
            tokio::select! {
                () = judged => {}
                () = sleep(JUDGING) => {}
                () = &mut once.cancel => return Err(Cancelled),
            }
            late.extend(once.waiting.map(|(index, _)| index));
            let late = late.into_iter().map(|index| (index, false));
            let mut late: Vec<_> = late
                .chain(tasks.stop_all().into_iter().map(|index| (index, true)))
                .collect();
            late.sort_unstable();
            for (index, is_there) in late {
                if let Some(deployment) = deployments.get(index) {
                    let nothing = match is_there {
                        true => not_judged((session.now)()),
                        false => out_of_time((session.now)()),
                    };
                    (once.finish)(index, session.appraise(deployment, nothing));
                }
            }
            Ok(())
        }
    }
}

/// Every deployment once, all of them due now.
struct EachOnce<'a, P, C, F> {
    session: &'a Arc<Session>,
    started: Instant,
    deadline: Option<Instant>,
    tick: Interval,
    total: usize,
    waiting: Enumerate<Iter<'a, Arc<Deployment>>>,
    done: usize,
    progress: P,
    cancel: Pin<&'a mut C>,
    finish: F,
}

enum EndedEarly {
    OutOfTime,
    Cancelled,
}

impl<P: FnMut(Progress), C, F> EachOnce<'_, P, C, F> {
    fn tell(&mut self) {
        (self.progress)(Progress {
            done: self.done,
            total: self.total,
            elapsed: self.started.elapsed(),
        });
    }
}

impl<P: FnMut(Progress), C: Future<Output = ()>, F: FnMut(usize, Appraised)> RunSchedule
    for EachOnce<'_, P, C, F>
{
    type Key = usize;
    type End = EndedEarly;

    fn session(&self) -> &Arc<Session> {
        self.session
    }

    fn begin(&mut self) -> Option<(usize, Arc<Deployment>)> {
        let (index, deployment) = self.waiting.next()?;
        Some((index, Arc::clone(deployment)))
    }

    fn finish(&mut self, index: usize, appraised: Appraised) {
        (self.finish)(index, appraised);
        self.done += 1;
        self.tell();
    }

    fn is_over(&self) -> bool {
        self.done == self.total
    }

    async fn meanwhile(&mut self) -> ControlFlow<EndedEarly> {
        tokio::select! {
            () = at(self.deadline) => ControlFlow::Break(EndedEarly::OutOfTime),
            () = &mut self.cancel => ControlFlow::Break(EndedEarly::Cancelled),
            _ = self.tick.tick() => {
                self.tell();
                ControlFlow::Continue(())
            }
        }
    }
}
