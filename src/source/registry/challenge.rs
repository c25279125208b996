//! The challenge of a registry (`WWW-Authenticate`), where it may send us for a token, and who gets the user's credentials.

use url::Url;

use super::credentials::Login;
use crate::net::operator;

/// Token services on another host than their registry: the registry, and the host of the service.
const TOKEN_SERVICES: [(&str, &str); 3] = [
    ("registry-1.docker.io", "auth.docker.io"),
    ("registry.gitlab.com", "gitlab.com"),
    // LinuxServer's name for images that GHCR holds and gives tokens for.
    ("lscr.io", "ghcr.io"),
];

/// A registry's answer to a request without authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// It wants a name and a password itself.
    Basic,
    /// It wants a token, which this service gives.
    Token(TokenService),
}

/// Who gives tokens for a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenService {
    /// Its address.
    pub realm: Url,
    /// For which service.
    pub service: Option<String>,
    /// Whether it may have the user's credentials for the registry.
    pub takes_credentials: bool,
}

/// Why the registry's wish is not met, a phrase about the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// There is no challenge, or one of another form.
    #[error("refuses the request without a challenge that can be read")]
    Unreadable,
    /// The token service is elsewhere.
    #[error("names a token service of another operator, which is not asked")]
    OtherOperator,
}

impl Challenge {
    /// Reads the headers of the registry at this address, for which the user may have a login. A registry may offer a token and
    /// Basic, as Gitea does: a token is preferred, of which there is one service. Its scope is not read: some registries name one
    /// that means nothing outside of them, and what is needed is known.
    ///
    /// # Errors
    /// [`ChallengeError`] if the registry asks for something else, or sends us to a service that is not its own.
    pub fn read(headers: &[&str], registry: &Url, login: Option<&Login>) -> Result<Self, ChallengeError> {
        let of = |scheme: &'static str| {
            headers.iter().filter_map(move |header| {
                let header = header.trim();
                let (found, rest) = header.split_once(' ').unwrap_or((header, ""));
                found.eq_ignore_ascii_case(scheme).then_some(rest)
            })
        };
        let mut tokens = of("bearer");
        let rest = match (tokens.next(), tokens.next()) {
            (Some(rest), None) => rest,
            (None, _) if of("basic").next().is_some() => return Ok(Self::Basic),
            _ => return Err(ChallengeError::Unreadable),
        };
        let parameters = parameters(rest).ok_or(ChallengeError::Unreadable)?;
        let one = |name: &str| {
            let mut values = parameters
                .iter()
                .filter(|(key, _)| key.eq_ignore_ascii_case(name));
            let value = values.next().map(|(_, value)| value.clone());
            value.filter(|_| values.next().is_none())
        };
        let realm = one("realm").ok_or(ChallengeError::Unreadable)?;
        let realm = Url::parse(&realm).map_err(|_| ChallengeError::Unreadable)?;
        let is_plain = realm.username().is_empty() && realm.password().is_none();
        if !is_plain || realm.scheme() != registry.scheme() {
            return Err(ChallengeError::OtherOperator);
        }
        let takes_credentials = realm.origin() == registry.origin()
            || is_listed(registry, &realm)
            || login.is_some_and(|login| login.names(&realm));
        if !takes_credentials && operator(&realm) != operator(registry) {
            return Err(ChallengeError::OtherOperator);
        }
        Ok(Self::Token(TokenService {
            realm,
            service: one("service"),
            takes_credentials,
        }))
    }
}

impl TokenService {
    /// The address that gives a token to pull from a repository.
    pub fn token_url(&self, repository: &str) -> Url {
        let mut url = self.realm.clone();
        let mut query = url.query_pairs_mut();
        if let Some(service) = &self.service {
            query.append_pair("service", service);
        }
        query.append_pair("scope", &format!("repository:{repository}:pull"));
        drop(query);
        url
    }
}

