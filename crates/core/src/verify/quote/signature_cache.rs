//! ECDSA signatures that were found good are not computed again.
//!
//! Of the signatures that a quote's proof needs, most are in its collateral and in the certificates of its platform:
//! many quotes bring the same bytes. Whether a signature is good is a function of key, message and signature alone; what
//! the signed bytes mean, whether they are in date and whether they fit this quote is looked at for each quote again.
//!
//! * Only successes are remembered: by a SHA-256 over key, message and signature, each with its length. Two inputs with
//!   one such hash would be a collision of SHA-256, on which these signatures rest themselves.
//! * At most [`GENERATION`] twice are remembered: what was not used for that long is forgotten, so that quotes, of which
//!   each has signatures of its own, push out nothing that is in use.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dcap_qvl::config::{Config, CryptoProvider};
use dcap_qvl::configs::RingConfig;
use dcap_qvl::crypto::RingCrypto;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

use crate::verify::digest::sha256_of_parts;

/// How many signatures are remembered before the older ones begin to be forgotten; 32 bytes each.
const GENERATION: usize = 1024;

/// dcap-qvl with its own parsers and ring, and this memory before ring's signatures.
pub(super) struct Remembering;

impl Config for Remembering {
    type X509 = <RingConfig as Config>::X509;
    type SigEncoder = <RingConfig as Config>::SigEncoder;
    type Crypto = Self;
}

impl CryptoProvider for Remembering {
    fn sig_algo() -> &'static dyn SignatureVerificationAlgorithm {
        &P256_SHA256
    }

    fn sha256(data: &[u8]) -> [u8; 32] {
        RingCrypto::sha256(data)
    }

    fn sha384(data: &[u8]) -> [u8; 48] {
        RingCrypto::sha384(data)
    }
}

static P256_SHA256: Remembered = Remembered;

thread_local! {
    /// The cache of the proof that this thread is in. dcap-qvl asks for its algorithm without saying for which proof.
    static IN_USE: RefCell<Option<SignatureCache>> = const { RefCell::new(None) };
}

/// Signatures that were found good, so that the next proof does not compute them again. No result depends on it. A clone
/// is the same cache.
///
/// It holds SHA-256 hashes of at most 2048 signatures, 64 KiB.
#[derive(Debug, Clone, Default)]
pub struct SignatureCache {
    good: Arc<Mutex<Good>>,
}

impl SignatureCache {
    /// Does some work on this thread with this cache.
    pub(in crate::verify) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        /// The cache that was in use before, also where the work panics.
        struct CacheBefore(Option<SignatureCache>);

        impl Drop for CacheBefore {
            fn drop(&mut self) {
                IN_USE.set(self.0.take());
            }
        }

        let _before = CacheBefore(IN_USE.replace(Some(self.clone())));
        work()
    }

    /// A panic while it was locked leaves nothing in it that was not found good.
    fn good(&self) -> MutexGuard<'_, Good> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// ECDSA over P-256 with SHA-256, by ring.
#[derive(Debug)]
struct Remembered;

/// Hashes of what was found good: since lately, and in the generation before.
#[derive(Debug, Default)]
struct Good {
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
}

impl Good {
    fn knows(&mut self, signature: &[u8; 32]) -> bool {
        if self.young.contains(signature) {
            return true;
        }
        let known = self.old.contains(signature);
        if known {
            self.add(*signature);
        }
        known
    }

    fn add(&mut self, signature: [u8; 32]) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(signature);
    }
}

impl SignatureVerificationAlgorithm for Remembered {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let hash = hash([public_key, message, signature]);
        let cache = IN_USE.with_borrow(Clone::clone);
        if cache.as_ref().is_some_and(|cache| cache.good().knows(&hash)) {
            return Ok(());
        }
        RingCrypto::sig_algo().verify_signature(public_key, message, signature)?;
        if let Some(cache) = cache {
            cache.good().add(hash);
        }
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        RingCrypto::sig_algo().public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        RingCrypto::sig_algo().signature_alg_id()
    }
}

