//! Simulated NVIDIA GPUs and switches: they answer a nonce with an SPDM report that is signed under a root of their own.
//!
//! Every byte of a report and of a chain is a knob. The layout is that of Hopper GPUs and LS10 switches.

use std::sync::Arc;

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    asn1,
    gpu_pki::{DeviceCertificate, ECDSA_SHA384},
    keys::derive_bytes,
    keys384::Key384,
};

/// An edit of bytes.
pub type BytesEdit = Arc<dyn Fn(&mut Vec<u8>) + Send + Sync>;
/// An edit of the certificates of a chain before they are issued, leaf first.
pub type ChainEdit = Arc<dyn Fn(&mut Vec<DeviceCertificate>) + Send + Sync>;
/// An edit of the certificates of a chain, DER, leaf first.
pub type DerEdit = Arc<dyn Fn(&mut Vec<Vec<u8>>) + Send + Sync>;

/// Object identifier of DICE TcbInfo.
const TCB_INFO: &str = "2.23.133.5.4.1";

/// One GPU or switch.
#[derive(Clone)]
pub struct Gpu {
    /// The world's seed.
    pub seed: u64,
    /// Tells devices apart: key and serial number come from it.
    pub label: String,
    /// What the sender calls it: `HOPPER`, `BLACKWELL`, `LS10`.
    pub architecture: String,
    /// The common name of the leaf.
    pub common_name: String,
    /// Index, DMTF type and value of each measurement.
    pub measurements: Vec<(u8, u8, Vec<u8>)>,
    /// Fields of the opaque data.
    pub opaque: Vec<(u16, Vec<u8>)>,
    /// The opaque data as bytes, whatever the fields say.
    pub opaque_bytes: Option<Vec<u8>>,
    /// The firmware id that its certificate was issued for.
    pub certified_firmware: Vec<u8>,
    /// Edits of the report before it is signed.
    pub before_signing: Vec<BytesEdit>,
    /// Edits of the whole report after it was signed.
    pub after_signing: Vec<BytesEdit>,
    /// Edits of the chain before it is issued.
    pub chain_edits: Vec<ChainEdit>,
    /// Edits of the issued chain.
    pub der_edits: Vec<DerEdit>,
}

/// Which nonce the devices sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedNonce {
    /// The one that was asked for.
    Asked,
    /// SHA-256 of `cvm-verify-gpu-v1` and the one that was asked for.
    Derived,
    /// These 32 bytes.
    Fixed([u8; 32]),
}

/// An edit of the payload before it is written.
pub type PayloadEdit = Arc<dyn Fn(&mut Value) + Send + Sync>;

/// All GPUs and switches of a CVM, and how their evidence is handed over.
#[derive(Clone)]
pub struct Gpus {
    /// GPUs first.
    pub devices: Vec<Gpu>,
    /// Which nonce they sign.
    pub nonce: SignedNonce,
    /// Edits of the payload before it is written.
    pub payload_edits: Vec<PayloadEdit>,
}

/// The root certificate of the simulated devices, DER.
pub fn device_root_der(seed: u64) -> Vec<u8> {
    root(seed).der()
}

/// The same as PEM.
pub fn device_root_pem(seed: u64) -> String {
    asn1::pem("CERTIFICATE", &device_root_der(seed))
}

fn root(seed: u64) -> DeviceCertificate {
    let key = Key384::derive(seed, "device root");
    DeviceCertificate {
        issuer_key: key.clone(),
        issuer: "Simulated Device Identity CA".into(),
        key,
        subject: "Simulated Device Identity CA".into(),
        serial: derive_bytes::<16>(seed, "device root").to_vec(),
        is_ca: true,
        may_sign: true,
        firmware: None,
        algorithm: ECDSA_SHA384,
        organization: "cvm-verify simulator",
        validity: None,
    }
}

