//! The certificate chain of an NVIDIA device, up to NVIDIA's device identity root (as in NVIDIA's nvtrust).
//!
//! Validity periods are not looked at: every certificate of such a chain ends in the year 9999. Nor is revocation: NVIDIA
//! publishes it by OCSP alone.

use der::oid::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use ring::signature::{ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages};

use super::DeviceRoot;
use crate::evidence::MAX_GPU_CHAIN_BYTES;

/// The most certificates of a chain. Real ones have 5.
const MAX_CERTIFICATES: usize = 8;
/// Bytes of the id of a firmware: SHA-384.
const FIRMWARE_ID: usize = 48;

/// `ecdsa-with-SHA384` (RFC 5758 §3.2), the only algorithm of NVIDIA's device PKI.
pub(super) const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
/// `id-at-commonName` (RFC 5280 appendix A.1).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// `id-at-serialNumber` (RFC 5280 appendix A.1). NVIDIA names by it each device, in the subjects of its certificates, and no
/// authority.
const DEVICE_SERIAL: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.5");
/// How many certificates of a chain are at least those of authorities, the root with them.
const AUTHORITIES: usize = 2;
/// The firmware that a key belongs to: TCG DICE `TcbInfo` on Hopper, `MultiTcbInfo` on Blackwell (TCG DICE Attestation
/// Architecture 1.1 §6.1).
const TCB_INFO: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("2.23.133.5.4.1"),
    ObjectIdentifier::new_unwrap("2.23.133.5.4.1.1"),
];

/// A device's chain that ends in the expected root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeviceChain {
    /// The leaf's key: a point, uncompressed SEC1, 97 bytes.
    key: Vec<u8>,
    /// The leaf's common name, such as `GH100 A01 GSP FMC LF`; at most 64 characters.
    pub(super) common_name: String,
    /// The leaf's serial number, big endian without leading zeros: that of the key of the device's firmware.
    pub(super) serial: Vec<u8>,
    /// The keys of the device: the leaf's, which other firmware changes, and those of the certificates that name the device.
    pub(super) device_keys: Vec<Vec<u8>>,
    /// The values of the leaf's extensions that name firmware.
    tcb_info: Vec<Vec<u8>>,
}

/// Why a chain is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Not PEM, not certificates, or too many bytes.
    #[error("its certificate chain cannot be read: {0}")]
    Unreadable(String),
    /// No certificates, or too many.
    #[error("its certificate chain has {0} certificates; 2 to {MAX_CERTIFICATES} are expected")]
    Count(usize),
    /// Another root.
    #[error("its certificate chain ends in another root than the trusted one")]
    OtherRoot,
    /// A certificate that the next one did not sign. From 1, the leaf.
    #[error("certificate {0} of its chain is not signed by the next one")]
    Signature(usize),
    /// An issuer that must not issue. From 1, the leaf.
    #[error("certificate {0} of its chain has issued another, but is not a CA certificate")]
    NotCa(usize),
}

impl ChainError {
    /// Whether it shows a forgery, and not only a form that this version does not know.
    pub(super) const fn convicts(&self) -> bool {
        match self {
            Self::Unreadable(_) | Self::Count(_) => false,
            Self::OtherRoot | Self::Signature(_) | Self::NotCa(_) => true,
        }
    }
}

