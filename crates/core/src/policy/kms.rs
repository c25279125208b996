//! What is expected of the KMS that an app's keys come from.

use std::fmt;
use std::str::FromStr;

use super::expected::{Expected, Origin};
use super::key_providers::KeyProviders;
use super::os_image::OsImagePolicy;
use crate::compose::UnprovenDocument;
use crate::reference::{KmsImageRow, ReferenceValues};
use crate::report::and_more;

/// What is expected of the KMS that an app's keys come from.
#[derive(Debug, Clone, Default)]
pub struct KmsPolicy {
    /// What becomes of an app whose KMS cannot be judged.
    pub mode: KmsMode,
    /// Where it answers: one address, or those of several replicas. Never an empty list, at most [`MAX_KMS`](crate::evidence::MAX_KMS).
    pub hosts: Option<Expected<Vec<KmsHost>>>,
    /// SHA-256 of the compose documents that it may run. Never an empty list.
    pub compose_hashes: Option<Expected<Vec<[u8; 32]>>>,
    /// Those of these compose documents that the user has: what they say is shown, and judged as that of an app.
    pub documents: Vec<KmsDocument>,
    /// The builds that it may be, `mr_aggregated`, as contracts and the event `mr-kms` know them. Never an empty list.
    pub builds: Option<Expected<Vec<[u8; 32]>>>,
    /// Its OS image; without it, any known production image.
    pub os_image: Option<(OsImagePolicy, Origin)>,
    /// Who may give the KMS's own VM its keys; without it, dstack's local key provider.
    pub key_provider: Option<Expected<KeyProviders>>,
    /// Evidence of how its root keys were made, which must hold: a document that the user keeps.
    pub bootstrap: Option<Expected<String>>,
}

/// A compose document that the KMS may run.
#[derive(Debug, Clone)]
pub struct KmsDocument {
    /// SHA-256 of its bytes.
    pub hash: [u8; 32],
    /// What it says.
    pub document: UnprovenDocument,
}

/// Images that are named in a sentence.
const MAX_SHOWN: usize = 4;

impl KmsDocument {
    /// The images of its docker compose file: the service, and the release of dstack's KMS that the image is, if it is one.
    pub fn images<'a>(
        &'a self,
        reference: &'a ReferenceValues,
    ) -> impl Iterator<Item = (&'a str, Option<&'a KmsImageRow>)> {
        let images = self.document.file().map(|file| &file.images);
        let images = images.into_iter().flatten();
        images.map(|(service, image)| (service.as_str(), reference.kms_image(image)))
    }

    /// The release of each image, in words: `images: kms: dstack-kms 0.6.6`.
    #[must_use]
    pub(crate) fn images_text(&self, reference: &ReferenceValues) -> String {
        let mut words: Vec<String> = self
            .images(reference)
            .map(|(service, release)| {
                let release = release.map_or("no known release", |release| release.name.as_str());
                format!("{service}: {release}")
            })
            .collect();
        let more = and_more(",", words.len().saturating_sub(MAX_SHOWN));
        words.truncate(MAX_SHOWN);
        format!("images: {}{more}", words.join(", "))
    }
}

crate::word_enum! {
    /// What becomes of an app whose KMS cannot be judged.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub enum KmsMode {
        /// It is judged if it is named.
        #[default]
        Named = "named",
        /// It must be named and judged.
        Required = "required",
        /// Waived in writing.
        Unchecked = "unchecked",
    }
}

impl KmsMode {
    /// The words that users write: `Named` is what is so without one.
    pub const WRITTEN: [&'static str; 2] = [Self::Required.as_str(), Self::Unchecked.as_str()];
}

impl KmsPolicy {
    /// Whether the user asked for it: named a host, or what the KMS must be, or demanded it.
    #[must_use]
    pub const fn is_configured(&self) -> bool {
        let Self {
            mode,
            hosts,
            compose_hashes,
            documents: _,
            builds,
            os_image,
            key_provider,
            bootstrap,
        } = self;
        matches!(mode, KmsMode::Required)
            || hosts.is_some()
            || compose_hashes.is_some()
            || builds.is_some()
            || os_image.is_some()
            || key_provider.is_some()
            || bootstrap.is_some()
    }
}

/// The address of a KMS: a host name or an IPv4 address, and a port if it is not 443. In lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KmsHost(String);

/// Why a text is not the address of a KMS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write the host name of the KMS, with a port if it is not 443: kms.example or kms.example:12001")]
pub struct KmsHostError;

impl KmsHost {
    /// `host` or `host:port`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KmsHost {
    type Err = KmsHostError;

    fn from_str(text: &str) -> Result<Self, KmsHostError> {
        let text = text.trim().to_ascii_lowercase();
        let (name, port) = match text.split_once(':') {
            None => (text.as_str(), None),
            Some((name, port)) => (name, Some(port)),
        };
        let is_label = |label: &str| {
            let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=63).contains(&label.len())
                && label.bytes().all(is_inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_port = port.is_none_or(|port| {
            !port.starts_with('0') && !port.starts_with('+') && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        if name.len() <= 253 && name.split('.').all(is_label) && is_port {
            let name = match port {
                Some("443") | None => name.to_owned(),
                Some(port) => format!("{name}:{port}"),
            };
            Ok(Self(name))
        } else {
            Err(KmsHostError)
        }
    }
}

impl fmt::Display for KmsHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for (text, read) in [
            ("kms.example", "kms.example"),
            ("KMS.Example:443", "kms.example"),
            ("127.0.0.1:8443", "127.0.0.1:8443"),
            (" localhost:1 ", "localhost:1"),
        ] {
            assert_eq!(text.parse::<KmsHost>().unwrap().as_str(), read);
        }
        for text in [
            "",
            "https://kms.example",
            "kms.example/",
            "kms.example:",
            "kms.example:0",
            "kms.example:65536",
            "kms.example:+1",
            "kms.example:01",
            "a b",
            "[::1]:443",
            "-a.example",
            "a..b",
            "u@kms.example",
            "kms.example:1:2",
        ] {
            assert_eq!(text.parse::<KmsHost>(), Err(KmsHostError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_again(text in "[ -~]{0,40}") {
            if let Ok(host) = text.parse::<KmsHost>() {
                prop_assert_eq!(host.as_str().parse::<KmsHost>().unwrap(), host);
            }
        }
    }
}
