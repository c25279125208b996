//! Everything that a deployment is judged against.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use super::expected::{Expected, Origin};
use super::governance::GovernancePolicy;
use super::gpu::GpuExpectations;
use super::key_providers::KeyProviders;
use super::kms::KmsPolicy;
use super::lock_origin::LockOrigin;
use super::locked_place::LockedPlace;
use super::max_age::CollateralMaxAge;
use super::os_image::{LockedShape, OsImagePolicy};
use super::platform::PlatformList;
use super::second_hash::SecondHash;
use super::source::SourcePolicy;
use super::tcb::TcbPolicy;
use super::tls_binding::{LockedBinding, TlsBinding};
use crate::compose::UnprovenDocument;
use crate::evidence::Contracts;
use crate::reference::ReferenceValues;
use crate::report::{CheckId, RequiredAssurance};
use crate::verify::Layout;

/// TDATTRIBUTES of every dstack guest: SEPT_VE_DISABLE (bit 28) and nothing else, in the order of the quote
/// (TDX module ABI 348551, TDATTRIBUTES; docs/threats.md, T21).
pub const DEFAULT_TD_ATTRIBUTES: [u8; 8] = [0, 0, 0, 0x10, 0, 0, 0, 0];

/// Everything that a deployment is judged against. An expectation that is absent is not met: its check is skipped, and a tier that
/// requires the check is not reached. The default expects nothing of the code, and accepts known OS images, the TCB status
/// `UpToDate` and a signed nonce alone.
#[derive(Debug, Clone)]
pub struct Policy {
    /// SHA-256 of the compose document, 32 bytes.
    pub compose_hash: Option<Expected<[u8; 32]>>,
    /// The compose document of which `compose_hash` is the hash, where the user gave it whole. It decides nothing: a finding says if what
    /// runs is this document in another form.
    pub given_document: Option<Arc<UnprovenDocument>>,
    /// A second one, accepted for a while: the release that is rolled out, or the one that it replaces.
    pub second_compose_hash: Option<SecondHash>,
    /// The docker compose file that must be the one in the compose document, byte for byte.
    pub docker_compose: Option<Expected<String>>,
    /// The app's identity, 20 bytes.
    pub app_id: Option<Expected<[u8; 20]>>,
    /// Which instances may answer, 20 bytes each. Never an empty list.
    pub instance_ids: Option<Expected<Vec<[u8; 20]>>>,
    /// How many instances of the app must run at least, by Phala Cloud's list. One answer does not show it: the engine compares it,
    /// [`appraise()`](crate::appraise()) does not.
    pub min_instances: Option<NonZeroU32>,
    /// The 20-byte id in the first label of the address, which is the app's or the instance's.
    pub address_id: Option<[u8; 20]>,
    /// Which OS images are accepted.
    pub os_image: OsImagePolicy,
    /// Where it is set; absent for the default and for a lock, which names itself.
    pub os_image_origin: Option<Origin>,
    /// RTMR0 of a lock, where the OS image is not expected as the lock has it.
    pub locked_shape: Option<LockedShape>,
    /// What images, scripts and services are known to be.
    pub reference: Arc<ReferenceValues>,
    /// Whether MRCONFIGID may be zero.
    pub mr_config_id: MrConfigIdPolicy,
    /// Which key providers are accepted.
    pub key_provider: Option<Expected<KeyProviders>>,
    /// Whether this run's nonce must be signed.
    pub freshness: Freshness,
    /// Whether images must be pinned.
    pub image_pins: ImagePinsPolicy,
    /// What becomes of inputs at launch that nobody reviewed.
    pub launch_inputs: LaunchInputsPolicy,
    /// Who must have built the images.
    pub sources: SourcePolicy,
    /// Which machines are accepted.
    pub platforms: Option<Expected<PlatformList>>,
    /// What is expected of the GPUs.
    pub gpu: GpuExpectations,
    /// Whether somebody else is asked for a second opinion.
    pub verifier: Verifier,
    /// How the key of the TLS connection must be bound to the VM.
    pub tls_binding: TlsBinding,
    /// How a lock says that it was bound. A mode that the user named replaces it.
    pub locked_tls: Option<LockedBinding>,
    /// Whether the endpoint probe is sent if something binds the TLS key: a request for a quote that the app should refuse. Without
    /// the probe the binding is named as accepted, and no tier of `endpoint` is reached.
    pub endpoint_probe: bool,
    /// What the report data must hold.
    pub report_data: ReportDataPolicy,
    /// Which TCB statuses are accepted.
    pub tcb: TcbPolicy,
    /// From which age on collateral should have been fetched again.
    pub collateral_max_age: CollateralMaxAge,
    /// The lock that filled in what the user left open. It decides nothing: a statement names it.
    pub lock: Option<LockOrigin>,
    /// What a lock says of the platform.
    pub locked_platform: Option<LockedPlatform>,
    /// What a lock says of the compose document.
    pub locked_compose: Option<LockedCompose>,
    /// The compose hash of a lock, where the user expects another release than the lock's: what `locked_compose` says is about that
    /// release alone.
    pub replaced_compose_hash: Option<Expected<[u8; 32]>>,
    /// What is expected of the KMS that the app's keys come from.
    pub kms: KmsPolicy,
    /// What is expected of the contracts that govern the app.
    pub governance: GovernancePolicy,
    /// Where each waiver is written; `Policy::waived_by` reads it.
    pub waivers: BTreeMap<CheckId, Origin>,
    /// Where each setting is written, by its key. It decides nothing: a finding points there.
    pub settings: BTreeMap<&'static str, Origin>,
    /// Checks of which the user demands at any tier what the tiers require of them: what only warns is then an error.
    pub demanded: BTreeSet<CheckId>,
    /// The tier that must be reached.
    pub required: RequiredAssurance,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            compose_hash: None,
            given_document: None,
            second_compose_hash: None,
            docker_compose: None,
            app_id: None,
            instance_ids: None,
            min_instances: None,
            address_id: None,
            os_image: OsImagePolicy::Known,
            os_image_origin: None,
            locked_shape: None,
            reference: Arc::clone(ReferenceValues::built_in()),
            mr_config_id: MrConfigIdPolicy::Auto,
            key_provider: None,
            freshness: Freshness::Required,
            image_pins: ImagePinsPolicy::Required,
            launch_inputs: LaunchInputsPolicy::Warn,
            sources: SourcePolicy::default(),
            platforms: None,
            gpu: GpuExpectations::default(),
            verifier: Verifier::Local,
            tls_binding: TlsBinding::Auto,
            locked_tls: None,
            endpoint_probe: true,
            report_data: ReportDataPolicy::default(),
            tcb: TcbPolicy::default(),
            collateral_max_age: CollateralMaxAge::default(),
            lock: None,
            locked_platform: None,
            locked_compose: None,
            replaced_compose_hash: None,
            kms: KmsPolicy::default(),
            governance: GovernancePolicy::default(),
            waivers: BTreeMap::new(),
            settings: BTreeMap::new(),
            demanded: BTreeSet::new(),
            required: RequiredAssurance::CODE,
        }
    }
}

