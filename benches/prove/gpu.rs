//! What eight GPUs and four switches cost beside one quote.

use std::hint::black_box;
use std::io::Write as _;

use criterion::{BatchSize, Criterion};
use cvm_verify_core::evidence::{Evidence, RecordedGpu};
use cvm_verify_core::verify::gpu::DeviceRoot;
use cvm_verify_core::verify::{Claims, SignatureCache};
use simulator::Gpus;
use simulator::gpu::device_root_der;

use crate::case::Case;
use crate::{median, time};

/// Rounds of the comparison. Both sides run in turn, so that what else the machine does hits both.
const ROUNDS: usize = 100;

/// The nonce that the devices sign.
const NONCE: [u8; 32] = [7; 32];

struct Devices<'c> {
    case: &'c Case,
    evidence: Evidence,
    root: DeviceRoot,
}

impl<'c> Devices<'c> {
    fn of(case: &'c Case) -> Self {
        let payload = Gpus::protected_pcie(1).payload(&NONCE).to_string();
        let recorded = RecordedGpu::of(&Ok(payload.into_bytes()));
        let devices = Self {
            case,
            evidence: case.parse().with_gpu(Some(&recorded)),
            root: DeviceRoot::Custom(device_root_der(1)),
        };
        let claims = devices.proven(case.prove(&devices.evidence, &SignatureCache::default()));
        let verified = claims.gpu.devices.unwrap();
        assert_eq!((verified.gpus().len(), verified.switches().len()), (8, 4));
        devices
    }

    /// Chains, signatures and opaque data of all devices.
    fn proven(&self, claims: Claims) -> Claims {
        claims.with_device_root(&self.evidence, &self.root)
    }
}

pub fn benchmark(criterion: &mut Criterion, case: &Case) {
    let devices = Devices::of(case);
    criterion.bench_function("prove 8 GPUs and 4 switches", |bencher| {
        bencher.iter_batched(
            || case.prove(&devices.evidence, &SignatureCache::default()),
            |claims| black_box(devices.proven(claims)),
            BatchSize::PerIteration,
        );
    });
}

/// Prints how the devices compare with dcap-qvl's `verify` of one quote. The medians are compared.
pub fn compare(case: &Case) {
    let devices = Devices::of(case);
    let (mut quote, mut gpus) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        quote.push(time(|| drop(black_box(case.dcap_qvl()))));
        let claims = devices.case.prove(&devices.evidence, &SignatureCache::default());
        gpus.push(time(|| drop(black_box(devices.proven(claims)))));
    }
    let (quote, gpus) = (median(quote), median(gpus));
    let ratio = gpus.as_secs_f64() / quote.as_secs_f64();
    let _ = writeln!(
        std::io::stdout(),
        "8 GPUs and 4 switches {gpus:.2?}; dcap-qvl verify of one quote {quote:.2?}; ratio {ratio:.2}"
    );
}
