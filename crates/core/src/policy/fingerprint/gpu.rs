//! What is expected of GPUs.

use super::encoding::Encoding;
use crate::policy::expected::Expected;
use crate::policy::gpu::{GpuExpectations, LockedGpus};
use crate::policy::gpu_pin::GpuPin;

impl Encoding {
    pub(super) fn gpu(&mut self, expected: &GpuExpectations) {
        let GpuExpectations {
            mode,
            count,
            models,
            switches_required,
            verifier,
            pins,
        } = expected;
        self.mode("gpu", mode);
        if let Some(Expected { value, origin: _ }) = count {
            let count = u64::from(*value).to_be_bytes();
            self.entry("gpu-count", [count.as_slice()]);
        }
        if let Some(Expected { value, origin: _ }) = models {
            self.set(
                "gpu-model",
                value.iter().map(|model| model.as_str().as_bytes().to_vec()),
            );
        }
        if *switches_required {
            self.word("gpu-switches", "required");
        }
        self.mode("gpu-verifier", verifier);
        if let Some(LockedGpus { pins, lock: _ }) = pins {
            let encoded = pins.iter().map(|GpuPin { kind, measurements }| {
                let mut one = Self(Vec::new());
                kind.iter().for_each(|value| one.bytes(value.as_bytes()));
                one.bytes(measurements);
                one.0
            });
            self.set("lock.gpus", encoded);
        }
    }
}
