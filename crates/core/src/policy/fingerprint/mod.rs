//! What a deployment was judged by, as one value that can be kept and compared.

mod encoding;
mod governance;
mod gpu;
mod kms;
mod locked;
mod os_image;
mod quote;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::appraisal::Policy;
use super::expected::Expected;
use super::max_age::CollateralMaxAge;
use super::platform::{PlatformId, PlatformList};
use super::second_hash::SecondHash;
use super::source::SourcePolicy;
use super::tls_binding::LockedBinding;
use crate::report::{RequiredAssurance, Tier};
use encoding::Encoding;

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
            given_document: _,
            second_compose_hash,
            docker_compose,
            app_id,
            instance_ids,
            min_instances,
            address_id,
            os_image,
            os_image_origin: _,
            settings: _,
            demanded,
            locked_shape,
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
            lock: _,
            locked_platform,
            locked_compose,
            replaced_compose_hash,
            kms,
            locked_tls,
            governance,
            waivers: _,
            required,
        } = self;
        let mut out = Encoding(VERSION.as_bytes().to_vec());
        out.expected("compose-hash", compose_hash.as_ref());
        out.second_hash(second_compose_hash.as_ref());
        out.expected("docker-compose", docker_compose.as_ref());
        out.expected("app-id", app_id.as_ref());
        out.expected_set("instance-id", instance_ids.as_ref());
        if let Some(minimum) = min_instances {
            let minimum = u64::from(minimum.get()).to_be_bytes();
            out.entry("instances", [minimum.as_slice()]);
        }
        out.optional("address-id", address_id.as_ref());
        out.os_image(os_image);
        out.expected("lock.rtmr0", locked_shape.as_ref().map(|locked| &locked.rtmr0));
        let acpi_change = locked_shape
            .as_ref()
            .and_then(|locked| locked.acpi_change.as_ref());
        out.optional("lock.acpi-change", acpi_change);
        // The built-in reference values come with the program and are not part of what is expected.
        out.optional("reference-values", reference.file_sha256());
        out.mode("mr-config-id", mr_config_id);
        if let Some(Expected { value, origin: _ }) = key_provider {
            out.key_providers(value);
        }
        out.mode("freshness", freshness);
        out.mode("image-pins", image_pins);
        out.mode("launch-inputs", launch_inputs);
        out.sources(sources);
        out.platforms(platforms.as_ref());
        out.gpu(gpu);
        out.mode("verifier", verifier);
        out.mode("tls-binding", tls_binding);
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
        if locked_compose.is_some() {
            out.expected("lock.compose-hash", replaced_compose_hash.as_ref());
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
        // At a tier that requires these checks, a demand decides nothing.
        if required.tier() < Tier::Code && !demanded.is_empty() {
            out.set(
                "demanded",
                demanded.iter().map(|check| check.as_str().as_bytes().to_vec()),
            );
        }
        out.0
    }
}

impl Encoding {
    fn second_hash(&mut self, second: Option<&SecondHash>) {
        if let Some(SecondHash {
            value,
            until: _,
            ends,
        }) = second
        {
            self.entry("also-compose-hash", [value.as_slice(), &ends.to_be_bytes()]);
        }
    }

    /// The files are evidence. Other roots than the built-in ones make another policy: a pass under them ends no incident.
    fn sources(&mut self, sources: &SourcePolicy) {
        for rule in sources.rules.iter() {
            let encoded = rule.encoded();
            self.entry("source", encoded.iter().map(String::as_bytes));
        }
        let root = sources.roots.sha256();
        self.optional("sigstore-root", root.filter(|_| !sources.rules.is_empty()));
    }

    fn platforms(&mut self, platforms: Option<&Expected<PlatformList>>) {
        if let Some(Expected { value, origin: _ }) = platforms {
            let bytes = |id: &PlatformId| match id {
                PlatformId::Machine(hash) => hash.to_vec(),
                PlatformId::Model(fmspc) => fmspc.to_vec(),
            };
            self.set("platform-id", value.ids().iter().map(bytes));
        }
    }
}
