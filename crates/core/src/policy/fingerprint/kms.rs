//! What is expected of the key provider and of the KMS behind it.

use super::encoding::Encoding;
use crate::policy::expected::Expected;
use crate::policy::key_provider::KeyProviderPin;
use crate::policy::key_providers::KeyProviders;
use crate::policy::kms::KmsPolicy;

impl Encoding {
    /// One that is named has the encoding that it had when there could be no other.
    pub(super) fn key_providers(&mut self, providers: &KeyProviders) {
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

    pub(super) fn kms(&mut self, policy: &KmsPolicy) {
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
        self.mode("kms", mode);
        if let Some(Expected { value, origin: _ }) = hosts {
            let hosts = value.iter().map(|host| host.as_str().as_bytes().to_vec());
            self.set("kms-host", hosts);
        }
        for (name, hashes) in [("kms-compose-hash", compose_hashes), ("kms-build", builds)] {
            self.expected_set(name, hashes.as_ref());
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
        self.expected("kms-bootstrap-file", bootstrap.as_ref());
    }
}
