//! Whom a target was asked at, as one value that can be kept and compared.

use serde::{Deserialize, Serialize};

use super::failure::hash;
use crate::source::Source;

/// Whom a target was asked at: SHA-256 of the kind of its source, its address and its paths, all without queries, which may hold
/// secrets. 32 bytes, hex in JSON.
///
/// It is not part of what is expected. It decides whether a pass ends an incident: a pass at another address does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AskedAt(#[serde(with = "hex")] [u8; 32]);

impl AskedAt {
    /// Of a source. A path that is the default is not part of it, so that a later version with one more path gives the same value
    /// where that is not used.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        let parts: Vec<String> = [source.kind().to_owned(), source.url().to_owned()]
            .into_iter()
            .chain(source.other_paths())
            .collect();
        Self(hash("cvm-verify/asked-at/v1", parts.iter().map(String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::app::AppEndpoints;
    use url::Url;

    fn app(base: &str, attestation: &str, info: &str) -> AppEndpoints {
        let base = Url::parse(base).expect("a URL");
        AppEndpoints::with_paths(base, attestation, info).expect("endpoints")
    }

    #[test]
    fn another_address_path_or_kind_is_another_value_and_a_query_is_not() {
        let one = AskedAt::of(&Source::App(app("https://a.example/", "/attestation", "/info")));
        let same = app("https://a.example/?token=s3cret", "/attestation?key=2", "/info");
        assert_eq!(AskedAt::of(&Source::App(same)), one);
        let info = Url::parse("https://agent.example/").ok();
        for other in [
            app("https://b.example/", "/attestation", "/info"),
            app("https://a.example/", "/other", "/info"),
            app("https://a.example/", "/attestation", "/other"),
            app("https://a.example/", "/attestation", "/info").with_info_url(info),
        ] {
            assert_ne!(AskedAt::of(&Source::App(other.clone())), one, "{other:?}");
        }
    }
}
