//! Phala's hosted verifier: `POST /api/v1/attestations/verify` (phala-docs, `phala-cloud-api/attestations.mdx`). What it is sent
//! becomes public. Only the transport is here; what the answer is worth is decided where it is compared with the quote.

use tokio::time::Instant;
use url::Url;

use super::NO_TIME;
use crate::net::{Client, Limits, below};
use cvm_verify_core::evidence::RecordedPhalaAnswer;

/// Largest answer, in bytes: 1 MiB. Real ones have the quote, its certificates and collateral, about 40 KiB.
pub const MAX_BYTES: usize = 1024 * 1024;

const PATH: &str = "api/v1/attestations/verify";
/// Both hosts serve the same API; the newer one is asked first.
const HOSTS: [&str; 2] = ["https://cloud-api.phala.com/", "https://cloud-api.phala.network/"];

/// Where the API is, in the order in which it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhalaVerifier(Vec<Url>);

impl PhalaVerifier {
    /// Phala's own hosts.
    #[must_use]
    pub fn default_public() -> Self {
        Self(HOSTS.iter().filter_map(|url| Url::parse(url).ok()).collect())
    }

    /// Only the one at `url` (`--phala-verifier-url`). The API's own path is appended.
    #[must_use]
    pub fn only(url: &Url) -> Self {
        Self(vec![url.clone()])
    }

    /// Asks for a verdict on a quote, each host at most once, until one has an answer, or until `ends`.
    pub async fn ask(&self, client: &Client, quote: &[u8], ends: Instant) -> RecordedPhalaAnswer {
        let mut last = RecordedPhalaAnswer {
            host: String::new(),
            status: None,
            body: None,
            problem: Some("there is no host to ask".to_owned()),
        };
        for base in &self.0 {
            last = ask_one(client, base, quote, ends).await;
            if last.status.is_some_and(is_an_answer) {
                break;
            }
        }
        last
    }
}

/// What another host would say, too.
const fn is_an_answer(status: u16) -> bool {
    matches!(status, 200 | 400 | 413 | 422)
}

async fn ask_one(client: &Client, base: &Url, quote: &[u8], ends: Instant) -> RecordedPhalaAnswer {
    // Hex digits need no escaping.
    let body = format!(r#"{{"hex":"{}"}}"#, hex::encode(quote));
    let host = base.host_str().unwrap_or("no host").to_owned();
    if ends <= Instant::now() {
        return RecordedPhalaAnswer {
            host,
            status: None,
            body: None,
            problem: Some(NO_TIME.to_owned()),
        };
    }
    match client
        .post_json(
            &below(base, PATH),
            body.into_bytes(),
            &Limits::body(MAX_BYTES).until(ends),
        )
        .await
    {
        Ok(response) => RecordedPhalaAnswer {
            host: response.host,
            status: Some(response.status),
            // Bytes that are no text are no JSON either, and stay none.
            body: Some(String::from_utf8_lossy(&response.body).into_owned()),
            problem: None,
        },
        Err(error) => RecordedPhalaAnswer {
            host,
            status: None,
            body: None,
            problem: Some(error.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_host_is_asked_first() {
        let hosts: Vec<String> = PhalaVerifier::default_public()
            .0
            .iter()
            .map(Url::to_string)
            .collect();
        assert_eq!(hosts, HOSTS);
    }
}
