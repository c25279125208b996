//! X.509 certificates and revocation lists with the exact bytes that were signed.
//!
//! Dates are not looked at here: a signature that does not hold does not hold at any time, and dates are judged with the
//! rest of the collateral. An acceptance never relies on this module: it comes from dcap-qvl, which builds and dates the
//! chains by itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dcap_qvl::config::{Config, CryptoProvider, EcdsaSigEncoder};
use der::{Decode as _, Reader as _, SliceReader};
use x509_cert::Certificate as X509;
use x509_cert::crl::CertificateList;
use x509_cert::ext::pkix::BasicConstraints;

use super::signature_cache::Remembering;

/// Most certificates that are read of one chain. Intel's chains have three; dcap-qvl reads five.
pub(super) const MAX_CERTIFICATES: usize = 5;

/// `SEQUENCE { ecdsa-with-SHA256 }` (RFC 5758 §3.2), the only algorithm of Intel's PKI, and of dcap-qvl.
const ECDSA_WITH_SHA256: &[u8] = &[
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
];

/// A certificate, parsed, with what its issuer signed.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    der: Vec<u8>,
    signed: Signed,
    parsed: X509,
}

/// The signed part of a certificate or a CRL, and the signature over it: ECDSA, a DER sequence.
#[derive(Debug, Clone)]
struct Signed {
    part: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    /// Takes apart `SEQUENCE { signed part, algorithm, BIT STRING }` (RFC 5280 §4.1 and §5.1).
    fn of(der: &[u8]) -> Option<Self> {
        let mut outer = SliceReader::new(der).ok()?;
        let signed = outer
            .sequence::<_, _, der::Error>(|reader| {
                let part = reader.tlv_bytes()?.to_vec();
                if reader.tlv_bytes()? != ECDSA_WITH_SHA256 {
                    return Err(der::ErrorKind::Failed.into());
                }
                let signature = der::asn1::BitString::decode(reader)?;
                Ok((part, signature))
            })
            .ok()?;
        outer.finish().ok()?;
        Some(Self {
            part: signed.0,
            signature: signed.1.as_bytes()?.to_vec(),
        })
    }

    fn holds_under(&self, key: &[u8]) -> bool {
        holds(key, &self.part, &self.signature)
    }
}

/// Whether an ECDSA P-256 signature (DER) over a message holds. `key` is the point, uncompressed SEC1, 65 bytes.
fn holds(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    <Remembering as CryptoProvider>::sig_algo()
        .verify_signature(key, message, signature)
        .is_ok()
}

/// The same for a signature `r ‖ s`, 64 bytes, as quotes and Intel's documents carry it.
pub(super) fn raw_signature_holds(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Some((r, s)) = signature.split_at_checked(32).filter(|(_, s)| s.len() == 32) else {
        return false;
    };
    <Remembering as Config>::SigEncoder::encode_ecdsa_sig(r, s)
        .is_ok_and(|signature| holds(key, message, &signature))
}

impl Certificate {
    /// Reads one certificate, DER.
    pub(crate) fn of_der(der: &[u8]) -> Option<Self> {
        Some(Self {
            signed: Signed::of(der)?,
            parsed: X509::from_der(der).ok()?,
            der: der.to_vec(),
        })
    }

    /// Reads a chain: PEM blocks, whatever is between them.
    pub(super) fn chain_of_pem(text: &str) -> Option<Vec<Self>> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        const END: &str = "-----END CERTIFICATE-----";
        let blocks: Vec<&str> = text.split(BEGIN).skip(1).collect();
        if blocks.is_empty() || blocks.len() > MAX_CERTIFICATES {
            return None;
        }
        let decode = |block: &str| {
            let (base64, _) = block.split_once(END)?;
            let base64: Vec<u8> = base64
                .bytes()
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect();
            Self::of_der(&STANDARD.decode(base64).ok()?)
        };
        blocks.into_iter().map(decode).collect()
    }

    /// The whole certificate, DER.
    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its key: a point, uncompressed SEC1, 65 bytes.
    pub(super) fn key(&self) -> &[u8] {
        self.parsed
            .tbs_certificate()
            .subject_public_key_info()
            .subject_public_key
            .raw_bytes()
    }

    /// Serial number, bytes of the integer.
    pub(super) fn serial(&self) -> &[u8] {
        self.parsed.tbs_certificate().serial_number().as_bytes()
    }

    /// The common name of its subject, bounded; for people.
    pub(super) fn name(&self) -> String {
        common_name(&self.parsed.tbs_certificate().subject().to_string())
    }

    /// Whether it may issue certificates.
    pub(crate) fn is_ca(&self) -> bool {
        self.parsed
            .tbs_certificate()
            .get_extension::<BasicConstraints>()
            .is_ok_and(|extension| extension.is_some_and(|(_, constraints)| constraints.ca))
    }

    /// Whether it names itself as its issuer.
    pub(super) fn is_root(&self) -> bool {
        self.names(self)
    }

    /// Whether it names `issuer` as its issuer. Nothing is proven by that.
    pub(super) fn names(&self, issuer: &Self) -> bool {
        self.parsed.tbs_certificate().issuer() == issuer.parsed.tbs_certificate().subject()
    }

    /// Whether `issuer` signed it.
    pub(crate) fn is_signed_by(&self, issuer: &Self) -> bool {
        self.names(issuer) && self.signed.holds_under(issuer.key())
    }

    /// Whether a key, a point of P-256, uncompressed SEC1, signed it. The names of issuers are not looked at.
    pub(crate) fn is_signed_by_key(&self, key: &[u8]) -> bool {
        self.signed.holds_under(key)
    }
}

