//! What a KMS answers to GetMeta, and a certificate chain that a bundle records of one.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::{KmsMeta, MAX_KMS_META_BYTES, RecordedKms};

cvm_verify_fuzz::fuzz_target!(|body: &[u8]| {
    let Ok(text) = std::str::from_utf8(body) else {
        return;
    };
    if let Ok(meta) = KmsMeta::parse(text) {
        assert!(text.len() <= MAX_KMS_META_BYTES && meta.ca_certificate.len() <= text.len());
    }
    if let Ok(recorded) = serde_json::from_str::<RecordedKms>(text) {
        let _ = recorded.tls_chain();
    }
});
