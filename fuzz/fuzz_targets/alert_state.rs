//! The memory of what was told, from a file or an issue.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::alert::incident::State;

cvm_verify_fuzz::fuzz_target!(|json: &[u8]| {
    if let Ok(state) = State::parse(json) {
        let text = state.to_json();
        let again = State::parse(text.as_bytes()).expect("what was written can be read");
        assert_eq!(again.to_json(), text, "writing is stable");
    }
});
