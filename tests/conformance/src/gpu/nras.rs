//! What NVIDIA's remote attestation service said about the devices, as a run recorded it.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use simulator::{DEFAULT_NOW, Gpus, Nras};

use crate::edit::JsonEdit;

/// Its answers.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Answers {
    /// What its keys follow from. Absent: the instance that is trusted.
    pub seed: Option<u64>,
    /// When it answered, seconds from the capture.
    pub now: i64,
    /// Members of the header of each token that are set.
    pub header: BTreeMap<String, Value>,
    /// Claims of the overall token that are set.
    pub overall: BTreeMap<String, Value>,
    /// Claims of each device's token that are set: a name, or two names with a dot between them.
    pub device: BTreeMap<String, Value>,
    /// Claims of each device's token that are left out.
    pub device_without: Vec<String>,
    /// What is wrong with the tokens, in this order.
    pub lies: Vec<Lie>,
    /// Changes of the key set, in this order.
    pub keys: Vec<JsonEdit>,
    /// Why there is no answer.
    pub problem: Option<String>,
    /// Whether nothing was recorded.
    pub not_asked: bool,
    /// Whether there is no answer about switches.
    pub no_switches: bool,
}

/// One thing that is wrong.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// A character of the overall token's signature is another one.
    OverallChanged,
    /// The token of the first device is that of the second one.
    TokenOfAnother,
    /// The token of the first device is missing.
    TokenMissing,
    /// The key's certificate is of another organisation.
    OtherOrganization,
    /// The key's certificate ended before the answer.
    CertificateEnded,
    /// The key's certificate is of another key.
    CertificateOfAnother,
    /// The key's certificate signed itself.
    SelfSigned,
}

/// What is trusted: the intermediate certificate of the simulated service, PEM.
pub fn root_pem() -> String {
    let text = STANDARD.encode(Nras::approving(super::SEED).intermediate_der());
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

fn set(claims: &mut Value, changes: &BTreeMap<String, Value>) {
    for (name, value) in changes {
        match name.split_once('.') {
            Some((name, inner)) => claims[name][inner] = value.clone(),
            None => claims[name.as_str()] = value.clone(),
        }
    }
}

impl Answers {
    /// The member `nras` of the bundle's `gpu`.
    pub fn record(&self, gpus: &Gpus, nonce: &[u8; 32]) -> anyhow::Result<Option<Value>> {
        const HOST: &str = "nras.attestation.nvidia.com";
        if self.not_asked {
            return Ok(None);
        }
        if let Some(problem) = &self.problem {
            return Ok(Some(json!({ "host": HOST, "problem": problem })));
        }
        let service = self.service()?;
        let mut answers = vec![];
        for (kind, name, is_switch) in [("gpu", "GPU", false), ("switch", "SWITCH", true)] {
            let of_kind = |gpu: &&simulator::Gpu| (gpu.architecture == "LS10") == is_switch;
            let devices: Vec<simulator::Gpu> = gpus.devices.iter().filter(of_kind).cloned().collect();
            let is_left_out = devices.is_empty() || is_switch && self.no_switches;
            if !is_left_out {
                answers.push(json!({ "kind": kind, "body": service.answer(name, &devices, nonce) }));
            }
        }
        let mut keys = service.key_set();
        for edit in &self.keys {
            edit.apply(&mut keys).with_context(|| format!("{edit:?}"))?;
        }
        let answered_at = DEFAULT_NOW.checked_add_signed(self.now).context("a time")?;
        Ok(Some(
            json!({ "host": HOST, "answers": answers, "keys": keys, "answered_at": answered_at }),
        ))
    }

    fn service(&self) -> anyhow::Result<Nras> {
        let mut service = Nras::approving(self.seed.unwrap_or(super::SEED));
        service.now = DEFAULT_NOW.checked_add_signed(self.now).context("a time")?;
        set(&mut service.header, &self.header);
        let (overall, device) = (self.overall.clone(), self.device.clone());
        let without = self.device_without.clone();
        service
            .overall_edits
            .push(Arc::new(move |claims| set(claims, &overall)));
        service.device_edits.push(Arc::new(move |claims| {
            set(claims, &device);
            for name in &without {
                claims.as_object_mut().expect("an object").remove(name);
            }
        }));
        for lie in &self.lies {
            lie.apply(&mut service);
        }
        Ok(service)
    }
}

impl Lie {
    fn apply(self, service: &mut Nras) {
        match self {
            Self::OverallChanged => service.overall_token_edits.push(Arc::new(|token| {
                let last = if token.ends_with('A') { 'B' } else { 'A' };
                let at = token.len() - 10;
                token.replace_range(at..=at, &last.to_string());
            })),
            Self::TokenOfAnother => service.tokens_edits.push(Arc::new(|tokens| {
                let other = tokens.get("GPU-1").cloned().unwrap_or_default();
                tokens.insert("GPU-0".to_owned(), other);
            })),
            Self::TokenMissing => {
                service
                    .tokens_edits
                    .push(Arc::new(|tokens| drop(tokens.remove("GPU-0"))));
            }
            Self::OtherOrganization => service
                .leaf_edits
                .push(Arc::new(|leaf| leaf.organization = "NVIDIA Corporation Ltd")),
            Self::CertificateEnded => service.leaf_edits.push(Arc::new(|leaf| {
                leaf.validity = Some((DEFAULT_NOW - 86_400, DEFAULT_NOW - 3_600));
            })),
            Self::CertificateOfAnother => service
                .leaf_edits
                .push(Arc::new(|leaf| leaf.key = leaf.issuer_key.clone())),
            Self::SelfSigned => service
                .leaf_edits
                .push(Arc::new(|leaf| leaf.issuer_key = leaf.key.clone())),
        }
    }
}
