//! Whose word the values of a lock are.

/// What a lock holds on the word of Phala Cloud's API, until a person reviewed it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// Where the KMS answers.
    pub kms_host: bool,
    /// Chain and contract of the KMS.
    pub kms_contract: bool,
}

/// Behind a value of the deployment as it ran.
pub(super) const OBSERVED: &str = "observed";
/// Behind a value that Phala Cloud's API alone says.
pub(super) const SAID: &str = "said by Phala Cloud's API";

/// The comment behind a value of the deployment or of an operator's API.
pub(super) const fn provenance_of(is_said: bool) -> &'static str {
    if is_said { SAID } else { OBSERVED }
}
