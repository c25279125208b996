//! What a source of statements has about an image.

use std::time::Duration;

use serde_json::value::RawValue;

use cvm_verify_core::evidence::LookupProblem;

/// Time for everything that one source is asked about one image.
pub const TIME: Duration = Duration::from_secs(30);

/// The bundles of a source, what vouches for their subjects, and why it may be that some are missing.
#[derive(Debug, Default)]
pub struct Found {
    /// JSON as received.
    pub bundles: Vec<Box<RawValue>>,
    /// Documents of a registry that the digest of the image vouches for.
    pub documents: Vec<String>,
    /// Whether a registry has a signature of cosign's old format.
    pub legacy_signature: bool,
    /// What could not be had.
    pub problem: Option<LookupProblem>,
}
