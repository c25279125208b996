//! All GPUs and switches of a deployment: each verified, none twice.

use std::collections::{BTreeSet, HashMap};

use super::DeviceRoot;
use super::device::{Architecture, DeviceError, VerifiedDevice};
use crate::evidence::{GpuProblem, GpuReport};

/// The GPUs and switches of a deployment, each of them verified and none of them twice. At least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuDevices {
    gpus: Vec<VerifiedDevice>,
    switches: Vec<VerifiedDevice>,
}

/// Why GPU evidence is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GpuRefusal {
    /// There is no document, or it cannot be read.
    #[error("{0}")]
    Problem(GpuProblem),
    /// One device.
    #[error("device {position}: {error}")]
    Device {
        /// Which one, from 1.
        position: usize,
        /// Why.
        error: DeviceError,
    },
    /// One device twice. Positions from 1.
    #[error("devices {first} and {second} are one and the same ({ueid})")]
    Duplicate {
        /// The first.
        first: usize,
        /// The second.
        second: usize,
        /// Its identity.
        ueid: String,
    },
}

impl GpuRefusal {
    /// The reason under which the `gpu` check reports it.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Problem(GpuProblem::Unreadable(_)) => "gpu-malformed",
            Self::Problem(GpuProblem::Unreachable(_)) => "gpu-unreachable",
            Self::Device { error, .. } => error.reason(),
            Self::Duplicate { .. } => "gpu-duplicate",
        }
    }

    /// Whether it shows a forgery, and not only a form that this version does not know.
    #[must_use]
    pub const fn convicts(&self) -> bool {
        match self {
            Self::Problem(_) => false,
            Self::Device { error, .. } => error.convicts(),
            Self::Duplicate { .. } => true,
        }
    }
}

/// Whether the switches that the GPUs use are attested, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topology {
    /// No GPU uses a switch that would have to be trusted, or a GPU does not say so.
    Alone,
    /// Nothing contradicts, and a device describes itself in a format that this version does not read.
    Unread,
    /// Protected PCIe, and the switches that the GPUs see are the attested ones.
    Complete,
    /// Protected PCIe, and no switch is attested.
    SwitchesMissing,
    /// Switches, and no GPU.
    NoGpus,
    /// The switches that the GPUs see are not the attested ones. Hex of 8 bytes each.
    Mismatch {
        /// Seen by GPUs, not attested.
        unattested: Vec<String>,
        /// Attested, not seen by a GPU.
        unseen: Vec<String>,
    },
}

impl GpuDevices {
    /// Verifies every report. A forgery among them is reported before a form that is not known.
    pub(super) fn verify(reports: &[GpuReport], root: &DeviceRoot) -> Result<Self, GpuRefusal> {
        let mut devices = Self {
            gpus: Vec::new(),
            switches: Vec::new(),
        };
        let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut unknown = None;
        for (index, report) in reports.iter().enumerate() {
            let position = index + 1;
            let device = match VerifiedDevice::verify(report, root) {
                Ok(device) => device,
                Err(error) => {
                    let refusal = GpuRefusal::Device { position, error };
                    if refusal.convicts() {
                        return Err(refusal);
                    }
                    unknown.get_or_insert(refusal);
                    continue;
                }
            };
            let ueid = device.ueid();
            for identity in device.keys().iter().cloned().chain([ueid.clone().into_bytes()]) {
                match seen.insert(identity, position) {
                    Some(first) if first != position => {
                        return Err(GpuRefusal::Duplicate {
                            first,
                            second: position,
                            ueid,
                        });
                    }
                    _ => {}
                }
            }
            if device.architecture().is_switch() {
                devices.switches.push(device);
            } else {
                devices.gpus.push(device);
            }
        }
        unknown.map_or(Ok(devices), Err)
    }

    /// The GPUs.
    #[doc(hidden)]
    #[must_use]
    pub fn gpus(&self) -> &[VerifiedDevice] {
        &self.gpus
    }

    /// The switches.
    #[doc(hidden)]
    #[must_use]
    pub fn switches(&self) -> &[VerifiedDevice] {
        &self.switches
    }

    /// All of them.
    #[doc(hidden)]
    pub fn all(&self) -> impl Iterator<Item = &VerifiedDevice> {
        self.gpus.iter().chain(&self.switches)
    }

    /// Whether the opaque data of a device has a format that this version does not read.
    #[must_use]
    pub(crate) fn has_unread(&self) -> bool {
        self.all().any(|device| device.opaque().fields().is_none())
    }

