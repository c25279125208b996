//! The generic webhook: alert v1, signed.
//!
//! The signature is `v1=` and the HMAC-SHA256 in hex of the timestamp's digits, a dot and the body's bytes. A receiver
//! compares it in constant time over the raw body before it parses anything, refuses a timestamp that is more than some
//! minutes away from its own clock, and keeps the `delivery_id`s of those minutes: a repeated try has the same id.

use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use url::Url;

use super::channel::{Channel, ChannelSecret, Occasion, Role};
use super::channel_delivery::{ChannelDelivery, for_each, one_if};
use super::delivery::{ChannelRequest, Method, json_headers};
use super::error::DeliveryError;
use super::event::AlertEvent;
use super::message::Message;
use super::secret_text;
use crate::net::{HeaderName, HeaderValue, Response, Secret};
use cvm_verify_core::report::{Accepted, CheckId, Verdict, rfc3339};

/// The channel's name.
pub(super) const CHANNEL: &str = "webhook";

/// The secret that holds the URL.
const URL: &str = "webhook-url";
/// The key that signs what goes there. Without it, or with an empty one, nothing is signed.
const KEY: &str = "webhook-secret";

pub(super) const ROW: Channel = Channel {
    name: CHANNEL,
    help: "CVM_VERIFY_WEBHOOK_URL (signed with CVM_VERIFY_WEBHOOK_SECRET)",
    secrets: &[
        ChannelSecret::opens(URL),
        ChannelSecret {
            name: KEY,
            role: Role::Signs,
        },
    ],
    remembers: true,
    deliveries,
};

/// A signing secret that cannot be used stops the alert: a receiver that expects a signature must not learn to do
/// without.
fn deliveries(occasion: &Occasion<'_>) -> Vec<ChannelDelivery> {
    let Occasion {
        channels,
        outgoing,
        event,
        ..
    } = occasion;
    let key = match channels.secret(KEY).map(secret_text::key).transpose() {
        Ok(key) => key.flatten(),
        Err(error) => return one_if(!outgoing.is_empty(), CHANNEL, event, Err(error)),
    };
    let no_url = Secret::new(String::new());
    let url = channels.secret(URL).or(key.map(|_| &no_url));
    let mut deliveries = for_each(CHANNEL, url, outgoing, event, &|message, url| {
        request(message, url, key)
    });
    for delivery in &mut deliveries {
        if key.is_none() && matches!(delivery.request, Ok(Some(_))) {
            delivery.note = "; not signed: there is no webhook secret";
        }
    }
    deliveries
}

/// The name of the JSON format.
const SCHEMA: &str = "cvm-verify/alert/v1";

const TIMESTAMP: HeaderName = HeaderName::from_static("x-cvm-verify-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("x-cvm-verify-signature");

/// The body: alert v1 (docs/alerts.md).
#[derive(Serialize)]
struct Alert<'a> {
    schema: &'static str,
    event: AlertEvent,
    /// Null in a test, in which nothing is verified.
    verdict: Option<Verdict>,
    target: Target<'a>,
    failed: Vec<Failed<'a>>,
    fix: String,
    /// What was waived or accepted in writing.
    accepted: &'a [Accepted],
    run_url: Option<&'a str>,
    report_sha256: Option<&'a str>,
    at: String,
    delivery_id: &'a str,
}

#[derive(Serialize)]
struct Target<'a> {
    name: &'a str,
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct Failed<'a> {
    id: CheckId,
    reason: Option<&'a str>,
    detail: &'a str,
}

/// `message` for the receiver at `url`, signed with `key` if there is one.
pub(super) fn request(
    message: &Message,
    url: Url,
    key: Option<&[u8]>,
) -> Result<ChannelRequest, DeliveryError> {
    let body = body(message).map_err(|_| DeliveryError::Payload)?;
    let mut headers = json_headers();
    headers.insert(TIMESTAMP, HeaderValue::from(message.at));
    if let Some(key) = key {
        let signature = sign(key, message.at, &body).map_err(|_| DeliveryError::Payload)?;
        let value = HeaderValue::try_from(signature).map_err(|_| DeliveryError::Payload)?;
        headers.insert(SIGNATURE, value);
    }
    Ok(ChannelRequest {
        url,
        method: Method::Post { headers, body },
        refusal: |_| None,
        patience: Response::retry_after,
    })
}