/// Whether a token service is known to be the registry's.
fn is_listed(registry: &Url, realm: &Url) -> bool {
    let is_of = |url: &Url, host: &str| url.host_str() == Some(host) && url.port().is_none();
    let mut known = TOKEN_SERVICES.into_iter();
    known.any(|(registry_host, realm_host)| is_of(registry, registry_host) && is_of(realm, realm_host))
}

/// `name="value"` with commas between (RFC 9110 §11.2), up to the next challenge of the same header, which begins with the word of
/// its scheme. A value is a token or a quoted string.
fn parameters(mut rest: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', ',', '\t']);
        let is_other_scheme = rest.eq_ignore_ascii_case("basic")
            || rest
                .get(..6)
                .is_some_and(|start| start.eq_ignore_ascii_case("basic "));
        if rest.is_empty() || is_other_scheme {
            return Some(found);
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted)?,
            None => {
                let end = after.find([',', ' ']).unwrap_or(after.len());
                (after.get(..end)?.to_owned(), after.get(end..)?)
            }
        };
        found.push((name.trim().to_owned(), value));
        rest = after;
    }
}

/// The text up to the closing quote, and what follows it.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, character)) = chars.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(chars.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::credentials::RegistryCredentials;
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn service(header: &str, registry: &str, login: Option<&Login>) -> Result<TokenService, ChallengeError> {
        match Challenge::read(&[header], &url(registry), login)? {
            Challenge::Token(service) => Ok(service),
            Challenge::Basic => unreachable!(),
        }
    }

    fn read(header: &str, registry: &str) -> Result<TokenService, ChallengeError> {
        service(header, registry, None)
    }

    #[test]
    fn the_challenges_of_known_registries_lead_to_their_token_services() {
        for (registry, header, name, token) in [
            (
                "https://registry-1.docker.io/",
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:example/web:pull""#,
                "example/web",
                "https://auth.docker.io/token?service=registry.docker.io&scope=repository%3Aexample%2Fweb%3Apull",
            ),
            (
                "https://ghcr.io/",
                r#"Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull""#,
                "example/web",
                "https://ghcr.io/token?service=ghcr.io&scope=repository%3Aexample%2Fweb%3Apull",
            ),
            (
                "https://public.ecr.aws/",
                r#"Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws""#,
                "a1b2/web",
                "https://public.ecr.aws/token/?service=public.ecr.aws&scope=repository%3Aa1b2%2Fweb%3Apull",
            ),
            (
                "https://lscr.io/",
                r#"Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:linuxserver/web:pull""#,
                "linuxserver/web",
                "https://ghcr.io/token?service=ghcr.io&scope=repository%3Alinuxserver%2Fweb%3Apull",
            ),
        ] {
            let service = read(header, registry).unwrap();
            assert_eq!(service.token_url(name).as_str(), token);
            assert!(service.takes_credentials, "{registry}");
        }
    }

    #[test]
    fn a_token_is_preferred_to_a_password_and_two_services_are_none() {
        let registry = url("https://git.example/");
        let token = r#"Bearer realm="https://git.example/v2/token",service="container_registry",scope="*""#;
        let other = r#"Bearer realm="https://git.example/other""#;
        let (one, with_basic) = (format!("{token}, Basic"), format!(r#"{token}, Basic realm="x""#));
        for headers in [
            vec![token, "Basic"],
            vec!["Basic realm=\"x\"", token],
            vec![&one],
            vec![&with_basic],
            vec!["Negotiate", token],
        ] {
            let read = Challenge::read(&headers, &registry, None);
            let Ok(Challenge::Token(service)) = read else {
                panic!("{headers:?}: {read:?}");
            };
            assert_eq!(
                service.realm.as_str(),
                "https://git.example/v2/token",
                "{headers:?}"
            );
            assert_eq!(
                service.service.as_deref(),
                Some("container_registry"),
                "{headers:?}"
            );
        }
        let unreadable = Err(ChallengeError::Unreadable);
        assert_eq!(Challenge::read(&[token, other], &registry, None), unreadable);
        assert_eq!(Challenge::read(&["Negotiate"], &registry, None), unreadable);
        assert_eq!(
            Challenge::read(&["Negotiate", "Basic"], &registry, None),
            Ok(Challenge::Basic)
        );
    }

    #[test]
    fn a_token_service_of_somebody_else_is_not_asked() {
        for (header, error) in [
            (
                r#"Bearer realm="https://evil.example/token""#,
                ChallengeError::OtherOperator,
            ),
            (
                r#"Bearer realm="http://ghcr.io/token""#,
                ChallengeError::OtherOperator,
            ),
            (
                r#"Bearer realm="https://a:b@ghcr.io/token""#,
                ChallengeError::OtherOperator,
            ),
            (
                r#"Bearer realm="https://ghcr.io.evil.example/token""#,
                ChallengeError::OtherOperator,
            ),
            (
                r#"Bearer realm="https://ghcr.io/a",realm="https://ghcr.io/b""#,
                ChallengeError::Unreadable,
            ),
            ("Bearer", ChallengeError::Unreadable),
            (r#"Bearer realm="https://ghcr.io"#, ChallengeError::Unreadable),
            ("Negotiate", ChallengeError::Unreadable),
        ] {
            assert_eq!(read(header, "https://ghcr.io/").unwrap_err(), error, "{header}");
        }
        let none = Challenge::read(&[], &url("https://ghcr.io/"), None);
        assert_eq!(none, Err(ChallengeError::Unreadable));
        // What is known of one registry holds for no other.
        let header = r#"Bearer realm="https://ghcr.io/token""#;
        assert_eq!(
            read(header, "https://lscr.io.evil.example/").unwrap_err(),
            ChallengeError::OtherOperator
        );
        assert_eq!(
            read(header, "https://lscr.io:5000/").unwrap_err(),
            ChallengeError::OtherOperator
        );
    }

    #[test]
    fn credentials_are_for_the_registrys_host_a_known_service_and_one_that_the_user_names() {
        let login = |line: &str| {
            RegistryCredentials::read(line)
                .unwrap()
                .of(&url("https://registry.example/"))
        };
        let (plain, named) = (
            login("registry.example a:b").unwrap(),
            login("registry.example a:b gitlab.example:8443").unwrap(),
        );
        let takes = |realm: &str, login: &Login| {
            let header = format!("Bearer realm=\"{realm}\"");
            service(&header, "https://registry.example/", Some(login))
                .map(|service| service.takes_credentials)
        };
        assert_eq!(takes("https://registry.example/token", &plain), Ok(true));
        // A neighbour under the same bought name may give an anonymous token, and gets no password.
        assert_eq!(takes("https://auth.registry.example/token", &plain), Ok(false));
        assert_eq!(takes("https://registry.example:5000/token", &plain), Ok(false));
        assert_eq!(
            takes("https://gitlab.example:8443/token", &plain),
            Err(ChallengeError::OtherOperator)
        );
        assert_eq!(takes("https://gitlab.example:8443/token", &named), Ok(true));
        for other in [
            "https://gitlab.example/token",
            "http://gitlab.example:8443/token",
            "https://x@gitlab.example:8443/token",
            "https://gitlab.example.evil.example:8443/token",
        ] {
            assert_eq!(
                takes(other, &named),
                Err(ChallengeError::OtherOperator),
                "{other}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_header_panics_or_leads_elsewhere(header in "\\PC{0,80}", realm in "[a-z:/.@\"\\\\]{0,40}") {
            for header in [header, format!("Bearer realm=\"{realm}\"")] {
                if let Ok(Challenge::Token(service)) = Challenge::read(&[&header, "Basic"], &url("https://ghcr.io/"), None) {
                    prop_assert_eq!(service.realm.scheme(), "https");
                    prop_assert!(service.realm.host_str().unwrap().ends_with("ghcr.io"));
                    prop_assert!(!service.takes_credentials || service.realm.origin() == url("https://ghcr.io/").origin());
                }
            }
        }
    }
}
