//! The KMS that an app's keys come from: what is proven of it (docs/governance.md).
//!
//! Two things make an `AttestedKms`: the handshake proves that the server holds the key of its certificate, and a TD quoted that
//! key. What a KMS answers over such a connection is worth what its code is. Which root key signed the certificate says which KMS
//! it is. `live_kms` proves; the claims of the KMS's own VM are those of any VM, the `F` of the types here.
//!
//! The quote in the certificate has no time in it: it is as old as the start of the KMS. What is fresh is the handshake.

use sha3::{Digest as _, Keccak256};

use super::ra_tls::{self, RaTlsRefusal};
use crate::evidence::{BootstrapSource, KmsMeta, KmsRules, TlsChain};

/// What the report data of a bootstrap is a hash of begins with. The misspelling is dstack's.
const PREFIX: &[u8] = b"dstack-kms-genereted-keys-v1:";

/// What became of a KMS that was asked.
#[derive(Debug)]
pub struct KmsAnswer<F> {
    pub(super) host: String,
    pub(super) chain: Option<TlsChain>,
    pub(super) own: Option<Box<F>>,
    pub(super) attested: Result<AttestedKms<F>, KmsProblem>,
    pub(super) bootstraps: Vec<Bootstrap<F>>,
}

/// Evidence of how the root keys of a KMS were made, from elsewhere than its own answer.
#[doc(hidden)]
#[derive(Debug)]
pub struct Bootstrap<F> {
    pub(super) source: BootstrapSource,
    pub(super) evidence: String,
    pub(super) root_key: Option<String>,
    pub(super) state: BootstrapState<F>,
}

/// A KMS whose TLS key is held by the TD of its own proven quote, and what it answered over that connection. It can be made
/// below [`super`] alone. [`KmsAnswer::has_root`] says which KMS it is. It says nothing about a policy: whether its code is an expected one is for the check.
#[doc(hidden)]
#[derive(Debug)]
pub struct AttestedKms<F> {
    pub(super) is_for_host: bool,
    pub(super) meta: Result<Meta<F>, String>,
}

/// What an attested KMS answers about itself.
#[doc(hidden)]
#[derive(Debug)]
pub struct Meta<F> {
    pub(super) root_key: Option<String>,
    pub(super) answer: KmsMeta,
    pub(super) bootstrap: BootstrapState<F>,
}

/// Why a KMS is not attested.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KmsProblem {
    /// There was no connection. A clause.
    Unreachable(String),
    /// More than one key answered.
    KeyChanged {
        /// How many, at least 2.
        keys: usize,
    },
    /// Its certificate carries no evidence of a dstack VM.
    NoEvidence,
    /// Its certificate is refused.
    Refused(RaTlsRefusal),
    /// The evidence in its certificate is not proven: see [`KmsAnswer::own`].
    QuoteNotProven,
}

/// What is proven of how the root keys of a KMS were made.
#[doc(hidden)]
#[derive(Debug)]
pub enum BootstrapState<F> {
    /// It shows no evidence of it: a replica that got the keys from another KMS has none.
    Absent,
    /// A TD quoted both root keys. What that TD is.
    Proven(Box<F>),
    /// It cannot be determined. A clause.
    Undetermined(String),
    /// It is refused.
    Refused(BootstrapRefusal),
}

/// Why the evidence of a bootstrap is refused.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BootstrapRefusal {
    /// It is about another root CA.
    #[error("it is about another root key than the one that the KMS has")]
    OtherRoot,
    /// It is about another k256 key.
    #[error("it is about another k256 key than the one that the KMS says it has")]
    OtherK256,
    /// Its quote binds other keys.
    #[error("the report data of its quote is not the hash of the two keys")]
    NotBound,
    /// Its quote, its event log or its boot is refused.
    #[error("{0}")]
    Evidence(String),
}

impl<F> KmsAnswer<F> {
    /// Its name, as the user wrote it if it was asked in this run.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether its certificate is signed by the root key of a KMS: SubjectPublicKeyInfo in hex, as a key-provider id is. A server
    /// without such a certificate is not shown to be that KMS.
    #[must_use]
    pub(crate) fn has_root(&self, key_provider_id: &str) -> bool {
        let mut chain = self.chain.iter();
        chain.any(|chain| ra_tls::is_signed_by_key(chain, key_provider_id))
    }

    /// Whether its certificate is for the use of a KMS that answers. What the root key signed for another use does not come from the KMS
    /// if a server shows it.
    #[must_use]
    pub(crate) fn is_certified_as_kms(&self) -> bool {
        self.chain.as_ref().is_some_and(ra_tls::is_of_kms)
    }

    /// What the evidence in its certificate proves by itself; absent if there is none that is read.
    #[must_use]
    pub fn own(&self) -> Option<&F> {
        self.own.as_deref()
    }

    /// Evidence of how its root keys were made that did not come from itself.
    #[doc(hidden)]
    #[must_use]
    pub fn bootstraps(&self) -> &[Bootstrap<F>] {
        &self.bootstraps
    }

    /// The KMS, with what its evidence proves.
    ///
    /// # Errors
    /// Why it is not attested.
    #[doc(hidden)]
    pub fn attested(&self) -> Result<(&AttestedKms<F>, &F), &KmsProblem> {
        match (&self.attested, &self.own) {
            (Ok(kms), Some(own)) => Ok((kms, own)),
            (Err(problem), _) => Err(problem),
            (Ok(_), None) => Err(&KmsProblem::QuoteNotProven),
        }
    }
}

