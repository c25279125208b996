//! Collateral as a file, what a judge says of it, and the dates in it.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::collateral::{document, parse};
use cvm_verify_core::verify::validity::Windows;
use cvm_verify_core::verify::{TrustRoot, judge_collateral};

cvm_verify_fuzz::fuzz_target!(|file: &[u8]| {
    let Ok(collateral) = parse(file) else { return };
    let written = serde_json::to_vec(&document(&collateral)).expect("plain fields");
    // Escapes may make it longer than is read.
    if written.len() <= cvm_verify_core::evidence::MAX_BYTES {
        assert_eq!(parse(&written), Ok(collateral.clone()));
    }
    // A judge of collateral answers, and accepts nothing that Intel did not sign.
    for at in [0, 1_790_856_000, u64::MAX] {
        assert!(
            judge_collateral(&collateral, [0xb0, 0xc0, 0x6f, 0, 0, 0], &TrustRoot::Intel, at).is_err(),
            "a made-up set serves"
        );
    }
    let Ok(windows) = Windows::read(&collateral, None) else {
        return;
    };
    assert!(!windows.parts().is_empty());
    for at in windows
        .parts()
        .iter()
        .flat_map(|part| [part.not_before, part.not_after])
    {
        let is_inside = windows
            .parts()
            .iter()
            .all(|part| (part.not_before..=part.not_after).contains(&at));
        let is_judged = windows.expired_at(at).is_none() && windows.not_yet_valid_at(at).is_none();
        assert_eq!(is_inside, is_judged, "{at}");
    }
});
