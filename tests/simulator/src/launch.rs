//! What a host binds into MRCONFIGID when it launches a guest: forms 02 and 03.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sha3::Keccak256;

use crate::guest::{gpu_policy, init_scripts};

/// What the host knows of the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// SHA-256 of the compose document.
    pub compose_hash: [u8; 32],
    /// 20 bytes.
    pub app_id: Vec<u8>,
    /// 20 bytes, or empty.
    pub instance_id: Vec<u8>,
    /// `none`, `local`, `kms`, `tpm`.
    pub kind: String,
    /// Empty where the compose document pins none.
    pub key_provider_id: Vec<u8>,
    /// SHA-256 of each init script; absent below manifest version 3.
    pub init_script_hashes: Option<Vec<String>>,
    /// SHA-256 of the GPU policy.
    pub gpu_policy_hash: [u8; 32],
}

impl Launch {
    /// Of a guest as it measures itself. The compose document pins the key provider that gives the keys.
    pub fn of(app_compose: &str, app_id: &[u8], instance_id: &[u8], key_provider: &str) -> Self {
        let compose: Value = serde_json::from_str(app_compose).unwrap_or_default();
        let provider: Value = serde_json::from_str(key_provider).unwrap_or_default();
        let kind = match provider["name"].as_str().unwrap_or_default() {
            "local-sgx" => "local",
            other => other,
        };
        let hash = |script: &&str| hex::encode(Sha256::digest(script));
        Self {
            compose_hash: Sha256::digest(app_compose).into(),
            app_id: app_id.to_vec(),
            instance_id: instance_id.to_vec(),
            kind: kind.to_owned(),
            key_provider_id: hex::decode(provider["id"].as_str().unwrap_or_default()).unwrap_or_default(),
            init_script_hashes: (compose["manifest_version"] == "3")
                .then(|| init_scripts(&compose).iter().map(hash).collect()),
            gpu_policy_hash: Sha256::digest(gpu_policy(&compose).to_string()).into(),
        }
    }

    /// The hash of form 02.
    pub fn identity(&self) -> [u8; 32] {
        let kind = ["none", "local", "kms", "tpm"]
            .iter()
            .position(|kind| *kind == self.kind);
        Keccak256::new()
            .chain_update(self.compose_hash)
            .chain_update(&self.app_id)
            .chain_update([kind.unwrap_or(255) as u8])
            .chain_update(&self.key_provider_id)
            .finalize()
            .into()
    }

    /// The document of form 03: canonical JSON, its members in the order of their names.
    pub fn document(&self, gpus: bool) -> String {
        let mut document = BTreeMap::from([
            ("version", json!(3)),
            ("compose_hash", hex::encode(self.compose_hash).into()),
            ("key_provider", self.kind.as_str().into()),
        ]);
        for (name, bytes) in [
            ("app_id", &self.app_id),
            ("instance_id", &self.instance_id),
            ("key_provider_id", &self.key_provider_id),
        ] {
            if !bytes.is_empty() {
                document.insert(name, hex::encode(bytes).into());
            }
        }
        if gpus {
            document.insert("gpu_policy_hash", hex::encode(self.gpu_policy_hash).into());
        }
        if let Some(hashes) = &self.init_script_hashes {
            document.insert("init_script_hashes", hashes.clone().into());
        }
        let members: Vec<String> = document
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", members.join(","))
    }
}
