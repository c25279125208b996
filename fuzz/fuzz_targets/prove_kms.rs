//! What a KMS showed, changed in some bytes (`fuzz/src/edits.rs`): what passes is the KMS that the user named.
//!
//! The parts: certificate, its issuer and the answer to GetMeta; those of a KMS with another root key; those of one with other
//! code.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::cell::LazyCell;

use cvm_verify_core::evidence::{Evidence, RecordedCollateral, RecordedKms};
use cvm_verify_core::policy::{KmsMode, Origin, OsImageOption, parse_os_image};
use cvm_verify_core::report::{CheckId, Status};
use cvm_verify_core::verify::{Inputs, SignatureCache, UnusableCollateral, spki_sha256};
use cvm_verify_fuzz::edits::{apply, text};
use cvm_verify_fuzz::simulated::{Expectation, given};
use simulator::{DEFAULT_NOW, Kms, World};

// What the simulator issues certificates for.
const HOST: &str = "localhost:8443";

struct Known {
    expected: Expectation,
    evidence: Evidence,
    collateral: RecordedCollateral,
    parts: [Vec<u8>; 9],
    key: Option<[u8; 32]>,
}

fn shown(kms: &Kms, seed: u64) -> [Vec<u8>; 3] {
    let mut chain = kms.identity(seed, DEFAULT_NOW).chain_der().into_iter();
    [
        chain.next().expect("a leaf"),
        chain.next().unwrap_or_default(),
        kms.meta.to_string().into_bytes(),
    ]
}

impl Known {
    fn new() -> Self {
        let world = World::default();
        let kms = Kms::healthy(&world);
        let mut expected = Expectation::default();
        let policy = &mut expected.policy.kms;
        policy.mode = KmsMode::Required;
        policy.hosts = Some(given(vec![HOST.parse().expect("a host")]));
        policy.compose_hashes = Some(given(vec![kms.cvm.compose_hash()]));
        let Ok(OsImageOption::Policy(image)) = parse_os_image(&kms.cvm.registers()) else {
            panic!("registers in hex are an OS image");
        };
        policy.os_image = Some((*image, Origin::Option("--kms-os-image")));
        let mut other_code = kms.cvm.clone();
        other_code.app_compose.push(' ');
        let others = [
            shown(&kms, 1),
            shown(&Kms::of(kms.cvm.clone(), kms.root ^ 1), 2),
            shown(&Kms::of(other_code, kms.root), 3),
        ];
        let document = cvm_verify_core::evidence::collateral::document(&expected.collateral);
        let document = serde_json::value::to_raw_value(&document).expect("plain fields");
        let known = Self {
            evidence: expected.evidence(),
            expected,
            collateral: RecordedCollateral {
                document,
                fetched_at: None,
            },
            key: spki_sha256(&others[0][0]),
            parts: others.concat().try_into().expect("three of three"),
        };
        for (first, passes) in [(0, true), (3, false), (6, false)] {
            let [leaf, issuer, meta] = [0, 1, 2].map(|at| &known.parts[first + at]);
            assert_eq!(known.passes(leaf, issuer, meta), passes, "{first}");
        }
        known
    }

    fn passes(&self, leaf: &[u8], issuer: &[u8], meta: &[u8]) -> bool {
        let recorded = RecordedKms {
            chain: [leaf, issuer]
                .iter()
                .filter(|der| !der.is_empty())
                .map(hex::encode)
                .collect(),
            meta: Some(text(meta)),
            collateral: Some(self.collateral.clone()),
            bootstrap_collateral: Some(self.collateral.clone()),
            ..RecordedKms::of_host(HOST)
        };
        let signatures = SignatureCache::default();
        let inputs = Inputs {
            collateral: Err(UnusableCollateral::Missing),
            collateral_fetched_at: None,
            signatures: &signatures,
            root: &self.expected.root,
            at: self.expected.cvm.world.now,
            clock_floor: 0,
        };
        let claims = self
            .expected
            .claims(&self.evidence, &self.expected.collateral, &signatures);
        let report = self.expected.appraise(Ok(&claims.with_kms(&[recorded], &inputs)));
        let others = report.checks.iter().filter(|check| check.id != CheckId::Kms);
        for check in others {
            assert_ne!(check.status, Status::Fail, "a KMS accuses no app: {check:?}");
        }
        report
            .check(CheckId::Kms)
            .is_some_and(|check| check.status == Status::Pass)
    }
}

thread_local! {
    static KNOWN: LazyCell<Known> = LazyCell::new(Known::new);
}

cvm_verify_fuzz::fuzz_target!(|edits: &[u8]| {
    KNOWN.with(|known| {
        let mut parts = known.parts.clone();
        apply(edits, &mut parts);
        if known.passes(&parts[0], &parts[1], &parts[2]) {
            assert_eq!(
                spki_sha256(&parts[0]),
                known.key,
                "another key passed for that of the KMS"
            );
        }
    });
});
