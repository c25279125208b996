//! Requests for quotes of values that nobody outside may have quoted (docs/tls.md): 64 random bytes in hex, and, if TLS ends in
//! an ingress, 64 random characters that are not hex digits.

use super::app::AppEndpoints;
use super::document::json;
use super::error::SourceError;
use crate::net::{Client, Limits, NetError, says_absent};
use cvm_verify_core::evidence::{Attestation, Probe};
use cvm_verify_core::verify::digest::sha256;
use url::Url;

/// Asks an endpoint to quote 64 bytes. What it answers is not verified: an endpoint that seems to quote them is taken at its
/// word.
pub async fn probe(client: &Client, endpoints: &AppEndpoints, bytes: &[u8; 64], limits: &Limits) -> Probe {
    let asked = endpoints.attestation_url(bytes);
    answer(client, asked, limits, |body| judged(body, bytes)).await
}

/// Asks an endpoint to quote a text of 64 characters that are not hex digits. An endpoint that does would quote a SHA-256 that
/// happens to be valid UTF-8, followed by zeros: one that is found in seconds, and the form of an ingress's report data. Any part
/// of the text that is quoted counts.
pub async fn probe_text(
    client: &Client,
    endpoints: &AppEndpoints,
    bytes: &[u8; 64],
    limits: &Limits,
) -> Probe {
    let text = bytes.map(letter);
    let asked = endpoints.attestation_url_of_text(&String::from_utf8_lossy(&text));
    answer(client, asked, limits, |body| match judged(body, &text) {
        Probe::Quotes64 => Probe::Quotes32,
        other => other,
    })
    .await
}

/// A letter behind `f`: `g` to `v`.
const fn letter(byte: u8) -> u8 {
    b'g' + byte % 16
}

async fn answer(client: &Client, url: Url, limits: &Limits, judged: impl FnOnce(&[u8]) -> Probe) -> Probe {
    match json(client, url, limits).await {
        Ok(body) => judged(&body),
        Err(SourceError::NotJson { .. }) => Probe::NoneSeen,
        Err(SourceError::Net { error, .. }) => refused(&error),
        Err(other) => Probe::Unknown(format!("the probe was not answered: {other}")),
    }
}

/// A refusal is what is hoped for; a server that is busy or broken says nothing, and neither does one in front of the app that wants a
/// login.
fn refused(error: &NetError) -> Probe {
    match error {
        NetError::HttpStatus { status, .. } if says_absent(*status) => Probe::NoneSeen,
        NetError::HttpStatus { status, .. } => {
            Probe::Unknown(format!("the probe was answered with status {status}."))
        }
        other => Probe::Unknown(format!("the probe was not answered: {other}.")),
    }
}

fn judged(body: &[u8], bytes: &[u8; 64]) -> Probe {
    let Ok(attestation) = Attestation::parse(body) else {
        return Probe::NoneSeen;
    };
    let quote = attestation.quote.as_bytes();
    let (first, last) = bytes.split_at(32);
    let holds = |half: &[u8]| quote.windows(32).any(|window| window == half);
    // An endpoint that quotes the hash of whatever it is sent quotes that of a manifest of the caller's, too.
    let hashes = || {
        [sha256(bytes), sha256(hex::encode(bytes).as_bytes())]
            .iter()
            .any(|hash| holds(hash))
    };
    match (holds(first), holds(last)) {
        (true, true) => Probe::Quotes64,
        (true, false) | (false, true) => Probe::Quotes32,
        (false, false) if hashes() => Probe::Quotes32,
        (false, false) => Probe::NoneSeen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(bytes: &[u8]) -> Vec<u8> {
        let quote = hex::encode([&[4, 0][..], &[0; 100], bytes, &[0; 100]].concat());
        format!("{{\"quote\":\"{quote}\"}}").into_bytes()
    }

    #[test]
    fn what_is_quoted_unchanged_is_seen_wherever_it_stands() {
        let bytes: [u8; 64] = std::array::from_fn(|index| u8::try_from(index).unwrap() + 1);
        assert_eq!(judged(&quoted(&bytes), &bytes), Probe::Quotes64);
        assert_eq!(judged(&quoted(&bytes[..32]), &bytes), Probe::Quotes32);
        assert_eq!(judged(&quoted(&bytes[32..]), &bytes), Probe::Quotes32);
        assert_eq!(judged(&quoted(&bytes[..31]), &bytes), Probe::NoneSeen);
        assert_eq!(judged(&quoted(&sha256(&bytes)), &bytes), Probe::Quotes32);
        let of_text = sha256(hex::encode(bytes).as_bytes());
        assert_eq!(judged(&quoted(&of_text), &bytes), Probe::Quotes32);
        assert_eq!(judged(br#"{"error":"no"}"#, &bytes), Probe::NoneSeen);
    }

    #[test]
    fn a_text_that_is_asked_for_holds_no_hex_digit() {
        for byte in 0..=u8::MAX {
            assert!(letter(byte).is_ascii_lowercase() && !letter(byte).is_ascii_hexdigit());
        }
    }

    #[test]
    fn a_refusal_is_no_oracle_and_a_broken_server_says_nothing() {
        let status = |status| NetError::HttpStatus {
            host: "app".to_owned(),
            status,
            retry_after: None,
        };
        for (code, is_refusal) in [
            (400, true),
            (404, true),
            (422, true),
            (401, false),
            (403, false),
            (407, false),
            (408, false),
            (425, false),
            (429, false),
            (500, false),
            (503, false),
        ] {
            assert_eq!(refused(&status(code)) == Probe::NoneSeen, is_refusal, "{code}");
        }
    }
}
