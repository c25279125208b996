//! Work that computes, in threads of its own: a document that a host wrote may take seconds to judge, and meanwhile the thread of the
//! runtime serves the other targets, deadlines, alerts and pages.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How many times the limit of a piece of work it may wait for room.
const WAITS: u32 = 10;

/// How much is computed at one time. A clone has the same bound.
#[derive(Debug, Clone)]
pub struct Computation {
    at_once: Arc<Semaphore>,
    asked: Arc<AtomicUsize>,
    limit: Option<Duration>,
    overdue: Arc<Notify>,
}

/// Work that somebody waits for, while it lives.
struct AskedWork<'a>(&'a AtomicUsize);

impl<'a> AskedWork<'a> {
    fn new(asked: &'a AtomicUsize) -> Self {
        asked.fetch_add(1, Ordering::SeqCst);
        Self(asked)
    }
}

impl Drop for AskedWork<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Default for Computation {
    /// As much as the machine has processors.
    fn default() -> Self {
        Self::at_once(available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }
}

impl Computation {
    /// At most so much at one time.
    #[must_use]
    pub fn at_once(count: NonZeroUsize) -> Self {
        Self {
            at_once: Arc::new(Semaphore::new(count.get())),
            asked: Arc::default(),
            limit: None,
            overdue: Arc::default(),
        }
    }

    /// The same bound, for the work of one target: each piece may take so long, and wait ten times as long for room, which
    /// others take up. One that takes longer is overdue, and its future does not end.
    pub(super) fn of_target(&self, limit: Option<Duration>) -> Self {
        Self {
            at_once: Arc::clone(&self.at_once),
            asked: Arc::default(),
            limit,
            overdue: Arc::default(),
        }
    }

    /// How long each piece of work may take.
    pub(super) const fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// Waits until work of the target is overdue.
    pub(super) async fn overdue(&self) {
        self.overdue.notified().await;
    }

    /// Whether somebody waits for work of it, which is done or waits for room.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst) > 0
    }

    /// Does some work in a thread of its own, as soon as there is room. Dropping the future does not end work that began, which takes up
    /// room until it ends. A panic of the work is a panic of this future.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _asked = AskedWork::new(&self.asked);
        let room = Arc::clone(&self.at_once).acquire_owned();
        let Some(limit) = self.limit else {
            return Self::run_unlimited(room.await.ok(), work).await;
        };
        let in_time = async {
            // It is never closed.
            let permit = timeout(WAITS * limit, room).await.ok()?.ok();
            timeout(limit, Self::run_unlimited(permit, work)).await.ok()
        };
        match in_time.await {
            Some(result) => result,
            None => {
                self.overdue.notify_one();
                std::future::pending().await
            }
        }
    }

    async fn run_unlimited<T: Send + 'static>(
        permit: Option<OwnedSemaphorePermit>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let done = spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        match done.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime was shut down before the work began: this future is dropped, too.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// The longest time that work waits in a test that fails.
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn the_thread_of_the_runtime_goes_on_while_work_is_done() {
        let (open, gate) = mpsc::channel();
        let work = Computation::default();
        let opened = work.run(move || gate.recv_timeout(LONG));
        let (opened, ()) = tokio::join!(opened, async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            open.send(()).unwrap();
        });
        assert_eq!(opened, Ok(()));
    }

    #[tokio::test]
    async fn no_more_is_done_at_one_time_than_the_bound() {
        let work = Computation::at_once(NonZeroUsize::new(2).unwrap());
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (work, running, most) = (work.clone(), Arc::clone(&running), Arc::clone(&most));
            tasks.spawn(async move {
                let count = move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                };
                work.run(count).await;
            });
        }
        tasks.join_all().await;
        assert!(most.load(Ordering::SeqCst) <= 2);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_counts_until_it_ends() {
        let work = Computation::at_once(NonZeroUsize::MIN);
        let ((open, gate), (began, begins)) = (mpsc::channel::<()>(), tokio::sync::oneshot::channel());
        let (other, waited) = (work.clone(), Duration::from_millis(1));
        let given_up = tokio::spawn(async move {
            let blocks = move || {
                began.send(()).unwrap();
                gate.recv_timeout(LONG)
            };
            other.run(blocks).await
        });
        begins.await.unwrap();
        given_up.abort();
        let mut next = Box::pin(work.run(|| 1));
        assert!(tokio::time::timeout(waited, &mut next).await.is_err());
        drop(open);
        assert_eq!(next.await, 1);
    }
}
