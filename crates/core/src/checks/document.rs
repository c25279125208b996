//! What a compose document alone decides of the checks, before it is deployed and measured.
//!
//! `image-pins`, `launch-inputs` and the locked settings of `compose-hash` are decided of a measured document by the same function, so a
//! plan refuses what a verification will refuse; the others say what the document rules out. Who built the images is decided by
//! [`judge_images`](super::judge_images), once the statements are looked up.

use super::{ALL, Finding};
use crate::compose::UnprovenDocument;
use crate::policy::Policy;
use crate::report::CheckId;

/// What the checks will say of a deployment of this document, as far as it alone decides that, in the order of [`CheckId::ALL`].
#[must_use]
pub fn judge_document(document: &UnprovenDocument, policy: &Policy) -> Vec<(CheckId, Finding)> {
    let decided = ALL
        .into_iter()
        .filter_map(|check| Some((check.id, check.of_document?(document, policy)?)));
    decided.collect()
}
