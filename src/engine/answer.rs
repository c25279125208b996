//! What one attempt brought.

use super::collected::EvidenceRequest;
use cvm_verify_core::evidence::{Attestation, Evidence, EvidenceError, RecordedGpu, TlsSession};

/// Bodies with the nonce that they were asked for with.
pub(super) struct EvidenceAnswer {
    pub nonce: Option<[u8; 32]>,
    pub attestation: Vec<u8>,
    pub info: Option<Vec<u8>>,
    pub gpu: Option<RecordedGpu>,
    pub evidence: Result<Evidence, EvidenceError>,
    /// What was seen of TLS.
    pub tls: Option<TlsSession>,
}

impl EvidenceAnswer {
    pub fn new(
        asked: EvidenceRequest<'_>,
        nonce: Option<[u8; 32]>,
        attestation: Vec<u8>,
        info: Option<Vec<u8>>,
    ) -> Self {
        let parsed = Attestation::parse(&attestation);
        Self::of_parsed(asked, nonce, attestation, parsed, info)
    }

    /// The same with an attestation that was parsed before.
    pub fn of_parsed(
        asked: EvidenceRequest<'_>,
        nonce: Option<[u8; 32]>,
        attestation: Vec<u8>,
        parsed: Result<Attestation, EvidenceError>,
        info: Option<Vec<u8>>,
    ) -> Self {
        let evidence = parsed
            .and_then(|parsed| Evidence::of_bodies(parsed, &attestation, info.as_deref(), nonce))
            .and_then(|evidence| evidence.with_compose_copy(asked.compose_file));
        Self {
            nonce,
            attestation,
            info,
            gpu: None,
            evidence,
            tls: None,
        }
    }

    /// With what the endpoint of the GPU evidence answered, if there is one.
    pub fn with_gpu(self, answer: Option<&Result<Vec<u8>, String>>) -> Self {
        let gpu = answer.map(RecordedGpu::of);
        Self {
            evidence: self.evidence.map(|evidence| evidence.with_gpu(gpu.as_ref())),
            gpu,
            ..self
        }
    }
}
