//! What a KMS showed and answered: an entry of the bundle's `kms`. Untrusted: [`crate::verify`] proves it.

use dcap_qvl::QuoteCollateralV3;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{MAX_TLS_CERTIFICATE_BYTES, TlsChain, collateral};

/// Most KMSs of one deployment that are asked, and recorded.
pub const MAX_KMS: usize = 4;

/// What a KMS showed and answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordedKms {
    /// Its name as the user wrote it: `host` or `host:port`.
    pub host: String,
    /// The certificates of the connection that it was asked over, DER in hex, its own first. Empty if there was none.
    #[serde(default)]
    pub chain: Vec<String>,
    /// How many other keys answered.
    #[serde(default)]
    pub other_keys: usize,
    /// The body that answered GetMeta over that connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<String>,
    /// Why there is no connection or no answer. A clause for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The collateral for the quote in its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collateral: Option<RecordedCollateral>,
    /// The collateral for the quote of its bootstrap, which another machine may have made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap_collateral: Option<RecordedCollateral>,
    /// Evidence of its bootstrap from elsewhere, at most [`MAX_BOOTSTRAPS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bootstraps: Vec<RecordedBootstrap>,
}

/// Most pieces of evidence of a bootstrap that do not come from the KMS itself: one of each source.
pub const MAX_BOOTSTRAPS: usize = 2;

/// Evidence of how the root keys of a KMS were made, from elsewhere than its own answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordedBootstrap {
    /// Where it comes from.
    pub source: BootstrapSource,
    /// The evidence, JSON text as [`KmsBootstrap::of_text`](super::KmsBootstrap::of_text) reads it.
    pub evidence: String,
    /// The collateral for its quote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collateral: Option<RecordedCollateral>,
}

/// Where evidence of a bootstrap comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootstrapSource {
    /// A file that the user keeps.
    File,
    /// `kmsInfo()` of the contract of the KMS.
    Contract,
}

impl BootstrapSource {
    /// What it is called in sentences.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::File => "in your file",
            Self::Contract => "in the KMS's contract",
        }
    }
}

/// Collateral, recorded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordedCollateral {
    /// The form of the bundle's `collateral`.
    pub document: Box<RawValue>,
    /// When it was fetched, RFC 3339.
    #[serde(default)]
    pub fetched_at: Option<String>,
}

impl RecordedCollateral {
    /// The collateral; `None` if it cannot be read.
    #[must_use]
    pub fn read(&self) -> Option<QuoteCollateralV3> {
        collateral::parse(self.document.get().as_bytes()).ok()
    }

    /// When it was fetched, Unix seconds.
    #[must_use]
    pub fn fetched_at(&self) -> Option<u64> {
        crate::report::unix_seconds(self.fetched_at.as_deref()?)
    }
}

impl RecordedKms {
    /// Nothing of a host yet.
    #[must_use]
    pub fn of_host(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            chain: Vec::new(),
            other_keys: 0,
            meta: None,
            problem: None,
            collateral: None,
            bootstrap_collateral: None,
            bootstraps: Vec::new(),
        }
    }

    /// The certificates; `None` if there are none that are read.
    #[must_use]
    pub fn tls_chain(&self) -> Option<TlsChain> {
        let decode = |text: &String| {
            let is_short = text.len() <= 2 * MAX_TLS_CERTIFICATE_BYTES;
            is_short.then(|| hex::decode(text).ok()).flatten()
        };
        let chain: Option<Vec<Vec<u8>>> = self.chain.iter().map(decode).collect();
        TlsChain::new(chain?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_written_and_read_and_what_is_no_chain_is_none() {
        let mut record = RecordedKms::of_host("kms.example");
        record.chain = vec!["0102".to_owned()];
        record.meta = Some("{}".to_owned());
        let text = serde_json::to_string(&record).unwrap();
        let read: RecordedKms = serde_json::from_str(&text).unwrap();
        assert_eq!(read.tls_chain().unwrap().leaf(), [1, 2]);
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        for chain in [vec![], vec!["zz".to_owned()], vec!["00".to_owned(); 9]] {
            let record = RecordedKms {
                chain,
                ..RecordedKms::of_host("kms.example")
            };
            assert!(record.tls_chain().is_none());
        }
    }
}
