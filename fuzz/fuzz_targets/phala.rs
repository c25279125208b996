//! What Phala Cloud's two APIs answer: the instances of an app, and a second opinion on a quote.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::{PhalaAnswer, PhalaCloudAnswer};

cvm_verify_fuzz::fuzz_target!(|body: &[u8]| {
    if let Ok(answer) = PhalaCloudAnswer::parse(body, &[0xa0; 20]) {
        assert!(answer.instances.len() <= 256);
        // A body that names an app is of no other; one that names none is judged by the quotes in it.
        if let Ok(other) = PhalaCloudAnswer::parse(body, &[0xa1; 20]) {
            assert_eq!(other.instances.len(), answer.instances.len());
        }
    }
    if let Ok(text) = std::str::from_utf8(body) {
        let _ = PhalaAnswer::parse(text);
    }
});
