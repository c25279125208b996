//! The file of `--insecure-trust-root`, PEM or DER.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::report::TrustRootKind;
use cvm_verify_core::verify::TrustRoot;

cvm_verify_fuzz::fuzz_target!(|file: &[u8]| {
    let Ok(root) = TrustRoot::custom(file) else { return };
    assert_eq!(root.kind(), TrustRootKind::Custom, "no file makes Intel's root");
    let TrustRoot::Custom(der) = &root else { return };
    assert_eq!(
        TrustRoot::custom(der).ok().as_ref(),
        Some(&root),
        "DER of it is the same root"
    );
    let blanks = [b"\n ", file, b"\n"].concat();
    if file.trim_ascii_start().starts_with(b"-----BEGIN") {
        assert_eq!(
            TrustRoot::custom(&blanks).ok(),
            Some(root),
            "blanks around PEM change nothing"
        );
    }
});
