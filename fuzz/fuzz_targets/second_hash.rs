//! A value of `--also-compose-hash`.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::policy::{MAX_EXCEPTION_DAYS, SecondHash};

const DAY: u64 = 24 * 60 * 60;

cvm_verify_fuzz::fuzz_target!(|text: &str| {
    let second = match text.parse::<SecondHash>() {
        Ok(second) => second,
        Err(error) => {
            assert!(error.to_string().len() < 2_000, "what was given is cut");
            return;
        }
    };
    let written = format!("{}:until={}", hex::encode(second.value), second.until);
    assert_eq!(written.parse(), Ok(second.clone()), "what was read can be given");
    assert_eq!(second.ends % DAY, 0, "it ends with a day");
    assert!(!second.holds(second.ends), "an end is an end");
    for before in [1, DAY] {
        if let Some(at) = second.ends.checked_sub(before) {
            assert!(second.holds(at), "the last day counts");
            assert_eq!(second.check_end(at), Ok(()), "what ends within a day is near");
        }
    }
    // Whoever may begin to use it today waits at most that long for the end.
    let longest = (MAX_EXCEPTION_DAYS + 1) * DAY;
    if let Some(at) = second.ends.checked_sub(longest) {
        assert_eq!(second.check_end(at), Ok(()));
        if let Some(earlier) = at.checked_sub(1) {
            assert!(second.check_end(earlier).is_err(), "a roll-out ends");
        }
    }
});
