//! The challenge of a registry (`WWW-Authenticate`), and where it may send us for a token.

use url::Url;

use crate::net::operator;

/// A registry's answer to a request without a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Who gives tokens.
    pub realm: Url,
    /// For which service.
    pub service: Option<String>,
}

/// Why no token can be asked for, a phrase about the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// It wants a name and a password.
    #[error("asks for credentials, and none are sent")]
    Credentials,
    /// There is no challenge, or one of another form.
    #[error("refuses the request without a challenge that can be read")]
    Unreadable,
    /// The token service is elsewhere.
    #[error("names a token service of another operator, which is not asked")]
    OtherOperator,
}

impl Challenge {
    /// Reads a header of the registry at this address. Its scope is not read: some registries name one that means nothing
    /// outside of them, and what is needed is known.
    pub fn read(header: Option<&str>, registry: &Url) -> Result<Self, ChallengeError> {
        let header = header.ok_or(ChallengeError::Unreadable)?.trim();
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Err(ChallengeError::Credentials);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ChallengeError::Unreadable);
        }
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
        if !is_plain || realm.scheme() != registry.scheme() || operator(&realm) != operator(registry) {
            return Err(ChallengeError::OtherOperator);
        }
        Ok(Self {
            realm,
            service: one("service"),
        })
    }

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

/// `name="value"` with commas between (RFC 9110 §11.2). A value is a token or a quoted string.
fn parameters(mut rest: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', ',', '\t']);
        if rest.is_empty() {
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
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(header: &str, registry: &str) -> Result<Challenge, ChallengeError> {
        Challenge::read(Some(header), &Url::parse(registry).unwrap())
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
        ] {
            let url = read(header, registry).unwrap().token_url(name);
            assert_eq!(url.as_str(), token);
        }
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
            (r#"Basic realm="x""#, ChallengeError::Credentials),
        ] {
            assert_eq!(read(header, "https://ghcr.io/").unwrap_err(), error, "{header}");
        }
        let none = Challenge::read(None, &Url::parse("https://ghcr.io/").unwrap());
        assert_eq!(none, Err(ChallengeError::Unreadable));
    }

    proptest! {
        #[test]
        fn no_header_panics_or_leads_elsewhere(header in "\\PC{0,80}", realm in "[a-z:/.@\"\\\\]{0,40}") {
            for header in [header, format!("Bearer realm=\"{realm}\"")] {
                if let Ok(challenge) = read(&header, "https://ghcr.io/") {
                    prop_assert_eq!(challenge.realm.scheme(), "https");
                    prop_assert!(challenge.realm.host_str().unwrap().ends_with("ghcr.io"));
                }
            }
        }
    }
}
