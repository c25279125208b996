//! What a case says of GPUs: the devices that sign a report, what is changed of them, in which form the app shows the reports, and
//! what the guest wrote about its GPUs while booting.

mod boot;
mod device;
mod nras;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulator::gpu::device_root_pem;
use simulator::{Cvm, Gpus, SignedNonce};

use crate::edit::JsonEdit;
use boot::Boot;
use device::DeviceChange;
use nras::Answers;

/// What every key of the simulated GPUs follows from.
const SEED: u64 = 1;

/// The GPUs of a CVM.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Gpu {
    /// Which devices there are, as their owner attached them.
    pub devices: Devices,
    /// What is changed of them, in this order.
    pub changes: Vec<DeviceChange>,
    /// The nonce that they sign: `asked` (or absent), `derived`, or 32 bytes of hex.
    pub nonce: Option<String>,
    /// In which form their reports are shown.
    pub shown: Shown,
    /// Changes of the shown document, in this order.
    pub edits: Vec<JsonEdit>,
    /// Why the endpoint of the reports has no answer.
    pub problem: Option<String>,
    /// What the guest wrote about its GPUs while booting. Absent: nothing.
    pub boot: Option<Boot>,
    /// How many GPUs the host says that there are.
    pub claimed: Option<u32>,
    /// Which root the verifier is given.
    pub root: Root,
    /// What NVIDIA's service said. Absent: it was not asked.
    pub nras: Option<Answers>,
}

/// Devices that sign reports.
#[derive(Deserialize, Default, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Devices {
    /// None.
    None,
    /// One Hopper GPU.
    One,
    /// Two Hopper GPUs that work alone.
    #[default]
    Two,
    /// Two Blackwell GPUs that work alone.
    Blackwell,
    /// Eight Hopper GPUs and four switches in protected-PCIe mode.
    ProtectedPcie,
}

/// The form in which reports are shown (`docs/gpu.md`).
#[derive(Deserialize, Default, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// The member `nvidia_payload` of the attestation, a text that holds JSON.
    #[default]
    PayloadText,
    /// The same, an object.
    PayloadObject,
    /// An endpoint of its own: an object with `evidence_list`.
    Document,
    /// An endpoint of its own: the list alone.
    List,
    /// An endpoint of its own: an object with `nvidia_payload`.
    DocumentWithPayload,
    /// An endpoint of its own: what NVIDIA's tool writes.
    Tool,
    /// An endpoint of its own: what dstack's `AttestGpu` answers, the hex of the same.
    Bundles,
    /// Not at all.
    Nowhere,
}

/// The root of the devices that the verifier trusts.
#[derive(Deserialize, Default, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Root {
    /// That of the simulated devices.
    #[default]
    Simulated,
    /// NVIDIA's, which is built in.
    Nvidia,
}

/// SHA-256 over the measurements of a simulated Hopper GPU, as a lock has it.
pub fn measurements() -> String {
    let mut hash = Sha256::new();
    for (index, kind, value) in simulator::Gpu::hopper(SEED, "any").measurements {
        hash.update([index, kind, 48, 0]);
        hash.update(value);
    }
    hex::encode(hash.finalize())
}

/// The same reports as NVIDIA's tool writes them.
fn of_tool(document: &Value) -> Value {
    json!({ "evidences": document["evidence_list"], "result_code": 0, "result_message": "Ok" })
}

impl Gpu {
    /// The roots that the verifier is given as files: whose, and PEM.
    pub fn roots(&self) -> Vec<(&'static str, String)> {
        let device = (self.root == Root::Simulated).then(|| ("nvidia", device_root_pem(SEED)));
        let service = self.nras.as_ref().map(|_| ("nras", nras::root_pem()));
        device.into_iter().chain(service).collect()
    }

    /// Lets the CVM measure and show what the case says. The bundle's member `gpu`, if it has one.
    pub fn show(&self, cvm: &mut Cvm, nonce: &[u8; 32]) -> anyhow::Result<Option<Value>> {
        cvm.claimed_gpus = self.claimed.or(cvm.claimed_gpus);
        if let Some(boot) = &self.boot {
            boot.show(cvm).context("boot")?;
        }
        if let Some(problem) = &self.problem {
            return Ok(Some(json!({ "problem": problem })));
        }
        let gpus = self.gpus(nonce)?;
        let mut text = gpus.payload(nonce).to_string();
        for edit in &self.edits {
            edit.apply(&mut text).with_context(|| format!("{edit:?}"))?;
        }
        // By text, so that a duplicate member stays what it is; only some of the forms are read from text.
        let document = || serde_json::from_str::<Value>(&text).context("this form is not written as text");
        let mut in_attestation = |value: String| {
            let member = format!("\"nvidia_payload\":{value}");
            cvm.body.attestation_members_last.push(member);
            None
        };
        let shown = match self.shown {
            Shown::Nowhere => None,
            Shown::PayloadText => in_attestation(Value::from(text).to_string()),
            Shown::PayloadObject => in_attestation(text),
            Shown::Document => Some(json!({ "document": document()? })),
            Shown::List => Some(json!({ "document": document()?["evidence_list"] })),
            Shown::DocumentWithPayload => Some(json!({ "document": { "nvidia_payload": document()? } })),
            Shown::Tool => Some(json!({ "document": of_tool(&document()?) })),
            Shown::Bundles => Some(json!({ "document": { "bundles": [{
                "vendor": "nvidia",
                "format": "nvidia-nvattest-collect-evidence-json-v1",
                "evidence": hex::encode(of_tool(&document()?).to_string()),
            }] } })),
        };
        let said = self.nras.as_ref().map(|said| said.record(&gpus, nonce));
        Ok(match said.transpose().context("nras")?.flatten() {
            None => shown,
            Some(said) => {
                let mut member = shown.unwrap_or_else(|| json!({}));
                member["nras"] = said;
                Some(member)
            }
        })
    }

    /// The devices, as they sign.
    fn gpus(&self, nonce: &[u8; 32]) -> anyhow::Result<Gpus> {
        let mut gpus = match self.devices {
            Devices::None => Gpus::alone(SEED, 0),
            Devices::One => Gpus::alone(SEED, 1),
            Devices::Two => Gpus::alone(SEED, 2),
            Devices::Blackwell => {
                let mut gpus = Gpus::alone(SEED, 2);
                for gpu in &mut gpus.devices {
                    gpu.architecture = "BLACKWELL".to_owned();
                    gpu.common_name = "GB100 A01 GSP FMC LF".to_owned();
                }
                gpus
            }
            Devices::ProtectedPcie => Gpus::protected_pcie(SEED),
        };
        gpus.nonce = match self.nonce.as_deref() {
            None | Some("asked") => SignedNonce::Asked,
            Some("derived") => SignedNonce::Derived,
            Some(fixed) => match hex::decode(fixed)?.try_into() {
                Ok(fixed) => SignedNonce::Fixed(fixed),
                Err(_) => bail!("a nonce has 32 bytes"),
            },
        };
        for change in &self.changes {
            change
                .apply(&mut gpus, nonce)
                .with_context(|| format!("{change:?}"))?;
        }
        Ok(gpus)
    }
}
