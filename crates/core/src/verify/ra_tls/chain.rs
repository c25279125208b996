//! Who signed an RA-TLS certificate, up to the KMS.
//!
//! The KMS makes its certificate anew at each start; its key is what stays (docs/tls.md).

use super::leaf::TlsLeaf;
use super::{APP_ID, RaTlsRefusal, USAGE};
use crate::evidence::TlsChain;
use crate::verify::quote::certificate::Certificate;

/// The usage of the certificate between the app's and the KMS's.
const CA_USAGE: &[u8] = b"app:ca";

/// Whether each certificate of the chain is signed by the next, and the last has the key of the KMS, hex of its
/// SubjectPublicKeyInfo, or is signed by it. The chain is the app's certificate, that of its CA, and that of the KMS; a server may
/// leave out the last one (RFC 8446 §4.4.2), whose key the VM measured.
pub(super) fn leads_to(chain: &TlsChain, app_id: &[u8; 20], kms: &str) -> Result<(), RaTlsRefusal> {
    let broken = |why| Err(RaTlsRefusal::Chain(why));
    let certificates: Option<Vec<Certificate>> = chain.certificates().map(Certificate::of_der).collect();
    let Some(certificates) = certificates else {
        return broken("a certificate of its chain cannot be read, or is not signed with ECDSA and SHA-256");
    };
    for pair in certificates.windows(2) {
        if let [one, issuer] = pair
            && !(issuer.is_ca() && one.is_signed_by(issuer))
        {
            return broken(
                "a certificate of its chain is not signed by the next one, or the next one is not that of a CA",
            );
        }
    }
    let Some(last) = chain.issuers().last() else {
        return broken("it comes without the certificates that signed it");
    };
    let ends_in_root = hex::encode(TlsLeaf::of_der(last)?.spki) == kms;
    if !ends_in_root && !is_signed_by(last, kms) {
        return Err(RaTlsRefusal::OtherKms);
    }
    let between = chain.issuers().count().saturating_sub(usize::from(ends_in_root));
    for issuer in chain.issuers().take(between) {
        let issuer = TlsLeaf::of_der(issuer)?;
        if issuer.extension(USAGE) != Some(CA_USAGE) || issuer.extension(APP_ID) != Some(app_id) {
            return broken("the certificate between it and the KMS's is not that of this app's CA (app:ca)");
        }
    }
    Ok(())
}

/// What a SubjectPublicKeyInfo of P-256 begins with, DER (RFC 5480 §2): algorithm and curve, and the head of the bit string.
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Bytes of a point of P-256, uncompressed SEC1.
const POINT: usize = 65;

/// Whether the key of a SubjectPublicKeyInfo, DER in hex, signed a certificate, DER.
pub(super) fn is_signed_by(certificate: &[u8], spki: &str) -> bool {
    let Ok(spki) = hex::decode(spki) else { return false };
    let point = spki.strip_prefix(&P256_SPKI).filter(|point| point.len() == POINT);
    match (Certificate::of_der(certificate), point) {
        (Some(certificate), Some(point)) => certificate.is_signed_by_key(point),
        _ => false,
    }
}
