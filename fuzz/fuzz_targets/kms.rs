//! What a KMS answers to GetMeta, evidence of its bootstrap, what Phala's API says of it, and a certificate chain that a bundle
//! records of one.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::{KmsBootstrap, KmsMeta, MAX_KMS_META_BYTES, PhalaKms, RecordedKms};

cvm_verify_fuzz::fuzz_target!(|body: &[u8]| {
    let Ok(text) = std::str::from_utf8(body) else {
        return;
    };
    if let Ok(meta) = KmsMeta::parse(text) {
        assert!(text.len() <= MAX_KMS_META_BYTES && meta.ca_certificate.len() <= text.len());
    }
    if KmsBootstrap::of_text(text).is_ok() {
        assert!(text.len() <= MAX_KMS_META_BYTES);
    }
    if let Some(host) = PhalaKms::parse(body).and_then(|said| said.host) {
        assert!(!host.is_empty() && !host.contains(['/', '@']));
    }
    if let Ok(recorded) = serde_json::from_str::<RecordedKms>(text) {
        let _ = recorded.tls_chain();
    }
});
