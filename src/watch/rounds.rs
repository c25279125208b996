//! Which target is verified when: each at its own beat, in a task of its own, few at a time.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Ended, TargetSchedule};
use crate::engine::{Collection, Session, Tasks, Time};
use crate::plan::planner::Job;

/// All targets.
pub(crate) struct Rounds {
    started: Instant,
    /// How long one attempt at a target may take.
    time: Time,
    /// How many times faster than asked for.
    acceleration: u32,
    watched: Vec<Watched>,
    tasks: Tasks<Running>,
}

struct Watched {
    planned: Arc<Job>,
    beat: TargetSchedule,
    had_one: bool,
}

struct Running {
    planned: Arc<Job>,
    began: Instant,
}

/// What a target handed over.
pub(crate) struct Finished {
    pub planned: Arc<Job>,
    pub collection: Collection,
    pub took: Duration,
}

impl Rounds {
    /// Of no target yet.
    pub fn new(concurrency: NonZeroUsize, time: Time, acceleration: u32) -> Self {
        Self {
            started: Instant::now(),
            time,
            acceleration: acceleration.max(1),
            watched: Vec::new(),
            tasks: Tasks::new(concurrency),
        }
    }

    /// Other targets from now on. Those that are as before keep their beat; the others are due at once. Says what changed.
    pub fn replace(&mut self, targets: Vec<Job>) -> Option<String> {
        let now = self.started.elapsed();
        let mut before = std::mem::take(&mut self.watched);
        let (mut new, mut changed) = (0, 0);
        for planned in targets {
            let same_name = before
                .iter()
                .position(|watched| watched.planned.name() == planned.name());
            let old = same_name.map(|at| before.swap_remove(at));
            self.watched.push(match old {
                Some(old) if old.planned.is_same(&planned) => old,
                old => {
                    *(if old.is_some() { &mut changed } else { &mut new }) += 1;
                    Watched {
                        beat: TargetSchedule::new(planned.interval.duration() / self.acceleration, now),
                        planned: Arc::new(planned),
                        had_one: false,
                    }
                }
            });
        }
        let gone: Vec<String> = before
            .iter()
            .map(|watched| watched.planned.name().to_owned())
            .collect();
        // Nobody waits for their answers any more.
        let watched = &self.watched;
        self.tasks.retain(|running| {
            let mut watched = watched.iter();
            watched.any(|one| Arc::ptr_eq(&one.planned, &running.planned))
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
                let due = watched.beat.due().filter(|due| *due <= now)?;
                Some((due, watched))
            });
            // Who waited longest comes first.
            let Some((due, watched)) = due.min_by_key(|(due, _)| *due) else {
                break;
            };
            waited = waited.max(now.saturating_sub(due));
            watched.beat.begin();
            let running = Running {
                planned: Arc::clone(&watched.planned),
                began: Instant::now(),
            };
            let deployment = &watched.planned.deployment;
            self.tasks.begin(session, deployment, self.time, running);
        }
        waited
    }

    /// When the next target is due; `None` while there is no room for one.
    pub fn next_due(&self) -> Option<Instant> {
        let room = self.tasks.has_room();
        let due = self.watched.iter().filter_map(|watched| watched.beat.due());
        due.min().filter(|_| room).map(|due| self.started + due)
    }

    /// The next answer. Waits for ever while nobody was asked.
    pub async fn finished(&mut self, session: &Session) -> Finished {
        let Some((running, collection)) = self.tasks.next(session).await else {
            return std::future::pending().await;
        };
        Finished {
            planned: running.planned,
            collection,
            took: running.began.elapsed(),
        }
    }

    /// A target's round ended. `None` where the policy has no such target any more.
    pub fn end(&mut self, planned: &Arc<Job>, jitter: u32) -> Option<Ended> {
        let now = self.started.elapsed();
        let mut watched = self.watched.iter_mut();
        let watched = watched.find(|watched| Arc::ptr_eq(&watched.planned, planned))?;
        watched.had_one = true;
        Some(watched.beat.end(now, jitter))
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
