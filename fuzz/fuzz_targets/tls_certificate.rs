//! The certificate that a TLS server presents: dstack's extensions in it, and the evidence in them.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::{MAX_TLS_CERTIFICATE_BYTES, TlsChain};
use cvm_verify_core::verify::{
    Inputs, SignatureCache, is_bound_certificate, prove, ra_tls_evidence_of, spki_sha256,
};
use cvm_verify_fuzz::deployment::Deployment;

cvm_verify_fuzz::fuzz_target!(|bytes: &[u8]| {
    let Ok(chain) = TlsChain::new(vec![bytes.to_vec(), bytes.to_vec()]) else {
        assert!(bytes.len() > MAX_TLS_CERTIFICATE_BYTES);
        return;
    };
    let Some(Ok(certificate)) = ra_tls_evidence_of(&chain) else {
        return;
    };
    assert!(
        spki_sha256(chain.leaf()).is_some(),
        "what has extensions has a key"
    );
    let deployment = Deployment::healthy();
    let own = prove(
        certificate.evidence(),
        &Inputs {
            collateral: Ok(&deployment.collateral),
            collateral_fetched_at: None,
            signatures: &SignatureCache::default(),
            root: &deployment.root,
            at: deployment.at,
            clock_floor: 0,
        },
    );
    // What is bound is proven: its quote, and what the guest booted.
    if is_bound_certificate(&certificate, &own).is_ok() {
        assert!(own.quote.is_ok() && own.boot.is_ok());
    }
});
