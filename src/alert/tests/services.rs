//! Servers on loopback that take, refuse and slow down as the services do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::sanitize::units;
use crate::net::loopback::answer;

/// Bodies that a service took, in order.
pub(super) type Taken = Arc<Mutex<Vec<Value>>>;

/// A service: for each request line and body the answer, and whether the body is taken.
pub(super) async fn service(
    judge: impl Fn(&str, &Value, usize) -> (Vec<u8>, bool) + Send + Sync + 'static,
) -> (Url, Taken) {
    let taken = Taken::default();
    let log = taken.clone();
    let judge = Arc::new(judge);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (log, judge) = (log.clone(), judge.clone());
            tokio::spawn(async move {
                let (head, body) = request(&mut stream).await;
                let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
                let (bytes, takes) = judge(&head, &value, body.len());
                if takes {
                    log.lock().unwrap().push(value);
                }
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (url.parse().unwrap(), taken)
}

/// Head and body of a request.
async fn request(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let length = |line: &str| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length: ")?
            .trim()
            .parse()
            .ok()
    };
    let mut body = vec![0; head.lines().find_map(length).unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    (head, body)
}

pub(super) fn said(status: u16, body: &Value) -> Vec<u8> {
    answer(
        status,
        &[("content-type", "application/json")],
        body.to_string().as_bytes(),
    )
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, units)
}

/// What Discord finds wrong in a message, by its documented limits.
pub(super) fn discord_complaint(message: &Value) -> Option<&'static str> {
    let embeds = message["embeds"].as_array()?;
    if length(&message["content"]) > 2000 {
        return Some("content");
    }
    let mut all = 0;
    for embed in embeds {
        let fields = embed["fields"].as_array().cloned().unwrap_or_default();
        if fields.len() > 25 {
            return Some("fields");
        }
        for field in &fields {
            let (name, value) = (length(&field["name"]), length(&field["value"]));
            if !(1..=256).contains(&name) || !(1..=1024).contains(&value) {
                return Some("a field's length");
            }
            all += name + value;
        }
        let (title, description) = (length(&embed["title"]), length(&embed["description"]));
        let footer = length(&embed["footer"]["text"]);
        if title > 256 || description > 4096 || footer > 2048 {
            return Some("a text's length");
        }
        all += title + description + footer;
    }
    (all > 6000 || embeds.is_empty() || embeds.len() > 10).then_some("embeds")
}

/// Discord: 204, 400 for a message beyond its limits, 404 for another path, and a 429 with a fraction of a second for
/// each request of `limited`.
pub(super) async fn discord(limited: usize) -> (Url, Taken) {
    let left = Mutex::new(limited);
    service(move |head, message, _| {
        let mut left = left.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            let body =
                json!({ "message": "You are being rate limited.", "retry_after": 0.05, "global": false });
            return (said(429, &body), false);
        }
        if !head.starts_with("POST /api/webhooks/1/hunter2 ") {
            return (
                said(404, &json!({ "message": "Unknown Webhook", "code": 10015 })),
                false,
            );
        }
        match discord_complaint(message) {
            Some(complaint) => (said(400, &json!({ "code": 50035, "message": complaint })), false),
            None => (answer(204, &[], b""), true),
        }
    })
    .await
}

/// A Teams workflow: 202, 413 beyond 28 KB, 400 for what is no card.
pub(super) async fn teams() -> (Url, Taken) {
    service(|_, message, size| {
        let card = &message["attachments"][0];
        let is_card = message["type"] == "message"
            && card["contentType"] == "application/vnd.microsoft.card.adaptive"
            && card["content"]["type"] == "AdaptiveCard";
        match (size > 28 * 1024, is_card) {
            (true, _) => (
                said(413, &json!({ "error": { "code": "RequestEntityTooLarge" } })),
                false,
            ),
            (_, false) => (
                said(400, &json!({ "error": { "code": "TriggerInputSchemaMismatch" } })),
                false,
            ),
            (_, true) => (answer(202, &[], b""), true),
        }
    })
    .await
}

/// The key of PagerDuty's service.
pub(super) const ROUTING_KEY: &str = "0123456789abcdefhunter2789abcdef";

/// Events that PagerDuty took, and its open incidents by their key.
pub(super) type Incidents = Arc<Mutex<BTreeMap<String, Value>>>;

/// PagerDuty: 202, 400 with its reasons (which repeat the key) for what it does not take.
pub(super) async fn pagerduty() -> (Url, Taken, Incidents) {
    let incidents = Incidents::default();
    let open = incidents.clone();
    let (url, taken) = service(move |_, event, size| {
        let known = event["routing_key"] == ROUTING_KEY;
        let key = event["dedup_key"].as_str().unwrap_or_default().to_owned();
        let payload = &event["payload"];
        let complete = match event["event_action"].as_str() {
            Some("trigger") => {
                (1..=1024).contains(&length(&payload["summary"]))
                    && payload["source"].is_string()
                    && ["critical", "error", "warning", "info"].iter().any(|known| payload["severity"] == *known)
            }
            Some("resolve") => true,
            _ => false,
        };
        if !known || !complete || size > 512_000 || key.is_empty() || key.len() > 255 {
            let body = json!({ "status": "invalid event", "message": "Event object is invalid", "errors": [event["routing_key"]] });
            return (said(400, &body), false);
        }
        let mut open = open.lock().unwrap();
        if event["event_action"] == "resolve" {
            open.remove(&key);
        } else {
            open.insert(key.clone(), payload.clone());
        }
        (said(202, &json!({ "status": "success", "message": "Event processed", "dedup_key": key })), true)
    })
    .await;
    (url, taken, incidents)
}