fn hash(parts: [&[u8]; 3]) -> [u8; 32] {
    let [key, message, signature] = parts;
    let [of_key, of_message, of_signature] = parts.map(|part| (part.len() as u64).to_be_bytes());
    sha256_of_parts([&of_key, key, &of_message, message, &of_signature, signature])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, SigningKey as _};

    use super::*;

    struct Signed {
        key: Vec<u8>,
        message: Vec<u8>,
        signature: Vec<u8>,
    }

    fn signed(message: &[u8]) -> Signed {
        use rcgen::PublicKeyData as _;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Signed {
            key: key.der_bytes().to_vec(),
            message: message.to_vec(),
            signature: key.sign(message).unwrap(),
        }
    }

    fn count(of: &SignatureCache) -> usize {
        let good = of.good();
        good.young.len() + good.old.len()
    }

    fn verify(by: &SignatureCache, signed: &Signed) -> bool {
        by.during(|| P256_SHA256.verify_signature(&signed.key, &signed.message, &signed.signature))
            .is_ok()
    }

    #[test]
    fn each_cache_is_its_own_and_is_in_use_during_its_work_alone() {
        let (one, other, signed) = (
            SignatureCache::default(),
            SignatureCache::default(),
            signed(b"message"),
        );
        one.during(|| {
            assert!(verify(&other, &signed));
            assert_eq!((count(&one), count(&other)), (0, 1));
            assert!(IN_USE.with_borrow(|cache| Arc::ptr_eq(&cache.as_ref().unwrap().good, &one.good)));
        });
        assert!(IN_USE.with_borrow(Option::is_none));
        let panicked = std::panic::catch_unwind(|| one.during(|| panic!("the work")));
        assert!(panicked.is_err() && IN_USE.with_borrow(Option::is_none));
    }

    #[test]
    fn a_good_signature_is_good_again_and_is_remembered_once() {
        let (remembered, signed) = (SignatureCache::default(), signed(b"message"));
        for _ in 0..3 {
            assert!(verify(&remembered, &signed));
        }
        assert_eq!(count(&remembered), 1);
    }

    #[test]
    fn a_bad_signature_is_bad_each_time_and_is_not_remembered() {
        let (remembered, mut signed) = (SignatureCache::default(), signed(b"message"));
        signed.message[0] ^= 1;
        for _ in 0..3 {
            assert!(!verify(&remembered, &signed));
        }
        assert_eq!(count(&remembered), 0);
    }

    #[test]
    fn the_hashes_are_ring_s() {
        assert_eq!(Remembering::sha256(b"abc"), RingCrypto::sha256(b"abc"));
        assert_eq!(Remembering::sha384(b"abc"), RingCrypto::sha384(b"abc"));
    }

    #[test]
    fn the_parts_cannot_run_into_each_other() {
        let whole = hash([b"key", b"message", b"signature"]);
        assert_ne!(whole, hash([b"keym", b"essage", b"signature"]));
        assert_ne!(whole, hash([b"key", b"messages", b"ignature"]));
        assert_ne!(whole, hash([b"message", b"key", b"signature"]));
    }

    #[test]
    fn a_generation_is_remembered_as_a_whole() {
        let mut good = Good::default();
        let number = |number: usize| hash([&number.to_be_bytes(), b"", b""]);
        (0..GENERATION).for_each(|at| good.add(number(at)));
        assert!((0..GENERATION).all(|at| good.knows(&number(at))));
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_in_use() {
        let mut good = Good::default();
        let number = |number: usize| hash([&number.to_be_bytes(), b"", b""]);
        good.add(number(0));
        for at in 1..10 * GENERATION {
            good.add(number(at));
            assert!(good.knows(&number(0)), "{at}");
            assert!(good.young.len() + good.old.len() <= 2 * GENERATION);
        }
        assert!(!good.knows(&number(1)), "not used since long");
    }

    proptest! {
        #[test]
        fn what_is_near_a_good_signature_is_judged_by_itself(part in 0usize..3, place in any::<usize>(), bit in 0u8..8) {
            let (remembered, mut signed) = (SignatureCache::default(), signed(b"a message of some length"));
            prop_assert!(verify(&remembered, &signed));
            let bytes = match part {
                0 => &mut signed.key,
                1 => &mut signed.message,
                _ => &mut signed.signature,
            };
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            prop_assert!(!verify(&remembered, &signed));
        }
    }
}
