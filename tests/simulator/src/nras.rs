//! A simulated remote attestation service of NVIDIA's: tokens about devices, signed by a key that an intermediate of its own
//! certifies.

use std::{collections::BTreeMap, sync::Arc};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    gpu::Gpu,
    gpu_pki::{DeviceCertificate, ECDSA_SHA384},
    keys::derive_bytes,
    keys384::Key384,
    world::DEFAULT_NOW,
};

/// An edit of JSON.
pub type JsonEdit = Arc<dyn Fn(&mut Value) + Send + Sync>;
/// An edit of a token's text.
pub type TokenEdit = Arc<dyn Fn(&mut String) + Send + Sync>;
/// An edit of tokens by name.
pub type TokensEdit = Arc<dyn Fn(&mut BTreeMap<String, String>) + Send + Sync>;
/// An edit of a certificate before it is issued.
pub type CertificateEdit = Arc<dyn Fn(&mut DeviceCertificate) + Send + Sync>;

/// How long a token holds, seconds.
const HOUR: u64 = 3600;

/// The service.
#[derive(Clone)]
pub struct Nras {
    /// Every key comes from it.
    pub seed: u64,
    /// What the clock of the service says when it signs tokens, Unix seconds. Its certificates do not depend on it.
    pub now: u64,
    /// Header of every token.
    pub header: Value,
    /// Edits of the claims of the overall token.
    pub overall_edits: Vec<JsonEdit>,
    /// Edits of the claims of each device's token.
    pub device_edits: Vec<JsonEdit>,
    /// Edits of the tokens of devices, by name, after the overall token listed them.
    pub tokens_edits: Vec<TokensEdit>,
    /// Edits of the overall token's text.
    pub overall_token_edits: Vec<TokenEdit>,
    /// Edits of the key set.
    pub key_edits: Vec<JsonEdit>,
    /// Edits of the leaf certificate before it is issued.
    pub leaf_edits: Vec<CertificateEdit>,
}

const KID: &str = "nv-eat-kid-sim-1";

impl Nras {
    /// A service that approves of everything.
    pub fn approving(seed: u64) -> Self {
        Self {
            seed,
            now: DEFAULT_NOW,
            header: json!({"alg": "ES384", "kid": KID}),
            overall_edits: vec![],
            device_edits: vec![],
            tokens_edits: vec![],
            overall_token_edits: vec![],
            key_edits: vec![],
            leaf_edits: vec![],
        }
    }

    fn intermediate(&self) -> DeviceCertificate {
        let key = Key384::derive(self.seed, "nras intermediate");
        DeviceCertificate {
            issuer_key: Key384::derive(self.seed, "nras root"),
            issuer: "Simulated Attestation Service CA".into(),
            key,
            subject: "Simulated Attestation Service Intermediate".into(),
            serial: derive_bytes::<16>(self.seed, "nras intermediate").to_vec(),
            is_ca: true,
            may_sign: true,
            firmware: None,
            algorithm: ECDSA_SHA384,
            organization: "NVIDIA Corporation",
            validity: Some((DEFAULT_NOW - 86_400, DEFAULT_NOW + 86_400)),
        }
    }

    /// The intermediate certificate to pin, DER.
    pub fn intermediate_der(&self) -> Vec<u8> {
        self.intermediate().der()
    }

    /// The key set, JSON.
    pub fn key_set(&self) -> String {
        let intermediate = self.intermediate();
        let key = Key384::derive(self.seed, "nras key");
        let mut leaf = DeviceCertificate {
            issuer_key: intermediate.key.clone(),
            issuer: intermediate.subject.clone(),
            key: key.clone(),
            subject: "Simulated Attestation Service GPU".into(),
            serial: derive_bytes::<16>(self.seed, "nras key").to_vec(),
            is_ca: false,
            may_sign: false,
            ..intermediate.clone()
        };
        for edit in &self.leaf_edits {
            edit(&mut leaf);
        }
        let point = key.public_sec1();
        let base64url = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut keys = json!({"keys": [
            {
                "kty": "EC", "crv": "P-384", "kid": KID, "x": base64url(&point[1..49]), "y": base64url(&point[49..]),
                "x5c": [STANDARD.encode(leaf.der()), STANDARD.encode(intermediate.der())],
            },
            // Another key of the same set, with no certificate at all.
            {"kty": "EC", "crv": "P-384", "kid": "another", "x": "", "y": ""},
        ]});
        for edit in &self.key_edits {
            edit(&mut keys);
        }
        keys.to_string()
    }

