//! GPUs: from the reports that a deployment supplies to [`GpuDevices`], each of them signed over a nonce by a key that
//! NVIDIA's device root vouches for; and what the measured guest recorded of its GPUs while booting.
//!
//! None of it proves that a GPU is in the machine of the quote: a host can pass the nonce to a genuine GPU elsewhere.

mod boot_record;
mod chain;
mod claims;
mod device;
mod devices;
mod nras;
mod opaque;
mod policy;
mod root;
#[cfg(test)]
mod samples_tests;
mod spdm;

pub use boot_record::{GpuBoot, GpuModes, GpuRecord};
pub(crate) use device::VerifiedDevice;
pub use devices::GpuDevices;
pub(crate) use devices::Topology;
pub use nras::NrasVerdict;
pub(crate) use opaque::OpaqueFields;
pub use policy::MeasuredGpuPolicy;

// For the program.
#[doc(hidden)]
pub use self::{
    boot_record::GpuBootRefusal,
    chain::{ChainError, certificate_names},
    device::DeviceError,
    devices::GpuRefusal,
    nras::{MAX_ANSWER_BYTES, MAX_KEYS_BYTES, NrasIntermediates},
    opaque::{Opaque, OpaqueError},
    policy::GpuPolicyProblem,
    root::DeviceRoot,
    spdm::{SpdmError, SpdmTranscript},
};

use super::digest::sha256;
use super::{BootClaims, BootRefusal, ComposeRefusal, MeasuredCompose, NotProven, Prover};
use crate::evidence::{Evidence, GpuEvidence, GpuProblem, GpuReport, NrasKind, RecordedNras, claimed_gpus};
use crate::report::DeviceRootKind;

/// What comes before the run's nonce where an app derives the nonce of its GPUs from it, with SHA-256 over both: 17 bytes
/// of ASCII, then the 32 bytes.
#[doc(hidden)]
pub const DERIVED_NONCE: &[u8] = b"cvm-verify-gpu-v1";

/// What was proven of a deployment's GPUs, and why the rest was not.
#[derive(Debug, Clone)]
pub struct GpuFacts {
    /// Every device that it handed a report of.
    pub devices: Result<GpuDevices, NotProven<GpuRefusal>>,
    /// Whether the devices signed this run's nonce.
    pub nonce: GpuNonce,
    /// What the measured guest recorded while booting.
    pub boot: Result<GpuBoot, NotProven<GpuBootRefusal>>,
    /// The policy that the measured guest applied while booting; absent for a guest that has none.
    pub policy: Option<Result<MeasuredGpuPolicy, GpuPolicyProblem>>,
    /// How many GPUs the host says that the VM has. Proven by nothing: it can only warn.
    pub claimed: Option<u32>,
    /// What NVIDIA's remote attestation service says of the same reports.
    pub nras: NrasVerdict,
    /// Whose root certificate the chains were verified with.
    pub root: DeviceRootKind,
    /// Why further GPU evidence, next to that which is read, cannot be read.
    pub problem_beside: Option<GpuProblem>,
}

/// Whether the devices signed this run's nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GpuNonce {
    /// There are no verified devices.
    NotReached,
    /// The evidence was asked for without a nonce.
    NoNonce,
    /// Each signed the nonce of this run.
    ThisRun,
    /// Each signed the nonce that is derived from it, as [`DERIVED_NONCE`] says.
    Derived,
    /// One of them signed another one.
    Other([u8; 32]),
}

