//! Timestamps over signatures (RFC 3161), and the authority that signs them.

use sha2::{Digest as _, Sha256};

use crate::{
    asn1,
    x509::{self, Contents, Party, USAGE_CA, USAGE_SIGNER, extension},
};

const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";

/// A timestamp authority: a root, and the leaf that signs.
pub(crate) struct Authority {
    root: Party,
    leaf: Party,
}

impl Authority {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            root: Party::new(seed, "Simulated timestamp root"),
            leaf: Party::new(seed, "Simulated timestamp authority"),
        }
    }

    /// Its certificates, DER, the leaf first; valid between these times, Unix seconds.
    pub(crate) fn chain(&self, not_before: u64, not_after: u64) -> [Vec<u8>; 2] {
        let stamps = asn1::sequence(&[asn1::oid("1.3.6.1.5.5.7.3.8")]);
        let certificate = |subject, ca, usage, more| {
            let contents = Contents {
                not_before,
                not_after,
                ca,
                usage,
                crl_url: None,
                more,
            };
            x509::certificate(&self.root, subject, &contents)
        };
        let usage = vec![extension("2.5.29.37", true, &stamps)];
        [
            certificate(&self.leaf, None, USAGE_SIGNER, usage),
            certificate(&self.root, Some(0), USAGE_CA, vec![]),
        ]
    }

    /// The answer to a request for a timestamp over a signature: `TimeStampResp`, DER.
    pub(crate) fn stamp(&self, signature: &[u8], at: u64) -> Vec<u8> {
        let info = asn1::sequence(&[
            asn1::integer(1),
            asn1::oid("1.3.6.1.4.1.57264.2"),
            asn1::sequence(&[sha256(), asn1::octet_string(&Sha256::digest(signature))]),
            asn1::integer(1),
            asn1::generalized_time(at),
        ]);
        let attribute = |kind: &str, value| asn1::sequence(&[asn1::oid(kind), asn1::set(&[value])]);
        let attributes = [
            attribute(CONTENT_TYPE, asn1::oid(TST_INFO)),
            attribute(MESSAGE_DIGEST, asn1::octet_string(&Sha256::digest(&info))),
        ];
        let signer = asn1::sequence(&[
            asn1::integer(1),
            asn1::sequence(&[
                self.root.distinguished_name(),
                asn1::unsigned(&self.leaf.key_id()),
            ]),
            sha256(),
            asn1::explicit(0, &attributes.concat()),
            x509::ecdsa_with_sha256(),
            asn1::octet_string(&self.leaf.key.sign_der(&asn1::set(&attributes))),
        ]);
        let signed = asn1::sequence(&[
            asn1::integer(3),
            asn1::set(&[sha256()]),
            asn1::sequence(&[asn1::oid(TST_INFO), asn1::explicit(0, &asn1::octet_string(&info))]),
            asn1::set(&[signer]),
        ]);
        asn1::sequence(&[
            asn1::sequence(&[asn1::integer(0)]),
            asn1::sequence(&[asn1::oid(SIGNED_DATA), asn1::explicit(0, &signed)]),
        ])
    }
}

fn sha256() -> Vec<u8> {
    asn1::sequence(&[asn1::oid("2.16.840.1.101.3.4.2.1")])
}
