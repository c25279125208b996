//! The clock of this machine, and a time that it must be past.

use std::time::{SystemTime, UNIX_EPOCH};

/// When the commit that this program was built from was made, Unix seconds; 0 where the build did not know. An honest clock is
/// past it.
pub const COMMIT_TIME: u64 = parse_decimal(env!("CVM_VERIFY_COMMIT_TIME"));

/// The clock of this machine, Unix seconds; 0 for a time before 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

const fn parse_decimal(text: &str) -> u64 {
    let mut rest = text.as_bytes();
    let mut number = 0;
    while let [digit, tail @ ..] = rest {
        number = number * 10 + (*digit - b'0') as u64;
        rest = tail;
    }
    number
}