impl<F> Bootstrap<F> {
    /// Where it comes from.
    #[must_use]
    pub const fn source(&self) -> BootstrapSource {
        self.source
    }

    /// Its text.
    #[must_use]
    pub fn evidence(&self) -> &str {
        &self.evidence
    }

    /// Whether it is about a root key: SubjectPublicKeyInfo in hex, as a key-provider id is.
    #[must_use]
    pub(crate) fn is_about(&self, root_key: &str) -> bool {
        self.root_key.as_deref() == Some(root_key)
    }

    /// What is proven of it.
    #[must_use]
    pub const fn state(&self) -> &BootstrapState<F> {
        &self.state
    }
}

impl<F> AttestedKms<F> {
    /// Whether its certificate is for the host that it was asked at.
    #[must_use]
    pub(crate) const fn is_for_host(&self) -> bool {
        self.is_for_host
    }

    /// What it answered about itself over the connection of its certificate.
    ///
    /// # Errors
    /// Why there is no answer that can be read. A clause.
    pub const fn meta(&self) -> Result<&Meta<F>, &String> {
        self.meta.as_ref()
    }
}

impl<F> Meta<F> {
    /// The key of its root CA, SubjectPublicKeyInfo in hex; absent if its certificate cannot be read.
    #[must_use]
    pub(crate) fn root_key(&self) -> Option<&str> {
        self.root_key.as_deref()
    }

    /// Whether it gives keys to any code: by rules for development.
    #[must_use]
    pub const fn is_development(&self) -> bool {
        self.answer.allows_any_upgrade || self.answer.is_development
    }

    /// Which member would say that it does not, and is missing.
    #[must_use]
    pub const fn unsaid(&self) -> Option<&'static str> {
        self.answer.unsaid
    }

    /// Whether it compares the OS image of a guest with the published one; absent if it does not say, as before 0.6.3.
    #[must_use]
    pub const fn verifies_os_images(&self) -> Option<bool> {
        self.answer.verifies_os_images
    }

    /// Whose rules it follows; absent if it does not say.
    #[must_use]
    pub const fn rules(&self) -> Option<KmsRules> {
        self.answer.rules
    }

    /// What is proven of how its root keys were made.
    #[must_use]
    pub const fn bootstrap(&self) -> &BootstrapState<F> {
        &self.bootstrap
    }
}

/// The report data of a bootstrap that made these two keys: Keccak-256 of a prefix and both keys in hex, then 32 zero bytes.
/// `ca` is the SubjectPublicKeyInfo of the root CA (DER), `k256` the other key as a compressed point.
pub(super) fn bootstrap_report_data(ca: &[u8], k256: &[u8]) -> [u8; 64] {
    let mut hasher = Keccak256::new();
    hasher.update(PREFIX);
    for key in [ca, k256] {
        hasher.update(hex::encode(key));
        hasher.update(b";");
    }
    let mut report_data = [0; 64];
    report_data
        .iter_mut()
        .zip(hasher.finalize())
        .for_each(|(to, from)| *to = from);
    report_data
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The report data that both recorded bootstraps quote binds the keys beside them, and no other key of the documents does.
    #[test]
    fn the_recorded_bootstraps_bind_their_keys() {
        use simulator::recorded::{json, text};
        for (keys, expected, quote) in [
            (
                "kms-phala-bootstrap/keys.json",
                "kms-phala-bootstrap/expected.json",
                "kms-phala-bootstrap/quote.hex",
            ),
            (
                "base-chain-2025/kms-keys.json",
                "base-chain-2025/kms-expected.json",
                "base-chain-2025/kms-quote.hex",
            ),
        ] {
            let (Some(keys), Some(expected)) = (json(keys), json(expected)) else {
                return;
            };
            let key = |name: &str| hex::decode(keys[name].as_str().unwrap()).unwrap();
            let (ca, k256) = (key("ca_pubkey"), key("k256_pubkey"));
            let quote = text(quote).unwrap();
            let quote = hex::decode(quote.trim().trim_start_matches("0x")).unwrap();
            // The report data: bytes 520 to 584 of the TD report, behind a header of 48 bytes.
            assert_eq!(bootstrap_report_data(&ca, &k256).as_slice(), &quote[568..632]);
            let digest = expected["report_data_digest"].as_str().unwrap();
            assert_eq!(hex::encode(&bootstrap_report_data(&ca, &k256)[..32]), digest);
            let mut other = k256.clone();
            other[32] ^= 1;
            assert_ne!(bootstrap_report_data(&ca, &other).as_slice(), &quote[568..632]);
        }
    }

    /// A KMS makes the certificate of its root anew at each start: the key stays, and names the KMS.
    #[test]
    fn the_certificate_of_a_known_kms_has_the_key_that_names_it() {
        let Some(pem) = simulator::recorded::text("kms-ca-phala/kms-ca.pem") else {
            return;
        };
        let key = ra_tls::spki_of_pem(&pem).map(hex::encode).unwrap();
        let row = crate::reference::ReferenceValues::built_in().kms_by_id(&key);
        assert_eq!(row.map(|row| row.name.as_str()), Some("phala"));
    }
}
