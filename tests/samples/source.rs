//! A source that `tests/samples/run` adds to a copy of the repository: one document at an address. Signs no nonce.

use std::time::Duration;

use cvm_verify_core::evidence::AskedParty;
use url::Url;

use super::app::{MAX_BYTES, RawAttestation};
use super::document::json;
use super::error::SourceError;
use super::host_label::HostLabel;
use super::row::{GivenOptions, ReachedBy, SourceRow, name_of};
use crate::address::parse_url;
use crate::net::{Client, Limits};
use crate::usage_error::UsageError;

pub(crate) const ROW: SourceRow = SourceRow {
    name: "sample",
    says: "A sample, by URL",
    options: &[],
    reached_by: ReachedBy::AppId,
    needs: "give the address of a sample",
    party: AskedParty::App,
    is_of_one: true,
    id_in: HostLabel::id_in,
};

/// Where the document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleAddress(Url);

impl SampleAddress {
    /// The address.
    pub fn url(&self) -> &str {
        self.0.as_str()
    }
}

/// Reads the address; its name too.
pub(super) fn parse(text: &str, _given: &GivenOptions<'_>) -> Result<(String, SampleAddress), UsageError> {
    let url = parse_url("URL", text)?;
    Ok((name_of(&url), SampleAddress(url)))
}

/// Asks for the document, one time. The nonce is not sent.
///
/// # Errors
/// There is no document.
pub async fn attestation(
    client: &Client,
    source: &SampleAddress,
    _nonce: &[u8; 32],
    time_left: Duration,
) -> Result<RawAttestation, SourceError> {
    let body = info(client, source, time_left).await?;
    Ok(RawAttestation { nonce: None, body })
}

/// Asks for the app's information, one time: the same document.
///
/// # Errors
/// There is none.
pub async fn info(client: &Client, source: &SampleAddress, time_left: Duration) -> Result<Vec<u8>, SourceError> {
    let limits = Limits::body(MAX_BYTES).within(time_left);
    json(client, source.0.clone(), &limits).await
}
