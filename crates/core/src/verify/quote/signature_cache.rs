//! ECDSA signatures that were found good are not computed again.
//!
//! Of the signatures that a quote's proof needs, most are in its collateral and in the certificates of its platform:
//! many quotes bring the same bytes. Whether a signature is good is a function of key, message and signature alone; what
//! the signed bytes mean, whether they are in date and whether they fit this quote is looked at for each quote again.
//!
//! * Only successes are remembered, with all bytes of key, message and signature: nothing else is equal to them. A hash of them
//!   would take longer than to compare them, on a processor without instructions for it.
//! * At most [`GENERATION`] bytes twice are remembered: what was not used for that long is forgotten, so that quotes, of
//!   which each has signatures of its own, push out nothing that is in use.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dcap_qvl::config::{Config, CryptoProvider};
use dcap_qvl::configs::RingConfig;
use dcap_qvl::crypto::RingCrypto;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

/// How many bytes are remembered before the older ones begin to be forgotten.
const GENERATION: usize = 256 * 1024;

/// What a signature takes beside its bytes, about: its entry and three allocations.
const OVERHEAD: usize = 128;

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
/// It holds at most 512 KiB of keys, messages and signatures.
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

/// What was found good: since lately, and in the generation before.
#[derive(Debug, Default)]
struct Good {
    young: HashMap<Box<[u8]>, SignedBytes>,
    /// How many bytes `young` holds.
    bytes: usize,
    old: HashMap<Box<[u8]>, SignedBytes>,
}

/// What a signature was found to be one of. A signature of two has the later one alone.
#[derive(Debug)]
struct SignedBytes {
    key: Box<[u8]>,
    message: Box<[u8]>,
}

impl Good {
    fn knows(&mut self, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let same = |known: &SignedBytes| *known.key == *key && *known.message == *message;
        if self.young.get(signature).is_some_and(same) {
            return true;
        }
        let known = self.old.get(signature).is_some_and(same);
        if known {
            self.add(key, message, signature);
        }
        known
    }

    /// What is too large for a generation is not remembered.
    fn add(&mut self, key: &[u8], message: &[u8], signature: &[u8]) {
        let bytes = key.len() + message.len() + signature.len() + OVERHEAD;
        if bytes > GENERATION {
            return;
        }
        if self.bytes + bytes > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += bytes;
        let signed = SignedBytes {
            key: key.into(),
            message: message.into(),
        };
        self.young.insert(signature.into(), signed);
    }
}

impl SignatureVerificationAlgorithm for Remembered {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let cache = IN_USE.with_borrow(Clone::clone);
        let known = |cache: &SignatureCache| cache.good().knows(public_key, message, signature);
        if cache.as_ref().is_some_and(known) {
            return Ok(());
        }
        RingCrypto::sig_algo().verify_signature(public_key, message, signature)?;
        if let Some(cache) = cache {
            cache.good().add(public_key, message, signature);
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
        let mut good = Good::default();
        good.add(b"key", b"message", b"signature");
        assert!(good.knows(b"key", b"message", b"signature"));
        assert!(!good.knows(b"keym", b"essage", b"signature"));
        assert!(!good.knows(b"key", b"messages", b"ignature"));
        assert!(!good.knows(b"message", b"key", b"signature"));
        good.add(b"other", b"thing", b"signature");
        assert!(good.knows(b"other", b"thing", b"signature"));
        assert!(!good.knows(b"other", b"message", b"signature"));
    }

    /// A message of this number with its signature, which together with the overhead take 1 KiB.
    fn numbered(number: usize) -> ([u8; 1024 - OVERHEAD - 8], [u8; 8]) {
        let mut message = [0; 1024 - OVERHEAD - 8];
        message[..8].copy_from_slice(&number.to_be_bytes());
        (message, number.to_be_bytes())
    }

    fn add(to: &mut Good, number: usize) {
        let (message, signature) = numbered(number);
        to.add(b"", &message, &signature);
    }

    fn knows(good: &mut Good, number: usize) -> bool {
        let (message, signature) = numbered(number);
        good.knows(b"", &message, &signature)
    }

    #[test]
    fn a_generation_is_remembered_as_a_whole() {
        let mut good = Good::default();
        (0..GENERATION / 1024).for_each(|number| add(&mut good, number));
        assert!(good.old.is_empty());
        assert!((0..GENERATION / 1024).all(|number| knows(&mut good, number)));
        add(&mut good, GENERATION);
        assert_eq!((good.young.len(), good.bytes), (1, 1024));
        assert_eq!(good.old.len(), GENERATION / 1024);
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_in_use() {
        let held = |of: &HashMap<Box<[u8]>, SignedBytes>| -> usize {
            of.iter()
                .map(|(signature, signed)| {
                    signature.len() + signed.key.len() + signed.message.len() + OVERHEAD
                })
                .sum()
        };
        let mut good = Good::default();
        add(&mut good, 0);
        for number in 1..10 * GENERATION / 1024 {
            add(&mut good, number);
            assert!(knows(&mut good, 0), "{number}");
            assert!(
                held(&good.young) == good.bytes && good.bytes <= GENERATION && held(&good.old) <= GENERATION
            );
        }
        assert!(!knows(&mut good, 1), "not used since long");
    }

    #[test]
    fn what_is_larger_than_a_generation_is_not_remembered_and_pushes_nothing_out() {
        let mut good = Good::default();
        add(&mut good, 0);
        let message = |bytes: usize| vec![0; bytes - OVERHEAD - 8];
        let (fits, large) = (message(GENERATION), message(GENERATION + 1));
        good.add(b"", &large, &[1; 8]);
        assert!(!good.knows(b"", &large, &[1; 8]) && good.young.len() == 1 && good.old.is_empty());
        good.add(b"", &fits, &[1; 8]);
        assert!(good.knows(b"", &fits, &[1; 8]) && knows(&mut good, 0));
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