impl Policy {
    /// The mode in which the key of the TLS connection must be bound: the one that the user named, or else that of the lock.
    #[must_use]
    pub fn tls_mode(&self) -> TlsBinding {
        match (self.tls_binding, &self.locked_tls) {
            (TlsBinding::Auto, Some(locked)) => locked.mode,
            (named, _) => named,
        }
    }

    /// Whether the user names code or who runs it: a compose hash or document, an app or an instance. An id in the address is no
    /// such word. All of them are read from the event log, which is worth as much as the operating system that wrote it.
    pub(crate) const fn names_code(&self) -> bool {
        self.compose_hash.is_some()
            || self.docker_compose.is_some()
            || self.app_id.is_some()
            || self.instance_ids.is_some()
    }

    /// The ids of the key providers that the user named: root keys of KMSs, DER in hex.
    pub(crate) fn key_provider_ids(&self) -> impl Iterator<Item = &str> {
        let pins = match self.key_provider.as_ref().map(|expected| &expected.value) {
            Some(KeyProviders::Named(pins)) => pins.as_slice(),
            _ => &[],
        };
        pins.iter().filter_map(|pin| pin.id.as_deref())
    }

    /// The contracts that the user named; absent where the app id or the chain is not named.
    #[must_use]
    pub fn contracts(&self) -> Option<Contracts> {
        Some(Contracts {
            chain_id: self.governance.chain_id.as_ref()?.value,
            app: self.app_id.as_ref()?.value,
            kms: self.governance.kms_contract.as_ref().map(|kms| kms.value),
        })
    }

    /// Where the waiver of a check is written; if the policy does not say so, the option of its name.
    #[must_use]
    pub(crate) fn waived_by(&self, id: CheckId) -> String {
        self.waivers
            .get(&id)
            .map_or_else(|| format!("--{id}"), ToString::to_string)
    }

