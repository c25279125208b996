//! Threads for exchanges with servers.
//!
//! The HTTP library parses in one go whatever has arrived. A server that sends informational answers (status 1xx) without end
//! keeps the thread that reads them busy for seconds: no timer of that thread fires meanwhile, no other connection is served and
//! no signal is heard. So an exchange never runs on the thread that waits for it, and anyone who waits has a deadline of its own.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than its own deadline an exchange is not waited for.
const GRACE: Duration = Duration::from_millis(500);

/// The threads for one purpose. They live as long as the process.
pub(super) struct ExchangeThreads {
    most: usize,
    threads: Mutex<Vec<ExchangeThread>>,
}

/// For what is asked of targets and of those who vouch for them.
pub(super) static EVIDENCE: ExchangeThreads = ExchangeThreads::new(24);
/// For alerts: no target can keep these busy.
pub(super) static ALERTS: ExchangeThreads = ExchangeThreads::new(8);

struct ExchangeThread {
    runtime: Handle,
    /// One more reference for each exchange that keeps the thread busy.
    load: Arc<()>,
}

impl ExchangeThreads {
    const fn new(most: usize) -> Self {
        Self {
            most,
            threads: Mutex::new(Vec::new()),
        }
    }

    /// Runs an exchange on the thread that has the fewest. `None` if nothing came of it within `time`, its own deadline, and a
    /// moment more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        time: Duration,
        exchange: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let Some(mut place) = self.place() else {
            return timeout(time + GRACE, exchange).await.ok();
        };
        let mut task = RunningExchange(place.runtime.spawn(exchange));
        match timeout(time + GRACE, &mut task.0).await {
            Ok(Ok(found)) => {
                // The thread has done all that it was given.
                place.load = None;
                Some(found)
            }
            Ok(Err(error)) => error.try_into_panic().map_or(None, |panic| resume_unwind(panic)),
            Err(_) => None,
        }
    }

    /// A place on an idle thread, on a new one, or on the one with the fewest exchanges. `None` where the system has no more
    /// threads or descriptors.
    fn place(&self) -> Option<ThreadPlace> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let load = |thread: &&ExchangeThread| Arc::strong_count(&thread.load);
        let is_idle = |thread: &ExchangeThread| Arc::strong_count(&thread.load) == 1;
        if !threads.iter().any(is_idle)
            && threads.len() < self.most
            && let Some(new) = ExchangeThread::new()
        {
            threads.push(new);
        }
        let thread = threads.iter().min_by_key(load)?;
        Some(ThreadPlace {
            runtime: thread.runtime.clone(),
            load: Some(Arc::clone(&thread.load)),
        })
    }
}

impl ExchangeThread {
    fn new() -> Option<Self> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .ok()?;
        let handle = runtime.handle().clone();
        let thread = std::thread::Builder::new().name("exchange".to_owned());
        thread
            .spawn(move || runtime.block_on(std::future::pending::<()>()))
            .ok()?;
        Some(Self {
            runtime: handle,
            load: Arc::new(()),
        })
    }
}

/// A place on a thread. It is given back by the thread itself: one that is still busy with what nobody waits for any more counts as
/// busy.
struct ThreadPlace {
    runtime: Handle,
    load: Option<Arc<()>>,
}

impl Drop for ThreadPlace {
    fn drop(&mut self) {
        if let Some(load) = self.load.take() {
            self.runtime.spawn(async move { drop(load) });
        }
    }
}

/// An exchange that ends when nobody waits for it any more.
struct RunningExchange<T>(JoinHandle<T>);

impl<T> Drop for RunningExchange<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_exchange_that_keeps_its_thread_busy_holds_up_neither_who_waits_nor_the_next() {
        static THREADS: ExchangeThreads = ExchangeThreads::new(2);
        let (free, held) = std::sync::mpsc::channel::<()>();
        let busy = async move { held.recv() };
        assert!(THREADS.run(Duration::from_millis(1), busy).await.is_none());
        assert_eq!(THREADS.run(Duration::from_secs(30), async { 7 }).await, Some(7));
        assert_eq!(THREADS.run(Duration::from_secs(30), async { 8 }).await, Some(8));
        let threads = THREADS.threads.lock().unwrap();
        assert_eq!(threads.len(), 2, "the busy one was given to nobody");
        drop(free);
    }

    #[tokio::test]
    async fn a_panic_reaches_who_waits() {
        static THREADS: ExchangeThreads = ExchangeThreads::new(1);
        let waiting = tokio::spawn(THREADS.run(Duration::from_secs(30), async {
            resume_unwind(Box::new("a bug"));
        }));
        assert!(waiting.await.unwrap_err().is_panic());
    }
}
