//! What a deployment was judged by, as one value that can be kept and compared.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::appraisal::{
    Freshness, ImagePinsPolicy, LaunchInputsPolicy, LockedCompose, LockedPlatform, MrConfigIdPolicy, Policy,
    ReportDataPolicy, Verifier,
};
use super::expected::Expected;
use super::governance::{ContractPin, GovernanceMode, GovernancePolicy};
use super::gpu::{GpuExpectations, GpuMode, GpuVerifier, LockedGpus};
use super::gpu_pin::GpuPin;
use super::key_provider::KeyProviderPin;
use super::key_providers::KeyProviders;
use super::kms::{KmsMode, KmsPolicy};
use super::max_age::CollateralMaxAge;
use super::os_image::{ImageRegisters, OsImagePolicy, PublishedImage};
use super::platform::PlatformId;
use super::second_hash::SecondHash;
use super::tcb::{TcbException, TcbPolicy};
use super::tls_binding::{LockedBinding, TlsBinding};
use crate::report::RequiredAssurance;

/// The first bytes that are hashed. Another encoding gets another number.
const VERSION: &str = "cvm-verify/policy-fingerprint/v1\n";

/// What a target was judged by: SHA-256 of the policy in its canonical encoding. 32 bytes, hex in JSON.
///
/// It is kept between runs (the state file, issues on GitHub), so it depends on what is expected alone: not on where an
/// expectation is written, not on the order of a list, and not on the names of types. A value that equals the default of
/// [`Policy`] is not encoded, so a later version with one more field gives a policy that does not use it the same
/// fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(#[serde(with = "hex")] [u8; 32]);

impl fmt::Display for Fingerprint {
    /// Hex, lower case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

impl Fingerprint {
    /// The fingerprint of the same policy under another root than Intel's: another policy.
    #[must_use]
    pub fn under_custom_root(self) -> Self {
        let hash = Sha256::new_with_prefix(b"custom root").chain_update(self.0);
        Self(hash.finalize().into())
    }
}

impl Policy {
    /// The fingerprint of what is expected.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.encoded()).into())
    }

    /// One entry for each expectation that is not the default: its name, the number of its items, and the items. Names
    /// and items stand behind their length, and every number is 8 bytes, big endian: no two policies have one encoding.
    fn encoded(&self) -> Vec<u8> {
        let Self {
            compose_hash,
            second_compose_hash,
            docker_compose,
            app_id,
            instance_ids,
            min_instances,
            address_id,
            os_image,
            os_image_origin: _,
            settings: _,
            locked_rtmr0,
            reference,
            mr_config_id,
            key_provider,
            freshness,
            image_pins,
            launch_inputs,
            sources,
            platforms,
            gpu,
            verifier,
            tls_binding,
            endpoint_probe,
            report_data,
            tcb,
            collateral_max_age,
            locked_platform,
            locked_compose,
            kms,
            locked_tls,
            governance,
            waivers: _,
            required,
        } = self;
        let mut out = Encoding(VERSION.as_bytes().to_vec());
        if let Some(Expected { value, origin: _ }) = compose_hash {
            out.entry("compose-hash", [value.as_slice()]);
        }
        if let Some(SecondHash {
            value,
            until: _,
            ends,
        }) = second_compose_hash
        {
            out.entry("also-compose-hash", [value.as_slice(), &ends.to_be_bytes()]);
        }
        if let Some(Expected { value, origin: _ }) = docker_compose {
            out.entry("docker-compose", [value.as_bytes()]);
        }
        if let Some(Expected { value, origin: _ }) = app_id {
            out.entry("app-id", [value.as_slice()]);
        }
        if let Some(Expected { value, origin: _ }) = instance_ids {
            out.set("instance-id", value.iter().map(|id| id.to_vec()));
        }
        if let Some(minimum) = min_instances {
            let minimum = u64::from(minimum.get()).to_be_bytes();
            out.entry("instances", [minimum.as_slice()]);
        }
        if let Some(id) = address_id {
            out.entry("address-id", [id.as_slice()]);
        }
        out.os_image(os_image);
        if let Some(Expected { value, origin: _ }) = locked_rtmr0 {
            out.entry("lock.rtmr0", [value.as_slice()]);
        }
        // The built-in reference values come with the program and are not part of what is expected.
        if let Some(sha256) = reference.file_sha256() {
            out.entry("reference-values", [sha256.as_slice()]);
        }
        match mr_config_id {
            MrConfigIdPolicy::Auto => {}
            MrConfigIdPolicy::Required => out.word("mr-config-id", "required"),
        }
        if let Some(Expected { value, origin: _ }) = key_provider {
            out.key_providers(value);
        }
        match freshness {
            Freshness::Required => {}
            Freshness::Unchecked => out.word("freshness", "unchecked"),
        }
        match image_pins {
            ImagePinsPolicy::Required => {}
            ImagePinsPolicy::Unchecked => out.word("image-pins", "unchecked"),
        }
        match launch_inputs {
            LaunchInputsPolicy::Warn => {}
            LaunchInputsPolicy::Required => out.word("launch-inputs", "required"),
            LaunchInputsPolicy::Unchecked => out.word("launch-inputs", "unchecked"),
        }
        // The files are evidence. Other roots than the built-in ones make another policy: a pass under them ends no incident.
        for rule in sources.rules.iter() {
            let encoded = rule.encoded();
            out.entry("source", encoded.iter().map(String::as_bytes));
        }
        if let Some(sha256) = sources.roots.sha256().filter(|_| !sources.rules.is_empty()) {
            out.entry("sigstore-root", [sha256.as_slice()]);
        }
        if let Some(Expected { value, origin: _ }) = platforms {
            let bytes = |id: &PlatformId| match id {
                PlatformId::Machine(hash) => hash.to_vec(),
                PlatformId::Model(fmspc) => fmspc.to_vec(),
            };
            out.set("platform-id", value.ids().iter().map(bytes));
        }
        out.gpu(gpu);
        match verifier {
            Verifier::Local => {}
            Verifier::Both => out.word("verifier", "both"),
        }
        if *tls_binding != TlsBinding::Auto {
            out.word("tls-binding", tls_binding.as_str());
        }
        if !*endpoint_probe {
            out.word("endpoint-probe", "never");
        }
        out.report_data(report_data);
        out.tcb(tcb);
        if *collateral_max_age != CollateralMaxAge::default() {
            let seconds = collateral_max_age.seconds().to_be_bytes();
            out.entry("collateral-max-age", [seconds.as_slice()]);
        }
        if let Some(locked) = locked_platform {
            out.locked_platform(locked);
        }
        if let Some(locked) = locked_compose {
            out.locked_compose(locked);
        }
        out.kms(kms);
        if let Some(LockedBinding { mode, kms }) = locked_tls {
            let kms = kms.as_deref().unwrap_or_default();
            out.entry("lock.tls", [mode.as_str().as_bytes(), kms.as_bytes()]);
        }
        out.governance(governance);
        if *required != RequiredAssurance::CODE {
            out.word("require-assurance", &required.to_string());
        }
        out.0
    }
}

