//! An evidence bundle.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::Bundle;

cvm_verify_fuzz::fuzz_target!(|file: &[u8]| {
    let bundle = match Bundle::parse(file) {
        Ok(bundle) => bundle,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let text = bundle.to_json().expect("what was read can be written");
    let again = Bundle::parse(text.as_bytes()).expect("what was written can be read");
    assert_eq!(again.captured_at, bundle.captured_at);
    assert_eq!(again.source, bundle.source);
    assert_eq!(again.nonce, bundle.nonce);
    assert_eq!(
        again.attestation.get(),
        bundle.attestation.get(),
        "bodies stay verbatim"
    );
    let verbatim =
        |body: &Option<Box<serde_json::value::RawValue>>| body.as_ref().map(|body| body.get().to_owned());
    assert_eq!(verbatim(&again.info), verbatim(&bundle.info));
    assert_eq!(verbatim(&again.collateral), verbatim(&bundle.collateral));
    assert_eq!(again.collateral_source, bundle.collateral_source);
    assert_eq!(again.app_compose, bundle.app_compose);
    assert_eq!(again.to_json().ok(), Some(text));
    assert_eq!(again.evidence().is_ok(), bundle.evidence().is_ok());
    if let Some(collateral) = &bundle.collateral {
        let _ = cvm_verify_core::evidence::collateral::parse(collateral.get().as_bytes());
    }
});