impl DeviceChain {
    /// Verifies a chain, PEM, leaf first, that ends in this root.
    pub(super) fn verify(pem: &[u8], root: &DeviceRoot) -> Result<Self, ChainError> {
        let unreadable = |error: der::Error| ChainError::Unreadable(error.to_string());
        if pem.len() > MAX_GPU_CHAIN_BYTES {
            let problem = format!(
                "it has {} bytes; at most {MAX_GPU_CHAIN_BYTES} are read",
                pem.len()
            );
            return Err(ChainError::Unreadable(problem));
        }
        let chain = certificates(pem)?;
        let ([leaf, .., last], 2..=MAX_CERTIFICATES) = (chain.as_slice(), chain.len()) else {
            return Err(ChainError::Count(chain.len()));
        };
        if last.to_der().map_err(unreadable)? != root.der() {
            return Err(ChainError::OtherRoot);
        }
        // The root's own bytes are compared, so its signature of itself adds nothing.
        for (index, pair) in chain.windows(2).enumerate() {
            let [subject, issuer] = pair else { continue };
            if !may_issue(issuer) {
                return Err(ChainError::NotCa(index + 2));
            }
            if !is_issued_by(subject, issuer) {
                return Err(ChainError::Signature(index + 1));
            }
        }
        let tbs = leaf.tbs_certificate();
        let serial = tbs.serial_number().as_bytes();
        let zeros = serial.iter().take_while(|byte| **byte == 0).count();
        Ok(Self {
            key: key_of(leaf)
                .ok_or_else(|| ChainError::Unreadable("its first certificate has no key".to_owned()))?
                .to_vec(),
            common_name: common_name(leaf),
            serial: serial.get(zeros..).unwrap_or_default().to_vec(),
            device_keys: device_keys(&chain),
            tcb_info: extensions(leaf)
                .filter(|(id, _)| TCB_INFO.contains(id))
                .map(|(_, value)| value.to_vec())
                .collect(),
        })
    }

    /// Whether the device's key signed these bytes: ECDSA P-384 over SHA-384. The signature is `r ‖ s`, 96 bytes.
    pub(super) fn signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &self.key)
            .verify(bytes, signature)
            .is_ok()
    }

    /// Whether the leaf was issued for firmware with this id, 48 bytes. A shorter one would be found in any certificate.
    pub(super) fn names_firmware(&self, fwid: &[u8]) -> bool {
        fwid.len() == FIRMWARE_ID
            && self
                .tcb_info
                .iter()
                .any(|info| info.windows(fwid.len()).any(|window| window == fwid))
    }
}

/// The keys of the certificates that are one device's alone: the leaf, its issuer, and whatever else names a device.
fn device_keys(chain: &[Certificate]) -> Vec<Vec<u8>> {
    let names_device = |certificate: &Certificate| {
        let mut attributes = certificate.tbs_certificate().subject().iter();
        attributes.any(|attribute| attribute.oid == DEVICE_SERIAL)
    };
    let below = chain.iter().enumerate().filter(|(index, certificate)| {
        let is_below = *index == 1 && chain.len() > index + AUTHORITIES;
        *index == 0 || is_below || names_device(certificate)
    });
    below
        .filter_map(|(_, certificate)| Some(key_of(certificate)?.to_vec()))
        .collect()
}

/// The common names of a chain's certificates in their order. Nothing is verified.
///
/// # Errors
/// [`ChainError::Unreadable`].
pub fn certificate_names(pem: &[u8]) -> Result<Vec<String>, ChainError> {
    certificates(pem).map(|chain| chain.iter().map(common_name).collect())
}

/// The certificates of a chain in their order. Nothing is verified.
///
/// Real chains end in zeros: tools supply the whole buffer of NVIDIA's library.
fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, ChainError> {
    let end = pem.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    Certificate::load_pem_chain(pem.get(..end).unwrap_or_default())
        .map_err(|error| ChainError::Unreadable(error.to_string()))
}

/// The common name of a certificate's subject, at most 64 characters.
fn common_name(certificate: &Certificate) -> String {
    certificate
        .tbs_certificate()
        .subject()
        .iter()
        .find(|attribute| attribute.oid == COMMON_NAME)
        .and_then(|attribute| std::str::from_utf8(attribute.value.value()).ok())
        .unwrap_or_default()
        .chars()
        .take(64)
        .collect()
}

fn extensions(certificate: &Certificate) -> impl Iterator<Item = (ObjectIdentifier, &[u8])> {
    let extensions = certificate.tbs_certificate().extensions().into_iter().flatten();
    extensions.map(|extension| (extension.extn_id, extension.extn_value.as_bytes()))
}

/// Whether it is a CA certificate whose key may sign certificates (RFC 5280 §4.2.1.3, §4.2.1.9).
fn may_issue(certificate: &Certificate) -> bool {
    const CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
    const USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
    let mut is_ca = false;
    let mut may_sign = true;
    for (id, value) in extensions(certificate) {
        if id == CONSTRAINTS {
            is_ca = BasicConstraints::from_der(value).is_ok_and(|constraints| constraints.ca);
        } else if id == USAGE {
            may_sign = KeyUsage::from_der(value).is_ok_and(|usage| usage.0.contains(KeyUsages::KeyCertSign));
        }
    }
    is_ca && may_sign
}

