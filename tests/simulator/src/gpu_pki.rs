//! Certificates of simulated GPUs, in the shape of NVIDIA's device PKI: ECDSA P-384, SHA-384, valid until 9999.

use crate::{asn1, keys384::Key384, x509::extension};

/// What a certificate is issued with.
#[derive(Clone)]
pub struct DeviceCertificate {
    /// Whose key signs it.
    pub issuer_key: Key384,
    /// The issuer's common name.
    pub issuer: String,
    /// Its own key.
    pub key: Key384,
    /// Its common name.
    pub subject: String,
    /// Serial number, big endian.
    pub serial: Vec<u8>,
    /// `CA:TRUE`, or no basic constraints at all.
    pub is_ca: bool,
    /// Whether its key may sign certificates.
    pub may_sign: bool,
    /// A firmware id, in the extension of this object identifier.
    pub firmware: Option<(&'static str, Vec<u8>)>,
    /// Object identifier of the signature algorithm.
    pub algorithm: &'static str,
    /// The organisation in its subject, and that of its issuer.
    pub organization: &'static str,
    /// Its first and its last second, Unix; `None`: from 2021 until 9999.
    pub validity: Option<(u64, u64)>,
}

/// `ecdsa-with-SHA384`.
pub const ECDSA_SHA384: &str = "1.2.840.10045.4.3.3";

impl DeviceCertificate {
    /// The certificate, DER.
    pub fn der(&self) -> Vec<u8> {
        let mut extensions = Vec::new();
        if self.is_ca {
            extensions.push(extension(
                "2.5.29.19",
                true,
                &asn1::sequence(&[asn1::boolean(true)]),
            ));
        }
        // Certificate sign, or digital signature.
        let usage: [u8; 2] = if self.may_sign { [2, 0x04] } else { [7, 0x80] };
        extensions.push(extension("2.5.29.15", true, &asn1::element(0x03, &usage)));
        if let Some((oid, fwid)) = &self.firmware {
            extensions.push(extension(oid, false, &tcb_info(fwid)));
        }
        let algorithm = asn1::sequence(&[asn1::oid(self.algorithm)]);
        let validity = match self.validity {
            None => [
                asn1::element(0x17, b"211105000000Z"),
                asn1::element(0x18, b"99991231235959Z"),
            ],
            Some((begins, ends)) => [asn1::time(begins), asn1::time(ends)],
        };
        let validity = asn1::sequence(&validity);
        let to_be_signed = asn1::sequence(&[
            asn1::explicit(0, &asn1::integer(2)),
            asn1::unsigned(&self.serial),
            algorithm.clone(),
            name(&self.issuer, self.organization),
            validity,
            name(&self.subject, self.organization),
            self.key.spki_der(),
            asn1::explicit(3, &asn1::sequence(&extensions)),
        ]);
        let signature = asn1::bit_string(&self.issuer_key.sign_der(&to_be_signed));
        asn1::sequence(&[to_be_signed, algorithm, signature])
    }
}

/// DICE TcbInfo with one firmware id: `SEQUENCE { fwids [6] { SEQUENCE { hashAlg, digest } } }`.
fn tcb_info(fwid: &[u8]) -> Vec<u8> {
    let fwid = asn1::sequence(&[asn1::oid("2.16.840.1.101.3.4.2.2"), asn1::octet_string(fwid)]);
    asn1::sequence(&[asn1::explicit(6, &fwid)])
}

fn name(common_name: &str, organization: &str) -> Vec<u8> {
    let attribute = |oid, value| asn1::set(&[asn1::sequence(&[asn1::oid(oid), value])]);
    asn1::sequence(&[
        attribute("2.5.4.6", asn1::printable_string("US")),
        attribute("2.5.4.10", asn1::utf8_string(organization)),
        attribute("2.5.4.3", asn1::utf8_string(common_name)),
    ])
}
