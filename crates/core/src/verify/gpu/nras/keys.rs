//! The keys of NVIDIA's remote attestation service: a JSON Web Key Set (RFC 7517) that is worth nothing by itself. A key
//! counts if a certificate of a pinned intermediate has it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use der::oid::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use ring::signature::{
    ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::Value;
use x509_cert::Certificate;

use crate::evidence::Object;
use crate::report::DeviceRootKind;
use crate::verify::RootError;
use crate::verify::digest::sha256;
use crate::verify::gpu::chain::ECDSA_SHA384;
use crate::verify::trust_root::certificate_of_file;

/// Bytes of a key set: 2 MiB. Real ones have 80 KB to 500 KB.
pub const MAX_KEYS_BYTES: usize = 2 * 1024 * 1024;

/// `NVIDIA Attestation Service GPU Intermediate 004`, DER, RSA 2048, 2025-12-08 to 2029-12-08; SHA-256
/// 2df8907cf4d6c277b855d407ec178a649930a8e73f7294e8fce66e6ee27c5175. Source: `x5c[1]` of every key of
/// <https://nras.attestation.nvidia.com/.well-known/jwks.json> in 2026.
const INTERMEDIATE_004: &[u8] = include_bytes!("nvidia_nras_004.der");

/// `NVIDIA Attestation Service GPU Intermediate 005`, DER, P-384, 2026-10-08 to 2030-10-08; SHA-256
/// 38e3daf3cdbd5243bb15dd7993edcdd83a7238cb6745b980f8f3bf0a31a0d343. Source: the same key set since October 2026.
const INTERMEDIATE_005: &[u8] = include_bytes!("nvidia_nras_005.der");

/// `sha256WithRSAEncryption` (RFC 4055 §5).
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
/// `id-at-organizationName` (RFC 5280 appendix A.1).
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
/// Whose certificates count.
const NVIDIA: &[u8] = b"NVIDIA Corporation";

/// The intermediates that keys must be certified by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NrasIntermediates {
    /// NVIDIA's, built in.
    #[default]
    Nvidia,
    /// Some other one, DER: for simulators alone.
    Custom(Vec<u8>),
}

impl NrasIntermediates {
    /// Reads a custom intermediate, PEM or DER.
    ///
    /// # Errors
    /// [`RootError`] if the file is not one certificate.
    pub fn custom(file: &[u8]) -> Result<Self, RootError> {
        certificate_of_file(file).map(Self::Custom)
    }

    /// What the report says of them.
    #[must_use]
    pub const fn kind(&self) -> DeviceRootKind {
        match self {
            Self::Nvidia => DeviceRootKind::Nvidia,
            Self::Custom(_) => DeviceRootKind::Custom,
        }
    }

    fn pins(&self, der: &[u8]) -> bool {
        match self {
            Self::Nvidia => [INTERMEDIATE_004, INTERMEDIATE_005].contains(&der),
            Self::Custom(known) => known == der,
        }
    }
}

/// A key set, parsed.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Value>);

impl KeySet {
    /// Reads a key set.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_KEYS_BYTES {
            return Err(format!(
                "the key set has {} bytes; at most {MAX_KEYS_BYTES} are read",
                text.len()
            ));
        }
        let object = Object::document("the key set", text).map_err(|error| error.to_string())?;
        let keys = object
            .get("keys")
            .map_err(|error| error.to_string())?
            .ok_or_else(|| "the key set has no `keys`".to_owned())?;
        serde_json::from_str(keys.get())
            .map(Self)
            .map_err(|_| "the `keys` of the key set are not a list".to_owned())
    }

    /// The point of a key, uncompressed SEC1, 97 bytes, if a pinned intermediate certifies it at a time, Unix seconds.
    pub(super) fn point(&self, kid: &str, at: u64, pinned: &NrasIntermediates) -> Result<Vec<u8>, String> {
        let mut named = self
            .0
            .iter()
            .filter(|key| key.get("kid").and_then(Value::as_str) == Some(kid));
        let (Some(key), None) = (named.next(), named.next()) else {
            return Err("the key that a token names is not exactly once in the key set".to_owned());
        };
        let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
        if (text("kty"), text("crv")) != ("EC", "P-384") {
            return Err("the key that a token names is not a P-384 key".to_owned());
        }
        let coordinate = |name: &str| {
            URL_SAFE_NO_PAD
                .decode(text(name))
                .ok()
                .filter(|bytes| bytes.len() == 48)
        };
        let (Some(x), Some(y)) = (coordinate("x"), coordinate("y")) else {
            return Err("the key that a token names has no point of P-384".to_owned());
        };
        let point = [&[4][..], &x, &y].concat();
        let chain = key
            .get("x5c")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let chain: Vec<Vec<u8>> = chain
            .iter()
            .take(3)
            .map_while(|entry| STANDARD.decode(entry.as_str()?).ok())
            .collect();
        let [leaf, intermediate] = chain.as_slice() else {
            return Err("the key that a token names does not have a chain of two certificates".to_owned());
        };
        if !pinned.pins(intermediate) {
            return Err(format!(
                "the key that a token names is certified by an intermediate that is not pinned (SHA-256 {}); if NVIDIA has a new \
                 one, a newer version of cvm-verify knows it",
                hex::encode(sha256(intermediate))
            ));
        }
        certified(leaf, intermediate, &point, at)?;
        Ok(point)
    }
}

