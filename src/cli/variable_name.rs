//! The variable of an option.

/// Another trust root must be visible on the command line.
pub(super) const COMMAND_LINE_ONLY: [&str; 4] = ["insecure-trust-root", "help", "version", "now"];

/// `compose-hash` → `CVM_VERIFY_COMPOSE_HASH`.
pub(super) fn variable_of(option: &str) -> String {
    format!("CVM_VERIFY_{}", option.replace('-', "_").to_ascii_uppercase())
}
