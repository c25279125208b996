//! The loop of `verify` and `watch`: collects and appraises each deployment when a schedule says so, a few at one time.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use super::tasks::Tasks;
use super::{Appraised, Deployment, Session, TimeLimits};

/// When deployments are verified, and what their reports are for.
pub(crate) trait RunSchedule {
    /// What the schedule knows a deployment by.
    type Key;
    /// Why the loop ended early.
    type End;

    /// What deployments are collected and appraised with.
    fn session(&self) -> &Arc<Session>;

    /// Begins the next deployment that is due, if one is.
    fn begin(&mut self) -> Option<(Self::Key, Arc<Deployment>)>;

    /// When the next deployment is due, if none is now.
    fn next_due(&self) -> Option<Instant> {
        None
    }

    /// Whether the result of a deployment that began is still wanted.
    fn awaits(&self, _key: &Self::Key) -> bool {
        true
    }

    /// Takes the result of a deployment: what a thousand targets send is never held at one time.
    fn finish(&mut self, key: Self::Key, appraised: Appraised);

    /// Whether every result is there.
    fn is_over(&self) -> bool;

    /// Waits for what else the caller has to do, does it, and says whether the loop goes on. Cancel-safe.
    fn meanwhile(&mut self) -> impl Future<Output = ControlFlow<Self::End>>;
}

/// Follows a schedule until it is over. If its caller ends it early: why, and what was under way.
pub(crate) async fn follow<S: RunSchedule>(
    schedule: &mut S,
    concurrency: NonZeroUsize,
    time: TimeLimits,
) -> Option<(S::End, Tasks<S::Key>)> {
    let mut tasks = Tasks::new(concurrency);
    while !schedule.is_over() {
        let session = Arc::clone(schedule.session());
        while tasks.has_room()
            && let Some((key, deployment)) = schedule.begin()
        {
            tasks.begin(&session, deployment, time, key);
        }
        let due = schedule.next_due().filter(|_| tasks.has_room());
        tokio::select! {
            Some((key, appraised)) = tasks.next(&session) => {
                if schedule.awaits(&key) {
                    schedule.finish(key, appraised);
                }
            }
            () = at(due) => {}
            flow = schedule.meanwhile() => {
                if let ControlFlow::Break(end) = flow {
                    return Some((end, tasks));
                }
                tasks.retain(|key| schedule.awaits(key));
            }
        }
    }
    None
}

/// Waits until then; without a time, for ever.
pub(super) async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