/// `CN=…` out of a distinguished name as x509-cert writes it.
fn common_name(name: &str) -> String {
    name.split(',')
        .find_map(|part| part.trim().strip_prefix("CN="))
        .unwrap_or(name)
        .chars()
        .take(64)
        .collect()
}

/// How far a chain holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// Each signature holds, and the chain ends in another root than the trusted one.
    OtherRoot,
    /// The certificate that should have issued one of the chain is not in it.
    NoIssuer,
    /// A signature in the chain does not hold, or its issuer may not issue.
    Signature,
}

/// The certificates from `leaf` to the trusted root, without the root. `others` may be in any order.
pub(super) fn path<'a>(
    leaf: &'a Certificate,
    others: &'a [Certificate],
    root: &Certificate,
) -> Result<Vec<&'a Certificate>, Broken> {
    let mut path = vec![leaf];
    let mut worst = Broken::NoIssuer;
    // Names are unique in Intel's chains. Where several certificates have the name that is looked for, the one that signed
    // counts.
    while path.len() <= MAX_CERTIFICATES {
        let Some(last) = path.last().copied() else { break };
        if last.is_signed_by(root) {
            return Ok(path);
        }
        let mut candidates = others
            .iter()
            .filter(|other| last.names(other) && !path.iter().any(|used| used.der == other.der));
        let Some(first) = candidates.next() else {
            // Its own issuer, and not the trusted root: the signature that it put on itself was not the root's.
            if last.is_root() && path.len() > 1 {
                worst = Broken::OtherRoot;
            } else if last.names(root) {
                worst = Broken::Signature;
            }
            break;
        };
        let issuer = std::iter::once(first)
            .chain(candidates)
            .find(|other| other.is_ca() && last.is_signed_by(other));
        match issuer {
            Some(issuer) => path.push(issuer),
            None => return Err(Broken::Signature),
        }
    }
    Err(worst)
}

/// A certificate revocation list.
#[derive(Debug, Clone)]
pub(super) struct Crl {
    signed: Signed,
    parsed: CertificateList,
}

impl Crl {
    /// Reads one, DER.
    pub(super) fn of_der(der: &[u8]) -> Option<Self> {
        Some(Self {
            signed: Signed::of(der)?,
            parsed: CertificateList::from_der(der).ok()?,
        })
    }

    /// Whether `issuer` signed it.
    pub(super) fn is_signed_by(&self, issuer: &Certificate) -> bool {
        self.is_of(issuer) && self.signed.holds_under(issuer.key())
    }

    /// Whether it names `issuer` as its issuer. Nothing is proven by that.
    pub(super) fn is_of(&self, issuer: &Certificate) -> bool {
        self.parsed.tbs_cert_list.issuer == *issuer.parsed.tbs_certificate().subject()
    }

    /// The common name of its issuer, bounded; for people.
    pub(super) fn issuer_name(&self) -> String {
        common_name(&self.parsed.tbs_cert_list.issuer.to_string())
    }

