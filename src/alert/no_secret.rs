//! The record of a channel that was asked for and whose secret is not there, as in a run for a fork: no error.

pub use crate::render::NO_SECRET;
use cvm_verify_core::report::AlertRecord;

/// The variable of the token that keeps issues.
pub(crate) const GITHUB_TOKEN: &str = "CVM_VERIFY_GITHUB_TOKEN";

/// What is recorded: it names the variables of the secrets, if they are known.
pub(super) fn no_secret<'a>(variables: impl IntoIterator<Item = &'a str>) -> String {
    let variables: Vec<&str> = variables.into_iter().collect();
    match variables.as_slice() {
        [] => NO_SECRET.to_owned(),
        variables => format!("{NO_SECRET}: {} is not set, or empty", variables.join(" and ")),
    }
}

/// Whether that is what became of an alert.
#[must_use]
pub fn lacks_secret(record: &AlertRecord) -> bool {
    !record.delivered && record.detail.starts_with(NO_SECRET)
}
