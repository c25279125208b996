//! Names of images, as Docker reads them, and which images a rule is about.

use std::borrow::Cow;
use std::fmt;

/// The registry of names without a host.
pub(super) const DOCKER_HUB: &str = "docker.io";
/// Another name of the same registry.
const OLD_DOCKER_HUB: &str = "index.docker.io";
/// Where official images of that registry are.
const OFFICIAL: &str = "library/";

/// Which images a rule is about, by name: without tag and digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImagePattern {
    /// One name.
    Exact(String),
    /// Every name that begins with this, a slash at its end included.
    Prefix(String),
    /// Every image.
    Rest,
}

impl ImagePattern {
    /// Whether it names this image: a name without tag and digest.
    #[must_use]
    pub fn names(&self, image: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == image,
            Self::Prefix(prefix) => image.starts_with(prefix),
            Self::Rest => true,
        }
    }

    /// Whether it names Docker's official images alone: nobody else can publish under `docker.io/library/`
    /// (<https://docs.docker.com/docker-hub/repos/manage/trusted-content/official-images/>).
    #[must_use]
    pub(crate) fn is_of_official_images(&self) -> bool {
        let official = format!("{DOCKER_HUB}/{OFFICIAL}");
        match self {
            Self::Exact(pattern) | Self::Prefix(pattern) => pattern.starts_with(&official),
            Self::Rest => false,
        }
    }
}

impl fmt::Display for ImagePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(exact) => f.write_str(exact),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::Rest => f.write_str("*"),
        }
    }
}

/// An image's name as it is compared: with its registry in lower case, and the short names of Docker Hub written out
/// (<https://github.com/distribution/reference>).
#[must_use]
pub fn normal_name(name: &str) -> String {
    let (host, rest) = split_host(name);
    let host = host.unwrap_or(Cow::Borrowed(DOCKER_HUB));
    match host == DOCKER_HUB && !rest.contains('/') {
        true => format!("{host}/{OFFICIAL}{rest}"),
        false => format!("{host}/{rest}"),
    }
}

/// The registry that a name begins with, if it does, and the rest. A registry has a dot, a port or a capital letter, or is
/// `localhost`.
pub(super) fn split_host(name: &str) -> (Option<Cow<'_, str>>, &str) {
    let Some((first, rest)) = name.split_once('/') else {
        return (None, name);
    };
    let is_host = first.contains(['.', ':'])
        || first == "localhost"
        || first.bytes().any(|byte| byte.is_ascii_uppercase());
    if !is_host {
        return (None, name);
    }
    let host = first.to_ascii_lowercase();
    let host = match host.as_str() {
        OLD_DOCKER_HUB => Cow::Borrowed(DOCKER_HUB),
        _ => Cow::Owned(host),
    };
    (Some(host), rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_way_to_write_a_name_is_the_same_image() {
        for (written, meant) in [
            ("redis", "docker.io/library/redis"),
            ("library/redis", "docker.io/library/redis"),
            ("docker.io/redis", "docker.io/library/redis"),
            ("index.docker.io/redis", "docker.io/library/redis"),
            ("Docker.IO/library/redis", "docker.io/library/redis"),
            ("example/web", "docker.io/example/web"),
            ("index.docker.io/example/web", "docker.io/example/web"),
            ("GHCR.io/example/web", "ghcr.io/example/web"),
            ("Registry/example/web", "registry/example/web"),
            ("localhost/web", "localhost/web"),
            ("localhost:5000/web", "localhost:5000/web"),
            ("ghcr.io/web", "ghcr.io/web"),
        ] {
            assert_eq!(normal_name(written), meant, "{written}");
        }
    }

    proptest! {
        #[test]
        fn a_normal_name_stays_as_it_is(name in "[a-z0-9.:/_-]{0,40}") {
            let once = normal_name(&name);
            prop_assert_eq!(normal_name(&once), once);
        }
    }
}
