//! Microsoft Teams' workflow webhook ("Post to a channel when a webhook request is received"), as an Adaptive Card 1.4.
//!
//! Teams takes 28 KB. A stranger's text is in text runs only: a `TextRun` reads no Markdown, unlike a `TextBlock`,
//! and mentions need a list of entities that is not there.

use serde_json::{Value, json};
use url::Url;

use super::channel::{Channel, ChannelSecret};
use super::delivery::ChannelRequest;
use super::failed_check::FailedCheck;
use super::message::Message;
use super::sanitize::fit;
use crate::net::Response;

/// The channel's name.
pub(super) const CHANNEL: &str = "teams";

/// The secret that holds the webhook.
const URL: &str = "teams-webhook-url";

pub(super) const ROW: Channel = Channel {
    name: CHANNEL,
    help: "CVM_VERIFY_TEAMS_WEBHOOK_URL",
    secrets: &[ChannelSecret::opens(URL)],
    remembers: true,
    deliveries: |occasion| occasion.gathered(CHANNEL, URL, request),
};

/// Largest payload, in bytes of JSON: below the 28 KB that Teams takes.
const MAX_PAYLOAD: usize = 24_000;
const MAX_TITLE: usize = 300;
const MAX_SENTENCE: usize = 600;
const MAX_NOTE: usize = 300;
/// Names are what a reader looks for in a message about many targets.
const MAX_TARGETS: usize = 2900;
/// Longest address of a link.
const MAX_LINK: usize = 2048;

/// `message` for the webhook at `url`.
pub(super) fn request(message: &Message, url: Url) -> ChannelRequest {
    ChannelRequest::post_json(url, &payload(message), refusal)
}

/// The message with as many of its checks as fit.
pub(super) fn payload(message: &Message) -> Value {
    message.with_checks_that_fit(
        usize::MAX,
        |shown| with_checks(message, shown),
        |payload| payload.to_string().len() <= MAX_PAYLOAD,
    )
}

fn with_checks(message: &Message, shown: usize) -> Value {
    let labels = message
        .labels
        .iter()
        .map(|label| paragraph(vec![strong(label, MAX_NOTE, "Warning")]));
    let title = paragraph(vec![large(
        &message.title(),
        message.by_gravity("Attention", "Warning", "Good", "Default"),
    )]);
    let next = paragraph(vec![run(&format!("Next: {}", message.next), MAX_SENTENCE)]);
    let checks = message.failed.iter().take(shown).enumerate();
    let checks = checks.flat_map(|(position, check)| describe(check, position == 0));
    let targets = message.digest.as_ref();
    let targets = targets.map(|digest| {
        let text = digest.written(MAX_TARGETS, plain);
        paragraph(vec![json!({ "type": "TextRun", "text": text })])
    });
    let more = message.hidden_checks(shown);
    let more = more.map(|sentence| paragraph(vec![run(&sentence, MAX_NOTE)]));
    let notes = message.notes().map(|note| paragraph(vec![subtle(&note)]));
    let body: Vec<Value> = labels
        .chain([title, next])
        .chain(targets)
        .chain(checks)
        .chain(more)
        .chain(notes)
        .collect();
    let link = message.run_link(MAX_LINK);
    let link =
        link.map(|url| json!({ "type": "Action.OpenUrl", "title": "Open the run", "url": url.as_str() }));
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "actions": link.into_iter().collect::<Vec<_>>(),
            },
        }],
    })
}

/// A check, its reason and what was found. What to do about the first one is above.
fn describe(check: &FailedCheck, first: bool) -> Vec<Value> {
    let lines = [Some(check.detail.clone()), check.next(first)];
    let lines = lines.into_iter().flatten().filter(|line| !line.is_empty());
    [paragraph(vec![strong(&check.line(), MAX_NOTE, "Default")])]
        .into_iter()
        .chain(lines.map(|line| paragraph(vec![run(&line, MAX_SENTENCE)])))
        .collect()
}

fn paragraph(runs: Vec<Value>) -> Value {
    json!({ "type": "RichTextBlock", "inlines": runs, "spacing": "Small" })
}

fn run(text: &str, max: usize) -> Value {
    json!({ "type": "TextRun", "text": plain(text, max) })
}

fn subtle(text: &str) -> Value {
    json!({ "type": "TextRun", "text": plain(text, MAX_NOTE), "isSubtle": true, "size": "Small" })
}

fn strong(text: &str, max: usize, color: &str) -> Value {
    json!({ "type": "TextRun", "text": plain(text, max), "weight": "Bolder", "color": color })
}

fn large(text: &str, color: &str) -> Value {
    json!({ "type": "TextRun", "text": plain(text, MAX_TITLE), "weight": "Bolder", "size": "Medium", "color": color })
}

/// A workflow answers 202; the connectors that came before it answer 200 and `1`.
fn refusal(response: &Response) -> Option<&'static str> {
    let is_taken = response.status == 202 || response.body.trim_ascii() == b"1";
    (response.status < 300 && !is_taken)
        .then_some("the answer is not that of a Teams workflow (status 202); is the URL complete, and is it the workflow's?")
}

/// At most `max` UTF-16 units. Cards know `{{DATE(…)}}` and, in templates, `${…}`: neither is left. Nor is the start of
/// an element as in `<at>`, which a mention would be.
fn plain(text: &str, max: usize) -> String {
    fit(text, max, |c, out| match c {
        '{' => out.push('｛'),
        '}' => out.push('｝'),
        '<' => out.push('‹'),
        '>' => out.push('›'),
        other => out.push(other),
    })
}

#[cfg(test)]
#[path = "teams_tests.rs"]
mod tests;
