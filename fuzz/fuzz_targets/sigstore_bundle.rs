//! A Sigstore bundle: form, certificate, log entry, statement; and the answer's Snappy block.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::source::github_attestations::bundle_text;
use cvm_verify_core::verify::provenance::{SigstoreRoots, verify};

cvm_verify_fuzz::fuzz_target!(|bytes: &[u8]| {
    let roots = SigstoreRoots::built_in();
    assert!(
        verify(bytes, &[0; 32], &roots, 1_800_000_000).is_err(),
        "nobody signed this"
    );
    let _ = SigstoreRoots::of_file(bytes);
    if let Some(text) = bundle_text(bytes.to_vec()) {
        assert!(text.len() <= 1024 * 1024, "within the limit");
    }
});
