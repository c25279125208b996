//! Changes of GPUs and switches, before and after they sign.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use simulator::gpu_pki::DeviceCertificate;
use simulator::keys384::Key384;
use simulator::{Gpu, Gpus};

use crate::edit::BytesEdit;

/// A change of one device, or of all.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct DeviceChange {
    /// Which one, from 0; GPUs are before switches. Absent: each.
    pub at: Option<usize>,
    /// It is left out.
    pub remove: bool,
    /// It is shown twice.
    pub twice: bool,
    /// A further switch with this id, hex, is shown behind the others.
    pub add_switch: Option<String>,
    /// A further GPU is shown behind the others.
    pub add_gpu: bool,
    /// What its key and serial number follow from: another one is another device.
    pub label: Option<String>,
    /// The seed of the root that it belongs to.
    pub root: Option<u64>,
    /// What the sender calls it.
    pub architecture: Option<String>,
    /// The common name of its certificate.
    pub common_name: Option<String>,
    /// Fields of the opaque data that are set: number, and hex.
    pub opaque: BTreeMap<String, String>,
    /// The whole opaque data, hex.
    pub opaque_bytes: Option<String>,
    /// The firmware id in its certificate, hex.
    pub certified_firmware: Option<String>,
    /// Changes of its report before it is signed.
    pub before_signing: Vec<BytesEdit>,
    /// Changes of its report after it was signed.
    pub after_signing: Vec<BytesEdit>,
    /// What is wrong with it, in this order.
    pub lies: Vec<Lie>,
}

/// One thing that is wrong with a device.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// It signed another nonce, and the asked one was written over it.
    NonceWrittenOver,
    /// Its report is that of another device of the same kind.
    ReportOfAnother,
    /// Its chain ends before the root.
    WithoutRoot,
    /// The certificate of its boot ROM is not one of a CA.
    BootRomIsNoCa,
    /// The key of its boot ROM may not sign certificates.
    BootRomMayNotSign,
    /// Its own key signed its certificate.
    SelfSigned,
    /// Below its certificate is another one, of the attacker's, which its key signed.
    AttackersCertificate,
    /// Its certificate names no firmware.
    NoCertifiedFirmware,
    /// Its certificate has this boot ROM: all with this lie have the same.
    OneBootRom,
}

impl DeviceChange {
    /// Makes the change.
    pub fn apply(&self, gpus: &mut Gpus, asked: &[u8; 32]) -> anyhow::Result<()> {
        if let Some(id) = &self.add_switch {
            let id: [u8; 8] = hex::decode(id)?.try_into().ok().context("an id has 8 bytes")?;
            gpus.devices.push(Gpu::switch(super::SEED, "further switch", id));
        }
        if self.add_gpu {
            gpus.devices.push(Gpu::hopper(super::SEED, "further gpu"));
        }
        let range = match self.at {
            Some(at) => at..at + 1,
            None => 0..gpus.devices.len(),
        };
        for gpu in gpus
            .devices
            .get_mut(range.clone())
            .context("there is no such device")?
        {
            self.change(gpu, asked)?;
        }
        if self.remove {
            gpus.devices.drain(range);
        } else if self.twice {
            gpus.devices.extend_from_within(range);
        }
        Ok(())
    }

    fn change(&self, gpu: &mut Gpu, asked: &[u8; 32]) -> anyhow::Result<()> {
        let set = |from: &Option<String>, to: &mut String| {
            if let Some(text) = from {
                to.clone_from(text);
            }
        };
        set(&self.label, &mut gpu.label);
        set(&self.architecture, &mut gpu.architecture);
        set(&self.common_name, &mut gpu.common_name);
        gpu.seed = self.root.unwrap_or(gpu.seed);
        for (number, data) in &self.opaque {
            gpu.set(number.parse()?, hex::decode(data)?);
        }
        if let Some(bytes) = &self.opaque_bytes {
            gpu.opaque_bytes = Some(hex::decode(bytes)?);
        }
        if let Some(id) = &self.certified_firmware {
            gpu.certified_firmware = hex::decode(id)?;
        }
        let nonce = *asked;
        for (edits, done) in [
            (&self.before_signing, &mut gpu.before_signing),
            (&self.after_signing, &mut gpu.after_signing),
        ] {
            for edit in edits {
                let edit = edit.clone();
                done.push(Arc::new(move |report| {
                    edit.apply(report).expect("a place in the report")
                }));
            }
        }
        for lie in &self.lies {
            lie.apply(gpu, nonce);
        }
        ensure!(!gpu.label.is_empty(), "a device has a label");
        Ok(())
    }
}

impl Lie {
    fn apply(self, gpu: &mut Gpu, asked: [u8; 32]) {
        match self {
            Self::NonceWrittenOver => {
                gpu.before_signing.push(Arc::new(|report| report[4..36].fill(9)));
                gpu.after_signing
                    .push(Arc::new(move |report| report[4..36].copy_from_slice(&asked)));
            }
            Self::ReportOfAnother => {
                let other = Gpu::hopper(gpu.seed, "another gpu");
                gpu.after_signing
                    .push(Arc::new(move |report| *report = other.report(&asked)));
            }
            Self::WithoutRoot => gpu.der_edits.push(Arc::new(|chain| drop(chain.pop()))),
            Self::BootRomIsNoCa => chain(gpu, |chain| chain[1].is_ca = false),
            Self::BootRomMayNotSign => chain(gpu, |chain| chain[1].may_sign = false),
            Self::SelfSigned => chain(gpu, |chain| chain[0].issuer_key = chain[0].key.clone()),
            Self::AttackersCertificate => chain(gpu, |chain| {
                let genuine = chain[0].clone();
                let forged = DeviceCertificate {
                    issuer_key: genuine.key.clone(),
                    issuer: genuine.subject.clone(),
                    ..genuine
                };
                chain.insert(0, forged);
            }),
            Self::NoCertifiedFirmware => chain(gpu, |chain| chain[0].firmware = None),
            Self::OneBootRom => chain(gpu, |chain| {
                let key = Key384::derive(super::SEED, "one boot ROM");
                (chain[1].key, chain[1].subject) = (key.clone(), "One boot ROM".to_owned());
                (chain[0].issuer_key, chain[0].issuer) = (key, "One boot ROM".to_owned());
            }),
        }
    }
}

/// Changes the certificates before they are issued, leaf first.
fn chain(gpu: &mut Gpu, edit: impl Fn(&mut Vec<DeviceCertificate>) + Send + Sync + 'static) {
    gpu.chain_edits.push(Arc::new(edit));
}
