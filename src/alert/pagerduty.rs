//! PagerDuty's Events API v2: an incident that is triggered and resolved by a key of our own.
//!
//! Limits: 1024 characters in the summary, 255 in the key, 512 KB in all. The routing key is a secret and is in the
//! body, so the body is shown nowhere. Every text is plain: PagerDuty reads no markup.

use serde_json::{Value, json};
use url::Url;

use super::channel::{Channel, ChannelSecret, Occasion, Role};
use super::channel_delivery::{ChannelDelivery, for_each, one_if};
use super::delivery::ChannelRequest;
use super::event::AlertEvent;
use super::message::Message;
use super::outgoing::OutgoingMessage;
use super::sanitize::sanitize;
use super::secret_text;
use crate::net::{Response, Secret};
use cvm_verify_core::report::rfc3339;

/// The channel's name.
pub(super) const CHANNEL: &str = "pagerduty";

/// The secret that holds the key of an integration of type Events API v2.
const KEY: &str = "pagerduty-routing-key";
/// Where PagerDuty takes events, where that is not the default.
const URL: &str = "pagerduty-url";

pub(super) const ROW: Channel = Channel {
    name: CHANNEL,
    help: "CVM_VERIFY_PAGERDUTY_ROUTING_KEY (and CVM_VERIFY_PAGERDUTY_URL in the EU)",
    secrets: &[
        ChannelSecret::opens(KEY),
        ChannelSecret {
            name: URL,
            role: Role::Setting,
        },
    ],
    remembers: true,
    deliveries,
};

/// A test triggers an incident and resolves it.
fn deliveries(occasion: &Occasion<'_>) -> Vec<ChannelDelivery> {
    let Occasion {
        channels,
        outgoing,
        event,
        ..
    } = occasion;
    let Some(key) = channels.secret(KEY) else {
        return Vec::new();
    };
    let key = match secret_text::word(key, "its routing key") {
        Ok(Some(key)) => key,
        Ok(None) => return one_if(!outgoing.is_empty(), CHANNEL, event, Ok(None)),
        Err(error) => return one_if(!outgoing.is_empty(), CHANNEL, event, Err(error)),
    };
    let usual = Secret::new(ENDPOINT.to_owned());
    let url = channels.secret(URL).unwrap_or(&usual);
    let mut deliveries = for_each(CHANNEL, Some(url), outgoing, event, &|message, url| {
        Ok(request(message, key, url))
    });
    let tests: Vec<OutgoingMessage<'_>> = outgoing
        .iter()
        .filter(|one| one.message.event == AlertEvent::Test)
        .cloned()
        .collect();
    deliveries.extend(for_each(CHANNEL, Some(url), &tests, event, &|message, url| {
        Ok(end_of_test(message, key, url))
    }));
    deliveries
}

/// Where events go, but for accounts in the EU: `https://events.eu.pagerduty.com/v2/enqueue`.
pub(super) const ENDPOINT: &str = "https://events.pagerduty.com/v2/enqueue";

const MAX_SUMMARY: usize = 1024;
/// Longest address of a link.
const MAX_LINK: usize = 2048;

/// `message` for the service of `routing_key`, at `url`.
pub(super) fn request(message: &Message, routing_key: &str, url: Url) -> ChannelRequest {
    ChannelRequest::post_json(url, &payload(message, routing_key), refusal)
}

/// Resolves the incident that a test made.
pub(super) fn end_of_test(message: &Message, routing_key: &str, url: Url) -> ChannelRequest {
    ChannelRequest::post_json(url, &resolve(message, routing_key), refusal)
}

pub(super) fn payload(message: &Message, routing_key: &str) -> Value {
    if message.event == AlertEvent::Recovered {
        return resolve(message, routing_key);
    }
    let checks = message
        .failed
        .iter()
        .map(|check| json!({ "check": check.line(), "found": check.detail, "next": check.fix }));
    let links = message.run_link(MAX_LINK);
    let links = links.map(|url| json!({ "href": url.as_str(), "text": "Open the run" }));
    let labels = message.labels.iter().map(|label| format!("{label}: "));
    let summary: String = labels.chain([message.title()]).collect();
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": dedup_key(message),
        "client": "cvm-verify",
        "links": links.into_iter().collect::<Vec<_>>(),
        "payload": {
            "summary": sanitize(&summary, MAX_SUMMARY),
            "source": message.name,
            "severity": severity(message),
            "timestamp": rfc3339(message.at),
            "class": message.event.as_str(),
            "custom_details": {
                "next": message.next,
                "target": message.url,
                "checks": checks.collect::<Vec<_>>(),
                "accepted": message.accepted(),
                "report_sha256": message.report_sha256,
            },
        },
    })
}

fn resolve(message: &Message, routing_key: &str) -> Value {
    json!({ "routing_key": routing_key, "event_action": "resolve", "dedup_key": dedup_key(message) })
}

/// The target: one incident for each, whatever fails in it. What is about to end is an incident of its own, which a
/// person resolves.
fn dedup_key(message: &Message) -> String {
    let suffix = if message.event == AlertEvent::Expiring {
        "/expiring"
    } else {
        ""
    };
    format!("cvm-verify/{}{suffix}", message.target)
}

fn severity(message: &Message) -> &'static str {
    message.by_gravity("critical", "warning", "info", "info")
}

/// The answer to a body or a key that PagerDuty does not take, whose words may repeat it.
fn refusal(response: &Response) -> Option<&'static str> {
    match response.status {
        400 => Some(
            "PagerDuty does not take the event; is the routing key that of an integration of type Events API v2?",
        ),
        202 => None,
        200..300 => Some("the answer is not PagerDuty's (status 202); is CVM_VERIFY_PAGERDUTY_URL right?"),
        _ => None,
    }
}

#[cfg(test)]
#[path = "pagerduty_tests.rs"]
mod tests;
