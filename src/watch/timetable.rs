//! Which target is verified when: each at its own schedule.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Ended, TargetSchedule};
use crate::plan::job::Job;

/// All targets.
pub(super) struct Timetable {
    started: Instant,
    /// How many times faster than asked for.
    acceleration: u32,
    watched: Vec<WatchedJob>,
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

impl Timetable {
    /// Of no target yet.
    pub fn new(acceleration: u32) -> Self {
        Self {
            started: Instant::now(),
            acceleration: acceleration.max(1),
            watched: Vec::new(),
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
        let mut parts = Vec::new();
        parts.extend((new > 0).then(|| format!("{new} new")));
        parts.extend((changed > 0).then(|| format!("{changed} changed")));
        parts.extend((!gone.is_empty()).then(|| format!("no longer watched: {}", gone.join(", "))));
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// Begins what has been due for the longest time, if anything is. Says for how long.
    pub fn begin(&mut self) -> Option<(Arc<Job>, Duration)> {
        let now = self.started.elapsed();
        let due = self.watched.iter_mut().filter_map(|watched| {
            let due = watched.schedule.due().filter(|due| *due <= now)?;
            Some((due, watched))
        });
        let (due, watched) = due.min_by_key(|(due, _)| *due)?;
        watched.schedule.begin();
        Some((Arc::clone(&watched.job), now.saturating_sub(due)))
    }

    /// When the next target is due.
    pub fn next_due(&self) -> Option<Instant> {
        let due = self.watched.iter().filter_map(|watched| watched.schedule.due());
        due.min().map(|due| self.started + due)
    }

    /// Whether a target is still watched as it was when its round began.
    pub fn has(&self, job: &Arc<Job>) -> bool {
        self.watched.iter().any(|watched| Arc::ptr_eq(&watched.job, job))
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

    fn timetable() -> Timetable {
        let mut timetable = Timetable::new(1);
        assert_eq!(timetable.replace(read(false)).as_deref(), Some("1 new"));
        timetable
    }

    fn asks(timetable: &Timetable) -> bool {
        timetable.watched[0].job.policy().governance.asks
    }

    #[test]
    fn a_target_of_which_the_same_is_expected_is_verified_by_what_was_read_last() {
        let mut timetable = timetable();
        let due = timetable.watched[0].schedule.due();
        assert!(!asks(&timetable));
        assert_eq!(timetable.replace(read(true)), None);
        assert!(asks(&timetable));
        assert_eq!(timetable.watched[0].schedule.due(), due);
    }

    #[test]
    fn a_round_that_is_running_ends_by_what_it_began_with() {
        let mut timetable = timetable();
        timetable.watched[0].schedule.begin();
        let running = Arc::clone(&timetable.watched[0].job);
        assert_eq!(timetable.replace(read(true)), None);
        assert!(timetable.end(&running, 0).is_some());
        assert!(asks(&timetable));
    }
}
