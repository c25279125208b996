//! Slack's incoming webhook, in Block Kit.
//!
//! Limits: 3000 characters in a text object, 150 in a header, 50 blocks, 10 elements in a context, and about 13,000
//! characters in all, beyond which Slack answers `msg_blocks_too_long`.

use serde_json::{Value, json};
use url::Url;

use super::channel::{Channel, ChannelSecret};
use super::delivery::ChannelRequest;
use super::failed_check::FailedCheck;
use super::message::Message;
use super::slack_text::{link_target, plain, unmarked};
use crate::net::Response;

/// The channel's name.
pub(super) const CHANNEL: &str = "slack";

/// The secret that holds the webhook.
const URL: &str = "slack-webhook-url";

pub(super) const ROW: Channel = Channel {
    name: CHANNEL,
    help: "CVM_VERIFY_SLACK_WEBHOOK_URL",
    secrets: &[ChannelSecret::opens(URL)],
    remembers: true,
    deliveries: |occasion| occasion.gathered(CHANNEL, URL, request),
};

/// Largest payload, in characters of JSON: below the 13,000 that Slack takes, as nobody says what it counts.
const MAX_PAYLOAD: usize = 12_000;
/// Slack's limit for a header.
const MAX_HEADER: usize = 150;
/// Our own limits, far below Slack's 3000: a message is read on a phone.
const MAX_SENTENCE: usize = 600;
const MAX_NOTE: usize = 300;
/// Below Slack's limit of 3000: names are what a reader looks for in it.
const MAX_TARGETS: usize = 2900;

/// `message` for the webhook at `url`.
pub(super) fn request(message: &Message, url: Url) -> ChannelRequest {
    ChannelRequest::post_json(url, &payload(message), refusal)
}

/// The message with as many of its checks as fit.
fn payload(message: &Message) -> Value {
    message.with_checks_that_fit(
        usize::MAX,
        |shown| with_checks(message, shown),
        |payload| payload.to_string().chars().count() <= MAX_PAYLOAD,
    )
}

/// The first line names the cause and the second the next step; below them stands whatever else there is.
fn with_checks(message: &Message, shown: usize) -> Value {
    let title = message.title();
    let next = format!("Next: {}", message.next);
    let labels = message
        .labels
        .iter()
        .map(|label| section(&plain(label, MAX_NOTE)));
    let checks = message.failed.iter().take(shown).enumerate();
    let checks = checks.map(|(position, check)| section(&describe(check, position == 0)));
    let targets = message.digest.as_ref();
    let targets = targets.map(|digest| section(&digest.written(MAX_TARGETS, plain)));
    let more = message.hidden_checks(shown).map(|sentence| section(&sentence));
    let blocks: Vec<Value> = labels
        .chain([
            header(&plain(&title, MAX_HEADER)),
            section(&plain(&next, MAX_SENTENCE)),
        ])
        .chain(targets)
        .chain(checks)
        .chain(more)
        .chain([context(message)])
        .collect();
    json!({
        "text": fallback(message, &title, &next),
        "mrkdwn": false,
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": blocks,
    })
}

/// What notifications show, and receivers that know no blocks.
fn fallback(message: &Message, title: &str, next: &str) -> String {
    let labels = message.labels.iter().map(String::as_str);
    let lines = labels.chain([title, next]);
    lines
        .map(|line| unmarked(line, MAX_SENTENCE))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A check, its reason and what was found. What to do about the first one is in the message's second line.
fn describe(check: &FailedCheck, first: bool) -> String {
    let mut lines = vec![plain(&check.line(), MAX_NOTE), plain(&check.detail, MAX_SENTENCE)];
    lines.extend(check.next(first).map(|next| plain(&next, MAX_SENTENCE)));
    lines.join("\n")
}

/// Where it is, what was waived or accepted in writing, when, and the run.
fn context(message: &Message) -> Value {
    let notes = message.notes().map(|note| plain_text(&plain(&note, MAX_NOTE)));
    let run = run_link(message).map(|text| json!({ "type": "mrkdwn", "text": text, "verbatim": true }));
    json!({ "type": "context", "elements": notes.chain(run).collect::<Vec<_>>() })
}

/// The one text that Slack reads as a markup of its own. The address is the runner's, not the CVM's.
fn run_link(message: &Message) -> Option<String> {
    let target = link_target(&message.run_link(2 * MAX_SENTENCE)?);
    (target.len() <= 2 * MAX_SENTENCE).then(|| format!("<{target}|Open the run>"))
}

fn header(text: &str) -> Value {
    json!({ "type": "header", "text": plain_text(text) })
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": plain_text(text) })
}

fn plain_text(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// Slack answers `ok`, and so do the receivers that take its messages, Mattermost for one; Rocket.Chat answers
/// `{"success":true}`. Of its other one-word answers those that a person can do something about.
fn refusal(response: &Response) -> Option<&'static str> {
    Some(match response.body.trim_ascii() {
        b"ok" => return None,
        b"no_service" | b"no_service_id" | b"no_active_hooks" | b"invalid_token" | b"no_team" => {
            "the webhook does not exist any more; make a new one in Slack"
        }
        b"team_disabled" => "the workspace is disabled",
        b"channel_not_found" => "the webhook's channel does not exist; make a new webhook",
        b"channel_is_archived" => "the webhook's channel is archived",
        b"action_prohibited" | b"posting_to_general_channel_denied" => {
            "an administrator of the workspace does not allow this post"
        }
        b"invalid_payload"
        | b"invalid_blocks"
        | b"invalid_blocks_format"
        | b"msg_blocks_too_long"
        | b"no_text" => "Slack does not accept the message; this is a bug in cvm-verify",
        body if response.status < 300 && !says_success(body) => {
            "the answer is not `ok`, as Slack's is; is the URL complete, and is it the webhook's?"
        }
        _ => return None,
    })
}

fn says_success(body: &[u8]) -> bool {
    let said: Option<Value> = serde_json::from_slice(body).ok();
    let says = |name: &str| said.as_ref().and_then(|said| said.get(name)) == Some(&Value::Bool(true));
    says("ok") || says("success")
}

#[cfg(test)]
#[path = "slack_tests.rs"]
mod tests;
