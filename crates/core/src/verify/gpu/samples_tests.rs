//! Recorded reports of real GPUs and switches, beside the repository, end as the file `expected.json` beside them says.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::device::{DeviceError, VerifiedDevice};
use super::devices::Topology;
use super::{DeviceRoot, GpuDevices};
use crate::evidence::GpuReport;

fn text(path: &str) -> Option<String> {
    let path = format!("supply/{path}");
    simulator::recorded::is_present(&path).then(|| simulator::recorded::text(&path))?
}

fn json(path: &str) -> Option<Value> {
    text(path).map(|text| serde_json::from_str(&text).unwrap())
}

/// The devices of a list of evidence as NVIDIA's tools write it.
fn listed(list: &Value) -> Vec<GpuReport> {
    let decoded = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    let device = |value: &Value| GpuReport {
        architecture: value["arch"].as_str().unwrap().to_owned(),
        transcript: decoded(&value["evidence"]),
        chain: decoded(&value["certificate"]),
    };
    match list {
        Value::Array(devices) => devices.iter().map(device).collect(),
        one => vec![device(one)],
    }
}

/// A report and a chain in two files.
fn in_files(architecture: &str, report: &str, chain: &str) -> GpuReport {
    GpuReport {
        architecture: architecture.to_owned(),
        transcript: hex::decode(text(report).unwrap().trim()).unwrap(),
        chain: text(chain).unwrap().into_bytes(),
    }
}

/// The report that a name of an `expected.json` stands for: `FOLDER/FILE.json[INDEX] ARCHITECTURE`, or the name of a pair of files.
fn named(name: &str) -> GpuReport {
    if let Some((file, rest)) = name.split_once('[') {
        let index: usize = rest.split_once(']').unwrap().0.parse().unwrap();
        return listed(&json(file).unwrap()).swap_remove(index);
    }
    const GPU: &str = "nvidia-attestation-sdk/sample_attestation_data/gpu/";
    const SWITCH: &str = "nvidia-attestation-sdk/sample_attestation_data/switch/";
    let of = |architecture, folder: &str, report, chain| {
        in_files(
            architecture,
            &format!("{folder}{report}.txt"),
            &format!("{folder}{chain}.txt"),
        )
    };
    match name {
        "nvidia-attestation-sdk/hopperAttestationReport" => {
            of("HOPPER", GPU, "hopperAttestationReport", "hopperCertChain")
        }
        "nvidia-attestation-sdk/hopperExpired" => of(
            "HOPPER",
            GPU,
            "hopperAttestationReportExpired",
            "hopperCertChainExpired",
        ),
        "nvidia-attestation-sdk/hopperInvalidSignature" => of(
            "HOPPER",
            GPU,
            "hopperAttestationReportInvalidSignature",
            "hopperCertChain",
        ),
        "nvidia-attestation-sdk/blackwell" => of(
            "BLACKWELL",
            GPU,
            "blackwellAttestationReport",
            "blackwellCertChain",
        ),
        "nvidia-attestation-sdk/switch" => of("LS10", SWITCH, "switchAttestationReport", "switchCertChain"),
        "nvidia-attestation-sdk/switchInvalidSignature" => of(
            "LS10",
            SWITCH,
            "switchAttestationReportInvalidSignature",
            "switchCertChain",
        ),
        "nvtrust/samples/hopperAttestationReport" => of(
            "HOPPER",
            "nvtrust/samples/",
            "hopperAttestationReport",
            "hopperCertChain",
        ),
        other => panic!("no sample is called {other}"),
    }
}