fn body(message: &Message) -> serde_json::Result<Vec<u8>> {
    let failed = message.failed.iter().map(|check| Failed {
        id: check.id,
        reason: check.reason.as_deref(),
        detail: &check.detail,
    });
    serde_json::to_vec(&Alert {
        schema: SCHEMA,
        event: message.event,
        verdict: message.verdict,
        target: Target {
            name: &message.name,
            url: message.url.as_deref(),
        },
        failed: failed.collect(),
        fix: fix(message),
        accepted: &message.accepted,
        run_url: message.run_url.as_deref(),
        report_sha256: message.report_sha256.as_deref(),
        at: rfc3339(message.at),
        delivery_id: &message.delivery_id,
    })
}

/// What to do. v1 has no field for what must be above everything else, so it stands here, first in the sentence that
/// a person acts on.
fn fix(message: &Message) -> String {
    let labels = message.labels.iter().map(|label| format!("{label}. "));
    // Without a failed check the cause stands nowhere else.
    let is_of_no_check = message.failed.is_empty() && message.verdict == Some(Verdict::Inconclusive);
    let cause = is_of_no_check.then(|| format!("{} ", message.cause));
    labels.chain(cause).chain([message.next.clone()]).collect()
}

/// The value of the signature's header.
fn sign(key: &[u8], timestamp: u64, body: &[u8]) -> Result<String, InvalidLength> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Ok(format!("v1={}", hex::encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::samples;
    use crate::net::HeaderMap;
    use cvm_verify_core::report::TrustRootKind;

    const KEY: &[u8] = b"It's a Secret to Everybody";

    fn sent(message: &Message, key: Option<&[u8]>) -> (HeaderMap, Vec<u8>) {
        let url = "https://hooks.example/a".parse().unwrap();
        match request(message, url, key).unwrap().method {
            Method::Post { headers, body } => (headers, body),
            Method::Get => panic!("not posted"),
        }
    }

    fn pretty(message: &Message) -> String {
        let value: serde_json::Value = serde_json::from_slice(&body(message).unwrap()).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    }

    /// The value was computed with Python's `hmac`.
    #[test]
    fn the_signature_is_the_known_answer() {
        assert_eq!(
            sign(KEY, 1_786_622_400, br#"{"a":1}"#).unwrap(),
            "v1=874de5f1bfb569b843934735b4a515fad6a15e5374fd5b9e906cec564f5e88a0"
        );
    }

    #[test]
    fn the_signature_covers_the_bytes_that_are_sent_and_the_timestamp_beside_them() {
        let message = Message::new(&samples::fail(), AlertEvent::Failed, &samples::context(), [1; 16]);
        let (headers, body) = sent(&message, Some(KEY));
        assert_eq!(headers[TIMESTAMP], "1786622400");
        assert_eq!(
            headers[SIGNATURE],
            sign(KEY, 1_786_622_400, &body).unwrap().as_str()
        );
        assert_eq!(headers["content-type"], "application/json");
    }

    #[test]
    fn without_a_key_there_is_no_signature() {
        let message = Message::test(&samples::context(), [1; 16]);
        let (headers, _) = sent(&message, None);
        assert!(headers.contains_key(TIMESTAMP) && !headers.contains_key(SIGNATURE));
    }

    #[test]
    fn a_failure_as_alert_v1() {
        let message = Message::new(&samples::fail(), AlertEvent::Failed, &samples::context(), [1; 16]);
        insta::assert_snapshot!(pretty(&message));
        let text = String::from_utf8(body(&message).unwrap()).unwrap();
        assert!(text.starts_with(r#"{"schema":"cvm-verify/alert/v1","event":"failed","verdict":"fail","#));
    }

    #[test]
    fn a_test_as_alert_v1() {
        insta::assert_snapshot!(pretty(&Message::test(&samples::context(), [1; 16])));
    }

    #[test]
    fn a_simulated_result_says_so_in_the_sentence_to_act_on() {
        let mut target = samples::fail();
        target.trust_root = TrustRootKind::Custom;
        let message = Message::new(&target, AlertEvent::Failed, &samples::context(), [1; 16]);
        assert!(
            fix(&message).starts_with("SIMULATED: not Intel's root, proves nothing about hardware. If you")
        );
    }

    #[test]
    fn the_body_stays_small_whatever_is_to_say() {
        let message = Message::new(
            &samples::all_fail(&"\u{202e}\"<\0".repeat(9000)),
            AlertEvent::Failed,
            &samples::context(),
            [1; 16],
        );
        assert!(body(&message).unwrap().len() < 128 * 1024);
    }
}