/// Proves what can be proven of the GPUs.
pub(super) fn prove(
    evidence: &Evidence,
    boot: &Result<BootClaims, NotProven<BootRefusal>>,
    compose: &Result<MeasuredCompose, NotProven<ComposeRefusal>>,
    root: &DeviceRoot,
    prover: &Prover,
) -> GpuFacts {
    let absent = GpuEvidence::default();
    let given = match &evidence.gpu {
        None => Ok(&absent),
        Some(given) => given.as_ref(),
    };
    let devices = match given.map(|given| &given.reports) {
        Err(error) => Err(NotProven::Refused(GpuRefusal::Problem(error.clone()))),
        Ok(None) => Err(NotProven::Absent),
        Ok(Some(reports)) => GpuDevices::verify(reports.open(prover), root).map_err(NotProven::Refused),
    };
    let record = given
        .ok()
        .and_then(|given| given.boot_record.as_ref())
        .map(|record| record.open(prover).as_slice());
    GpuFacts {
        nonce: nonce_of(&devices, evidence.nonce.as_ref()),
        devices,
        boot: match boot {
            Err(_) => Err(NotProven::NotReached),
            Ok(boot) => match boot.gpu_attestation() {
                None => Err(NotProven::Absent),
                Some(payload) => GpuBoot::of_event(payload, record).map_err(NotProven::Refused),
            },
        },
        policy: match (boot, compose) {
            (Ok(boot), Ok(compose)) => MeasuredGpuPolicy::of(boot, compose),
            _ => None,
        },
        claimed: evidence
            .attestation
            .vm_config
            .as_ref()
            .and_then(|config| claimed_gpus(config.open(prover))),
        nras: NrasVerdict::NotAsked,
        root: root.kind(),
        problem_beside: given.ok().and_then(|given| given.problem_beside.clone()),
    }
}

/// What NVIDIA's service is asked about: the reports of each kind.
#[doc(hidden)]
pub type NrasLists = Vec<(NrasKind, Vec<GpuReport>)>;

impl GpuFacts {
    /// With the answers of NVIDIA's service about the devices that are verified here, judged at a time, Unix seconds.
    pub(super) fn with_nras(
        mut self,
        recorded: &RecordedNras,
        intermediates: &NrasIntermediates,
        at: u64,
    ) -> Self {
        if let Ok(devices) = &self.devices
            && let Some(nonce) = devices.all().next().map(|device| *device.nonce())
        {
            self.nras = nras::judge(recorded, devices, &nonce, intermediates, at);
            self.root = self.root.and(intermediates.kind());
        }
        self
    }

    /// The reports to send to NVIDIA's service, and the nonce that they signed: those of verified devices alone, and only if
    /// they answered this run.
    #[doc(hidden)]
    #[must_use]
    pub fn for_nras(&self) -> Option<([u8; 32], NrasLists)> {
        let devices = self.devices.as_ref().ok()?;
        if !matches!(self.nonce, GpuNonce::ThisRun | GpuNonce::Derived) {
            return None;
        }
        let nonce = devices.all().next().map(|device| *device.nonce())?;
        let reports =
            |devices: &[VerifiedDevice]| devices.iter().map(|device| device.report().clone()).collect();
        let lists = vec![
            (NrasKind::Gpu, reports(devices.gpus())),
            (NrasKind::Switch, reports(devices.switches())),
        ];
        Some((nonce, lists))
    }
}

/// The signed nonces are compared, and no nonce that stands next to the reports: anyone who writes that one can copy ours.
fn nonce_of(devices: &Result<GpuDevices, NotProven<GpuRefusal>>, nonce: Option<&[u8; 32]>) -> GpuNonce {
    let (Ok(devices), Some(nonce)) = (devices, nonce) else {
        return match devices {
            Ok(_) => GpuNonce::NoNonce,
            Err(_) => GpuNonce::NotReached,
        };
    };
    let derived = sha256(&[DERIVED_NONCE, nonce].concat());
    let signs = |expected: &[u8; 32]| devices.all().all(|device| device.nonce() == expected);
    if signs(nonce) {
        GpuNonce::ThisRun
    } else if signs(&derived) {
        GpuNonce::Derived
    } else {
        let other = devices.all().find(|device| device.nonce() != nonce);
        GpuNonce::Other(other.map_or([0; 32], |device| *device.nonce()))
    }
}
