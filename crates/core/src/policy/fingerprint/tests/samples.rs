//! Policies that differ in one expectation each.

use super::*;
use crate::policy::VulnerableAcceptance;

/// A file of reference values.
pub(super) const REFERENCE: &str = "updated = \"2026-11-25\"\n[[risky_name]]\nnames = [\"A\"]\nmatch = \"exact\"\ngains = \"x\"\nsource = \"x\"\ndate = \"2026-11-25\"\n";

pub(super) fn tuple() -> OsTuple {
    OsTuple {
        mrtd: [1; 48],
        rtmr: [[2; 48], [3; 48], [4; 48]],
    }
}

/// One policy for each expectation of contracts.
pub(super) fn governance_of_each() -> Vec<GovernancePolicy> {
    let default = GovernancePolicy::default;
    let pins = [
        ContractPin {
            owners: expected(vec![[1; 20]]),
            ..ContractPin::default()
        },
        ContractPin {
            code: expected([1; 32]),
            ..ContractPin::default()
        },
        ContractPin {
            implementation: expected([1; 20]),
            ..ContractPin::default()
        },
        ContractPin {
            implementation_code: expected([1; 32]),
            ..ContractPin::default()
        },
    ];
    let app = pins.clone().map(|app| GovernancePolicy { app, ..default() });
    let kms = pins.map(|kms| GovernancePolicy { kms, ..default() });
    let others = [
        GovernancePolicy {
            mode: GovernanceMode::Required,
            ..default()
        },
        GovernancePolicy {
            mode: GovernanceMode::Unchecked,
            ..default()
        },
        GovernancePolicy {
            chain_id: expected(1),
            ..default()
        },
        GovernancePolicy {
            kms_contract: expected([1; 20]),
            ..default()
        },
        GovernancePolicy {
            min_signers: Some(2),
            ..default()
        },
        GovernancePolicy {
            min_delay: Some(2),
            ..default()
        },
        GovernancePolicy {
            upgrades_disabled: true,
            ..default()
        },
    ];
    app.into_iter().chain(kms).chain(others).collect()
}

/// One policy for each expectation that can be made.
pub(super) fn one_of_each() -> Vec<Policy> {
    let governed = governance_of_each().into_iter().map(|governance| Policy {
        governance,
        ..Policy::default()
    });
    let kms = kms_of_each().into_iter().map(|kms| Policy {
        kms,
        ..Policy::default()
    });
    plain_of_each().into_iter().chain(kms).chain(governed).collect()
}

