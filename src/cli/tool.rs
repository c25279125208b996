//! This program: its version, and the commit that it was built from.

use cvm_verify_core::report::Tool;

/// When the commit that this program was built from was made, Unix seconds. An honest clock is past it.
pub(super) const COMMIT_TIME: u64 = parse_decimal(env!("CVM_VERIFY_COMMIT_TIME"));

const fn parse_decimal(text: &str) -> u64 {
    let mut rest = text.as_bytes();
    let mut number = 0;
    while let [digit, tail @ ..] = rest {
        number = number * 10 + (*digit - b'0') as u64;
        rest = tail;
    }
    number
}

/// This program.
pub(super) fn tool() -> Tool {
    Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git: env!("CVM_VERIFY_GIT").to_owned(),
    }
}
