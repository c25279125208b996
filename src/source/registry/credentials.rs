//! Names and passwords for registries, from the environment: which registry gets which, and who next to it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::repository::Repository;
use crate::net::Secret;

/// The variable that holds them.
pub const REGISTRY_CREDENTIALS: &str = "CVM_VERIFY_REGISTRY_CREDENTIALS";

/// Most registries with credentials.
const MAX_LOGINS: usize = 32;
/// Longest line, in bytes. A password of Amazon's registries has about 2,600.
const MAX_LINE: usize = 16 * 1024;

/// Credentials by registry. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct RegistryCredentials(Arc<[Login]>);

/// The credentials for one registry.
#[derive(Debug, Clone)]
pub struct Login {
    /// The registry, with a final slash.
    registry: Url,
    /// `Basic …`, the value of a header (RFC 7617).
    basic: Secret,
    /// The registry's token service, if it is on a host of its own.
    token_service: Option<Url>,
}

/// What is wrong with a line. Nothing of the line is repeated: any part of it may be the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// Not two or three fields, or no name and password.
    #[error(
        "line {0} is not `REGISTRY USERNAME:PASSWORD`, with the host of the registry's token service behind it if that is another"
    )]
    Form(usize),
    /// The first or the third field is not a host.
    #[error(
        "line {0} does not begin with the host of a registry as images name it, such as ghcr.io or docker.io"
    )]
    Registry(usize),
    /// The third field is not a host.
    #[error("line {0} ends with a token service that is not a host, such as gitlab.example.com")]
    TokenService(usize),
    /// A registry has two.
    #[error("line {0} is for the same registry as a line before it")]
    Twice(usize),
    /// Too many, or too long.
    #[error("line {0} is one too many, or too long: at most 32 lines of 16 KiB are read")]
    TooMuch(usize),
}

impl RegistryCredentials {
    /// Reads lines of `REGISTRY USERNAME:PASSWORD [TOKEN-SERVICE]`. Empty lines are left out.
    ///
    /// # Errors
    /// [`CredentialsError`] with the number of the line, from 1.
    pub fn read(text: &str) -> Result<Self, CredentialsError> {
        let mut logins: Vec<Login> = Vec::new();
        let lines = text.lines().enumerate();
        for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let number = index + 1;
            if logins.len() >= MAX_LOGINS || line.len() > MAX_LINE {
                return Err(CredentialsError::TooMuch(number));
            }
            let login = Login::read(line, number)?;
            if logins.iter().any(|other| other.registry == login.registry) {
                return Err(CredentialsError::Twice(number));
            }
            logins.push(login);
        }
        Ok(Self(logins.into()))
    }

    /// Those for the registry at this address.
    pub(super) fn of(&self, registry: &Url) -> Option<Login> {
        self.0.iter().find(|login| login.registry == *registry).cloned()
    }
}

impl Login {
    fn read(line: &str, number: usize) -> Result<Self, CredentialsError> {
        let mut fields = line.split_whitespace();
        let (Some(host), Some(pair), token_service, None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(CredentialsError::Form(number));
        };
        let registry = registry_of(host).ok_or(CredentialsError::Registry(number))?;
        let is_pair = pair
            .split_once(':')
            .is_some_and(|(name, password)| !name.is_empty() && !password.is_empty());
        if !is_pair {
            return Err(CredentialsError::Form(number));
        }
        let token_service = token_service
            .map(|host| registry_of(host).ok_or(CredentialsError::TokenService(number)))
            .transpose()?;
        Ok(Self {
            registry,
            basic: Secret::new(format!("Basic {}", STANDARD.encode(pair))),
            token_service,
        })
    }

    /// The value of the header `Authorization`.
    pub(super) const fn basic(&self) -> &Secret {
        &self.basic
    }

    /// Whether the user names this token service.
    pub(super) fn names(&self, realm: &Url) -> bool {
        let mut named = self.token_service.iter();
        named.any(|service| service.origin() == realm.origin())
    }
}

