//! Writes seeds that the simulator makes, each into the folder of its target: `cargo run -p cvm-verify-fuzz --example seeds --
//! fuzz/corpus`. They are in `fuzz/corpora` already; after a change of the simulator they are made anew.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cvm_verify::render::json;
use cvm_verify_core::report::{Mode, Report, Tool};
use cvm_verify_fuzz::simulated::{Expectation, NONCE, bodies};
use serde_json::{Value, json};
use simulator::kms::bootstrap;
use simulator::phala_cloud::{InstanceShape, answer};
use simulator::versioned::Versioned;
use simulator::{
    Cvm, DEFAULT_NOW, EventLogForm, Gpu, Gpus, Guest, Kms, Lie, Nested, QuoteFormat, Sigstore, TlsIdentity,
    TlsMode, Workflow, World,
};

struct Seeds(PathBuf);

impl Seeds {
    fn add(&self, target: &str, name: &str, bytes: impl AsRef<[u8]>) {
        let folder = self.0.join(target);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(format!("simulated-{name}")), bytes).expect("a file");
    }

    fn bodies(&self, name: &str, cvm: &Cvm) {
        let nonce = hex::encode(NONCE);
        let attestation = cvm.attestation_body(&nonce);
        self.add("attestation", name, &attestation);
        self.add("info", name, cvm.info_body());
        self.add("quote", name, cvm.evidence(&nonce).quote);
        let body: Value = serde_json::from_str(&attestation).unwrap_or_default();
        if let Some(log) = body.get("event_log") {
            self.add(
                "event_log",
                name,
                log.as_str().map_or_else(|| log.to_string(), str::to_owned),
            );
        }
        if let Some(Ok(bytes)) = body.get("attestation").and_then(Value::as_str).map(hex::decode) {
            self.add("versioned", name, bytes);
        }
    }
}

fn deployments(seeds: &Seeds) {
    let world = World::default();
    for guest in [
        Guest::V0_4,
        Guest::V0_5_0,
        Guest::V0_5_1,
        Guest::V0_5_5,
        Guest::V0_6_0,
    ] {
        let mut cvm = Cvm::of_generation(&world, guest);
        seeds.bodies(&format!("{guest:?}"), &cvm);
        cvm.body.event_log = EventLogForm::Array;
        cvm.body.tcb_info = Nested::Object;
        cvm.body.vm_config = Nested::Object;
        cvm.quote.format = QuoteFormat::V5Td15;
        seeds.bodies(&format!("{guest:?}-objects"), &cvm);
    }
    for (name, cvm) in [
        ("lite", Cvm::lite(&world)),
        ("released", Cvm::released_today(&world)),
    ] {
        seeds.bodies(name, &cvm);
        let (body, _) = bodies(&cvm);
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let config = body.get("vm_config").cloned().unwrap_or_default();
        let config = match &config {
            Value::String(text) => serde_json::from_str(text).expect("JSON in a string"),
            _ => config,
        };
        let document = config
            .pointer("/tdx_measurement/measurement")
            .and_then(Value::as_str);
        let document = document.and_then(|text| STANDARD.decode(text).ok());
        seeds.add(
            "measurement_document",
            name,
            document.expect("the guest shows its document"),
        );
    }
    for lie in [
        Lie::SgxQuote,
        Lie::TrailingBytes,
        Lie::ForgedStrippedLog,
        Lie::ConfigIdForeignInstance,
        Lie::DuplicateQuoteKey,
    ] {
        let mut cvm = Cvm::healthy(&world);
        lie.apply(&mut cvm);
        seeds.bodies(lie.name(), &cvm);
    }
    let cvm = Cvm::healthy(&world);
    for (name, shape) in [("old", InstanceShape::Old), ("new", InstanceShape::New)] {
        seeds.add(
            "phala",
            name,
            answer(&[0xa0; 20], shape, &[Some(cvm.clone()), None]),
        );
    }
    seeds.add("measured", "compose", &cvm.app_compose);
    seeds.add("compose", "compose", &cvm.app_compose);
}

fn certificates(seeds: &Seeds) {
    let cvm = Cvm::healthy(&World::default());
    seeds.add(
        "tls_certificate",
        "quote",
        TlsIdentity::ra_tls(1, DEFAULT_NOW, &cvm).leaf_der(),
    );
    for (name, bytes) in [
        (
            "scale",
            (|versioned: Versioned| versioned.scale()) as fn(Versioned) -> Vec<u8>,
        ),
        ("msgpack", |versioned| versioned.msgpack()),
    ] {
        let identity = TlsIdentity::ra_tls_versioned(1, DEFAULT_NOW, &cvm, |versioned| {
            let bytes = bytes(versioned);
            seeds.add("versioned", name, &bytes);
            bytes
        });
        seeds.add("tls_certificate", name, identity.leaf_der());
    }
    seeds.add(
        "tls_certificate",
        "plain",
        TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa).leaf_der(),
    );
}

fn devices(seeds: &Seeds) {
    let gpu = Gpu::hopper(1, "gpu 0");
    let report = gpu.report(&NONCE);
    seeds.add("gpu", "report", &report);
    seeds.add("gpu", "switch", Gpu::switch(1, "switch 0", [7; 8]).report(&NONCE));
    seeds.add("gpu", "payload", Gpus::alone(1, 1).payload(&NONCE).to_string());
    let opaque: Vec<u8> = gpu
        .opaque
        .iter()
        .flat_map(|(kind, data)| [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat())
        .collect();
    seeds.add("gpu", "opaque", opaque);
}

fn key_services(seeds: &Seeds) {
    let kms = Kms::healthy(&World::default());
    let chain: Vec<String> = kms
        .identity(1, DEFAULT_NOW)
        .chain_der()
        .iter()
        .map(hex::encode)
        .collect();
    seeds.add("kms", "meta", kms.meta.to_string());
    seeds.add(
        "kms",
        "bootstrap",
        bootstrap(&kms.cvm, &[2; 33], &[3; 33]).to_string(),
    );
    let recorded = json!({"host": "kms.example", "chain": chain, "meta": kms.meta.to_string()});
    seeds.add("kms", "recorded", recorded.to_string());
}

fn statements(seeds: &Seeds) {
    let instance = Sigstore::new(1, DEFAULT_NOW);
    let workflow = Workflow::default();
    let bundle = instance.sign(&workflow, &workflow.provenance("web", &"5d".repeat(32)));
    seeds.add("sigstore_bundle", "bundle", bundle.to_string());
    seeds.add("sigstore_bundle", "roots", instance.trusted_root().to_string());
    seeds.add("statement_file", "one", bundle.to_string());
    seeds.add("statement_file", "list", json!([bundle, bundle]).to_string());
    seeds.add(
        "statement_file",
        "api",
        json!({"attestations": [{"bundle": bundle}]}).to_string(),
    );
}

fn reports(seeds: &Seeds) {
    let tool = Tool {
        name: "cvm-verify".to_owned(),
        version: "0.1.0".to_owned(),
        git: String::new(),
    };
    let at = "2026-10-01T12:00:00Z".to_owned();
    let report = Report::new(tool, Mode::Live, at, 1, vec![Expectation::default().pass()]);
    seeds.add("merge", "report", json(&report));
}

fn main() {
    let folder = std::env::args_os().nth(1).expect("usage: seeds FOLDER");
    let seeds = Seeds(Path::new(&folder).to_owned());
    deployments(&seeds);
    certificates(&seeds);
    devices(&seeds);
    key_services(&seeds);
    statements(&seeds);
    reports(&seeds);
}
