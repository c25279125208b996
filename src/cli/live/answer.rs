//! What one attempt brought.

use super::Asked;
use crate::evidence::{Evidence, EvidenceError, Info};

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
        mut info: Option<Vec<u8>>,
    ) -> Self {
        let mut evidence = Evidence::parse(&attestation, info.as_deref(), None, nonce);
        // What is no JSON document is as good as missing: /info never blocks what the log proves.
        if let Err(EvidenceError::NotJson { document, .. }) = evidence
            && document == Info::DOCUMENT
        {
            info = None;
            evidence = Evidence::parse(&attestation, None, None, nonce);
        }
        let evidence = evidence.and_then(|evidence| evidence.or_compose(asked.compose_file));
        Self {
            nonce,
            attestation,
            info,
            evidence,
        }
    }
}
