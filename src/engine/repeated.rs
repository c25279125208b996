//! Entries of Phala Cloud's list that show one and the same instance: in the place of one of them, another may run.

use std::collections::HashMap;

use super::Collected;
use cvm_verify_core::checks::{EvidenceFailure, EvidenceReason};

/// What is missing where two entries show one instance: its instance id, or the signed part of its quote, which no two
/// instances share; and how many entries show an instance that one before them shows. Each entry is judged nonetheless.
///
/// Only what is proven counts. Entries whose app has no instance id are told apart by their quotes: another quote may be of the
/// same VM, so that they count as one where a number of instances is asked for.
pub(super) fn repeated(app_id: &str, instances: &[Collected]) -> Option<(EvidenceFailure, usize)> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut failure = None;
    let mut entries = 0;
    for collected in instances {
        let Some(number) = collected.instance else {
            continue;
        };
        let mut is_repeated = false;
        for mark in marks(collected) {
            let first = *seen.entry(mark.clone()).or_insert(number);
            if first == number {
                continue;
            }
            is_repeated = true;
            failure.get_or_insert_with(|| EvidenceFailure::new(EvidenceReason::RepeatedInstance, format!(
                    "Entries {first} and {number} of Phala Cloud's list of the app {app_id} show the same instance ({mark}), \
                     so one instance of the list was not shown and not verified."
                )));
        }
        entries += usize::from(is_repeated);
    }
    failure.map(|failure| (failure, entries))
}

/// What an instance shares with no other, in words.
fn marks(collected: &Collected) -> Vec<String> {
    let quote = collected.claims().and_then(|claims| claims.quote.as_ref().ok());
    let quote = quote.map(|quote| format!("its signed quote, {}", hex::encode(quote.signed_sha256())));
    let id = collected.boot().and_then(|boot| boot.instance_id());
    let id = id.map(|id| format!("instance id {}", hex::encode(id)));
    id.into_iter().chain(quote).collect()
}
