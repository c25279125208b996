//! A lock with something in each field, and the same lock with other values.

use chrono::NaiveDate;
use serde_json::json;

use super::super::{AcceptName, Lock, LockedContract, LockedGovernance, LockedKms, LockedOs, LockedTls};
use crate::policy::{FilesIdentity, GpuPin, KnownBy, LockedPlace, TlsBinding, WrittenRule};

/// A whole lock with odd values in it.
pub fn example() -> Lock {
    let compose_settings = json!({
        "allowed_envs": ["API_KEY", "MODEL"],
        "features": ["kms"],
        "gateway_enabled": true,
        "init_script": ["sha256:11", "sha256:22"],
        "key_provider_id": "",
        "manifest_version": 2,
        "name": "caf\u{e9}\n\u{202e}",
        "odd": {"json": 1},
        "pre_launch_script": format!("sha256:{}", "ab".repeat(32)),
        "ratio": 0.5,
        "requirements": {"gpu_policy": {"attest_gpu": true, "rego": "package x\n"}, "platforms": []},
        "storage_fs": null,
        "swap_size": u64::MAX,
    });
    let images = [
        ("web", format!("ghcr.io/example/web@sha256:{}", "5d".repeat(32))),
        ("a b\"", "nginx:latest\n# known".to_owned()),
    ];
    Lock {
        tool: Some("cvm-verify 0.1.0".to_owned()),
        origin: Some("https://app.example".to_owned()),
        compose_hash: Some([0x29; 32]),
        app_id: Some([0xa0; 20]),
        key_provider: "phala".parse().ok(),
        accepted: [(
            AcceptName::Tcb,
            "Intel rates the platform OutOfDate, not UpToDate.\n[images]".to_owned(),
        )]
        .into(),
        images: images.map(|(service, image)| (service.to_owned(), image)).into(),
        compose_settings: compose_settings
            .as_object()
            .unwrap()
            .clone()
            .into_iter()
            .collect(),
        places: vec![
            place("services.\"a b\".image", "the registry is ours"),
            place("services.web.command", ""),
        ],
        sources: vec![WrittenRule {
            image: "ghcr.io/example/web".to_owned(),
            repository: Some("example/shop".to_owned()),
            repository_id: Some(804_070_735),
            workflow: Some(".github/workflows/release.yml".to_owned()),
            refs: vec!["refs/tags/v1.4.0".to_owned()],
            commits: vec!["95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012".to_owned()],
            ..WrittenRule::default()
        }],
        os_image: Some(LockedOs {
            mrtd: [0xf0; 48],
            rtmr0: Some([0; 48]),
            rtmr1: [1; 48],
            rtmr2: [2; 48],
            known_by: Some(KnownBy::Files(FilesIdentity {
                os_image_hash: [0xf1; 32],
                version: Some("0.5.99".parse().unwrap()),
            })),
            vulnerable_until: NaiveDate::from_ymd_opt(2026, 12, 31),
        }),
        td_attributes: Some([0, 0, 0, 0x10, 0, 0, 0, 0]),
        mr_seam: Some([0x5e; 48]),
        fmspc: Some([0xb0, 0xc0, 0x6f, 0, 0, 0]),
        gpus: vec![gpu("aa", 0x6b)],
        kms: LockedKms {
            hosts: vec![
                "kms.example".parse().unwrap(),
                "kms.example:12001".parse().unwrap(),
            ],
            compose_hashes: vec![[0x6b; 32]],
        },
        governance: LockedGovernance {
            chain_id: Some(8453),
            app: contract(0x0a),
            kms_contract: Some([0x2f; 20]),
            kms: contract(0x0b),
        },
        tls: LockedTls {
            binding: Some(TlsBinding::RaTls),
            kms: Some("3059301306072a".to_owned()),
        },
    }
}

/// A kind of GPU with this driver.
fn gpu(driver: &str, measurements: u8) -> GpuPin {
    let kind = [
        "GH100",
        driver,
        "96.00.D9.00.02",
        "1010",
        "0200",
        "882",
        "off",
        "none",
        "off",
    ];
    GpuPin {
        kind: kind.map(str::to_owned),
        measurements: [measurements; 32],
    }
}

fn contract(byte: u8) -> LockedContract {
    LockedContract {
        owners: vec![[byte; 20], [byte + 1; 20]],
        code: Some([byte; 32]),
        implementation: Some([byte; 20]),
        implementation_code: Some([byte; 32]),
    }
}

fn place(path: &str, reason: &str) -> LockedPlace {
    LockedPlace {
        path: path.to_owned(),
        sha256: [0x77; 32],
        reason: reason.to_owned(),
        line: None,
    }
}

#[cfg(test)]
type Edit = fn(&mut Lock);

#[cfg(test)]
fn os(lock: &mut Lock) -> &mut LockedOs {
    lock.os_image.as_mut().unwrap()
}

