//! Which target is verified when: each at its own schedule, in a task of its own, few at a time.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Ended, TargetSchedule};
use crate::engine::{Collection, Session, Tasks, TimeLimits};
use crate::plan::job::Job;

/// All targets.
pub(crate) struct Rounds {
    started: Instant,
    /// How long one attempt at a target may take.
    time: TimeLimits,
    /// How many times faster than asked for.
    acceleration: u32,
    watched: Vec<WatchedJob>,
    tasks: Tasks<RunningRound>,
}

struct WatchedJob {
    job: Arc<Job>,
    /// What was read while a round of it was running: it holds from the end of that round on.
    next: Option<Arc<Job>>,
    schedule: TargetSchedule,
    had_one: bool,
}

impl WatchedJob {
    /// At the same schedule, by what was read now.
    fn going_on_as(mut self, job: Job) -> Self {
        let job = Arc::new(job);
        match self.schedule.due() {
            Some(_) => self.job = job,
            None => self.next = Some(job),
        }
        self
    }
}

struct RunningRound {
    job: Arc<Job>,
    began: Instant,
}

/// What a target supplied.
pub(crate) struct Finished {
    pub job: Arc<Job>,
    pub collection: Collection,
    pub took: Duration,
}

impl Rounds {
    /// Of no target yet.
    pub fn new(concurrency: NonZeroUsize, time: TimeLimits, acceleration: u32) -> Self {
        Self {
            started: Instant::now(),
            time,
            acceleration: acceleration.max(1),
            watched: Vec::new(),
            tasks: Tasks::new(concurrency),
        }
    }

    /// Other targets from now on. Those of which the same is expected keep their schedule; the others are due at once. Every one is
    /// verified by what was read last: an expectation may be the same, and a file that says whom to believe another. Says what
    /// changed.
    pub fn replace(&mut self, targets: Vec<Job>) -> Option<String> {
        let now = self.started.elapsed();
        let mut before = std::mem::take(&mut self.watched);
        let (mut new, mut changed) = (0, 0);
        for job in targets {
            let same_name = before.iter().position(|watched| watched.job.name() == job.name());
            let old = same_name.map(|at| before.swap_remove(at));
            self.watched.push(match old {
                Some(old) if old.job.is_same(&job) => old.going_on_as(job),
                old => {
                    *(if old.is_some() { &mut changed } else { &mut new }) += 1;
                    WatchedJob {
                        schedule: TargetSchedule::new(job.interval.duration() / self.acceleration, now),
                        job: Arc::new(job),
                        next: None,
                        had_one: false,
                    }
                }
            });
        }
        let gone: Vec<String> = before
            .iter()
            .map(|watched| watched.job.name().to_owned())
            .collect();
        // Nobody waits for their answers any more.
        let watched = &self.watched;
        self.tasks.retain(|running| {
            let mut watched = watched.iter();
            watched.any(|one| Arc::ptr_eq(&one.job, &running.job))
        });
        let mut parts = Vec::new();
        parts.extend((new > 0).then(|| format!("{new} new")));
        parts.extend((changed > 0).then(|| format!("{changed} changed")));
        parts.extend((!gone.is_empty()).then(|| format!("no longer watched: {}", gone.join(", "))));
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// Begins what is due, as far as there is room. Returns the longest time that any of them was due before.
    pub fn begin_due(&mut self, session: &Arc<Session>) -> Duration {
        let now = self.started.elapsed();
        let mut waited = Duration::ZERO;
        while self.tasks.has_room() {
            let due = self.watched.iter_mut().filter_map(|watched| {
                let due = watched.schedule.due().filter(|due| *due <= now)?;
                Some((due, watched))
            });
            // Who waited longest comes first.
            let Some((due, watched)) = due.min_by_key(|(due, _)| *due) else {
                break;
            };
            waited = waited.max(now.saturating_sub(due));
            watched.schedule.begin();
            let running = RunningRound {
                job: Arc::clone(&watched.job),
                began: Instant::now(),
            };
            let deployment = &watched.job.deployment;
            self.tasks.begin(session, deployment, self.time, running);
        }
        waited
    }

    /// When the next target is due; `None` while there is no room for one.
    pub fn next_due(&self) -> Option<Instant> {
        let room = self.tasks.has_room();
        let due = self.watched.iter().filter_map(|watched| watched.schedule.due());
        due.min().filter(|_| room).map(|due| self.started + due)
    }

    /// The next answer. Waits permanently while nobody was asked.
    pub async fn finished(&mut self, session: &Session) -> Finished {
        let Some((running, collection)) = self.tasks.next(session).await else {
            return std::future::pending().await;
        };
        Finished {
            job: running.job,
            collection,
            took: running.began.elapsed(),
        }
    }

    /// A target's round ended. `None` where the policy has no such target any more.
    pub fn end(&mut self, job: &Arc<Job>, jitter: u32) -> Option<Ended> {
        let now = self.started.elapsed();
        let mut watched = self.watched.iter_mut();
        let watched = watched.find(|watched| Arc::ptr_eq(&watched.job, job))?;
        watched.had_one = true;
        let ended = watched.schedule.end(now, jitter);
        if let Some(next) = watched.next.take() {
            watched.job = next;
        }
        Some(ended)
    }

    /// Whether every target was verified at least once.
    pub fn each_had_one(&self) -> bool {
        self.watched.iter().all(|watched| watched.had_one)
    }

    /// Stops waiting for answers.
    pub fn abort(&mut self) {
        self.tasks.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::plan::planner::plan;
    use crate::plan::selection::Selection;

    /// One target, read by a run that names nodes of a blockchain, or none: that is no part of what is expected.
    fn read(asks_nodes: bool) -> Vec<Job> {
        let selection = Selection {
            urls: vec!["https://app.example".to_owned()],
            names: Vec::new(),
            options: Settings::default(),
            collateral_max_age: cvm_verify_core::policy::CollateralMaxAge::default(),
            asks_nodes,
            node_variables: std::collections::BTreeMap::new(),
            network: Arc::default(),
        };
        plan(&selection, 1_796_000_000, None).unwrap().targets
    }

    fn rounds() -> Rounds {
        let one = NonZeroUsize::new(1).unwrap();
        let mut rounds = Rounds::new(one, TimeLimits::default(), 1);
        assert_eq!(rounds.replace(read(false)).as_deref(), Some("1 new"));
        rounds
    }

    fn asks(rounds: &Rounds) -> bool {
        rounds.watched[0].job.policy().governance.asks
    }

    #[tokio::test]
    async fn a_target_of_which_the_same_is_expected_is_verified_by_what_was_read_last() {
        let mut rounds = rounds();
        let due = rounds.watched[0].schedule.due();
        assert!(!asks(&rounds));
        assert_eq!(rounds.replace(read(true)), None);
        assert!(asks(&rounds));
        assert_eq!(rounds.watched[0].schedule.due(), due);
    }

    #[tokio::test]
    async fn a_round_that_is_running_ends_by_what_it_began_with() {
        let mut rounds = rounds();
        rounds.watched[0].schedule.begin();
        let running = Arc::clone(&rounds.watched[0].job);
        assert_eq!(rounds.replace(read(true)), None);
        assert!(rounds.end(&running, 0).is_some());
        assert!(asks(&rounds));
    }
}