    /// Where it is written how a check is to judge, if it is: the setting of the check's own name, or another that replaces it. It
    /// decides nothing.
    #[must_use]
    pub(crate) fn strictness(&self, check: CheckId) -> Option<&Origin> {
        let replaced = match check {
            CheckId::OsImage => self.os_image_origin.as_ref(),
            _ => None,
        };
        replaced.or_else(|| self.settings.get(check.as_str()))
    }

    /// Where a setting is written, if it is.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<Origin> {
        self.settings.get(key).cloned()
    }

    /// Whether this compose hash is the lock's own, so that the lock's compose settings and images belong to it: also where an option
    /// expects another document, or the same one.
    #[must_use]
    pub(crate) fn is_locked_compose_hash(&self, hash: &[u8; 32]) -> bool {
        self.locked_compose_hash() == Some(hash)
    }

    /// The compose hash of the lock, also where another one is expected.
    pub(crate) fn locked_compose_hash(&self) -> Option<&[u8; 32]> {
        let expected = self.compose_hash.as_ref();
        let of_lock = expected.filter(|expected| matches!(expected.origin, Origin::Lock(_)));
        let locked = of_lock.or(self.replaced_compose_hash.as_ref())?;
        Some(&locked.value)
    }
}

crate::word_enum! {
    /// Whether this run's nonce must be in the signed report data.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub enum Freshness {
        /// It must.
        #[default]
        Required = "required",
        /// Waived in writing.
        Unchecked = "unchecked",
    }
}

crate::word_enum! {
    /// Whether the host must have bound the app's identity at launch.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub enum MrConfigIdPolicy {
        /// Zero is legal; what is not zero must be true.
        #[default]
        Auto = "auto",
        /// It must not be zero.
        Required = "required",
    }
}

crate::word_enum! {
    /// Whether every image must be pinned by digest.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub enum ImagePinsPolicy {
        /// It must.
        #[default]
        Required = "required",
        /// Waived in writing.
        Unchecked = "unchecked",
    }
}

crate::word_enum! {
    /// What becomes of inputs at launch that nobody reviewed: risky variables, scripts, exposure.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub enum LaunchInputsPolicy {
        /// They are shown as a warning.
        #[default]
        Warn = "warn",
        /// They fail.
        Required = "required",
        /// Waived in writing.
        Unchecked = "unchecked",
    }
}

crate::word_enum! {
    /// Who verifies the quote.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub enum Verifier {
        /// This program alone.
        #[default]
        Local = "local",
        /// This program, and Phala's verification API in addition.
        Both = "both",
    }
}

/// What the signed report data must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportDataPolicy {
    /// How the app lays the nonce out; absent for `auto`.
    pub layout: Option<Layout>,
    /// What stands with the nonce where the layout has 32 bytes of the app's own ([`Layout::has_key`]).
    pub key: Option<[u8; 32]>,
    /// A binding of the user's own, padded with zeros on the right.
    pub value: Option<[u8; 64]>,
}

/// What a lock says of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPlatform {
    /// TDATTRIBUTES, 8 bytes in the order of the quote.
    pub td_attributes: Option<[u8; 8]>,
    /// MRSEAM: the TDX module, 48 bytes.
    pub mr_seam: Option<[u8; 48]>,
    /// FMSPC: the platform's family, 6 bytes.
    pub fmspc: Option<[u8; 6]>,
    /// The lock.
    pub lock: LockOrigin,
}

/// What a lock says of the compose document, next to its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedCompose {
    /// Every field but the docker compose file, as `MeasuredCompose::compose_settings` gives them.
    pub compose_settings: BTreeMap<String, serde_json::Value>,
    /// Image reference by service.
    pub images: BTreeMap<String, String>,
    /// The places that decide code, and why a person accepts each.
    pub places: Vec<LockedPlace>,
    /// The lock.
    pub lock: LockOrigin,
}

impl LockedCompose {
    /// What the lock says of a place that decides code: the same path with the same text.
    #[doc(hidden)]
    #[must_use]
    pub fn place(&self, place: &crate::compose::ComposePlace) -> Option<&LockedPlace> {
        self.places.get(self.number_of(place)?)
    }

    /// Which of the lock's places it is, from 0.
    #[must_use]
    pub(crate) fn number_of(&self, place: &crate::compose::ComposePlace) -> Option<usize> {
        self.places
            .iter()
            .position(|locked| locked.path == place.path && locked.sha256 == place.sha256)
    }

    /// Whether a person wrote down why a place that decides code is accepted.
    #[doc(hidden)]
    #[must_use]
    pub fn has_reviewed(&self, place: &crate::compose::ComposePlace) -> bool {
        self.place(place).is_some_and(LockedPlace::is_reviewed)
    }
}
