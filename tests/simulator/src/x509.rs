//! Certificates (RFC 5280, v3) and revocation lists (v2) in the exact shape of Intel's SGX PKI.

use sha2::{Digest as _, Sha256};

use crate::{asn1, keys::Key};

/// Key usage bits of a CA: certificate sign, CRL sign.
pub(crate) const USAGE_CA: [u8; 2] = [0x01, 0x06];
/// Key usage bits of a signer: digital signature, non-repudiation.
pub(crate) const USAGE_SIGNER: [u8; 2] = [0x06, 0xc0];

/// A key and the name it goes by.
#[derive(Clone)]
pub(crate) struct Party {
    pub name: &'static str,
    pub organization: &'static str,
    pub key: Key,
}

/// The organisation of every party that has no other one.
pub(crate) const ORGANIZATION: &str = "cvm-verify simulator";

impl Party {
    pub(crate) fn new(seed: u64, name: &'static str) -> Self {
        Self::with_key(name, Key::derive(seed, name))
    }

    pub(crate) fn with_key(name: &'static str, key: Key) -> Self {
        Self {
            name,
            organization: ORGANIZATION,
            key,
        }
    }

    /// Its name in certificates, DER.
    pub(crate) fn distinguished_name(&self) -> Vec<u8> {
        let attribute = |oid, value| asn1::set(&[asn1::sequence(&[asn1::oid(oid), value])]);
        asn1::sequence(&[
            attribute("2.5.4.3", asn1::utf8_string(self.name)),
            attribute("2.5.4.10", asn1::utf8_string(self.organization)),
            attribute("2.5.4.6", asn1::printable_string("US")),
        ])
    }

    /// 20 bytes: the subject key identifier and, as in Intel's PKI, the serial number.
    pub(crate) fn key_id(&self) -> [u8; 20] {
        let mut id: [u8; 20] = Sha256::digest(self.key.spki_der())[..20]
            .try_into()
            .expect("20 of 32 bytes");
        id[0] = id[0] & 0x7f | 0x40;
        id
    }
}

/// What stands in a certificate beside its names and keys.
pub(crate) struct Contents<'a> {
    /// Unix seconds.
    pub not_before: u64,
    /// Unix seconds.
    pub not_after: u64,
    /// `Some(path length)` for a CA.
    pub ca: Option<u8>,
    /// Key usage bits: unused-bit count, then the bits.
    pub usage: [u8; 2],
    pub crl_url: Option<&'a str>,
    /// Whole extensions in DER that follow the usual ones.
    pub more: Vec<Vec<u8>>,
}

/// Issues a certificate, DER.
pub(crate) fn certificate(issuer: &Party, subject: &Party, contents: &Contents<'_>) -> Vec<u8> {
    let mut extensions = vec![authority_key_id(issuer)];
    extensions.extend(contents.crl_url.map(crl_distribution_point));
    extensions.push(extension(
        "2.5.29.14",
        false,
        &asn1::octet_string(&subject.key_id()),
    ));
    extensions.push(extension(
        "2.5.29.15",
        true,
        &asn1::element(0x03, &contents.usage),
    ));
    let constraints = match contents.ca {
        Some(path_length) => asn1::sequence(&[asn1::boolean(true), asn1::integer(path_length.into())]),
        None => asn1::sequence(&[]),
    };
    extensions.push(extension("2.5.29.19", true, &constraints));
    extensions.extend(contents.more.iter().cloned());

    let to_be_signed = asn1::sequence(&[
        asn1::explicit(0, &asn1::integer(2)),
        asn1::unsigned(&subject.key_id()),
        ecdsa_with_sha256(),
        issuer.distinguished_name(),
        asn1::sequence(&[asn1::time(contents.not_before), asn1::time(contents.not_after)]),
        subject.distinguished_name(),
        subject.key.spki_der(),
        asn1::explicit(3, &asn1::sequence(&extensions)),
    ]);
    signed(&issuer.key, to_be_signed)
}

/// Issues a certificate revocation list, DER, with CRL number and authority key identifier.
pub(crate) fn crl(
    issuer: &Party,
    this_update: u64,
    next_update: u64,
    number: u64,
    revoked: &[(Vec<u8>, u64)],
) -> Vec<u8> {
    let mut fields = vec![
        asn1::integer(1),
        ecdsa_with_sha256(),
        issuer.distinguished_name(),
        asn1::time(this_update),
        asn1::time(next_update),
    ];
    if !revoked.is_empty() {
        let key_compromise = extension("2.5.29.21", false, &asn1::element(asn1::ENUMERATED, &[1]));
        let entries: Vec<_> = revoked
            .iter()
            .map(|(serial, date)| {
                let reason = asn1::sequence(std::slice::from_ref(&key_compromise));
                asn1::sequence(&[asn1::unsigned(serial), asn1::time(*date), reason])
            })
            .collect();
        fields.push(asn1::sequence(&entries));
    }
    let extensions = [
        extension("2.5.29.20", false, &asn1::integer(number)),
        authority_key_id(issuer),
    ];
    fields.push(asn1::explicit(0, &asn1::sequence(&extensions)));
    signed(&issuer.key, asn1::sequence(&fields))
}

/// One X.509 extension, `value` being the DER inside its OCTET STRING.
pub(crate) fn extension(oid: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut fields = vec![asn1::oid(oid)];
    if critical {
        fields.push(asn1::boolean(true));
    }
    fields.push(asn1::octet_string(value));
    asn1::sequence(&fields)
}

fn signed(key: &Key, to_be_signed: Vec<u8>) -> Vec<u8> {
    let signature = asn1::bit_string(&key.sign_der(&to_be_signed));
    asn1::sequence(&[to_be_signed, ecdsa_with_sha256(), signature])
}

fn authority_key_id(issuer: &Party) -> Vec<u8> {
    extension(
        "2.5.29.35",
        false,
        &asn1::sequence(&[asn1::implicit(0, &issuer.key_id())]),
    )
}

fn crl_distribution_point(url: &str) -> Vec<u8> {
    let name = asn1::explicit(0, &asn1::explicit(0, &asn1::implicit(6, url.as_bytes())));
    extension("2.5.29.31", false, &asn1::sequence(&[asn1::sequence(&[name])]))
}

pub(crate) fn ecdsa_with_sha256() -> Vec<u8> {
    asn1::sequence(&[asn1::oid("1.2.840.10045.4.3.2")])
}
