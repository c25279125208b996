//! What is proven of simulated CVMs, for the tests of the core.

use simulator::Cvm;

use super::{Claims, Inputs, SignatureCache, TrustRoot, prove};
use crate::evidence::Evidence;

/// What the CVM is asked with.
pub(crate) const NONCE: [u8; 32] = [7; 32];

/// What the CVM answers, as if it was asked with another nonce or none.
pub(crate) fn evidence_of(cvm: &Cvm, info: Option<&str>, nonce: Option<[u8; 32]>) -> Evidence {
    let attestation = cvm.attestation_body(&hex::encode(NONCE));
    Evidence::parse(attestation.as_bytes(), info.map(str::as_bytes), None, nonce).unwrap()
}

/// What is proven of it, with the collateral and the root of its world.
pub(crate) fn proven(cvm: &Cvm, evidence: &Evidence) -> Claims {
    prove(
        evidence,
        &Inputs {
            collateral: Ok(&cvm.world.collateral()),
            collateral_fetched_at: None,
            signatures: &SignatureCache::default(),
            root: &root_of(cvm),
            at: cvm.world.now,
            clock_floor: 0,
        },
    )
}

pub(crate) fn root_of(cvm: &Cvm) -> TrustRoot {
    TrustRoot::custom(cvm.world.root_pem().as_bytes()).unwrap()
}
