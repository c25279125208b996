//! A value of `--key-provider`.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::policy::KeyProviderPin;

cvm_verify_fuzz::fuzz_target!(|text: &str| {
    let Ok(pin) = text.parse::<KeyProviderPin>() else {
        return;
    };
    assert_eq!(
        pin.to_string().parse(),
        Ok(pin.clone()),
        "what is shown can be given"
    );
    assert!(["kms", "local", "local-sgx", "tpm", "none"].contains(&pin.name.as_str()));
    match &pin.id {
        None => assert_ne!(pin.name, "kms", "a KMS is known by its id alone"),
        Some(id) => {
            assert!(!id.is_empty());
            assert!(
                id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
                "{id}"
            );
        }
    }
});
