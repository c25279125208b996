//! The manifest of a dstack ingress: `sha256sum.txt`.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::{IngressManifest, MAX_INGRESS_MANIFEST_BYTES};

cvm_verify_fuzz::fuzz_target!(|bytes: &[u8]| {
    let Ok(manifest) = IngressManifest::parse(bytes) else {
        return;
    };
    assert!(bytes.len() <= MAX_INGRESS_MANIFEST_BYTES);
    // Every name is that of a file in one folder, and one request asks for it.
    for name in manifest.names() {
        assert!(
            !name.contains("..")
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !b"/\\?#%".contains(&byte))
        );
    }
    // Nothing of it is lost, and nothing is read into it.
    let mut lines: Vec<&str> = std::str::from_utf8(bytes)
        .expect("what is read is text")
        .lines()
        .collect();
    let mut written: Vec<String> = manifest
        .files()
        .map(|(name, hash)| format!("{}  {name}", hex::encode(hash)))
        .collect();
    lines.sort_unstable();
    written.sort_unstable();
    assert_eq!(lines, written);
});