/// The address of a host as images name it: https, but http on loopback.
fn registry_of(host: &str) -> Option<Url> {
    let is_host = host.contains(['.', ':']) || host == "localhost";
    if !is_host || host.contains('/') {
        return None;
    }
    Some(Repository::of(&format!("{host}/name"))?.registry().clone())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(credentials: &str, image: &str) -> Option<String> {
        let registry = Repository::of(image).unwrap().registry().clone();
        let login = RegistryCredentials::read(credentials).unwrap().of(&registry)?;
        Some(login.basic().expose().to_owned())
    }

    #[test]
    fn each_registry_gets_its_own_and_no_other_gets_any() {
        let all = "ghcr.io someone:token\n\n  docker.io other:pass:word  \r\n1.dkr.ecr.eu-west-1.amazonaws.com AWS:x\nlocalhost:5000 a:b";
        let basic = |pair: &str| Some(format!("Basic {}", STANDARD.encode(pair)));
        assert_eq!(of(all, "ghcr.io/example/web"), basic("someone:token"));
        assert_eq!(of(all, "GHCR.io/example/web"), basic("someone:token"));
        for hub in [
            "redis",
            "example/web",
            "docker.io/example/web",
            "index.docker.io/a/b",
        ] {
            assert_eq!(of(all, hub), basic("other:pass:word"), "{hub}");
        }
        assert_eq!(of(all, "1.dkr.ecr.eu-west-1.amazonaws.com/web"), basic("AWS:x"));
        assert_eq!(of(all, "localhost:5000/web"), basic("a:b"));
        for other in [
            "ghcr.io:8443/example/web",
            "ghcr.io.evil.example/web",
            "2.dkr.ecr.eu-west-1.amazonaws.com/web",
            "localhost:5001/web",
            "quay.io/example/web",
        ] {
            assert_eq!(of(all, other), None, "{other}");
        }
        assert_eq!(of("", "redis"), None);
    }

    #[test]
    fn a_mistake_names_its_line_and_repeats_nothing_of_it() {
        for (text, error) in [
            ("ghcr.io", CredentialsError::Form(1)),
            ("ghcr.io hunter2", CredentialsError::Form(1)),
            ("ghcr.io :hunter2", CredentialsError::Form(1)),
            ("ghcr.io hunter2:", CredentialsError::Form(1)),
            ("\nghcr.io a:hunter2 b.example c", CredentialsError::Form(2)),
            ("hunter2 ghcr.io:x", CredentialsError::Registry(1)),
            ("https://ghcr.io a:hunter2", CredentialsError::Registry(1)),
            ("ghcr.io/example a:hunter2", CredentialsError::Registry(1)),
            ("ghcr.io a:b hunter2", CredentialsError::TokenService(1)),
            (
                "docker.io a:b\nindex.docker.io a:hunter2",
                CredentialsError::Twice(2),
            ),
        ] {
            let found = RegistryCredentials::read(text).unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(!found.to_string().contains("hunter2"));
        }
        let many: String = (0..33).map(|number| format!("r{number}.example a:b\n")).collect();
        assert_eq!(
            RegistryCredentials::read(&many).unwrap_err(),
            CredentialsError::TooMuch(33)
        );
        let long = format!("ghcr.io a:{}", "x".repeat(MAX_LINE));
        assert_eq!(
            RegistryCredentials::read(&long).unwrap_err(),
            CredentialsError::TooMuch(1)
        );
    }

    proptest! {
        #[test]
        fn no_text_panics_or_shows_itself(text in "\\PC{0,80}", password in "[a-zA-Z0-9]{12,20}") {
            let _ = RegistryCredentials::read(&text);
            let credentials = RegistryCredentials::read(&format!("ghcr.io me:{password}")).unwrap();
            let shown = format!("{credentials:?}");
            prop_assert!(!shown.contains(&password), "{}", shown);
        }
    }
}
