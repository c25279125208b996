//! The environment variable of an option, a key of the policy file or an alert channel's secret.

/// What the names of all of them begin with.
pub(crate) const PREFIX: &str = "CVM_VERIFY_";

/// `compose-hash` → `CVM_VERIFY_COMPOSE_HASH`.
pub(crate) fn variable_of(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('-', "_").to_ascii_uppercase())
}
