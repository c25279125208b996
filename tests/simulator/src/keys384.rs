//! P-384 keys made from a seed and a label, as NVIDIA's devices and its attestation service have them.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use p384::ecdsa::{Signature, SigningKey, signature::Signer as _};
use sha2::{Digest as _, Sha256};

use crate::{asn1, keys::derive_bytes};

/// Signatures made before, by SHA-256(key ‖ message): unoptimised P-384 takes many milliseconds.
static SIGNATURES: LazyLock<Mutex<HashMap<[u8; 32], [u8; 96]>>> = LazyLock::new(Mutex::default);

/// Keys made before, by seed and label: each costs a multiplication on the curve.
static KEYS: LazyLock<Mutex<HashMap<(u64, String), Key384>>> = LazyLock::new(Mutex::default);

/// Memory is emptied beyond this many entries: an endless run must not grow.
const REMEMBERED: usize = 4096;

/// A P-384 key pair. Signatures are deterministic (RFC 6979).
#[derive(Clone)]
pub struct Key384(SigningKey);

impl Key384 {
    /// The key that belongs to `label` in the world of `seed`.
    pub fn derive(seed: u64, label: &str) -> Self {
        let mut memory = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() >= REMEMBERED {
            memory.clear();
        }
        memory
            .entry((seed, label.to_owned()))
            .or_insert_with(|| Self::compute(seed, label))
            .clone()
    }

    fn compute(seed: u64, label: &str) -> Self {
        for counter in 0u32.. {
            let scalar = derive_bytes::<48>(seed, &format!("key384:{label}:{counter}"));
            if let Ok(key) = SigningKey::from_slice(&scalar) {
                return Self(key);
            }
        }
        unreachable!("some counter gives a scalar in range")
    }

    /// Public point, uncompressed SEC1, 97 bytes.
    pub fn public_sec1(&self) -> Vec<u8> {
        self.0.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }

    /// SubjectPublicKeyInfo in DER.
    pub fn spki_der(&self) -> Vec<u8> {
        let algorithm = asn1::sequence(&[asn1::oid("1.2.840.10045.2.1"), asn1::oid("1.3.132.0.34")]);
        asn1::sequence(&[algorithm, asn1::bit_string(&self.public_sec1())])
    }

    /// ECDSA over SHA-384 of `message`, as `r ‖ s` (96 bytes).
    pub fn sign_raw(&self, message: &[u8]) -> [u8; 96] {
        let memory_key: [u8; 32] = Sha256::new()
            .chain_update(self.0.to_bytes())
            .chain_update(message)
            .finalize()
            .into();
        let mut memory = SIGNATURES.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() >= REMEMBERED {
            memory.clear();
        }
        *memory.entry(memory_key).or_insert_with(|| {
            let signature: Signature = self.0.sign(message);
            signature.to_bytes().into()
        })
    }

    /// The same as the DER sequence that certificates carry.
    pub fn sign_der(&self, message: &[u8]) -> Vec<u8> {
        let raw = self.sign_raw(message);
        asn1::sequence(&[asn1::unsigned(&raw[..48]), asn1::unsigned(&raw[48..])])
    }
}
