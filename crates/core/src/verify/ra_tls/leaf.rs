//! A TLS certificate, read: its key, and what dstack wrote into it.

use std::collections::BTreeMap;

use der::oid::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use x509_cert::Certificate;
use x509_cert::der::DecodePem as _;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};

use super::RaTlsRefusal;
use super::extension::{content, number_of};
use crate::verify::age::CLOCK_SKEW;
use crate::verify::digest::sha256;

/// `id-ecPublicKey` (RFC 5480 §2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// `secp256r1`, which is P-256 (RFC 5480 §2.1.1.1).
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// `id-kp-serverAuth` (RFC 5280 §4.2.1.12).
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

/// A TLS certificate as far as bindings need it. Nothing of it is proven.
#[derive(Debug, Clone)]
pub(super) struct TlsLeaf {
    /// SubjectPublicKeyInfo, DER, the whole SEQUENCE.
    pub spki: Vec<u8>,
    /// Whether the key is one of P-256, the only one that dstack's KMS signs.
    pub is_p256: bool,
    /// Whether it may be a server's.
    pub is_server: bool,
    /// From when and until when it is valid, both inclusive, Unix seconds.
    validity: (u64, u64),
    /// The host names and IPv4 addresses that it is for, in lower case.
    hosts: Vec<String>,
    /// The contents of dstack's extensions by number. Each occurs once.
    extensions: BTreeMap<u32, Vec<u8>>,
}

/// SHA-256 of the SubjectPublicKeyInfo of a certificate, DER; `None` if it cannot be read. It proves nothing.
#[must_use]
pub fn spki_sha256(certificate: &[u8]) -> Option<[u8; 32]> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let spki = certificate.tbs_certificate().subject_public_key_info();
    Some(sha256(&spki.to_der().ok()?))
}

/// Whether a certificate, DER, carries any extension of dstack. What cannot be read carries none.
pub(crate) fn is_of_dstack(certificate: &[u8]) -> bool {
    Certificate::from_der(certificate).is_ok_and(|certificate| {
        let extensions = certificate.tbs_certificate().extensions();
        extensions.is_some_and(|all| all.iter().any(|one| number_of(one.extn_id).is_some()))
    })
}

impl TlsLeaf {
    /// Reads a certificate, DER.
    pub(super) fn of_der(der: &[u8]) -> Result<Self, RaTlsRefusal> {
        let unreadable = |_| RaTlsRefusal::Malformed("it is not an X.509 certificate in DER".to_owned());
        let certificate = Certificate::from_der(der).map_err(unreadable)?;
        let signed = certificate.tbs_certificate();
        let (spki, dates) = (signed.subject_public_key_info(), signed.validity());
        let unix = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs();
        let parameters = spki.algorithm.parameters.as_ref();
        let curve = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
        let mut extensions = BTreeMap::new();
        for extension in signed.extensions().into_iter().flatten() {
            let Some(number) = number_of(extension.extn_id) else {
                continue;
            };
            let content = content(number, extension.extn_value.as_bytes())?;
            if extensions.insert(number, content).is_some() {
                return Err(RaTlsRefusal::DuplicateExtension(number));
            }
        }
        Ok(Self {
            is_p256: spki.algorithm.oid == EC_PUBLIC_KEY && curve == Some(P256),
            is_server: usages(&certificate).is_some_and(|usages| usages.contains(&SERVER_AUTH)),
            spki: spki.to_der().map_err(unreadable)?,
            hosts: hosts(&certificate),
            validity: (unix(&dates.not_before), unix(&dates.not_after)),
            extensions,
        })
    }

    /// Whether it is valid at a time, Unix seconds. Two clocks may differ by [`CLOCK_SKEW`].
    pub(super) fn valid_at(&self, at: u64) -> Result<(), RaTlsRefusal> {
        let (from, to) = self.validity;
        if from > at.saturating_add(CLOCK_SKEW) {
            return Err(RaTlsRefusal::NotYetValid { from, at });
        }
        if at > to.saturating_add(CLOCK_SKEW) {
            return Err(RaTlsRefusal::Expired { to });
        }
        Ok(())
    }

    /// Whether it is for a host. A name of the form `*.example` is for each name with one label more.
    pub(super) fn is_for_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.hosts.iter().any(|name| match name.strip_prefix("*.") {
            Some(parent) => host
                .split_once('.')
                .is_some_and(|(first, rest)| !first.is_empty() && rest == parent),
            None => *name == host,
        })
    }

    /// The content of one of dstack's extensions.
    pub(super) fn extension(&self, number: u32) -> Option<&[u8]> {
        self.extensions.get(&number).map(Vec::as_slice)
    }
}

/// SubjectPublicKeyInfo, DER, of a certificate in PEM; `None` if it cannot be read.
pub(in crate::verify) fn spki_of_pem(pem: &str) -> Option<Vec<u8>> {
    let certificate = Certificate::from_pem(pem.trim()).ok()?;
    let spki = certificate.tbs_certificate().subject_public_key_info();
    spki.to_der().ok()
}

/// The host names and IPv4 addresses that a certificate is for.
fn hosts(certificate: &Certificate) -> Vec<String> {
    let names = certificate.tbs_certificate().get_extension::<SubjectAltName>();
    let Ok(Some((_, SubjectAltName(names)))) = names else {
        return Vec::new();
    };
    let hosts = names.iter().filter_map(|name| match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_ascii_lowercase()),
        GeneralName::IpAddress(bytes) => {
            let address: [u8; 4] = bytes.as_bytes().try_into().ok()?;
            Some(std::net::Ipv4Addr::from(address).to_string())
        }
        _ => None,
    });
    hosts.collect()
}

/// The extended key usages, where it names any, once.
fn usages(certificate: &Certificate) -> Option<Vec<ObjectIdentifier>> {
    let usage = certificate
        .tbs_certificate()
        .get_extension::<ExtendedKeyUsage>()
        .ok()??;
    Some(usage.1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_for_its_names_and_one_label_in_the_place_of_a_star() {
        let names = ["kms.example", "*.app.example", "192.0.2.7"].map(str::to_owned);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(names)
            .unwrap()
            .self_signed(&key)
            .unwrap();
        let leaf = TlsLeaf::of_der(certificate.der()).unwrap();
        for (host, is_for) in [
            ("kms.example", true),
            ("KMS.Example", true),
            ("x.kms.example", false),
            ("example", false),
            ("a.app.example", true),
            ("a.b.app.example", false),
            ("app.example", false),
            (".app.example", false),
            ("a.other.example", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
        ] {
            assert_eq!(leaf.is_for_host(host), is_for, "{host}");
        }
    }
}
