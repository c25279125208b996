//! Where a registry keeps an image, by the image's name.

use std::net::IpAddr;

use url::{Host, Url};

use cvm_verify_core::policy::normal_name;

/// The registry of names under `docker.io`.
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");
/// Longest name, in bytes (<https://github.com/opencontainers/distribution-spec>).
const MAX_NAME: usize = 255;

/// A repository of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    /// The registry, with a final slash.
    registry: Url,
    /// The repository's name there.
    pub(super) name: String,
}

impl Repository {
    /// Of an image's name, without tag and digest. As Docker does, loopback is asked over plain http. `None` if it is not the
    /// name of an image.
    pub(super) fn of(image: &str) -> Option<Self> {
        let image = normal_name(image);
        let (host, name) = image.split_once('/')?;
        let is_host = host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
        if !is_host || name.len() > MAX_NAME || !name.split('/').all(is_component) {
            return None;
        }
        let host = match host {
            host if host == DOCKER_HUB.0 => DOCKER_HUB.1,
            host => host,
        };
        let https = Url::parse(&format!("https://{host}/")).ok()?;
        let registry = match is_loopback(&https) {
            true => Url::parse(&format!("http://{host}/")).ok()?,
            false => https,
        };
        Some(Self {
            registry,
            name: name.to_owned(),
        })
    }

    /// The address of a part: `manifests`, `blobs` or `referrers`, and a tag or a digest.
    pub(super) fn url(&self, part: &str, reference: &str) -> Option<Url> {
        self.registry
            .join(&format!("v2/{}/{part}/{reference}", self.name))
            .ok()
    }

    /// The registry's own address.
    pub(super) const fn registry(&self) -> &Url {
        &self.registry
    }

    /// The registry as messages name it.
    pub(super) fn host(&self) -> &str {
        self.registry.host_str().unwrap_or_default()
    }
}

/// A part of a name between slashes: lower-case letters and digits, with separators between them.
fn is_component(part: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [part.bytes().next(), part.bytes().last()];
    ends.into_iter().all(|byte| byte.is_some_and(is_plain))
        && part.bytes().all(|byte| is_plain(byte) || b"._-".contains(&byte))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_name_leads_to_its_registry() {
        for (image, address) in [
            (
                "redis",
                "https://registry-1.docker.io/v2/library/redis/manifests/x",
            ),
            (
                "example/web",
                "https://registry-1.docker.io/v2/example/web/manifests/x",
            ),
            (
                "ghcr.io/example/web",
                "https://ghcr.io/v2/example/web/manifests/x",
            ),
            (
                "GHCR.io/example/web",
                "https://ghcr.io/v2/example/web/manifests/x",
            ),
            (
                "public.ecr.aws/a1b2/web",
                "https://public.ecr.aws/v2/a1b2/web/manifests/x",
            ),
            (
                "registry.example:5000/web",
                "https://registry.example:5000/v2/web/manifests/x",
            ),
            ("localhost:5000/web", "http://localhost:5000/v2/web/manifests/x"),
            ("127.0.0.1:5000/web", "http://127.0.0.1:5000/v2/web/manifests/x"),
        ] {
            let repository = Repository::of(image).unwrap();
            assert_eq!(
                repository.url("manifests", "x").unwrap().as_str(),
                address,
                "{image}"
            );
        }
    }

    #[test]
    fn what_is_not_a_name_leads_nowhere() {
        for image in [
            "",
            "ghcr.io/",
            "ghcr.io/../web",
            "ghcr.io/a//b",
            "ghcr.io/Web",
            "ghcr.io/web?x=1",
            "ghcr.io/web#x",
            "user@ghcr.io/web",
            "ghcr.io:x/web",
            "ghcr.io/-web",
        ] {
            assert_eq!(Repository::of(image), None, "{image}");
        }
    }

    proptest! {
        #[test]
        fn an_address_stays_within_its_registry(image in "[a-zA-Z0-9./:@?#\\[\\]_-]{0,40}") {
            if let Some(repository) = Repository::of(&image) {
                let url = repository.url("blobs", "sha256:00").unwrap();
                prop_assert_eq!(url.origin(), repository.registry().origin());
                prop_assert!(url.path().starts_with("/v2/") && url.query().is_none());
            }
        }
    }
}