    /// When a certificate of its issuer was revoked, Unix seconds; `None` if it is not on the list.
    pub(super) fn revoked_at(&self, certificate: &Certificate) -> Option<u64> {
        let listed = self.parsed.tbs_cert_list.revoked_certificates.iter().flatten();
        listed
            .filter(|entry| entry.serial_number.as_bytes() == certificate.serial())
            .map(|entry| entry.revocation_date.to_unix_duration().as_secs())
            .next()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use simulator::World;

    use super::*;

    fn chain(pem: &str) -> Vec<Certificate> {
        Certificate::chain_of_pem(pem).unwrap()
    }

    #[test]
    fn a_path_leads_from_the_leaf_to_the_trusted_root_in_any_order() {
        let world = World::default();
        let root = Certificate::of_der(&world.root_der()).unwrap();
        let mut chain = chain(&world.pck_chain_pem());
        let leaf = chain.remove(0);
        for _ in 0..2 {
            assert_eq!(path(&leaf, &chain, &root).unwrap().len(), 2);
            chain.reverse();
        }
        chain.retain(|certificate| !certificate.is_root());
        assert_eq!(
            path(&leaf, &chain, &root).unwrap().len(),
            2,
            "the root need not come along"
        );
        assert_eq!(path(&leaf, &[], &root).unwrap_err(), Broken::NoIssuer);
    }

    #[test]
    fn another_root_and_a_broken_signature_are_told_apart() {
        let (world, other) = (World::default(), World::new(2, simulator::DEFAULT_NOW));
        let root = Certificate::of_der(&world.root_der()).unwrap();
        // The names of its certificates are those of the trusted ones.
        let mut foreign = chain(&other.pck_chain_pem());
        let leaf = foreign.remove(0);
        assert_eq!(path(&leaf, &foreign, &root).unwrap_err(), Broken::OtherRoot);
        foreign.retain(|certificate| !certificate.is_root());
        assert_eq!(path(&leaf, &foreign, &root).unwrap_err(), Broken::Signature);
        // A genuine authority that did not issue it.
        let mixed = &chain(&world.pck_chain_pem())[1..];
        assert_eq!(path(&leaf, mixed, &root).unwrap_err(), Broken::Signature);
        // A certificate that may not issue.
        let signer = chain(&world.tcb_signing_chain());
        assert!(!signer[0].is_ca() && signer[1].is_ca());
    }

    #[test]
    fn a_list_is_its_issuers_alone_and_names_who_is_revoked() {
        let mut world = World::default();
        world.pki.revoked.insert(simulator::Certificate::Pck);
        let chain = chain(&world.pck_chain_pem());
        let crl = Crl::of_der(&world.pck_crl()).unwrap();
        assert!(crl.is_signed_by(&chain[1]) && !crl.is_signed_by(&chain[2]));
        assert!(crl.revoked_at(&chain[0]).is_some() && crl.revoked_at(&chain[1]).is_none());
        assert_eq!(crl.issuer_name(), "Simulated SGX PCK Platform CA");
        assert_eq!(chain[1].name(), "Simulated SGX PCK Platform CA");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,200}") {
            let _ = (Certificate::of_der(&bytes), Crl::of_der(&bytes), Certificate::chain_of_pem(&text));
            let _ = raw_signature_holds(&bytes, &bytes, &bytes);
        }

        #[test]
        fn a_changed_byte_of_a_certificate_never_holds(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let world = World::default();
            let root = Certificate::of_der(&world.root_der()).unwrap();
            let mut der = world.certificate_der(simulator::Certificate::PckCa);
            let at = at.index(der.len());
            der[at] ^= 1 << bit;
            if let Some(changed) = Certificate::of_der(&der) {
                prop_assert!(!changed.is_signed_by(&root));
            }
        }
    }

    #[test]
    fn a_chain_is_read_up_to_its_limit_and_only_if_every_block_is_a_certificate() {
        let one = simulator::World::default().root_pem();
        let of = |count: usize| Certificate::chain_of_pem(&one.repeat(count)).map(|chain| chain.len());
        assert_eq!(of(0), None);
        assert_eq!(of(1), Some(1));
        assert_eq!(of(MAX_CERTIFICATES), Some(MAX_CERTIFICATES));
        assert_eq!(of(MAX_CERTIFICATES + 1), None);
        assert!(Certificate::chain_of_pem(&format!("{one}-----BEGIN CERTIFICATE-----\nAA")).is_none());
    }

    #[test]
    fn the_name_of_a_certificate_is_its_common_name() {
        let chain = Certificate::chain_of_pem(&simulator::World::default().root_pem()).unwrap();
        let name = chain.first().unwrap().name();
        assert!(name.contains("Root CA"), "{name}");
    }

    #[test]
    fn a_root_with_the_name_of_the_trusted_one_has_another_signature() {
        let of = |seed: u64| {
            let pem = simulator::World::new(seed, simulator::DEFAULT_NOW).root_pem();
            Certificate::chain_of_pem(&pem).unwrap().remove(0)
        };
        let (trusted, other) = (of(1), of(2));
        assert!(path(&trusted, &[], &trusted).is_ok());
        assert!(matches!(path(&other, &[], &trusted), Err(Broken::Signature)));
    }
}
