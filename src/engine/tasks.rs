//! Deployments that are being verified: each in a task of its own, so that one that hangs or panics stops no other. First its evidence is
//! collected, then it is judged.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinSet};

use super::collect::collect_with;
use super::collected::{Collection, crashed, not_judged};
use super::{Appraised, Computation, Deployment, Session, TimeLimits};

/// Deployments that are being verified, each under a key of the caller's.
pub(crate) struct Tasks<K> {
    concurrency: NonZeroUsize,
    set: JoinSet<TaskStep>,
    running: HashMap<Id, Running<K>>,
}

/// What a task did.
enum TaskStep {
    /// On the heap: it is large.
    Collected(Box<Collection>),
    Judged(Appraised),
}

struct Running<K> {
    key: K,
    deployment: Arc<Deployment>,
    /// Where its evidence is complete, it is judged; before that, what it computes is counted here.
    stage: TaskStage,
    handle: AbortHandle,
}

enum TaskStage {
    Collected(Computation),
    Judged,
}

impl<K> Running<K> {
    /// Whether it waits for others. Evidence that is there and waits for room to be computed, behind what another target sent, is
    /// complete.
    fn is_collecting(&self) -> bool {
        match &self.stage {
            TaskStage::Collected(computation) => !computation.is_asked() && !self.handle.is_finished(),
            TaskStage::Judged => false,
        }
    }
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
        let computation = session.computation.of_target(time.computing());
        let counted = computation.clone();
        let limited = computation.clone();
        let collected = async move {
            let collection = collect_with(&session, &asked, time, &counted);
            within(&session, &limited, collection).await
        };
        self.collect(collected, deployment, computation, key);
    }

    fn collect(
        &mut self,
        collected: impl Future<Output = Collection> + Send + 'static,
        deployment: Arc<Deployment>,
        computation: Computation,
        key: K,
    ) {
        let task = async move { TaskStep::Collected(Box::new(collected.await)) };
        let handle = self.set.spawn(task);
        let running = Running {
            key,
            deployment,
            stage: TaskStage::Collected(computation),
            handle,
        };
        self.running.insert(running.handle.id(), running);
    }

    /// Begins to judge what was collected of a deployment.
    fn judge(
        &mut self,
        session: &Arc<Session>,
        deployment: Arc<Deployment>,
        collection: Collection,
        limit: Option<Duration>,
        key: K,
    ) {
        let (judge, judged) = (Arc::clone(session), Arc::clone(&deployment));
        let computation = session.computation.of_target(limit);
        let (late_session, late) = (Arc::clone(session), Arc::clone(&deployment));
        let handle = self.set.spawn(async move {
            let appraise = move || TaskStep::Judged(judge.appraise(&judged, collection));
            tokio::select! {
                judged = computation.run(appraise) => judged,
                () = computation.overdue() => {
                    TaskStep::Judged(late_session.appraise(&late, not_judged((late_session.now)())))
                }
            }
        });
        let running = Running {
            key,
            deployment,
            stage: TaskStage::Judged,
            handle,
        };
        self.running.insert(running.handle.id(), running);
    }

    /// The next deployment that is judged, with its key; `None` when none is under way. Cancel-safe.
    pub async fn next(&mut self, session: &Arc<Session>) -> Option<(K, Appraised)> {
        loop {
            let (id, step) = match self.set.join_next_with_id().await? {
                Ok((id, step)) => (id, Some(step)),
                Err(error) if error.is_cancelled() => {
                    self.running.remove(&error.id());
                    continue;
                }
                Err(error) => (error.id(), None),
            };
            let Some(Running {
                key,
                deployment,
                stage,
                ..
            }) = self.running.remove(&id)
            else {
                continue;
            };
            match step {
                Some(TaskStep::Collected(collection)) => {
                    let limit = match stage {
                        TaskStage::Collected(computation) => computation.limit(),
                        TaskStage::Judged => None,
                    };
                    self.judge(session, deployment, *collection, limit, key);
                }
                Some(TaskStep::Judged(appraised)) => return Some((key, appraised)),
                // One target's panic is that target's error; the others go on.
                None => return Some((key, session.appraise(&deployment, crashed((session.now)())))),
            }
        }
    }

    /// Ends those that nobody waits for any more.
    pub fn retain(&self, keep: impl Fn(&K) -> bool) {
        for running in self.running.values() {
            if !keep(&running.key) {
                running.handle.abort();
            }
        }
    }

    /// Ends those whose evidence is not complete, and says which they were.
    pub fn stop_collecting(&mut self) -> Vec<K> {
        self.stop(Running::is_collecting)
    }

    /// Ends all, and says which were under way.
    pub fn stop_all(&mut self) -> Vec<K> {
        self.stop(|_| true)
    }

    fn stop(&mut self, is_stopped: impl Fn(&Running<K>) -> bool) -> Vec<K> {
        let stopped = self.running.extract_if(|_, running| is_stopped(running));
        let stopped = stopped.map(|(_, running)| {
            running.handle.abort();
            running.key
        });
        stopped.collect()
    }
}