#[cfg(test)]
/// How to change each field of the example, with the key that then differs, in the order of the file.
const EDITS: [(&str, Edit); 41] = [
    ("tool", |lock| lock.tool = Some("cvm-verify 9".to_owned())),
    ("origin", |lock| lock.origin = None),
    ("compose_hash", |lock| lock.compose_hash = Some([0x91; 32])),
    ("app_id", |lock| lock.app_id = None),
    ("key_provider", |lock| {
        lock.key_provider = "phala-base".parse().ok()
    }),
    ("accepted.tcb", |lock| lock.accepted.clear()),
    ("accepted.no-nonce", |lock| {
        lock.accepted.insert(AcceptName::NoNonce, "No nonce.".to_owned());
    }),
    ("images.\"a b\\\"\"", |lock| {
        lock.images.remove("a b\"");
    }),
    ("images.web", |lock| {
        lock.images.insert("web".to_owned(), "nginx".to_owned());
    }),
    ("images.worker", |lock| {
        lock.images.insert("worker".to_owned(), "redis".to_owned());
    }),
    ("compose.allowed_envs", |lock| {
        lock.compose_settings
            .insert("allowed_envs".to_owned(), json!(["API_KEY"]));
    }),
    ("compose.pre_launch_script", |lock| {
        lock.compose_settings
            .insert("pre_launch_script".to_owned(), json!("sha256:00"));
    }),
    ("compose.storage_fs", |lock| {
        lock.compose_settings.remove("storage_fs");
    }),
    ("places.\"services.web.command\"", |lock| {
        lock.places[1].reason = "read".to_owned()
    }),
    ("places.\"services.web.user\"", |lock| {
        lock.places.push(place("services.web.user", ""))
    }),
    ("sources.\"ghcr.io/example/web\"", |lock| {
        lock.sources[0].commits.clear();
    }),
    ("os_image.mrtd", |lock| os(lock).mrtd = [9; 48]),
    ("os_image.rtmr0", |lock| os(lock).rtmr0 = Some([9; 48])),
    ("os_image.rtmr1", |lock| os(lock).rtmr1 = [9; 48]),
    ("os_image.rtmr2", |lock| os(lock).rtmr2 = [9; 48]),
    ("os_image.known_by", |lock| os(lock).known_by = Some(KnownBy::Row)),
    ("os_image.vulnerable_until", |lock| {
        os(lock).vulnerable_until = None
    }),
    ("platform.td_attributes", |lock| lock.td_attributes = Some([1; 8])),
    ("platform.mr_seam", |lock| lock.mr_seam = None),
    ("platform.fmspc", |lock| lock.fmspc = Some([0; 6])),
    (
        "gpus.\"GH100 aa 96.00.D9.00.02 1010 0200 882 off none off\"",
        |lock| lock.gpus[0].measurements = [1; 32],
    ),
    (
        "gpus.\"GH100 bb 96.00.D9.00.02 1010 0200 882 off none off\"",
        |lock| lock.gpus.push(gpu("bb", 0x6b)),
    ),
    ("kms.host", |lock| {
        lock.kms.hosts.pop();
    }),
    ("kms.compose_hash", |lock| lock.kms.compose_hashes.clear()),
    ("governance.chain_id", |lock| lock.governance.chain_id = Some(1)),
    ("governance.app_owner", |lock| {
        lock.governance.app.owners.pop();
    }),
    ("governance.app_code", |lock| lock.governance.app.code = None),
    ("governance.app_implementation", |lock| {
        lock.governance.app.implementation = Some([9; 20])
    }),
    ("governance.app_implementation_code", |lock| {
        lock.governance.app.implementation_code = Some([9; 32])
    }),
    ("governance.kms_contract", |lock| {
        lock.governance.kms_contract = Some([9; 20])
    }),
    ("governance.kms_owner", |lock| lock.governance.kms.owners.clear()),
    ("governance.kms_code", |lock| {
        lock.governance.kms.code = Some([9; 32])
    }),
    ("governance.kms_implementation", |lock| {
        lock.governance.kms.implementation = None
    }),
    ("governance.kms_implementation_code", |lock| {
        lock.governance.kms.implementation_code = None
    }),
    ("tls.binding", |lock| lock.tls.binding = Some(TlsBinding::AppKey)),
    ("tls.kms", |lock| lock.tls.kms = None),
];

#[cfg(test)]
/// The lock with one field changed, for each field.
pub(crate) fn changed_in_each_field(lock: &Lock) -> Vec<(&'static str, Lock)> {
    let change = |(key, edit): &(&'static str, Edit)| {
        let mut lock = lock.clone();
        edit(&mut lock);
        (*key, lock)
    };
    EDITS.iter().map(change).collect()
}

#[cfg(test)]
/// The lock with every field changed.
pub(crate) fn all_changed(lock: &Lock) -> Lock {
    let mut lock = lock.clone();
    EDITS.iter().for_each(|(_, edit)| edit(&mut lock));
    lock
}
