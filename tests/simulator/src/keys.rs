//! P-256 keys made from a seed and a label, so that a run can be repeated byte for byte.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use sha2::{Digest as _, Sha256};

use crate::asn1;

/// Signatures made before, by SHA-256(key ‖ message).
///
/// Unoptimised P-256 takes milliseconds, and every quote and collateral carries the same certificates. Signatures are
/// deterministic, so that nobody can tell that one was remembered.
static SIGNATURES: LazyLock<Mutex<HashMap<[u8; 32], [u8; 64]>>> = LazyLock::new(Mutex::default);

/// Keys made before, by seed and label.
static KEYS: LazyLock<Mutex<HashMap<(u64, String), Key>>> = LazyLock::new(Mutex::default);

/// Memory is emptied beyond this many entries: an endless run must not grow.
const REMEMBERED: usize = 4096;

/// A P-256 key pair. Signatures are deterministic (RFC 6979).
#[derive(Clone)]
pub struct Key(SigningKey);

impl Key {
    /// The key that belongs to `label` in the world of `seed`.
    pub fn derive(seed: u64, label: &str) -> Self {
        let memory_key = (seed, label.to_owned());
        if let Some(key) = KEYS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&memory_key)
        {
            return key.clone();
        }
        let key = Self::compute(seed, label);
        remember(&KEYS, memory_key, key.clone());
        key
    }

    fn compute(seed: u64, label: &str) -> Self {
        // A SHA-256 value is outside the group order with probability 2^-32: count on until it is inside.
        for counter in 0u32.. {
            let scalar = derive_bytes::<32>(seed, &format!("key:{label}:{counter}"));
            if let Ok(key) = SigningKey::from_slice(&scalar) {
                return Self(key);
            }
        }
        unreachable!("some counter gives a scalar in range")
    }

    /// Public point `x ‖ y`, 64 bytes.
    pub fn public_xy(&self) -> [u8; 64] {
        let point = self.0.verifying_key().to_sec1_point(false);
        let mut xy = [0; 64];
        xy.copy_from_slice(&point.as_bytes()[1..]);
        xy
    }

    /// SubjectPublicKeyInfo in DER, 91 bytes.
    pub fn spki_der(&self) -> Vec<u8> {
        let algorithm = asn1::sequence(&[
            asn1::oid("1.2.840.10045.2.1"),
            asn1::oid("1.2.840.10045.3.1.7"),
        ]);
        asn1::sequence(&[algorithm, asn1::bit_string(&self.public_sec1())])
    }

    /// PKCS #8 private key in DER, for a TLS server.
    pub fn pkcs8_der(&self) -> Vec<u8> {
        let algorithm = asn1::sequence(&[
            asn1::oid("1.2.840.10045.2.1"),
            asn1::oid("1.2.840.10045.3.1.7"),
        ]);
        let private = asn1::sequence(&[
            asn1::integer(1),
            asn1::octet_string(&self.0.to_bytes()),
            asn1::explicit(1, &asn1::bit_string(&self.public_sec1())),
        ]);
        asn1::sequence(&[asn1::integer(0), algorithm, asn1::octet_string(&private)])
    }

    /// ECDSA over SHA-256 of `message`, as `r ‖ s` (64 bytes): the form in quotes and PCS answers.
    pub fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        let memory_key = Sha256::new()
            .chain_update(self.0.to_bytes())
            .chain_update(message)
            .finalize()
            .into();
        if let Some(signature) = SIGNATURES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&memory_key)
        {
            return *signature;
        }
        let signature: Signature = self.0.sign(message);
        let signature = signature.to_bytes().into();
        remember(&SIGNATURES, memory_key, signature);
        signature
    }

    /// ECDSA over SHA-256 of `message`, as the DER sequence that certificates carry.
    pub fn sign_der(&self, message: &[u8]) -> Vec<u8> {
        let raw = self.sign_raw(message);
        asn1::sequence(&[asn1::unsigned(&raw[..32]), asn1::unsigned(&raw[32..])])
    }

    fn public_sec1(&self) -> Vec<u8> {
        [&[4][..], &self.public_xy()].concat()
    }
}

fn remember<K: Eq + std::hash::Hash, V>(memory: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    if memory.len() >= REMEMBERED {
        memory.clear();
    }
    memory.insert(key, value);
}

/// Bytes that look random and depend only on seed and label.
pub(crate) fn derive_bytes<const N: usize>(seed: u64, label: &str) -> [u8; N] {
    let mut out = [0; N];
    for (block, chunk) in out.chunks_mut(32).enumerate() {
        let hash = Sha256::new()
            .chain_update(b"cvm-verify simulator")
            .chain_update(seed.to_be_bytes())
            .chain_update((block as u64).to_be_bytes())
            .chain_update(label.as_bytes())
            .finalize();
        chunk.copy_from_slice(&hash[..chunk.len()]);
    }
    out
}