    fn token(&self, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&self.header), part(claims));
        let signature = Key384::derive(self.seed, "nras key").sign_raw(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The answer about devices that signed a nonce, JSON. `name` is `GPU` or `SWITCH`.
    pub fn answer(&self, name: &str, devices: &[Gpu], nonce: &[u8; 32]) -> String {
        let common = || {
            json!({
                "iss": "https://nras.attestation.nvidia.com", "nbf": self.now, "iat": self.now, "exp": self.now + HOUR,
                "jti": "1", "eat_nonce": hex::encode(nonce),
            })
        };
        let mut tokens = BTreeMap::new();
        let mut submods = serde_json::Map::new();
        for (index, device) in devices.iter().enumerate() {
            let mut claims = common();
            merge(&mut claims, &good_claims(name));
            claims["ueid"] = device.ueid().into();
            claims["hwmodel"] = "GH100".into();
            for edit in &self.device_edits {
                edit(&mut claims);
            }
            let token = self.token(&claims);
            let digest = hex::encode(Sha256::digest(&token));
            let name = format!("{name}-{index}");
            submods.insert(name.clone(), json!(["DIGEST", ["SHA-256", digest]]));
            tokens.insert(name, token);
        }
        let mut overall = common();
        merge(
            &mut overall,
            &json!({"sub": "NVIDIA-PLATFORM-ATTESTATION", "x-nvidia-ver": "3.0", "x-nvidia-overall-att-result": true,
                    "submods": submods}),
        );
        for edit in &self.overall_edits {
            edit(&mut overall);
        }
        let mut overall = self.token(&overall);
        for edit in &self.overall_token_edits {
            edit(&mut overall);
        }
        for edit in &self.tokens_edits {
            edit(&mut tokens);
        }
        json!([["JWT", overall], tokens]).to_string()
    }
}

/// The claims of a device that NVIDIA approves of, version 3.0.
fn good_claims(name: &str) -> Value {
    let kind = if name == "GPU" { "gpu" } else { "switch" };
    let chain = json!({"x-nvidia-cert-status": "valid", "x-nvidia-cert-ocsp-status": "good"});
    let mut claims = json!({"measres": "success", "secboot": true, "dbgstat": "disabled", "x-nvidia-attestation-warning": null});
    let mut set = |claim: &str, value: Value| claims[format!("x-nvidia-{kind}-{claim}")] = value;
    set("claims-version", "3.0".into());
    for claim in [
        "arch-check",
        "attestation-report-parsed",
        "attestation-report-nonce-match",
        "attestation-report-signature-verified",
        "attestation-report-cert-chain-fwid-match",
    ] {
        set(claim, true.into());
    }
    set("attestation-report-cert-chain", chain.clone());
    let references: &[&str] = if kind == "gpu" {
        &["driver", "vbios"]
    } else {
        &["bios"]
    };
    for reference in references {
        for claim in [
            "fetched",
            "signature-verified",
            "measurements-available",
            "version-match",
        ] {
            set(&format!("{reference}-rim-{claim}"), true.into());
        }
        set(&format!("{reference}-rim-cert-chain"), chain.clone());
    }
    if kind == "gpu" {
        set("vbios-index-no-conflict", true.into());
        set("driver-version", "570.172.08".into());
        set("vbios-version", "96.00.D9.00.02".into());
    }
    claims
}

fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().into_iter().flatten() {
        into[name.as_str()] = value.clone();
    }
}

/// That the simulated root and the simulated service are two.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::device_root_der;

    #[test]
    fn the_service_has_a_pki_of_its_own() {
        assert_ne!(Nras::approving(1).intermediate_der(), device_root_der(1));
        assert_ne!(
            Nras::approving(1).intermediate_der(),
            Nras::approving(2).intermediate_der()
        );
    }
}