impl Gpu {
    /// A Hopper GPU that works alone.
    pub fn hopper(seed: u64, label: &str) -> Self {
        let fwid = derive_bytes::<48>(seed, "GH100 firmware").to_vec();
        let measured = |index: u8| {
            (
                index,
                1,
                derive_bytes::<48>(seed, &format!("GH100 {index}")).to_vec(),
            )
        };
        Self {
            seed,
            label: label.into(),
            architecture: "HOPPER".into(),
            common_name: "GH100 A01 GSP FMC LF".into(),
            measurements: (1..=64).map(measured).collect(),
            opaque: vec![
                (3, b"570.172.08\0".to_vec()),
                (6, vec![0, 0xd9, 0, 0x96, 2, 0, 0, 0]),
                (11, vec![0x55]),
                (15, b"882\0".to_vec()),
                (17, b"1010\0".to_vec()),
                (18, b"0200\0".to_vec()),
                (20, fwid.clone()),
                (21, vec![0x55]),
            ],
            opaque_bytes: None,
            certified_firmware: fwid,
            before_signing: vec![],
            after_signing: vec![],
            chain_edits: vec![],
            der_edits: vec![],
        }
    }

    /// A switch with this id.
    pub fn switch(seed: u64, label: &str, id: [u8; 8]) -> Self {
        let fwid = derive_bytes::<48>(seed, "LS10 firmware").to_vec();
        let measured = |index: u8| {
            (
                index,
                1,
                derive_bytes::<48>(seed, &format!("LS10 {index}")).to_vec(),
            )
        };
        Self {
            architecture: "LS10".into(),
            common_name: "LS_10 A01 FSP FMC LF".into(),
            measurements: (1..=31).map(measured).collect(),
            opaque: vec![(20, fwid.clone()), (22, id.to_vec())],
            certified_firmware: fwid,
            ..Self::hopper(seed, label)
        }
    }

    /// Sets a field of the opaque data.
    pub fn set(&mut self, kind: u16, data: impl Into<Vec<u8>>) {
        self.opaque.retain(|(known, _)| *known != kind);
        self.opaque.push((kind, data.into()));
    }

    /// The certificates of its chain before they are issued, leaf first.
    fn chain(&self) -> Vec<DeviceCertificate> {
        let root = root(self.seed);
        let below = |issuer: &DeviceCertificate, subject: &str, label: &str| DeviceCertificate {
            issuer_key: issuer.key.clone(),
            issuer: issuer.subject.clone(),
            key: Key384::derive(self.seed, label),
            subject: subject.into(),
            serial: derive_bytes::<16>(self.seed, label).to_vec(),
            ..root.clone()
        };
        let identity = below(&root, "Simulated Identity", "device identity");
        let provisioner = below(&identity, "Simulated Provisioner ICA 1", "device provisioner");
        let brom = below(
            &provisioner,
            &format!("Simulated BROM {}", self.label),
            &format!("device brom {}", self.label),
        );
        let leaf = DeviceCertificate {
            is_ca: false,
            may_sign: false,
            firmware: Some((TCB_INFO, self.certified_firmware.clone())),
            ..below(&brom, &self.common_name, &format!("device leaf {}", self.label))
        };
        let mut chain = vec![leaf, brom, provisioner, identity, root];
        for edit in &self.chain_edits {
            edit(&mut chain);
        }
        chain
    }

    /// The chain as PEM, leaf first.
    pub fn chain_pem(&self) -> String {
        let mut chain: Vec<Vec<u8>> = self.chain().iter().map(DeviceCertificate::der).collect();
        for edit in &self.der_edits {
            edit(&mut chain);
        }
        chain.iter().map(|der| asn1::pem("CERTIFICATE", der)).collect()
    }