fn key_of(certificate: &Certificate) -> Option<&[u8]> {
    certificate
        .tbs_certificate()
        .subject_public_key_info()
        .subject_public_key
        .as_bytes()
}

fn is_issued_by(subject: &Certificate, issuer: &Certificate) -> bool {
    let tbs = subject.tbs_certificate();
    let names = tbs.issuer() == issuer.tbs_certificate().subject();
    let algorithm = subject.signature_algorithm().oid == ECDSA_SHA384;
    let parts = (tbs.to_der(), key_of(issuer), subject.signature().as_bytes());
    let (Ok(signed), Some(key), Some(signature)) = parts else {
        return false;
    };
    names
        && algorithm
        && UnparsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, key)
            .verify(&signed, signature)
            .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_chain_are_those_of_its_certificates_in_their_order() {
        let pem = simulator::Gpus::alone(1, 1).devices[0].chain_pem();
        let names = certificate_names(pem.as_bytes()).unwrap();
        assert_eq!(
            names,
            [
                "GH100 A01 GSP FMC LF",
                "Simulated BROM gpu 0",
                "Simulated Provisioner ICA 1",
                "Simulated Identity",
                "Simulated Device Identity CA",
            ]
        );
        let padded = [pem.as_bytes(), &[0; 9]].concat();
        assert_eq!(certificate_names(&padded).unwrap(), names);
        assert!(matches!(
            certificate_names(b"no chain"),
            Err(ChainError::Unreadable(_))
        ));
    }

    #[test]
    fn a_form_that_is_not_known_convicts_nobody_and_a_forgery_does() {
        for (error, convicts) in [
            (ChainError::Unreadable(String::new()), false),
            (ChainError::Count(1), false),
            (ChainError::OtherRoot, true),
            (ChainError::Signature(1), true),
            (ChainError::NotCa(2), true),
        ] {
            assert_eq!(error.convicts(), convicts, "{error}");
        }
    }

    #[test]
    fn a_chain_is_read_up_to_its_limit() {
        let pem = simulator::Gpus::alone(1, 1).devices[0].chain_pem();
        let of = |size: usize| {
            let mut padded = pem.clone().into_bytes();
            padded.resize(size, 0);
            DeviceChain::verify(&padded, &DeviceRoot::Nvidia).map(drop)
        };
        assert_eq!(of(MAX_GPU_CHAIN_BYTES), Err(ChainError::OtherRoot));
        let problem = format!(
            "it has {} bytes; at most {MAX_GPU_CHAIN_BYTES} are read",
            MAX_GPU_CHAIN_BYTES + 1
        );
        assert_eq!(of(MAX_GPU_CHAIN_BYTES + 1), Err(ChainError::Unreadable(problem)));
    }

    #[test]
    fn the_certificate_that_does_not_hold_is_named_by_its_number() {
        use std::sync::Arc;

        let root = DeviceRoot::Custom(simulator::gpu::device_root_der(1));
        let verify = |edit: fn(&mut Vec<Vec<u8>>)| {
            let mut gpus = simulator::Gpus::alone(1, 1);
            gpus.devices[0].der_edits.push(Arc::new(edit));
            DeviceChain::verify(gpus.devices[0].chain_pem().as_bytes(), &root).map(drop)
        };
        assert_eq!(verify(|_| {}), Ok(()));
        for number in 1..=4 {
            let edit: fn(&mut Vec<Vec<u8>>) = match number {
                1 => |chain| *chain[0].last_mut().unwrap() ^= 1,
                2 => |chain| *chain[1].last_mut().unwrap() ^= 1,
                3 => |chain| *chain[2].last_mut().unwrap() ^= 1,
                _ => |chain| *chain[3].last_mut().unwrap() ^= 1,
            };
            assert_eq!(verify(edit), Err(ChainError::Signature(number)));
        }
        // The leaf is no CA.
        assert_eq!(
            verify(|chain| chain.insert(0, chain[0].clone())),
            Err(ChainError::NotCa(2))
        );
    }
}