#[test]
fn samples_of_real_devices_end_as_their_expected_file_says() {
    let mut judged = BTreeMap::new();
    for folder in ["nvidia-attestation-sdk", "nvtrust"] {
        let Some(Value::Object(expected)) = json(&format!("{folder}/expected.json")) else {
            return;
        };
        for (name, expected) in expected {
            let found = VerifiedDevice::verify(&named(&name), &DeviceRoot::Nvidia);
            let word = expected["result"].as_str().unwrap();
            *judged.entry(word.to_owned()).or_insert(0) += 1;
            if word == "fail" {
                assert_eq!(expected["reason"], "signature-invalid", "{name}");
                assert!(matches!(found, Err(DeviceError::Signature)), "{name}: {found:?}");
                continue;
            }
            let device = found.unwrap_or_else(|error| panic!("{name}: {error}"));
            let said = |member: &str| expected[member].as_str().map(str::to_owned);
            assert_eq!(Some(hex::encode(device.nonce())), said("nonce"), "{name}");
            assert_eq!(Some(device.ueid()), said("ueid"), "{name}");
            assert_eq!(
                Some(hex::encode(device.measurements_sha256())),
                said("measurements_sha256"),
                "{name}"
            );
            let fields = device.opaque().fields().unwrap();
            assert_eq!(fields.driver(), said("driver"), "{name}");
            if !device.architecture().is_switch() {
                assert_eq!(fields.vbios(), said("vbios"), "{name}");
            }
            let leaf = expected["chain"][0].as_str().unwrap();
            assert!(
                leaf.contains(&format!("CN={} ", device.model())) || leaf.contains("LS_10"),
                "{name}: {leaf}"
            );
        }
    }
    assert_eq!(
        judged,
        BTreeMap::from([("fail".to_owned(), 2), ("pass".to_owned(), 29)])
    );
}

#[test]
fn a_real_machine_of_eight_gpus_and_four_switches_is_complete_and_without_any_of_them_it_is_not() {
    let Some(gpus) = json("nvtrust/ppcie/gpu_evidence.json") else {
        return;
    };
    let mut reports = listed(&gpus);
    reports.extend(listed(&json("nvtrust/ppcie/switch_evidence.json").unwrap()));
    let topology = |reports: &[GpuReport]| {
        GpuDevices::verify(reports, &DeviceRoot::Nvidia)
            .unwrap()
            .topology()
    };
    assert_eq!(topology(&reports), Topology::Complete);
    assert_eq!(topology(&reports[..8]), Topology::SwitchesMissing);
    assert_eq!(topology(&reports[8..]), Topology::NoGpus);
    for missing in 8..12 {
        let mut fewer = reports.clone();
        fewer.remove(missing);
        assert!(
            matches!(topology(&fewer), Topology::Mismatch { unattested, unseen } if unattested.len() == 1 && unseen.is_empty())
        );
    }
}

#[test]
fn devices_that_were_sent_to_nvidias_service_end_as_their_expected_file_says() {
    let Some(Value::Object(expected)) = json("nras-captures/expected-local.json") else {
        return;
    };
    let (mut answered, mut others) = (0, 0);
    for (name, expected) in expected {
        let Some(request) = json(&format!("nras-captures/{name}")) else {
            continue;
        };
        let body = STANDARD
            .decode(request["req_body_base64"].as_str().unwrap())
            .unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let list: Vec<Value> = body["evidence_list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|device| {
                let mut device = device.clone();
                device["arch"] = body["arch"].clone();
                device
            })
            .collect();
        let devices = GpuDevices::verify(&listed(&Value::Array(list)), &DeviceRoot::Nvidia)
            .unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(
            devices.gpus().len() as u64,
            expected["devices"].as_u64().unwrap(),
            "{name}"
        );
        let asked = body["nonce"].as_str().unwrap();
        let fresh = devices
            .gpus()
            .iter()
            .filter(|gpu| hex::encode(gpu.nonce()).eq_ignore_ascii_case(asked))
            .count();
        assert_eq!(
            fresh as u64,
            expected["locally_valid"].as_u64().unwrap(),
            "{name}"
        );
        let ueids: Vec<&str> = expected["ueids"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        if fresh > 0 {
            assert_eq!(
                devices
                    .gpus()
                    .iter()
                    .map(VerifiedDevice::ueid)
                    .collect::<Vec<_>>(),
                ueids,
                "{name}"
            );
        }
        answered += fresh;
        others += devices.gpus().len() - fresh;
    }
    assert!(
        answered > 0 && others > 0,
        "{answered} answered the nonce, {others} did not"
    );
}