    /// The report for a nonce.
    pub fn report(&self, nonce: &[u8; 32]) -> Vec<u8> {
        let mut blocks = Vec::new();
        for (index, kind, value) in &self.measurements {
            let size = value.len() as u16;
            blocks.extend([*index, 1]);
            blocks.extend((size + 3).to_le_bytes());
            blocks.push(*kind);
            blocks.extend(size.to_le_bytes());
            blocks.extend(value);
        }
        let opaque = self.opaque_bytes.clone().unwrap_or_else(|| {
            let mut bytes = Vec::new();
            for (kind, data) in &self.opaque {
                bytes.extend(kind.to_le_bytes());
                bytes.extend((data.len() as u16).to_le_bytes());
                bytes.extend(data);
            }
            bytes
        });
        let mut report = vec![0x11, 0xe0, 0x01, 0xff];
        report.extend(nonce);
        report.push(0);
        report.extend([0x11, 0x60, 0, 0, self.measurements.len() as u8]);
        report.extend(&(blocks.len() as u32).to_le_bytes()[..3]);
        report.extend(blocks);
        report.extend(derive_bytes::<32>(
            self.seed,
            &format!("device nonce {}", self.label),
        ));
        report.extend((opaque.len() as u16).to_le_bytes());
        report.extend(opaque);
        for edit in &self.before_signing {
            edit(&mut report);
        }
        let key = Key384::derive(self.seed, &format!("device leaf {}", self.label));
        report.extend(key.sign_raw(&report));
        for edit in &self.after_signing {
            edit(&mut report);
        }
        report
    }

    /// The serial number of its leaf in decimal: its `ueid`.
    pub fn ueid(&self) -> String {
        let serial = derive_bytes::<16>(self.seed, &format!("device leaf {}", self.label));
        u128::from_be_bytes(serial).to_string()
    }
}

impl Gpus {
    /// GPUs that work alone.
    pub fn alone(seed: u64, count: usize) -> Self {
        Self {
            devices: (0..count)
                .map(|number| Gpu::hopper(seed, &format!("gpu {number}")))
                .collect(),
            nonce: SignedNonce::Asked,
            payload_edits: vec![],
        }
    }

    /// Eight GPUs and four switches in protected-PCIe mode.
    pub fn protected_pcie(seed: u64) -> Self {
        let ids: Vec<[u8; 8]> = (0..4)
            .map(|number| derive_bytes::<8>(seed, &format!("switch id {number}")))
            .collect();
        let mut gpus = Self::alone(seed, 8);
        for gpu in &mut gpus.devices {
            // As the GPU sees them: 18 links, the bytes of each id reversed.
            let seen: Vec<u8> = (0..18).flat_map(|link| ids[link % 4].into_iter().rev()).collect();
            gpu.set(21, [0xaa]);
            gpu.set(22, seen);
            gpu.set(36, [2, 0, 0, 0]);
        }
        let switches = ids.iter().enumerate();
        gpus.devices
            .extend(switches.map(|(number, id)| Gpu::switch(seed, &format!("switch {number}"), *id)));
        gpus
    }

    /// What the devices sign if `asked` is asked for.
    pub fn signed_nonce(&self, asked: &[u8; 32]) -> [u8; 32] {
        match self.nonce {
            SignedNonce::Asked => *asked,
            SignedNonce::Derived => Sha256::new()
                .chain_update(b"cvm-verify-gpu-v1")
                .chain_update(asked)
                .finalize()
                .into(),
            SignedNonce::Fixed(nonce) => nonce,
        }
    }

    /// The evidence of all devices for a nonce, in the form of NVIDIA's remote attestation service.
    pub fn payload(&self, asked: &[u8; 32]) -> Value {
        let nonce = self.signed_nonce(asked);
        let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let list: Vec<Value> = self
            .devices
            .iter()
            .map(|gpu| {
                json!({
                    "arch": gpu.architecture,
                    "certificate": base64(gpu.chain_pem().as_bytes()),
                    "evidence": base64(&gpu.report(&nonce)),
                })
            })
            .collect();
        // As gateways do: the nonce beside the evidence is the one that was asked for, whatever is signed.
        let mut payload = json!({"nonce": hex::encode(asked), "evidence_list": list, "arch": "HOPPER"});
        for edit in &self.payload_edits {
            edit(&mut payload);
        }
        payload
    }
}
