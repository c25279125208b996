//! A user's file of reference values.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::reference::ReferenceValues;

cvm_verify_fuzz::fuzz_target!(|bytes: &[u8]| {
    let built_in = ReferenceValues::built_in();
    let Ok(values) = built_in.with_file("reference.toml", bytes) else {
        return;
    };
    assert!(values.file_sha256().is_some());
    // Every built-in row is still there, and says at least as much.
    for row in built_in.images() {
        let hash = row.os_image_hash.map(|hash| hash.0);
        let found = hash.and_then(|hash| values.image_by_hash(&hash));
        assert!(
            hash.is_none() || found.is_some_and(|found| found.class == row.class && found.name == row.name)
        );
        assert!(
            values.host_alone(row.version.as_ref()).len() >= built_in.host_alone(row.version.as_ref()).len()
        );
    }
    for row in built_in.kms() {
        assert_eq!(values.kms_named(&row.name), Some(row));
    }
    for row in built_in.scripts() {
        assert_eq!(values.script(&row.sha256.to_string()), Some(row));
    }
});
