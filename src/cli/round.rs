//! One round over all targets: each in a task of its own, so that one that hangs or crashes stops no other.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::judge;
use super::live::{Ground, Live, gather};
use super::plan::Planned;
use super::progress::Progress;
use super::surroundings::Surroundings;
use crate::net::retry::Schedule;

/// Gathers all targets at once. `None` when the user interrupts.
pub(super) async fn gather_all(
    ground: &Arc<Ground>,
    targets: &[Planned],
    mut progress: Progress,
    surroundings: &mut Surroundings,
) -> Option<Vec<Live>> {
    let mut tasks = JoinSet::new();
    let mut indices = std::collections::HashMap::new();
    for (index, target) in targets.iter().enumerate() {
        let (ground, endpoints) = (Arc::clone(ground), target.endpoints.clone());
        let compose_file = target.compose_file.clone();
        let handle = tasks.spawn(async move {
            gather(&ground, &endpoints, compose_file.as_deref(), Schedule::default()).await
        });
        indices.insert(handle.id(), index);
    }
    let mut lives: Vec<Option<Live>> = targets.iter().map(|_| None).collect();
    loop {
        tokio::select! {
            joined = tasks.join_next_with_id() => {
                let Some(joined) = joined else { break };
                let (id, live) = match joined {
                    Ok((id, live)) => (id, live),
                    Err(error) => (error.id(), crashed((ground.now)())),
                };
                if let Some(slot) = indices.get(&id).and_then(|index| lives.get_mut(*index)) {
                    *slot = Some(live);
                }
                progress.done();
            }
            () = progress.tick() => progress.show(surroundings),
            _ = tokio::signal::ctrl_c() => {
                progress.clear(surroundings);
                return None;
            }
        }
    }
    progress.clear(surroundings);
    Some(
        lives
            .into_iter()
            .map(|live| live.unwrap_or_else(|| crashed((ground.now)())))
            .collect(),
    )
}

/// One target's panic is that target's error; the others go on.
fn crashed(at: u64) -> Live {
    Live {
        facts: Err(judge::crashed()),
        at,
        collateral_source: None,
        bundle: None,
    }
}