    /// Whether the switches that the GPUs use are attested, too. Blackwell GPUs supply no evidence of switches. A device that
    /// cannot be read leaves open what it alone would show, and nothing that the others show.
    #[must_use]
    pub(crate) fn topology(&self) -> Topology {
        let ids = |devices: &[VerifiedDevice], is_switch: bool| -> BTreeSet<String> {
            devices
                .iter()
                .filter_map(|device| device.opaque().fields())
                .flat_map(|fields| fields.switch_ids(is_switch))
                .map(hex::encode)
                .collect()
        };
        let is_read = |device: &&VerifiedDevice| device.opaque().fields().is_some();
        let uses_switches = |device: &VerifiedDevice| {
            device.architecture() == Architecture::Hopper
                && device
                    .opaque()
                    .fields()
                    .is_some_and(super::opaque::OpaqueFields::is_protected_pcie)
        };
        let consistent = |otherwise: Topology| match self.has_unread() {
            true => Topology::Unread,
            false => otherwise,
        };
        if self.gpus.is_empty() {
            return Topology::NoGpus;
        }
        if self.switches.is_empty() {
            return match self.gpus.iter().any(uses_switches) {
                true => Topology::SwitchesMissing,
                false => consistent(Topology::Alone),
            };
        }
        let (seen, attested) = (ids(&self.gpus, false), ids(&self.switches, true));
        let unread = self.switches.iter().filter(|switch| !is_read(switch)).count();
        // Each GPU sees every switch: one that sees none is in another machine.
        let sees_them = |gpu: &VerifiedDevice| {
            let seen = ids(std::slice::from_ref(gpu), false);
            seen.is_superset(&attested) && seen.len() - attested.len() <= unread
        };
        let names_any = !attested.is_empty() || unread > 0;
        if names_any && self.gpus.iter().filter(is_read).all(sees_them) {
            return consistent(Topology::Complete);
        }
        Topology::Mismatch {
            unattested: seen.difference(&attested).cloned().collect(),
            unseen: attested.difference(&seen).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::gpu::chain::ChainError;

    fn verified(gpus: &simulator::Gpus) -> Result<GpuDevices, GpuRefusal> {
        let report = |gpu: &simulator::Gpu| GpuReport {
            architecture: gpu.architecture.clone(),
            transcript: gpu.report(&[7; 32]),
            chain: gpu.chain_pem().into_bytes(),
        };
        let reports: Vec<GpuReport> = gpus.devices.iter().map(report).collect();
        let root = DeviceRoot::Custom(simulator::gpu::device_root_der(1));
        GpuDevices::verify(&reports, &root)
    }

    #[test]
    fn the_places_of_a_device_that_is_there_twice_are_named() {
        let mut gpus = simulator::Gpus::alone(1, 1);
        gpus.devices.push(gpus.devices[0].clone());
        let says = verified(&gpus).unwrap_err().to_string();
        assert!(
            says.starts_with("devices 1 and 2 are one and the same ("),
            "{says}"
        );
    }

    /// A switch that names none is no switch that a GPU sees; one that cannot be read may be.
    #[test]
    fn switches_without_ids_leave_the_topology_open_only_where_they_are_unread() {
        let topology = |opaque_bytes: Option<Vec<u8>>| {
            let mut gpus = simulator::Gpus::alone(1, 1);
            let mut switch = simulator::Gpu::switch(1, "nameless", [0; 8]);
            switch.opaque_bytes = opaque_bytes;
            gpus.devices.push(switch);
            verified(&gpus).unwrap().topology()
        };
        let unread = b"NVDAOD\0\0\x02\0\0\0 and more".to_vec();
        assert_eq!(topology(Some(unread)), Topology::Unread);
        let none = Topology::Mismatch {
            unattested: Vec::new(),
            unseen: Vec::new(),
        };
        assert_eq!(topology(None), none);
    }

    #[test]
    fn a_form_that_is_not_known_convicts_nobody() {
        let of = |error| GpuRefusal::Device { position: 1, error };
        let ueid = "00".to_owned();
        for (refusal, convicts) in [
            (
                GpuRefusal::Problem(GpuProblem::Unreachable("no answer".to_owned())),
                false,
            ),
            (of(DeviceError::UnknownDevice("GX1".to_owned())), false),
            (of(DeviceError::Chain(ChainError::Count(1))), false),
            (of(DeviceError::Chain(ChainError::OtherRoot)), true),
            (of(DeviceError::Signature), true),
            (of(DeviceError::Firmware), true),
            (
                GpuRefusal::Duplicate {
                    first: 1,
                    second: 2,
                    ueid,
                },
                true,
            ),
        ] {
            assert_eq!(refusal.convicts(), convicts, "{refusal}");
        }
    }
}
