//! Evidence of a GPU that is changed in some bytes (`fuzz/src/edits.rs`): what is proven is what a device signed.
//!
//! The parts: report and chain of the GPU; of the same GPU, a report for another nonce; report and chain of another GPU.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::cell::LazyCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cvm_verify_core::evidence::{Evidence, GpuEvidence};
use cvm_verify_core::verify::SignatureCache;
use cvm_verify_core::verify::gpu::{DeviceRoot, GpuNonce};
use cvm_verify_fuzz::edits::apply;
use cvm_verify_fuzz::simulated::{Expectation, NONCE};
use serde_json::json;
use simulator::Gpu;
use simulator::gpu::device_root_der;

const SEED: u64 = 1;
const OTHER_NONCE: [u8; 32] = [7; 32];

/// What one report proves.
type Proven = ([u8; 32], String, String, [u8; 32]);

struct Known {
    expected: Expectation,
    evidence: Evidence,
    root: DeviceRoot,
    parts: [Vec<u8>; 5],
    /// Of each report.
    honest: Vec<Proven>,
}

impl Known {
    fn new() -> Self {
        let (gpu, other) = (Gpu::hopper(SEED, "gpu 0"), Gpu::hopper(SEED, "gpu 1"));
        let expected = Expectation::default();
        let mut known = Self {
            evidence: expected.evidence(),
            expected,
            root: DeviceRoot::Custom(device_root_der(SEED)),
            parts: [
                gpu.report(&NONCE),
                gpu.chain_pem().into_bytes(),
                gpu.report(&OTHER_NONCE),
                other.report(&NONCE),
                other.chain_pem().into_bytes(),
            ],
            honest: vec![],
        };
        for [report, chain] in [[0, 1], [2, 1], [3, 4]] {
            let (nonce, proven) = known
                .proven(&known.parts[report], &known.parts[chain])
                .expect("an honest report");
            assert_eq!(nonce == GpuNonce::ThisRun, report != 2);
            known.honest.push(proven);
        }
        known
    }

    fn proven(&self, report: &[u8], chain: &[u8]) -> Option<(GpuNonce, Proven)> {
        let list = json!([{
            "arch": "HOPPER", "certificate": STANDARD.encode(chain), "evidence": STANDARD.encode(report),
        }]);
        let gpu = GpuEvidence::parse(list.to_string().as_bytes()).ok()?;
        let evidence = Evidence {
            gpu: Some(Ok(gpu)),
            ..self.evidence.clone()
        };
        let claims = self
            .expected
            .claims(&evidence, &self.expected.collateral, &SignatureCache::default())
            .with_device_root(&evidence, &self.root);
        let devices = claims.gpu.devices.ok()?;
        let device = devices.gpus().first()?;
        let proven = (
            *device.nonce(),
            device.model().to_owned(),
            device.ueid(),
            device.measurements_sha256(),
        );
        Some((claims.gpu.nonce, proven))
    }
}

thread_local! {
    static KNOWN: LazyCell<Known> = LazyCell::new(Known::new);
}

cvm_verify_fuzz::fuzz_target!(|edits: &[u8]| {
    KNOWN.with(|known| {
        let mut parts = known.parts.clone();
        apply(edits, &mut parts);
        let Some((nonce, proven)) = known.proven(&parts[0], &parts[1]) else {
            return;
        };
        assert!(
            known.honest.contains(&proven),
            "no device signed this: {proven:?}"
        );
        assert_eq!(
            nonce == GpuNonce::ThisRun,
            proven.0 == NONCE,
            "the signed nonce decides"
        );
    });
});
