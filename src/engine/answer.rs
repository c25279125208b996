//! What one attempt brought.

use super::collected::Asked;
use cvm_verify_core::evidence::{Evidence, EvidenceError};

/// Bodies with the nonce that they were asked for with.
pub(super) struct Answer {
    pub nonce: Option<[u8; 32]>,
    pub attestation: Vec<u8>,
    pub info: Option<Vec<u8>>,
    pub evidence: Result<Evidence, EvidenceError>,
}

impl Answer {
    pub fn new(
        asked: Asked<'_>,
        nonce: Option<[u8; 32]>,
        attestation: Vec<u8>,
        info: Option<Vec<u8>>,
    ) -> Self {
        let evidence = Evidence::parse(&attestation, info.as_deref(), None, nonce)
            .and_then(|evidence| evidence.or_compose(asked.compose_file));
        Self {
            nonce,
            attestation,
            info,
            evidence,
        }
    }
}
