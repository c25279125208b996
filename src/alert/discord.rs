//! Discord's webhook, as one embed.
//!
//! Limits: 256 characters in a title or a field's name, 4096 in a description, 1024 in a field's value, 2048 in a
//! footer, 25 fields, and 6000 in all of these together. (Discord's documentation: "Embed Limits".)

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::channel::{Channel, ChannelSecret};
use super::delivery::ChannelRequest;
use super::discord_text::plain;
use super::failed_check::FailedCheck;
use super::message::Message;
use super::sanitize::{sanitize, units};
use crate::net::Response;

/// The channel's name.
pub(super) const CHANNEL: &str = "discord";

/// The secret that holds the webhook.
const URL: &str = "discord-webhook-url";

pub(super) const ROW: Channel = Channel {
    name: CHANNEL,
    help: "CVM_VERIFY_DISCORD_WEBHOOK_URL",
    secrets: &[ChannelSecret::opens(URL)],
    remembers: true,
    deliveries: |occasion| occasion.gathered(CHANNEL, URL, request),
};

const MAX_TITLE: usize = 256;
const MAX_NAME: usize = 256;
const MAX_ALL: usize = 6000;
const MAX_FIELDS: usize = 25;
/// Our own limits, below Discord's 4096 and 1024: a message is read on a phone.
const MAX_SENTENCE: usize = 600;
const MAX_NOTE: usize = 300;
/// Names are what a reader looks for in a message about many targets; the description takes 4096 in all.
const MAX_TARGETS: usize = 1300;
/// Longest address of a link.
const MAX_LINK: usize = 2048;

/// Red, amber, green and grey.
const FAIL: u32 = 0x00d2_1f3c;
const WARN: u32 = 0x00e0_9f1f;
const PASS: u32 = 0x002d_a44e;
const TEST: u32 = 0x0080_8080;

/// `message` for the webhook at `url`.
pub(super) fn request(message: &Message, url: Url) -> ChannelRequest {
    ChannelRequest {
        patience,
        ..ChannelRequest::post_json(url, &payload(message), refusal)
    }
}

/// The message with as many of its checks as fit.
pub(super) fn payload(message: &Message) -> Value {
    let embed = message.with_checks_that_fit(
        MAX_FIELDS - 1,
        |shown| embed(message, shown),
        |embed| counted(embed) <= MAX_ALL,
    );
    let mut payload = json!({ "embeds": [embed], "allowed_mentions": { "parse": [] } });
    // Shown above the embed, and in the notification.
    let labels = message.labels.iter().map(|label| plain(label, MAX_NOTE));
    let content: Vec<String> = labels.collect();
    if let (false, Some(payload)) = (content.is_empty(), payload.as_object_mut()) {
        payload.insert("content".to_owned(), Value::String(content.join("\n")));
    }
    payload
}

fn embed(message: &Message, shown: usize) -> Value {
    let next = plain(&format!("Next: {}", message.next), MAX_SENTENCE);
    let target = message
        .url
        .as_deref()
        .map(|url| plain(&format!("Target: {url}"), MAX_NOTE));
    let accepted = message.accepted().map(|said| plain(&said, MAX_NOTE));
    let targets = message.digest.as_ref();
    let targets = targets.map(|digest| digest.written(MAX_TARGETS, plain));
    let lines = [next].into_iter().chain(targets).chain(target).chain(accepted);
    let lines: Vec<String> = lines.collect();
    let checks = message.failed.iter().take(shown).enumerate();
    let checks = checks.map(|(position, check)| field(check, position == 0));
    let more = message.hidden_checks(shown).map(|sentence| {
        let hidden = message.failed.len() - shown;
        json!({ "name": format!("{hidden} more"), "value": sentence })
    });
    let mut embed = json!({
        "title": plain(&message.title(), MAX_TITLE),
        "description": lines.join("\n"),
        "color": message.by_gravity(FAIL, WARN, PASS, TEST),
        "fields": checks.chain(more).collect::<Vec<_>>(),
        "footer": { "text": sanitize(&message.source_line(), MAX_NOTE) },
    });
    if let (Some(url), Some(embed)) = (message.run_link(MAX_LINK), embed.as_object_mut()) {
        embed.insert("url".to_owned(), Value::String(url.into()));
    }
    embed
}

/// A check, its reason and what was found. What to do about the first one is above.
fn field(check: &FailedCheck, first: bool) -> Value {
    let mut lines = vec![plain(&check.detail, MAX_SENTENCE / 2)];
    lines.extend(check.next(first).map(|next| plain(&next, MAX_SENTENCE / 2)));
    lines.retain(|line| !line.is_empty());
    let value = if lines.is_empty() {
        "–".to_owned()
    } else {
        lines.join("\n")
    };
    json!({ "name": plain(&check.line(), MAX_NAME), "value": value })
}

/// What Discord counts, in characters; UTF-16 units are never fewer.
fn counted(embed: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, units);
    let fields = embed.get("fields").and_then(Value::as_array);
    let fields = fields
        .into_iter()
        .flatten()
        .flat_map(|field| [field.get("name"), field.get("value")]);
    let footer = embed.get("footer").and_then(|footer| footer.get("text"));
    [embed.get("title"), embed.get("description"), footer]
        .into_iter()
        .chain(fields)
        .flatten()
        .map(text)
        .sum()
}

/// Discord answers 204, or 200 with the message that it made. Of its error codes those that a person can do something about.
fn refusal(response: &Response) -> Option<&'static str> {
    let said: Option<Value> = serde_json::from_slice(&response.body).ok();
    if response.status < 300 {
        let is_message = said.is_some_and(|said| said.get("id").is_some());
        return (response.status != 204 && !is_message).then_some(
            "the answer is not Discord's (status 204); is the URL complete, and is it the webhook's?",
        );
    }
    let said = said?;
    match said.get("code")?.as_u64()? {
        10015 | 50027 => {
            Some("the webhook does not exist any more; make a new one in the channel's settings")
        }
        50035 | 50006 => Some("Discord does not accept the message; this is a bug in cvm-verify"),
        _ => None,
    }
}

/// How long Discord asks to wait: seconds with a fraction in the body, which is more exact than the header.
fn patience(response: &Response) -> Option<Duration> {
    let said: Option<Value> = serde_json::from_slice(&response.body).ok();
    let said = said.filter(|_| response.status == 429);
    said.and_then(|said| said.get("retry_after")?.as_f64())
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .or_else(|| response.retry_after())
}

#[cfg(test)]
#[path = "discord_tests.rs"]
mod tests;
