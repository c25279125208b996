//! Answers of NVIDIA's remote attestation service that are changed in some bytes (`fuzz/src/edits.rs`): what is approved is
//! what the service signed of these devices.
//!
//! The parts: the answer and the key set; answers for another nonce, about another device, and by a service that refuses.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::cell::LazyCell;
use std::sync::Arc;

use cvm_verify_core::evidence::{Evidence, NrasAnswer, NrasKind, RecordedNras};
use cvm_verify_core::verify::SignatureCache;
use cvm_verify_core::verify::gpu::{DeviceRoot, NrasIntermediates, NrasVerdict};
use cvm_verify_fuzz::edits::{apply, text};
use cvm_verify_fuzz::simulated::{Expectation, NONCE, parsed};
use simulator::gpu::device_root_der;
use simulator::{Cvm, Gpu, Gpus, Nras, World};

const SEED: u64 = 1;

struct Known {
    expected: Expectation,
    evidence: Evidence,
    root: DeviceRoot,
    pinned: NrasIntermediates,
    parts: [Vec<u8>; 5],
}

impl Known {
    fn new() -> Self {
        let mut cvm = Cvm::healthy(&World::default());
        let gpus = Gpus::alone(SEED, 1);
        cvm.gpus = Some(gpus.clone());
        let expected = Expectation::of(cvm);
        let (attestation, info) = expected.bodies();
        let service = Nras::approving(SEED);
        let mut refusing = Nras::approving(SEED);
        refusing.overall_edits.push(Arc::new(|claims| {
            claims["x-nvidia-overall-att-result"] = false.into()
        }));
        let known = Self {
            expected,
            evidence: parsed(attestation.as_bytes(), info.as_bytes()).expect("it can be read"),
            root: DeviceRoot::Custom(device_root_der(SEED)),
            pinned: NrasIntermediates::Custom(service.intermediate_der()),
            parts: [
                service.answer("GPU", &gpus.devices, &NONCE),
                service.key_set(),
                service.answer("GPU", &gpus.devices, &[7; 32]),
                service.answer("GPU", &[Gpu::hopper(SEED, "gpu 1")], &NONCE),
                refusing.answer("GPU", &gpus.devices, &NONCE),
            ]
            .map(String::into_bytes),
        };
        let approved = NrasVerdict::Approved { warnings: vec![] };
        for (answer, passes) in [(0, true), (2, false), (3, false), (4, false)] {
            let verdict = known.verdict(&known.parts[answer], &known.parts[1]);
            assert_eq!(verdict == approved, passes, "{answer}: {verdict:?}");
        }
        known
    }

    fn verdict(&self, answer: &[u8], keys: &[u8]) -> NrasVerdict {
        let recorded = RecordedNras {
            host: "nras.example".to_owned(),
            answers: vec![NrasAnswer {
                kind: NrasKind::Gpu,
                body: text(answer),
            }],
            keys: Some(text(keys)),
            answered_at: None,
            problem: None,
        };
        let claims = self
            .expected
            .claims(
                &self.evidence,
                &self.expected.collateral,
                &SignatureCache::default(),
            )
            .with_device_root(&self.evidence, &self.root);
        claims.with_nras(&recorded, &self.pinned).gpu.nras
    }
}

thread_local! {
    static KNOWN: LazyCell<Known> = LazyCell::new(Known::new);
}

/// The tokens of an answer, as far as it has the form of one.
fn tokens(answer: &[u8]) -> Vec<String> {
    let answer: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    let overall = answer.pointer("/0/1").and_then(serde_json::Value::as_str);
    let devices = answer.pointer("/1").and_then(serde_json::Value::as_object);
    let devices = devices.into_iter().flat_map(serde_json::Map::values);
    let each = overall
        .into_iter()
        .chain(devices.filter_map(serde_json::Value::as_str));
    each.map(str::to_owned).collect()
}

cvm_verify_fuzz::fuzz_target!(|edits: &[u8]| {
    KNOWN.with(|known| {
        let mut parts = known.parts.clone();
        apply(edits, &mut parts);
        let NrasVerdict::Approved { warnings } = known.verdict(&parts[0], &parts[1]) else {
            return;
        };
        assert_eq!(warnings, Vec::<String>::new(), "nothing that was signed warns");
        assert_eq!(
            tokens(&parts[0]),
            tokens(&known.parts[0]),
            "other tokens than those that were signed"
        );
    });
});