/// Whether an intermediate, which is trusted, issued a certificate of NVIDIA's over this key, and both are in date.
fn certified(leaf: &[u8], intermediate: &[u8], point: &[u8], at: u64) -> Result<(), String> {
    let read = |der: &[u8]| {
        Certificate::from_der(der).map_err(|_| "a certificate of the key set cannot be read".to_owned())
    };
    let (leaf, intermediate) = (read(leaf)?, read(intermediate)?);
    let tbs = leaf.tbs_certificate();
    let algorithm: &dyn VerificationAlgorithm = match leaf.signature_algorithm().oid {
        RSA_SHA256 => &RSA_PKCS1_2048_8192_SHA256,
        ECDSA_SHA384 => &ECDSA_P384_SHA384_ASN1,
        _ => return Err("a certificate of the key set is signed with an unknown algorithm".to_owned()),
    };
    let issuer_key = intermediate
        .tbs_certificate()
        .subject_public_key_info()
        .subject_public_key
        .as_bytes();
    let parts = (tbs.to_der(), issuer_key, leaf.signature().as_bytes());
    let (Ok(signed), Some(issuer_key), Some(signature)) = parts else {
        return Err("a certificate of the key set cannot be read".to_owned());
    };
    let is_issued = tbs.issuer() == intermediate.tbs_certificate().subject()
        && UnparsedPublicKey::new(algorithm, issuer_key)
            .verify(&signed, signature)
            .is_ok();
    if !is_issued {
        return Err("a certificate of the key set is not issued by the pinned intermediate".to_owned());
    }
    if tbs.subject_public_key_info().subject_public_key.as_bytes() != Some(point) {
        return Err("a key of the key set is not the one in its certificate".to_owned());
    }
    let is_nvidias = tbs
        .subject()
        .iter()
        .any(|attribute| attribute.oid == ORGANIZATION && attribute.value.value() == NVIDIA);
    if !is_nvidias {
        return Err("a certificate of the key set is not NVIDIA's".to_owned());
    }
    for certificate in [&leaf, &intermediate] {
        let validity = certificate.tbs_certificate().validity();
        let begins = validity.not_before.to_unix_duration().as_secs();
        let ends = validity.not_after.to_unix_duration().as_secs();
        if !(begins..=ends).contains(&at) {
            return Err("a certificate of the key set was not in date when the token was issued".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_intermediates_are_those_that_are_documented() {
        for (der, expected) in [
            (
                INTERMEDIATE_004,
                "2df8907cf4d6c277b855d407ec178a649930a8e73f7294e8fce66e6ee27c5175",
            ),
            (
                INTERMEDIATE_005,
                "38e3daf3cdbd5243bb15dd7993edcdd83a7238cb6745b980f8f3bf0a31a0d343",
            ),
        ] {
            assert_eq!(hex::encode(sha256(der)), expected);
        }
    }

    #[test]
    fn a_custom_intermediate_is_one_certificate_and_is_said_to_be_custom() {
        let der = simulator::Nras::approving(1).intermediate_der();
        let custom = NrasIntermediates::custom(&der).unwrap();
        assert_eq!(custom.kind(), DeviceRootKind::Custom);
        assert_eq!(custom, NrasIntermediates::Custom(der));
        assert_eq!(NrasIntermediates::Nvidia.kind(), DeviceRootKind::Nvidia);
        assert!(NrasIntermediates::custom(b"none").is_err());
    }

    #[test]
    fn a_key_is_certified_by_its_issuer_for_nvidia_alone() {
        use simulator::gpu_pki::{DeviceCertificate, ECDSA_SHA384};
        use simulator::keys384::Key384;

        let key = |name: &str| Key384::derive(1, name);
        let certificate = |subject: &str, own: &str, issuer_key: &str, organization| DeviceCertificate {
            issuer_key: key(issuer_key),
            issuer: "Intermediate".to_owned(),
            key: key(own),
            subject: subject.to_owned(),
            serial: vec![1],
            is_ca: false,
            may_sign: true,
            firmware: None,
            algorithm: ECDSA_SHA384,
            organization,
            validity: Some((10, 20)),
        };
        let judged = |organization, issuer_key, point: &str, at| {
            let intermediate = certificate("Intermediate", "intermediate", "root", organization);
            let leaf = certificate("Service", "leaf", issuer_key, organization);
            let point = key(point).public_sec1();
            certified(&leaf.der(), &intermediate.der(), &point, at).map_err(|problem| {
                let words = [
                    "issued by the pinned",
                    "in its certificate",
                    "not NVIDIA's",
                    "in date",
                ];
                words.into_iter().find(|word| problem.contains(word)).unwrap()
            })
        };
        let nvidia = "NVIDIA Corporation";
        for (organization, issuer_key, point, at, expected) in [
            (nvidia, "intermediate", "leaf", 15, Ok(())),
            (nvidia, "another", "leaf", 15, Err("issued by the pinned")),
            (nvidia, "intermediate", "another", 15, Err("in its certificate")),
            ("Somebody", "intermediate", "leaf", 15, Err("not NVIDIA's")),
            (nvidia, "intermediate", "leaf", 21, Err("in date")),
        ] {
            assert_eq!(judged(organization, issuer_key, point, at), expected);
        }
    }

    #[test]
    fn a_key_set_is_read_up_to_its_limit() {
        let of = |size: usize| {
            let mut text = r#"{"keys":[]}"#.to_owned();
            text.extend(std::iter::repeat_n(' ', size - text.len()));
            KeySet::parse(&text).map(|set| set.0.len())
        };
        assert_eq!(of(MAX_KEYS_BYTES), Ok(0));
        let too_large = of(MAX_KEYS_BYTES + 1).unwrap_err();
        assert!(too_large.contains("at most 2097152 are read"), "{too_large}");
    }
}
