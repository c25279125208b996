//! What the measured OS recorded while booting: from a [`MeasuredLog`] to [`BootClaims`].
//!
//! Only events up to the first `system-ready` are written by the measured OS alone. After it any process in
//! the guest may append (dstack, `dstack-util/src/system_setup.rs`), so no claim is ever taken from there.

mod grammar;
mod key_provider;
mod refusal;

use super::MeasuredLog;
use super::event_log::RESERVED_NAMES;
use grammar::{GPU_ATTESTATION, follow_grammar};
pub use key_provider::KeyProvider;
use key_provider::parse_key_provider;
pub use refusal::BootRefusal;

/// What the measured OS recorded while booting: the events of RTMR3 up to `system-ready`, after which the app can write its own.
/// Only a [`MeasuredLog`](super::MeasuredLog) whose boot events are complete and in order gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootClaims {
    app_id: [u8; 20],
    compose_hash: [u8; 32],
    instance_id: Option<[u8; 20]>,
    key_provider: KeyProvider,
    init_script_hashes: Vec<[u8; 32]>,
    gpu_policy_hash: Option<[u8; 32]>,
    gpu_attestation: Option<Vec<u8>>,
    mr_kms: Option<[u8; 32]>,
    unknown_events: Vec<String>,
}

impl BootClaims {
    /// The app's identity, 20 bytes. A label: judge code by the compose hash.
    #[must_use]
    pub const fn app_id(&self) -> &[u8; 20] {
        &self.app_id
    }

    /// SHA-256 of the compose document that was started.
    #[must_use]
    pub const fn compose_hash(&self) -> &[u8; 32] {
        &self.compose_hash
    }

    /// Which instance of the app, 20 bytes; absent where the app asked for none.
    #[must_use]
    pub const fn instance_id(&self) -> Option<&[u8; 20]> {
        self.instance_id.as_ref()
    }

    /// Who gave the guest its keys.
    #[must_use]
    pub const fn key_provider(&self) -> &KeyProvider {
        &self.key_provider
    }

    /// SHA-256 of each init script that ran, in their order. Guests before 0.6 record none.
    #[must_use]
    pub fn init_script_hashes(&self) -> &[[u8; 32]] {
        &self.init_script_hashes
    }

    /// SHA-256 of the app's GPU policy, as canonical JSON. Guests before 0.6 record none.
    #[must_use]
    pub const fn gpu_policy_hash(&self) -> Option<&[u8; 32]> {
        self.gpu_policy_hash.as_ref()
    }

    /// The payload of the event `gpu-attestation`, JSON: how the guest attested its GPUs. Absent if it did not.
    #[must_use]
    pub fn gpu_attestation(&self) -> Option<&[u8]> {
        self.gpu_attestation.as_deref()
    }

    /// The build of the KMS that gave the keys: its `mr_aggregated` ([`super::mr_aggregated`]) as the guest computed it. Guests
    /// of dstack 0.4.2 to 0.5 record it.
    #[must_use]
    pub const fn mr_kms(&self) -> Option<&[u8; 32]> {
        self.mr_kms.as_ref()
    }

    /// Names of boot events that this version does not know.
    #[must_use]
    pub(crate) fn unknown_events(&self) -> &[String] {
        &self.unknown_events
    }
}

/// Takes the claims out of a measured log.
pub(super) fn claims(log: &MeasuredLog) -> Result<BootClaims, BootRefusal> {
    let events = log.runtime_events();
    let Some(ready) = events.iter().position(|event| event.name == "system-ready") else {
        let names = |wanted: &str| events.iter().any(|event| event.name == wanted);
        let is_0_3 = names("rootfs-hash") && names("ca-cert-hash") && !names("system-preparing");
        return Err(if is_0_3 {
            BootRefusal::UnsupportedGeneration
        } else {
            BootRefusal::NoSystemReady
        });
    };
    let (boot, after) = events.split_at(ready + 1);
    if let Some(event) = after
        .iter()
        .find(|event| RESERVED_NAMES.contains(&event.name.as_str()))
    {
        return Err(BootRefusal::ReservedAfterReady(event.name.clone()));
    }
    let unknown_events = follow_grammar(boot)?;
    let payload = |name: &'static str| {
        boot.iter()
            .find(|event| event.name == name)
            .map(|event| &event.payload)
            .ok_or(BootRefusal::Missing(name))
    };
    let instance_id = payload("instance-id")?;
    Ok(BootClaims {
        app_id: fixed("app-id", payload("app-id")?)?,
        compose_hash: fixed("compose-hash", payload("compose-hash")?)?,
        instance_id: if instance_id.is_empty() {
            None
        } else {
            Some(fixed("instance-id", instance_id)?)
        },
        key_provider: parse_key_provider(payload("key-provider")?)?,
        init_script_hashes: boot
            .iter()
            .filter(|event| event.name == "init-script-hash")
            .map(|event| fixed("init-script-hash", &event.payload))
            .collect::<Result<_, _>>()?,
        gpu_policy_hash: boot
            .iter()
            .find(|event| event.name == "gpu-policy-hash")
            .map(|event| fixed("gpu-policy-hash", &event.payload))
            .transpose()?,
        gpu_attestation: boot
            .iter()
            .find(|event| event.name == GPU_ATTESTATION)
            .map(|event| event.payload.clone()),
        mr_kms: boot
            .iter()
            .find(|event| event.name == "mr-kms")
            .map(|event| fixed("mr-kms", &event.payload))
            .transpose()?,
        unknown_events,
    })
}

fn fixed<const N: usize>(event: &'static str, payload: &[u8]) -> Result<[u8; N], BootRefusal> {
    payload.try_into().map_err(|_| BootRefusal::BadPayload {
        event,
        problem: format!("is {} bytes; {N} bytes expected", payload.len()),
    })
}
