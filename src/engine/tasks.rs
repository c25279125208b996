//! Deployments whose evidence is being collected: each in a task of its own, so that one that hangs or panics stops no other.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::task::{AbortHandle, Id, JoinSet};

use super::collected::{Collection, crashed};
use super::{Deployment, Session, TimeLimits, collect};

/// Deployments whose evidence is being collected, each under a key of the caller's.
pub(super) struct Tasks<K> {
    concurrency: NonZeroUsize,
    set: JoinSet<Collection>,
    running: HashMap<Id, (K, Arc<Deployment>, AbortHandle)>,
}

impl<K> Tasks<K> {
    /// None yet, and at most `concurrency` at one time.
    pub fn new(concurrency: NonZeroUsize) -> Self {
        Self {
            concurrency,
            set: JoinSet::new(),
            running: HashMap::new(),
        }
    }

    /// Whether another may begin.
    pub fn has_room(&self) -> bool {
        self.set.len() < self.concurrency.get()
    }

    /// Begins to collect the evidence of a deployment.
    pub fn begin(&mut self, session: &Arc<Session>, deployment: Arc<Deployment>, time: TimeLimits, key: K) {
        let (session, asked) = (Arc::clone(session), Arc::clone(&deployment));
        let task = async move { collect(&session, &asked, time).await };
        let handle = self.set.spawn(task);
        self.running.insert(handle.id(), (key, deployment, handle));
    }

    /// The next collection that is complete, with its key and its deployment; `None` when none is under way. Cancel-safe.
    pub async fn next(&mut self, session: &Session) -> Option<(K, Arc<Deployment>, Collection)> {
        loop {
            let (id, collection) = match self.set.join_next_with_id().await? {
                Ok((id, collection)) => (id, Some(collection)),
                Err(error) if error.is_cancelled() => (error.id(), None),
                // One target's panic is that target's error; the others go on.
                Err(error) => (error.id(), Some(crashed((session.now)()))),
            };
            if let (Some((key, deployment, _)), Some(collection)) = (self.running.remove(&id), collection) {
                return Some((key, deployment, collection));
            }
        }
    }

    /// Ends those that nobody waits for any more.
    pub fn retain(&self, keep: impl Fn(&K) -> bool) {
        for (key, _, handle) in self.running.values() {
            if !keep(key) {
                handle.abort();
            }
        }
    }

    /// Ends all, and says which were under way.
    pub fn abort(&mut self) -> Vec<K> {
        self.set.abort_all();
        self.running.drain().map(|(_, (key, ..))| key).collect()
    }
}