/// The bytes that are hashed.
struct Encoding(Vec<u8>);

impl Encoding {
    fn entry<'i>(&mut self, name: &str, items: impl IntoIterator<Item = &'i [u8]>) {
        let items: Vec<&[u8]> = items.into_iter().collect();
        self.bytes(name.as_bytes());
        self.number(items.len());
        for item in items {
            self.bytes(item);
        }
    }

    /// An entry of items whose order says nothing, each of them once.
    fn set(&mut self, name: &str, items: impl Iterator<Item = Vec<u8>>) {
        let mut items: Vec<Vec<u8>> = items.collect();
        items.sort_unstable();
        items.dedup();
        self.entry(name, items.iter().map(Vec::as_slice));
    }

    fn word(&mut self, name: &str, word: &str) {
        self.entry(name, [word.as_bytes()]);
    }

    fn number(&mut self, number: usize) {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn os_image(&mut self, policy: &OsImagePolicy) {
        let (tuple, until) = match policy {
            OsImagePolicy::Known => return,
            OsImagePolicy::Unchecked => return self.word("os-image", "unchecked"),
            OsImagePolicy::Published(PublishedImage {
                os_image_hash,
                row: _,
                is_by_name: _,
                vulnerable_until,
                files: _,
            }) => {
                let until = vulnerable_until.map(u64::to_be_bytes);
                let until = until.as_ref().map_or(&[][..], |until| until);
                return self.entry("os-image", [b"published", &os_image_hash[..], until]);
            }
            OsImagePolicy::LockedImage {
                registers: ImageRegisters { mrtd, rtmr1, rtmr2 },
                vulnerable_until,
                known_by: _,
                lock: _,
            } => {
                let until = vulnerable_until.map(u64::to_be_bytes);
                let until = until.as_ref().map_or(&[][..], |until| until);
                return self.entry("os-image", [b"image", &mrtd[..], rtmr1, rtmr2, until]);
            }
            OsImagePolicy::Tuple(tuple) => (tuple, None),
            OsImagePolicy::Lock {
                tuple,
                vulnerable_until,
                known_by: _,
                acpi_change: _,
                lock: _,
            } => (tuple, *vulnerable_until),
        };
        let registers = tuple.named().map(|(_, value)| value.as_slice());
        self.entry("os-image", registers);
        if let Some(until) = until {
            self.entry("os-image-vulnerable-until", [until.to_be_bytes().as_slice()]);
        }
    }

    /// One that is named has the encoding that it had when there could be no other.
    fn key_providers(&mut self, providers: &KeyProviders) {
        let items = |pin: &KeyProviderPin| {
            let items = [Some(pin.name.clone()), pin.id.clone()];
            items.into_iter().flatten().map(String::into_bytes)
        };
        match providers {
            KeyProviders::AnyKms => self.word("key-provider", "kms"),
            KeyProviders::Unchecked => self.word("key-provider", "unchecked"),
            KeyProviders::Named(pins) => match pins.as_slice() {
                [one] => {
                    let items: Vec<Vec<u8>> = items(one).collect();
                    self.entry("key-provider", items.iter().map(Vec::as_slice));
                }
                several => {
                    let encoded = several.iter().map(|pin| {
                        let mut one = Self(Vec::new());
                        items(pin).for_each(|item| one.bytes(&item));
                        one.0
                    });
                    self.set("key-providers", encoded);
                }
            },
        }
    }

    fn kms(&mut self, policy: &KmsPolicy) {
        let KmsPolicy {
            mode,
            hosts,
            compose_hashes,
            documents,
            builds,
            os_image,
            key_provider,
            bootstrap,
        } = policy;
        match mode {
            KmsMode::Named => {}
            KmsMode::Required => self.word("kms", "required"),
            KmsMode::Unchecked => self.word("kms", "unchecked"),
        }
        if let Some(Expected { value, origin: _ }) = hosts {
            let hosts = value.iter().map(|host| host.as_str().as_bytes().to_vec());
            self.set("kms-host", hosts);
        }
        for (name, hashes) in [("kms-compose-hash", compose_hashes), ("kms-build", builds)] {
            if let Some(Expected { value, origin: _ }) = hashes {
                self.set(name, value.iter().map(|hash| hash.to_vec()));
            }
        }
        if !documents.is_empty() {
            self.set("kms-compose-file", documents.iter().map(|one| one.hash.to_vec()));
        }
        let mut own = Self(Vec::new());
        if let Some((policy, _)) = os_image {
            own.os_image(policy);
        }
        if let Some(Expected { value, origin: _ }) = key_provider {
            own.key_providers(value);
        }
        if !own.0.is_empty() {
            self.entry("kms-vm", [own.0.as_slice()]);
        }
        if let Some(Expected { value, origin: _ }) = bootstrap {
            self.entry("kms-bootstrap-file", [value.as_bytes()]);
        }
    }

    fn governance(&mut self, policy: &GovernancePolicy) {
        let GovernancePolicy {
            mode,
            // Where to ask is not what is expected.
            asks: _,
            chain_id,
            app,
            kms_contract,
            kms,
            min_signers,
            min_delay,
            upgrades_disabled,
        } = policy;
        match mode {
            GovernanceMode::Named => {}
            GovernanceMode::Required => self.word("governance", "required"),
            GovernanceMode::Unchecked => self.word("governance", "unchecked"),
        }
        if let Some(Expected { value, origin: _ }) = chain_id {
            self.entry("governance-chain-id", [value.to_be_bytes().as_slice()]);
        }
        self.contract("governance-app", app);
        if let Some(Expected { value, origin: _ }) = kms_contract {
            self.entry("governance-kms-contract", [value.as_slice()]);
        }
        self.contract("governance-kms", kms);
        let numbers = [
            ("governance-min-signers", min_signers),
            ("governance-min-delay", min_delay),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                self.entry(name, [number.to_be_bytes().as_slice()]);
            }
        }
        if *upgrades_disabled {
            self.word("governance-upgrades", "disabled");
        }
    }

    fn contract(&mut self, name: &str, pin: &ContractPin) {
        let ContractPin {
            owners,
            code,
            implementation,
            implementation_code,
        } = pin;
        if let Some(Expected { value, origin: _ }) = owners {
            self.set(&format!("{name}-owner"), value.iter().map(|owner| owner.to_vec()));
        }
        if let Some(Expected { value, origin: _ }) = code {
            self.entry(&format!("{name}-code"), [value.as_slice()]);
        }
        if let Some(Expected { value, origin: _ }) = implementation {
            self.entry(&format!("{name}-implementation"), [value.as_slice()]);
        }
        if let Some(Expected { value, origin: _ }) = implementation_code {
            self.entry(&format!("{name}-implementation-code"), [value.as_slice()]);
        }
    }

    fn report_data(&mut self, policy: &ReportDataPolicy) {
        let ReportDataPolicy { layout, key, value } = policy;
        if let Some(layout) = layout {
            self.word("report-data", layout.as_str());
        }
        if let Some(key) = key {
            self.entry("report-data-key", [key.as_slice()]);
        }
        if let Some(value) = value {
            self.entry("report-data-value", [value.as_slice()]);
        }
    }

    fn tcb(&mut self, policy: &TcbPolicy) {
        let TcbPolicy {
            exceptions,
            min_eval_data_number,
        } = policy;
        let encoded = |exception: &TcbException| {
            let TcbException {
                status,
                ends,
                advisories,
                origin: _,
            } = exception;
            let mut one = Self(Vec::new());
            one.bytes(status.to_string().as_bytes());
            one.0.extend_from_slice(&ends.to_be_bytes());
            if let Some(advisories) = advisories {
                one.set("advisories", advisories.iter().map(|id| id.as_bytes().to_vec()));
            }
            one.0
        };
        if !exceptions.is_empty() {
            self.set("accept-tcb", exceptions.iter().map(encoded));
        }
        if let Some(number) = min_eval_data_number {
            self.entry("min-tcb-eval-data-number", [number.to_be_bytes().as_slice()]);
        }
    }

    fn locked_platform(&mut self, locked: &LockedPlatform) {
        let LockedPlatform {
            td_attributes,
            mr_seam,
            fmspc,
            lock: _,
        } = locked;
        if let Some(bytes) = td_attributes {
            self.entry("lock.td-attributes", [bytes.as_slice()]);
        }
        if let Some(bytes) = mr_seam {
            self.entry("lock.mr-seam", [bytes.as_slice()]);
        }
        if let Some(bytes) = fmspc {
            self.entry("lock.fmspc", [bytes.as_slice()]);
        }
    }

    fn locked_compose(&mut self, locked: &LockedCompose) {
        let LockedCompose {
            envelope,
            images,
            places,
            lock: _,
        } = locked;
        let fields = envelope.iter().map(|(name, value)| {
            let mut field = Self(Vec::new());
            field.bytes(name.as_bytes());
            field.json(value);
            field.0
        });
        self.set("lock.compose-settings", fields);
        let pairs = images.iter();
        let pairs = pairs.flat_map(|(service, image)| [service.as_bytes(), image.as_bytes()]);
        self.entry("lock.images", pairs);
        if !places.is_empty() {
            let parts = places.iter();
            let parts =
                parts.flat_map(|place| [place.path.as_bytes(), &place.sha256, place.reason.as_bytes()]);
            self.entry("lock.places", parts);
        }
    }

    fn gpu(&mut self, expected: &GpuExpectations) {
        let GpuExpectations {
            mode,
            count,
            models,
            switches_required,
            verifier,
            pins,
        } = expected;
        match mode {
            GpuMode::Auto => {}
            GpuMode::Required => self.word("gpu", "required"),
            GpuMode::Unchecked => self.word("gpu", "unchecked"),
        }
        if let Some(Expected { value, origin: _ }) = count {
            let count = u64::from(*value).to_be_bytes();
            self.entry("gpu-count", [count.as_slice()]);
        }
        if let Some(Expected { value, origin: _ }) = models {
            self.set(
                "gpu-model",
                value.iter().map(|model| model.as_str().as_bytes().to_vec()),
            );
        }
        if *switches_required {
            self.word("gpu-switches", "required");
        }
        match verifier {
            GpuVerifier::Local => {}
            GpuVerifier::Nras => self.word("gpu-verifier", "nras"),
            GpuVerifier::Both => self.word("gpu-verifier", "both"),
        }
        if let Some(LockedGpus { pins, lock: _ }) = pins {
            let encoded = pins.iter().map(|GpuPin { kind, measurements }| {
                let mut one = Self(Vec::new());
                kind.iter().for_each(|value| one.bytes(value.as_bytes()));
                one.bytes(measurements);
                one.0
            });
            self.set("lock.gpus", encoded);
        }
    }

    /// The members of an object are in the order of their names, whatever order the parser keeps.
    fn json(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.bytes(value.to_string().as_bytes());
            }
            Value::Array(items) => {
                self.bytes(b"[");
                self.number(items.len());
                items.iter().for_each(|item| self.json(item));
            }
            Value::Object(members) => {
                self.bytes(b"{");
                self.number(members.len());
                let members: BTreeMap<&String, &Value> = members.iter().collect();
                for (name, member) in members {
                    self.bytes(name.as_bytes());
                    self.json(member);
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "fingerprint_tests.rs"]
mod tests;
