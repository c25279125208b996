//! What a guest of dstack 0.6 wrote about its GPUs while booting: the event `gpu-attestation` and the record behind it.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use simulator::Cvm;

use crate::edit::JsonEdit;

/// The event and the record.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Boot {
    /// How many GPUs were attested. Absent: one.
    pub devices: Option<usize>,
    /// Members of the event that are set before it is measured.
    pub event: BTreeMap<String, Value>,
    /// Members of the event that are left out.
    pub event_without: Vec<String>,
    /// The version of the claims: `3.0` (or absent), `2.0`, `4.0`.
    pub claims_version: Option<String>,
    /// Claims of the first GPU that are set before the record is measured: a name, or two names with a dot between them.
    pub claims: BTreeMap<String, Value>,
    /// Claims of the first GPU that are left out.
    pub claims_without: Vec<String>,
    /// Whether the event stands before `instance-id`, as in the pre-releases of 0.6.
    pub is_early: bool,
    /// Whether the record is not shown.
    pub hidden: bool,
    /// Changes of the record after it was measured, in this order.
    pub record: Vec<JsonEdit>,
    /// Changes of the list that shows it, in this order.
    pub shown: Vec<JsonEdit>,
}

impl Boot {
    /// Lets the CVM measure the event and show the record.
    pub fn show(&self, cvm: &mut Cvm) -> anyhow::Result<()> {
        let devices = self.devices.unwrap_or(1);
        let version = self.claims_version.as_deref().unwrap_or("3.0");
        let mut claims = vec![healthy_claims(version); devices];
        let first = claims.first_mut().context("a GPU")?;
        for (name, value) in &self.claims {
            match name.split_once('.') {
                Some((chain, name)) => first[chain][name] = value.clone(),
                None => drop(first.insert(name.clone(), value.clone())),
            }
        }
        for name in &self.claims_without {
            first.remove(name).context("there is no such claim")?;
        }
        let mut record = json!({ "claims": claims, "detached_eat": [], "result_code": 0 }).to_string();
        let mut event = json!({
            "version": 3,
            "provider": "nvidia",
            "devices": devices,
            "cc_mode": "on",
            "devtools": false,
            "dbgstat": "disabled",
            "secboot": true,
            "evidence_sha256": hex::encode(Sha256::digest(&record)),
        });
        let members = event.as_object_mut().context("an object")?;
        members.extend(self.event.clone());
        for name in &self.event_without {
            members.remove(name).context("there is no such member")?;
        }
        cvm.gpu_attestation = Some(event.to_string());
        cvm.early_gpu_attestation = self.is_early;
        if self.hidden {
            return Ok(());
        }
        for edit in &self.record {
            edit.apply(&mut record).with_context(|| format!("{edit:?}"))?;
        }
        let mut shown = json!([{
            "vendor": "nvidia",
            "format": "nvidia-nvattest-boottime-json-v1",
            "evidence": hex::encode(&record),
        }])
        .to_string();
        for edit in &self.shown {
            edit.apply(&mut shown).with_context(|| format!("{edit:?}"))?;
        }
        let member = format!("\"boottime_gpu_evidence\":{shown}");
        cvm.body.attestation_members_last.push(member);
        Ok(())
    }
}

/// Claims of NVIDIA's appraisal of a Hopper GPU that has nothing to hide, of a version.
fn healthy_claims(version: &str) -> Map<String, Value> {
    let full = |name: &str| format!("x-nvidia-gpu-{name}");
    let mut claims: Map<String, Value> = [
        ("measres", "success"),
        ("dbgstat", "disabled"),
        ("hwmodel", "GH100 A01 GSP BROM"),
        ("oemid", "5703"),
        ("ueid", "1000"),
        ("x-nvidia-device-type", "gpu"),
        ("x-nvidia-gpu-claims-version", version),
        ("x-nvidia-gpu-driver-version", "570.172.08"),
        ("x-nvidia-gpu-vbios-version", "96.00.D9.00.02"),
    ]
    .map(|(name, value)| (name.to_owned(), value.into()))
    .into_iter()
    .collect();
    claims.insert("secboot".to_owned(), true.into());
    claims.insert("x-nvidia-mismatch-measurement-records".to_owned(), Value::Null);
    let mut are_true = vec![full("arch-check"), full("vbios-index-no-conflict")];
    let mut are_chains = vec![];
    let is_old = version == "2.0";
    let (last_of_report, more_of_reference) = match is_old {
        true => (
            "cert-chain-validated",
            &["schema-validated", "cert-validated"][..],
        ),
        false => ("cert-chain-fwid-match", &["version-match"][..]),
    };
    for name in ["parsed", "nonce-match", "signature-verified", last_of_report] {
        are_true.push(full(&format!("attestation-report-{name}")));
    }
    for of in ["driver", "vbios"] {
        let names = ["fetched", "signature-verified", "measurements-available"];
        for name in names.iter().chain(more_of_reference) {
            are_true.push(full(&format!("{of}-rim-{name}")));
        }
        are_chains.push(full(&format!("{of}-rim-cert-chain")));
    }
    claims.extend(are_true.into_iter().map(|name| (name, true.into())));
    if is_old {
        return claims;
    }
    are_chains.push(full("attestation-report-cert-chain"));
    let chain = json!({
        "x-nvidia-cert-status": "valid",
        "x-nvidia-cert-ocsp-status": "good",
        "x-nvidia-cert-expiration-date": "9999-12-31T23:59:59Z",
        "x-nvidia-cert-revocation-reason": null,
    });
    claims.extend(are_chains.into_iter().map(|name| (name, chain.clone())));
    claims
}
