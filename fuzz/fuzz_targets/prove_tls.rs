//! A certificate of dstack that is changed in some bytes (`fuzz/src/edits.rs`): the key that is bound is one that the VM quoted.
//!
//! The parts: leaf and issuer; a certificate of the same VM for another key; one of another app; one without evidence; the issuer of
//! the second one.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::cell::LazyCell;

use cvm_verify_core::evidence::{Evidence, IngressSeen, Probe, Seen, TlsChain, TlsHost, TlsSession};
use cvm_verify_core::verify::{Inputs, SignatureCache, spki_sha256};
use cvm_verify_fuzz::edits::apply;
use cvm_verify_fuzz::simulated::Expectation;
use simulator::{Cvm, DEFAULT_NOW, Lie, TlsIdentity, TlsMode, World};

struct Known {
    expected: Expectation,
    evidence: Evidence,
    parts: [Vec<u8>; 6],
    /// Hashes of the keys that the VM quoted.
    quoted: [[u8; 32]; 2],
}

impl Known {
    fn new() -> Self {
        let expected = Expectation::default();
        let mut other = Cvm::healthy(&World::default());
        Lie::SwappedImage.apply(&mut other);
        let own = TlsIdentity::ra_tls(1, DEFAULT_NOW, &expected.cvm);
        let second =
            TlsIdentity::ra_tls_versioned(2, DEFAULT_NOW, &expected.cvm, |versioned| versioned.msgpack());
        let others = TlsIdentity::ra_tls(3, DEFAULT_NOW, &other);
        let nobodys = TlsIdentity::new(4, DEFAULT_NOW, TlsMode::TestCa);
        let issuer = |identity: &TlsIdentity| identity.chain_der().swap_remove(1);
        let known = Self {
            evidence: expected.evidence(),
            expected,
            parts: [
                own.leaf_der(),
                issuer(&own),
                second.leaf_der(),
                others.leaf_der(),
                nobodys.leaf_der(),
                issuer(&second),
            ],
            quoted: [own.key_hash(), second.key_hash()],
        };
        for (leaf, issuer, binds) in [
            (0, 1, true),
            (2, 5, true),
            (2, 1, false),
            (3, 1, false),
            (4, 1, false),
        ] {
            assert_eq!(
                known.bound(&known.parts[leaf], &known.parts[issuer]).is_some(),
                binds,
                "{leaf}"
            );
        }
        known
    }

    /// The hash of the key that is bound.
    fn bound(&self, leaf: &[u8], issuer: &[u8]) -> Option<[u8; 32]> {
        let session = TlsSession {
            chain: TlsChain::new(vec![leaf.to_vec(), issuer.to_vec()]).ok()?,
            other_keys: 0,
            has_trusted_ca: false,
            host: TlsHost::Other,
            seen: Seen::Live,
            probe: Probe::NotSent,
            ingress: IngressSeen::NotAsked,
        };
        let signatures = SignatureCache::default();
        let inputs = Inputs {
            collateral: Ok(&self.expected.collateral),
            collateral_fetched_at: None,
            signatures: &signatures,
            root: &self.expected.root,
            at: self.expected.cvm.world.now,
            clock_floor: 0,
        };
        let claims = self
            .expected
            .claims(&self.evidence, &self.expected.collateral, &signatures);
        let tls = claims
            .with_tls(&session, &inputs)
            .with_ingress(&session, &inputs)
            .tls?;
        assert!(
            tls.app_key.is_err() && tls.ingress.is_err(),
            "nothing but the certificate can bind here"
        );
        tls.ra_tls.ok().map(|bound| *bound.spki_sha256())
    }
}

thread_local! {
    static KNOWN: LazyCell<Known> = LazyCell::new(Known::new);
}

cvm_verify_fuzz::fuzz_target!(|edits: &[u8]| {
    KNOWN.with(|known| {
        let mut parts = known.parts.clone();
        apply(edits, &mut parts);
        if let Some(bound) = known.bound(&parts[0], &parts[1]) {
            assert!(known.quoted.contains(&bound), "a key that the VM never quoted");
            assert_eq!(
                spki_sha256(&parts[0]),
                Some(bound),
                "the key is that of the certificate"
            );
        }
    });
});
