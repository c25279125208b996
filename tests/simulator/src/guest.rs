//! Guest generations: which runtime events a version emits, in which order.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::event_log::{Event, EventVersion};

/// A generation of the dstack guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guest {
    /// About 0.4.0: tappd, with `rootfs-hash`.
    V0_4,
    /// 0.4.2 and 0.5.0: `mr-kms` but no `os-image-hash`.
    V0_5_0,
    /// 0.5.1 to 0.5.4: `os-image-hash` when a KMS gave the keys.
    V0_5_1,
    /// 0.5.5 to 0.5.11: `storage-fs`.
    V0_5_5,
    /// 0.6.0: `init-script-hash`, `gpu-policy-hash`, no `mr-kms`, labelled ACPI events.
    V0_6_0,
}

impl Guest {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::V0_4, Self::V0_5_0, Self::V0_5_1, Self::V0_5_5, Self::V0_6_0];
}

/// What a boot measures into RTMR3.
pub(crate) struct Boot<'a> {
    pub version: EventVersion,
    pub app_compose: &'a str,
    pub app_id: &'a [u8],
    pub instance_id: &'a [u8],
    pub key_provider: &'a str,
    pub gpu_attestation: Option<&'a str>,
    pub early_gpu_attestation: bool,
    pub mr_kms: [u8; 32],
    pub os_image_hash: [u8; 32],
    pub rootfs_hash: [u8; 32],
}

impl Guest {
    /// The events from `system-preparing` to `system-ready`.
    pub(crate) fn boot_events(self, boot: &Boot<'_>) -> Vec<Event> {
        let event = |name: &str, payload: &[u8]| Event::runtime_of(boot.version, name, payload);
        let provider: Value = serde_json::from_str(boot.key_provider).unwrap_or_default();
        let keys_from_kms = provider["name"] == "kms";
        let compose: Value = serde_json::from_str(boot.app_compose).unwrap_or_default();

        let mut log = vec![event("system-preparing", &[])];
        if self == Self::V0_4 {
            log.push(event("rootfs-hash", &boot.rootfs_hash));
        }
        log.push(event("app-id", boot.app_id));
        log.push(event("compose-hash", &Sha256::digest(boot.app_compose)));
        if self == Self::V0_6_0 {
            log.extend(
                init_scripts(&compose)
                    .iter()
                    .map(|script| event("init-script-hash", &Sha256::digest(script))),
            );
            log.push(event(
                "gpu-policy-hash",
                &Sha256::digest(gpu_policy(&compose).to_string()),
            ));
        }
        let gpu_attestation = boot
            .gpu_attestation
            .filter(|_| self == Self::V0_6_0)
            .map(|json| event("gpu-attestation", json.as_bytes()));
        if boot.early_gpu_attestation {
            log.extend(gpu_attestation.clone());
        }
        log.push(event("instance-id", boot.instance_id));
        log.push(event("boot-mr-done", &[]));
        if keys_from_kms && matches!(self, Self::V0_5_0 | Self::V0_5_1 | Self::V0_5_5) {
            log.push(event("mr-kms", &boot.mr_kms));
        }
        if keys_from_kms && !matches!(self, Self::V0_4 | Self::V0_5_0) {
            log.push(event("os-image-hash", &boot.os_image_hash));
        }
        if !boot.early_gpu_attestation {
            log.extend(gpu_attestation);
        }
        log.push(event("key-provider", boot.key_provider.as_bytes()));
        if matches!(self, Self::V0_5_5 | Self::V0_6_0) {
            log.push(event(
                "storage-fs",
                compose["storage_fs"].as_str().unwrap_or("").as_bytes(),
            ));
        }
        log.push(event("system-ready", &[]));
        log
    }

    /// Whether the three ACPI events carry a name.
    pub(crate) fn labels_acpi(self) -> bool {
        self == Self::V0_6_0
    }

    /// Whether MRCONFIGID binds the compose hash (tag 01), as on Phala Cloud since 0.5.1.
    pub(crate) fn binds_mr_config_id(self) -> bool {
        !matches!(self, Self::V0_4 | Self::V0_5_0)
    }
}

pub(crate) fn init_scripts(compose: &Value) -> Vec<&str> {
    match &compose["init_script"] {
        Value::String(script) => vec![script],
        Value::Array(scripts) => scripts.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    }
}

pub(crate) fn gpu_policy(compose: &Value) -> Value {
    match &compose["requirements"]["gpu_policy"] {
        Value::Null => Value::Object(serde_json::Map::new()),
        policy => policy.clone(),
    }
}
