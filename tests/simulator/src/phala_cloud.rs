//! What Phala Cloud's API answers about an app (spec §1.d).

use serde_json::{Map, Value, json};

use crate::{cvm::Cvm, report_data::ReportDataLayout};

/// The shape of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceShape {
    /// `eventlog` beside the quote.
    Old,
    /// `tcb_info` with registers, `event_log` and `app_compose`.
    New,
}

/// The path of an app's attestations.
pub fn path(app_id: &[u8]) -> String {
    format!("/api/v1/apps/{}/attestations", hex::encode(app_id))
}

/// The answer about an app. An instance without a CVM is a stopped one.
pub fn answer(app_id: &[u8], shape: InstanceShape, instances: &[Option<Cvm>]) -> String {
    let instances: Vec<Value> = instances
        .iter()
        .map(|cvm| cvm.as_ref().map_or_else(stopped, |cvm| running(cvm, shape)))
        .collect();
    json!({
        "app_id": hex::encode(app_id),
        "contract_address": "",
        "kms_info": { "chain_id": null, "version": "v0.5.3 (git:0000000000)" },
        "instances": instances,
        "qemu_version": "8.2.2",
        "kms_guest_agent_info": null,
        "gateway_guest_agent_info": null,
    })
    .to_string()
}

fn stopped() -> Value {
    json!({ "quote": null, "image_version": "dstack-0.5.3" })
}

fn running(cvm: &Cvm, shape: InstanceShape) -> Value {
    // Made at boot, over something of the guest's own.
    let mut cvm = cvm.clone();
    cvm.report_data = ReportDataLayout::Fixed([0x5a; 64]);
    let mut attestation: Map<String, Value> =
        serde_json::from_str(&cvm.attestation_body("")).expect("a body of the simulator's own");
    let mut instance = Map::new();
    let quote = attestation["quote"].as_str().unwrap_or_default();
    instance.insert(
        "quote".into(),
        format!("0x{}", quote.trim_start_matches("0x")).into(),
    );
    instance.insert("image_version".into(), "dstack-0.5.3".into());
    let log = attestation.remove("event_log").unwrap_or_default();
    let log: Value =
        serde_json::from_str(log.as_str().unwrap_or("[]")).expect("a log of the simulator's own");
    match shape {
        InstanceShape::Old => {
            instance.insert("eventlog".into(), log);
        }
        InstanceShape::New => {
            let info: Value = serde_json::from_str(&cvm.info_body()).expect("a body of the simulator's own");
            let text = info["tcb_info"].as_str().unwrap_or("{}");
            let mut tcb_info: Value = serde_json::from_str(text).expect("a body of the simulator's own");
            tcb_info["event_log"] = log;
            instance.insert("tcb_info".into(), tcb_info);
        }
    }
    Value::Object(instance)
}