pub(super) fn kms_of_each() -> Vec<KmsPolicy> {
    let default = KmsPolicy::default;
    let host = |text: &str| text.parse::<KmsHost>().unwrap();
    let provider = |text: &str| text.parse::<KeyProviders>().ok().and_then(expected);
    let os_image = |policy| Some((policy, Origin::Option("--os-image")));
    vec![
        KmsPolicy {
            mode: KmsMode::Required,
            ..default()
        },
        KmsPolicy {
            mode: KmsMode::Unchecked,
            ..default()
        },
        KmsPolicy {
            hosts: expected(vec![host("kms.example")]),
            ..default()
        },
        KmsPolicy {
            hosts: expected(vec![host("kms.example"), host("kms.example:1")]),
            ..default()
        },
        KmsPolicy {
            compose_hashes: expected(vec![[1; 32]]),
            ..default()
        },
        KmsPolicy {
            compose_hashes: expected(vec![[1; 32]]),
            documents: vec![KmsDocument {
                hash: [1; 32],
                document: UnprovenDocument::read(r#"{"runner": "docker-compose"}"#).unwrap(),
            }],
            ..default()
        },
        KmsPolicy {
            builds: expected(vec![[1; 32]]),
            ..default()
        },
        KmsPolicy {
            os_image: os_image(OsImagePolicy::Unchecked),
            ..default()
        },
        KmsPolicy {
            key_provider: provider("local-sgx:00"),
            ..default()
        },
        KmsPolicy {
            key_provider: provider("unchecked"),
            ..default()
        },
        KmsPolicy {
            bootstrap: expected("{}".to_owned()),
            ..default()
        },
        KmsPolicy {
            bootstrap: expected("[]".to_owned()),
            ..default()
        },
    ]
}

/// One policy for each expectation of a VM.
pub(super) fn plain_of_each() -> Vec<Policy> {
    let default = Policy::default;
    let platforms = |id| PlatformList::new(vec![id]).ok().and_then(expected);
    let exception = TcbException {
        status: TcbStatus::OutOfDate,
        ends: 1_800_000_000,
        advisories: None,
        origin: None,
    };
    let tcb = |exception| TcbPolicy {
        exceptions: vec![exception],
        ..TcbPolicy::default()
    };
    vec![
        default(),
        Policy {
            compose_hash: expected([1; 32]),
            ..default()
        },
        Policy {
            compose_hash: expected([2; 32]),
            ..default()
        },
        Policy {
            second_compose_hash:
                "0101010101010101010101010101010101010101010101010101010101010101:until=2026-12-31"
                    .parse()
                    .ok(),
            ..default()
        },
        Policy {
            docker_compose: expected("services: {}\n".to_owned()),
            ..default()
        },
        Policy {
            app_id: expected([1; 20]),
            ..default()
        },
        Policy {
            instance_ids: expected(vec![[1; 20]]),
            ..default()
        },
        Policy {
            instance_ids: expected(vec![[1; 20], [2; 20]]),
            ..default()
        },
        Policy {
            address_id: Some([1; 20]),
            ..default()
        },
        Policy {
            os_image: OsImagePolicy::Unchecked,
            ..default()
        },
        Policy {
            os_image: OsImagePolicy::Tuple(tuple()),
            ..default()
        },
        Policy {
            os_image: OsImagePolicy::Lock {
                tuple: tuple(),
                vulnerable: Some(VulnerableAcceptance {
                    until: 1_800_000_000,
                    sentence: None,
                }),
                known_by: None,
                acpi_change: None,
                accepts_development: false,
                lock: "cvm.lock".into(),
            },
            ..default()
        },
        Policy {
            os_image: OsImagePolicy::Lock {
                tuple: tuple(),
                vulnerable: Some(VulnerableAcceptance {
                    until: 1_800_000_000,
                    sentence: Some("CVE-2030-1".to_owned()),
                }),
                known_by: None,
                acpi_change: None,
                accepts_development: false,
                lock: "cvm.lock".into(),
            },
            ..default()
        },
        locked_image(Some(KnownBy::Row), None),
        locked_image(Some(KnownBy::PublishedHash([1; 32])), None),
        locked_image(Some(KnownBy::PublishedHash([2; 32])), None),
        locked_image(None, Some("the tables of a new host".to_owned())),
        Policy {
            mr_config_id: MrConfigIdPolicy::Required,
            ..default()
        },
        Policy {
            reference: ReferenceValues::built_in()
                .with_file("x", REFERENCE.as_bytes())
                .map(Arc::new)
                .unwrap(),
            ..default()
        },
        Policy {
            key_provider: "none".parse().ok().and_then(expected),
            ..default()
        },
        Policy {
            key_provider: "phala".parse().ok().and_then(expected),
            ..default()
        },
        Policy {
            key_provider: "kms".parse().ok().and_then(expected),
            ..default()
        },
        Policy {
            key_provider: "unchecked".parse().ok().and_then(expected),
            ..default()
        },
        Policy {
            key_provider: "phala,phala-base".parse().ok().and_then(expected),
            ..default()
        },
        Policy {
            freshness: Freshness::Unchecked,
            ..default()
        },
        Policy {
            image_pins: ImagePinsPolicy::Unchecked,
            ..default()
        },
        Policy {
            launch_inputs: LaunchInputsPolicy::Required,
            ..default()
        },
        Policy {
            launch_inputs: LaunchInputsPolicy::Unchecked,
            ..default()
        },
        Policy {
            platforms: platforms(PlatformId::Machine([1; 32])),
            ..default()
        },
        Policy {
            platforms: platforms(PlatformId::Model([1; 6])),
            ..default()
        },
        Policy {
            verifier: Verifier::Both,
            ..default()
        },
        Policy {
            report_data: ReportDataPolicy {
                layout: Some(Layout::Raw),
                ..ReportDataPolicy::default()
            },
            ..default()
        },
        Policy {
            report_data: ReportDataPolicy {
                key: Some([1; 32]),
                ..ReportDataPolicy::default()
            },
            ..default()
        },
        Policy {
            report_data: ReportDataPolicy {
                value: Some([1; 64]),
                ..ReportDataPolicy::default()
            },
            ..default()
        },
        Policy {
            tcb: tcb(exception.clone()),
            ..default()
        },
        Policy {
            tcb: tcb(TcbException {
                advisories: Some(vec!["INTEL-SA-00001".to_owned()]),
                ..exception
            }),
            ..default()
        },
        Policy {
            tcb: TcbPolicy {
                min_eval_data_number: Some(20),
                ..TcbPolicy::default()
            },
            ..default()
        },
        Policy {
            locked_platform: Some(locked_platform("cvm.lock")),
            ..default()
        },
        Policy {
            locked_compose: Some(locked_compose("cvm.lock")),
            ..default()
        },
        Policy {
            locked_compose: Some(LockedCompose {
                places: vec![crate::policy::LockedPlace {
                    path: "services.app.command".to_owned(),
                    sha256: [1; 32],
                    reason: String::new(),
                    line: Some(9),
                }],
                ..locked_compose("cvm.lock")
            }),
            ..default()
        },
        Policy {
            tls_binding: TlsBinding::RaTls,
            ..default()
        },
        Policy {
            locked_tls: Some(LockedBinding {
                mode: TlsBinding::RaTls,
                kms: None,
            }),
            ..default()
        },
        Policy {
            locked_tls: Some(LockedBinding {
                mode: TlsBinding::RaTls,
                kms: Some("ab".to_owned()),
            }),
            ..default()
        },
        Policy {
            endpoint_probe: false,
            ..default()
        },
        Policy {
            required: RequiredAssurance::Hardware,
            ..default()
        },
        Policy {
            required: "code+source".parse().unwrap(),
            ..default()
        },
    ]
}

pub(super) fn locked_platform(lock: &str) -> LockedPlatform {
    LockedPlatform {
        td_attributes: Some([0; 8]),
        mr_seam: None,
        fmspc: Some([1; 6]),
        lock: lock.into(),
    }
}

fn locked_image(known_by: Option<KnownBy>, acpi_change: Option<String>) -> Policy {
    Policy {
        os_image: OsImagePolicy::Lock {
            tuple: tuple(),
            vulnerable: None,
            known_by,
            acpi_change,
            accepts_development: false,
            lock: "cvm.lock".into(),
        },
        ..Policy::default()
    }
}

pub(super) fn locked_compose(lock: &str) -> LockedCompose {
    LockedCompose {
        compose_settings: BTreeMap::from([("features".to_owned(), json!(["kms", { "b": 1, "a": null }]))]),
        images: BTreeMap::from([("app".to_owned(), "registry.example/app".to_owned())]),
        places: Vec::new(),
        lock: lock.into(),
    }
}

pub(super) fn all_that_a_lock_says(lock: &str) -> Policy {
    let origin = LockOrigin::from(lock).key(&["compose_hash"]);
    Policy {
        compose_hash: Some(Expected {
            value: [1; 32],
            origin: origin.clone(),
        }),
        os_image: OsImagePolicy::Lock {
            tuple: tuple(),
            vulnerable: None,
            known_by: None,
            acpi_change: None,
            accepts_development: false,
            lock: lock.into(),
        },
        os_image_origin: Some(origin),
        locked_platform: Some(locked_platform(lock)),
        locked_compose: Some(locked_compose(lock)),
        ..Policy::default()
    }
}
