//! What a compose document alone decides of the checks, before it is deployed and measured.
//!
//! Each of these checks decides of a measured document by the same function, so a plan refuses what a verification will refuse. Who
//! built the images is decided by [`judge_images`](super::judge_images), once the statements are looked up.

use super::{Finding, gpu, image_pins, instance_id, key_provider, launch_inputs};
use crate::compose::UnprovenDocument;
use crate::policy::Policy;
use crate::report::CheckId;

/// What a check says of a document; nothing where the document does not decide it.
type Decide = fn(&UnprovenDocument, &Policy) -> Option<Finding>;

/// The checks that a document decides something of, in the order of [`CheckId::ALL`].
const DECIDED: [(CheckId, Decide); 5] = [
    (CheckId::ImagePins, image_pins::of_document),
    (CheckId::LaunchInputs, launch_inputs::of_document),
    (CheckId::KeyProvider, key_provider::of_document),
    (CheckId::InstanceId, instance_id::of_document),
    (CheckId::Gpu, gpu::of_document),
];

/// What the checks will say of a deployment of this document, as far as it alone decides that.
#[must_use]
pub fn judge_document(document: &UnprovenDocument, policy: &Policy) -> Vec<(CheckId, Finding)> {
    let decided = DECIDED
        .iter()
        .filter_map(|(id, decide)| Some((*id, decide(document, policy)?)));
    decided.collect()
}