/// What is collected, unless what is computed for it is overdue.
async fn within(
    session: &Session,
    computation: &Computation,
    collection: impl Future<Output = Collection>,
) -> Collection {
    tokio::select! {
        collection = collection => collection,
        () = computation.overdue() => not_judged((session.now)()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::engine::collected::out_of_time;
    use crate::net::{Client, Transport};
    use cvm_verify_core::policy::Policy;

    /// One that is judged as soon as `gate` opens, and one whose evidence does not come.
    fn tasks(session: &Arc<Session>, gate: mpsc::Receiver<()>) -> Tasks<&'static str> {
        let app = Deployment::app("app", "https://app.example", Policy::default()).unwrap();
        let app = Arc::new(app);
        let mut tasks = Tasks::new(NonZeroUsize::new(2).unwrap());
        // The only room there is, so that what is judged waits.
        let work = session.computation.clone();
        tokio::spawn(async move { work.run(move || gate.recv_timeout(Duration::from_secs(60))).await });
        tasks.judge(session, Arc::clone(&app), out_of_time(0), None, "judged");
        let work = session.computation.of_target(None);
        tasks.collect(std::future::pending(), app, work, "collected");
        tasks
    }

    fn session() -> Arc<Session> {
        Arc::new(Session {
            computation: crate::engine::Computation::at_once(NonZeroUsize::MIN),
            ..Session::new(Client::new(&Transport::default()).unwrap())
        })
    }

    #[tokio::test]
    async fn evidence_that_is_complete_when_the_time_is_over_is_judged() {
        let (session, (open, gate)) = (session(), mpsc::channel());
        let mut tasks = tasks(&session, gate);
        tokio::task::yield_now().await;
        assert_eq!(tasks.stop_collecting(), ["collected"]);
        assert!(!tasks.running.is_empty());
        drop(open);
        let judged = tasks.next(&session).await;
        assert_eq!(judged.map(|(key, _)| key), Some("judged"));
        assert!(tasks.next(&session).await.is_none());
    }

    #[tokio::test]
    async fn evidence_that_waits_for_room_when_the_time_is_over_is_judged() {
        let (session, (open, gate)) = (session(), mpsc::channel());
        let mut tasks = tasks(&session, gate);
        let app = Deployment::app("app", "https://app.example", Policy::default()).unwrap();
        let app = Arc::new(app);
        let (work, waiting) = (
            session.computation.of_target(None),
            session.computation.of_target(None),
        );
        let counted = waiting.clone();
        let waits = async move { counted.run(|| out_of_time(0)).await };
        tasks.collect(waits, Arc::clone(&app), waiting, "waits");
        tasks.collect(async { out_of_time(0) }, app, work, "came just now");
        tokio::task::yield_now().await;
        assert_eq!(tasks.stop_collecting(), ["collected"]);
        drop(open);
        let mut judged = Vec::new();
        while let Some((key, _)) = tasks.next(&session).await {
            judged.push(key);
        }
        judged.sort_unstable();
        assert_eq!(judged, ["came just now", "judged", "waits"]);
    }

    #[tokio::test]
    async fn a_run_that_is_cancelled_waits_for_nothing_that_is_judged() {
        let (session, (_open, gate)) = (session(), mpsc::channel());
        let mut tasks = tasks(&session, gate);
        tokio::task::yield_now().await;
        let mut stopped = tasks.stop_all();
        stopped.sort_unstable();
        assert_eq!(stopped, ["collected", "judged"]);
        assert!(tasks.next(&session).await.is_none());
    }

    /// What each target's `evidence` says, by key.
    async fn reasons<K: Copy>(tasks: &mut Tasks<K>, session: &Arc<Session>) -> Vec<(K, String)> {
        use cvm_verify_core::report::CheckId;

        let mut reasons = Vec::new();
        while let Some((key, appraised)) = tasks.next(session).await {
            for one in &appraised.instances {
                let check = one.report.check(CheckId::Evidence).unwrap();
                reasons.push((key, check.reason.clone().unwrap_or_default()));
            }
        }
        reasons
    }

    /// Without a deadline nothing else would end it: not the judging, and not what is computed while evidence is collected.
    #[tokio::test]
    async fn what_is_not_judged_in_its_time_is_inconclusive_and_says_so() {
        let session = session();
        let (open, gate) = mpsc::channel::<()>();
        let hangs = session.computation.clone();
        let hangs = tokio::spawn(async move {
            hangs
                .run(move || gate.recv_timeout(Duration::from_secs(60)))
                .await
        });
        tokio::task::yield_now().await;
        let app = Arc::new(Deployment::app("app", "https://app.example", Policy::default()).unwrap());
        let soon = Some(Duration::from_millis(1));
        let mut tasks = Tasks::new(NonZeroUsize::new(2).unwrap());
        tasks.judge(&session, Arc::clone(&app), out_of_time(0), soon, "judged");
        let computation = session.computation.of_target(soon);
        let counted = computation.clone();
        let (of, limited) = (Arc::clone(&session), computation.clone());
        let computes = async move { within(&of, &limited, counted.run(|| out_of_time(0))).await };
        tasks.collect(computes, app, computation, "collected");
        let mut given_up = reasons(&mut tasks, &session).await;
        given_up.sort_unstable();
        let expected = ["collected", "judged"].map(|key| (key, "not-judged".to_owned()));
        assert_eq!(given_up, expected);
        drop(open);
        assert!(hangs.await.unwrap().is_err());
    }
}
