//! All deployments once: at most so many at one time, until a deadline or until the caller cancels.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::collected::{Collection, out_of_time};
use super::tasks::Tasks;
use super::{Deployment, RunReports, Session, TimeLimits};
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
    /// When the run ends. A deployment without a result by then is inconclusive.
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
    let finish = |index: usize, collection: Collection| {
        if let Some(deployment) = deployments.get(index) {
            for instance in session.appraise(deployment, collection).instances {
                reports.add(index, instance.report);
            }
        }
    };
    run(session, &deployments, how, progress, cancel, finish).await?;
    Ok(reports.in_order().reports)
}

/// Collects the evidence of all deployments, and hands each collection to `finish` with its index as soon as it is there: what
/// a thousand targets send is never held at one time.
///
/// # Errors
/// [`Cancelled`] when `cancel` ended first.
pub async fn run(
    session: &Arc<Session>,
    deployments: &[Arc<Deployment>],
    how: &Run,
    mut progress: impl FnMut(Progress),
    cancel: impl Future<Output = ()>,
    mut finish: impl FnMut(usize, Collection),
) -> Result<(), Cancelled> {
    let (started, total) = (Instant::now(), deployments.len());
    let mut tick = interval(PROGRESS);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once, and nothing is worth telling yet.
    tick.tick().await;
    let mut cancel = std::pin::pin!(cancel);
    let mut waiting = deployments.iter().enumerate();
    let mut tasks = Tasks::new(how.concurrency);
    let mut done = 0;
    session.collateral_cache.new_round();
    loop {
        while tasks.has_room()
            && let Some((index, deployment)) = waiting.next()
        {
            tasks.begin(session, deployment, how.time, index);
        }
        tokio::select! {
            next = tasks.next(session) => {
                let Some((index, collection)) = next else { return Ok(()) };
                finish(index, collection);
                done += 1;
            }
            () = ended(how.deadline) => {
                let mut late = tasks.abort();
                late.extend(waiting.map(|(index, _)| index));
                late.sort_unstable();
                for index in late {
                    finish(index, out_of_time((session.now)()));
                }
                return Ok(());
            }
            _ = tick.tick() => {}
            () = &mut cancel => return Err(Cancelled),
        }
        progress(Progress {
            done,
            total,
            elapsed: started.elapsed(),
        });
    }
}

async fn ended(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
