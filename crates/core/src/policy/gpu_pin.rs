//! A kind of GPU, and what it measures: what a lock holds of a deployment's GPUs.

use crate::verify::gpu::VerifiedDevice;

/// What makes a kind, in the order of the file.
pub const KEYS: [&str; 9] = [
    "model",
    "driver",
    "vbios",
    "project",
    "project_sku",
    "chip_sku",
    "protected_pcie",
    "feature_flag",
    "nvdec0",
];

/// A kind of GPU, and what it measures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GpuPin {
    /// The values of the keys of a `[[gpus]]` entry, in their order; `none` if the GPU does not say.
    pub kind: [String; KEYS.len()],
    /// SHA-256 over all measurements: see `VerifiedDevice::measurements_sha256`.
    pub measurements: [u8; 32],
}

impl GpuPin {
    /// The pin of a device. `None` if its opaque data has a format that this version does not read.
    #[doc(hidden)]
    #[must_use]
    pub fn of(device: &VerifiedDevice) -> Option<Self> {
        let fields = device.opaque().fields()?;
        let [project, project_sku, chip_sku] = fields.board();
        let switched = |on: Option<bool>| on.map(|on| if on { "on" } else { "off" }.to_owned());
        let kind = [
            Some(device.model().to_owned()),
            fields.driver(),
            fields.vbios(),
            project,
            project_sku,
            chip_sku,
            switched(Some(fields.is_protected_pcie())),
            fields.feature_flag().map(|flag| flag.to_string()),
            switched(fields.decoder_is_on()),
        ];
        Some(Self {
            kind: kind.map(|value| value.unwrap_or_else(|| "none".to_owned())),
            measurements: device.measurements_sha256(),
        })
    }

    /// The members in which it differs from another kind.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        KEYS.into_iter()
            .zip(self.kind.iter().zip(&other.kind))
            .filter(|(_, (one, other))| one != other)
            .map(|(key, _)| key)
            .collect()
    }
}
