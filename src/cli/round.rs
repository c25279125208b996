//! One round over all targets: each in a task of its own, so that one that hangs or crashes stops no other.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::interrupt::Interrupt;
use super::judge::{self, judge};
use super::live::{Gathering, Ground, Live, Time, gather};
use super::plan::Planned;
use super::progress::Progress;
use super::surroundings::Surroundings;
use cvm_verify_core::appraise::Subject;
use cvm_verify_core::checks::{EvidenceGap, EvidenceReason};
use cvm_verify_core::report::TargetReport;

/// Gathers all targets, at most `concurrency` at a time, and hands each to `finish` with its index as soon as it is
/// there: what a thousand targets send is never held at once. False when the user interrupts.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one thing of the run, and both callers have them apart"
)]
pub(super) async fn gather_all(
    ground: &Arc<Ground>,
    targets: &[Planned],
    concurrency: NonZeroUsize,
    mut progress: Progress,
    surroundings: &mut Surroundings,
    interrupt: &mut Interrupt,
    time: Time,
    deadline: Instant,
    mut finish: impl FnMut(usize, Gathering),
) -> bool {
    ground.store.new_round();
    let mut waiting = targets.iter().enumerate();
    let mut tasks = JoinSet::new();
    let mut indices = HashMap::new();
    loop {
        while tasks.len() < concurrency.get()
            && let Some((index, target)) = waiting.next()
        {
            let (ground, source) = (Arc::clone(ground), target.source.clone());
            let compose_file = target.compose_file.clone();
            let handle =
                tasks.spawn(async move { gather(&ground, &source, compose_file.as_deref(), time).await });
            indices.insert(handle.id(), index);
        }
        tokio::select! {
            joined = tasks.join_next_with_id() => {
                let Some(joined) = joined else { break };
                let (id, live) = match joined {
                    Ok((id, live)) => (id, live),
                    Err(error) => (error.id(), crashed((ground.now)())),
                };
                if let Some(index) = indices.remove(&id) {
                    finish(index, live);
                }
                progress.done();
            }
            () = sleep_until(deadline) => {
                tasks.abort_all();
                let late = indices.into_values().chain(waiting.map(|(index, _)| index));
                let mut late: Vec<usize> = late.collect();
                late.sort_unstable();
                for index in late {
                    finish(index, out_of_time((ground.now)()));
                }
                break;
            }
            () = progress.tick() => progress.show(surroundings),
            _ = interrupt.next() => {
                progress.clear(surroundings);
                return false;
            }
        }
    }
    progress.clear(surroundings);
    true
}

/// What is known of a target that had no answer when the time of the run was up.
fn out_of_time(at: u64) -> Gathering {
    Live {
        instance: None,
        facts: Err(EvidenceGap {
            reason: EvidenceReason::Deadline,
            detail: "The time of the run was up before this target was verified (--deadline).".to_owned(),
        }),
        at,
        collateral_source: None,
        bundle: None,
        listed: None,
    }
    .into()
}

/// Judges one target, or one instance of it, under this name.
pub(super) fn conclude(
    target: &Planned,
    name: String,
    live: &Live,
    ground: &Ground,
    bundle_path: Option<&Path>,
) -> TargetReport {
    let subject = Subject {
        name,
        url: Some(target.source.url().to_owned()),
        root: ground.root.clone(),
        at: live.at,
        collateral_source: live.collateral_source.clone(),
        bundle: bundle_path
            .filter(|_| live.bundle.is_some())
            .map(|path| path.display().to_string()),
    };
    TargetReport {
        instances: live.listed,
        ..judge(&live.facts, &target.policy, &subject)
    }
}

/// One target's panic is that target's error; the others go on.
pub(super) fn crashed(at: u64) -> Gathering {
    Live {
        instance: None,
        facts: Err(judge::crashed()),
        at,
        collateral_source: None,
        bundle: None,
        listed: None,
    }
    .into()
}
