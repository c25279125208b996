//! Who built an image, as far as it is proven.

use serde::{Deserialize, Serialize};

/// Who built an image: what the certificate of an accepted statement says. A null is a claim that the certificate does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct SourceRecord {
    /// The image, `NAME@sha256:HEX`.
    pub image: String,
    /// The source repository's address.
    pub repository: Option<String>,
    /// The repository's number.
    pub repository_id: Option<String>,
    /// The commit that was built, 40 hex digits.
    pub commit: Option<String>,
    /// The ref that was built.
    #[serde(rename = "ref")]
    pub git_ref: Option<String>,
    /// The workflow that signed, with its ref: an address.
    pub workflow: Option<String>,
    /// `github-hosted` or `self-hosted`.
    pub runner: Option<String>,
    /// The run's address.
    pub run: Option<String>,
    /// The earliest signed time, RFC 3339 UTC.
    pub signed_at: String,
    /// The transparency log; null for GitHub's own instance, which has none.
    pub log: Option<String>,
    /// The entry's index in it.
    pub log_index: Option<u64>,
    /// SHA-256 of the bundle, hex.
    pub bundle_sha256: String,
}
