//! What relies on a row of the user's own file of reference values.

use super::Acceptance;
use crate::policy::{Origin, Policy};
use crate::reference::RowOrigin;
use crate::report::AcceptedKind;

/// What a finding is accepted with that relies on a row: nothing for one that is built in. `what` is what the row makes known.
pub(super) fn own_reference_values(row: RowOrigin, what: &str, policy: &Policy) -> Option<Acceptance> {
    if row == RowOrigin::BuiltIn {
        return None;
    }
    let sha256 = policy
        .reference
        .file_sha256()
        .map(hex::encode)
        .unwrap_or_default();
    let by = policy.setting("reference-values");
    Some(Acceptance::new(
        AcceptedKind::ReferenceValues,
        by.unwrap_or(Origin::Option("--reference-values")),
        format!(
            "What is known about {what} comes from a file of reference values (SHA-256 {sha256}), not from the built-in \
             ones."
        ),
    ))
}
