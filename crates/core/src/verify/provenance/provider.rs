//! The cryptography that `sigstore-verify` calculates with: ring, which the program links anyway.

use ring::digest;
use ring::signature::{self as signatures, UnparsedPublicKey, VerificationAlgorithm};
use sigstore_verify::crypto::provider::{CryptoProvider, HashContext, install_default_provider};
use sigstore_verify::crypto::{Error, SigningScheme};
use sigstore_verify::types::HashAlgorithm;

/// Makes ring the library's cryptography. It has one for the whole process; a second call changes nothing.
pub(super) fn install() {
    let _ = install_default_provider(&Ring);
}

/// Verification alone: this program signs nothing.
#[derive(Debug)]
struct Ring;

struct RingHash(digest::Context);

impl HashContext for RingHash {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }
}

impl CryptoProvider for Ring {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>, Error> {
        let algorithm = match algorithm {
            HashAlgorithm::Sha2256 => &digest::SHA256,
            HashAlgorithm::Sha2384 => &digest::SHA384,
            HashAlgorithm::Sha2512 => &digest::SHA512,
            other => return Err(Error::UnsupportedAlgorithm(other.to_string())),
        };
        Ok(Box::new(RingHash(digest::Context::new(algorithm))))
    }

    fn verify_raw(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        data: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let algorithm: &'static dyn VerificationAlgorithm = match scheme {
            SigningScheme::EcdsaP256Sha256 => &signatures::ECDSA_P256_SHA256_ASN1,
            SigningScheme::EcdsaP256Sha384 => &signatures::ECDSA_P256_SHA384_ASN1,
            SigningScheme::EcdsaP384Sha256 => &signatures::ECDSA_P384_SHA256_ASN1,
            SigningScheme::EcdsaP384Sha384 => &signatures::ECDSA_P384_SHA384_ASN1,
            SigningScheme::Ed25519 => &signatures::ED25519,
            SigningScheme::RsaPkcs1Sha256 => &signatures::RSA_PKCS1_2048_8192_SHA256,
            SigningScheme::RsaPkcs1Sha384 => &signatures::RSA_PKCS1_2048_8192_SHA384,
            SigningScheme::RsaPkcs1Sha512 => &signatures::RSA_PKCS1_2048_8192_SHA512,
            other => return Err(Error::UnsupportedAlgorithm(other.name().to_owned())),
        };
        UnparsedPublicKey::new(algorithm, key)
            .verify(data, signature)
            .map_err(|_| Error::Verification("the signature does not hold".to_owned()))
    }

    /// ring takes messages, not digests. What needs this, a signature over an artifact's bytes, is not read here.
    fn verify_prehashed(&self, scheme: SigningScheme, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), Error> {
        Err(Error::UnsupportedAlgorithm(scheme.name().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing here computes over a digest alone: who asks for it is refused, and never believed.
    #[test]
    fn a_signature_over_a_digest_is_refused() {
        let refused = Ring.verify_prehashed(SigningScheme::EcdsaP256Sha256, &[], &[], &[]);
        assert!(
            matches!(refused, Err(Error::UnsupportedAlgorithm(_))),
            "{refused:?}"
        );
    }
}
