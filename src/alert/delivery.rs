//! How all channels send: three attempts within 60 seconds, the guards of every other request, and no part of the
//! URL in what it says (T59, T60).

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::error::DeliveryError;
use super::error::MAX_PAUSE;
use crate::net::retry::{Attempt, Schedule, retry};
use crate::net::{Client, HeaderMap, HeaderName, HeaderValue, Limits, Response};

/// Largest answer that is read, in bytes. What arrives is a word or two.
const MAX_ANSWER: usize = 64 * 1024;

/// How long a delivery may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct RetryPolicy {
    pub(super) schedule: Schedule,
    /// Time for one try.
    pub(super) one_try: Duration,
}

impl Default for RetryPolicy {
    /// 3 tries of 15 s each, pauses from 1 s to 30 s, 60 s for everything (docs/threats.md, T60).
    fn default() -> Self {
        Self {
            schedule: Schedule {
                attempts: 3,
                first_pause: Duration::from_secs(1),
                max_pause: MAX_PAUSE,
                total: Duration::from_secs(60),
                ..Schedule::default()
            },
            one_try: Duration::from_secs(15),
        }
    }
}

/// How the alerts of a run are sent.
#[derive(Clone, Copy)]
pub struct AlertSender<'a> {
    pub(super) client: &'a Client,
    /// How often each request is tried, and for how long.
    pub(super) retry_policy: RetryPolicy,
    /// 16 bytes from the system's CSPRNG: one draw for each message, which names it, and one for each pause.
    pub(super) entropy: &'a (dyn Fn() -> [u8; 16] + Sync),
    /// When all of it has to end; absent, each call has time of its own.
    pub(super) until: Option<Instant>,
}

impl<'a> AlertSender<'a> {
    /// Through this client, with these random numbers: 16 bytes a call, from the system's CSPRNG.
    #[must_use]
    pub fn new(client: &'a Client, entropy: &'a (dyn Fn() -> [u8; 16] + Sync)) -> Self {
        Self {
            client,
            retry_policy: RetryPolicy::default(),
            entropy,
            until: None,
        }
    }

    /// The same, with one deadline for all that is sent: that of what begins now.
    #[must_use]
    pub fn with_one_deadline(self) -> Self {
        Self {
            until: Some(self.deadline()),
            ..self
        }
    }

    /// The same, with one deadline for all that is sent: so long from now.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self {
            until: Some(Instant::now() + time),
            ..self
        }
    }

    /// When everything that begins now has to end.
    pub(super) fn deadline(&self) -> Instant {
        self.until
            .unwrap_or_else(|| Instant::now() + self.retry_policy.schedule.total)
    }

    /// The id of a message.
    pub(super) fn delivery_id(&self) -> [u8; 16] {
        (self.entropy)()
    }

    /// How much longer than half of a pause it waits.
    pub(super) fn jitter(&self) -> u32 {
        let [a, b, c, d, ..] = (self.entropy)();
        u32::from_le_bytes([a, b, c, d])
    }

    /// Delivers `request` before `deadline`. Every try is the same request.
    pub(super) async fn send(&self, request: &ChannelRequest, deadline: Instant) -> DeliveryOutcome {
        let schedule = Schedule {
            total: deadline.saturating_duration_since(Instant::now()),
            ..self.retry_policy.schedule
        };
        if schedule.total.is_zero() {
            return DeliveryOutcome {
                result: Err(DeliveryError::NoTimeLeft),
                tries: 0,
            };
        }
        let mut tries = 0;
        let result = retry(
            &schedule,
            || self.jitter(),
            |attempt: Attempt| {
                tries = attempt.number;
                let time = self.retry_policy.one_try.min(attempt.time_left);
                send_once(self.client, request, time)
            },
        )
        .await;
        DeliveryOutcome { result, tries }
    }
}

/// One request to make. It has no `Debug`, because its URL is a secret.
pub(super) struct ChannelRequest {
    pub(super) url: Url,
    pub(super) method: Method,
    /// Why an answer says that the channel did not take the alert. The service of a channel is known by what it answers: any other
    /// answer of success is that of another server. Only words of ours: an answer may repeat the URL.
    pub(super) refusal: fn(&Response) -> Option<&'static str>,
    /// How long the channel asks to wait before the next try.
    pub(super) patience: fn(&Response) -> Option<Duration>,
}

impl ChannelRequest {
    /// A POST of a JSON body, for a service that says with `Retry-After` how long to wait.
    pub(super) fn post_json(url: Url, body: &Value, refusal: fn(&Response) -> Option<&'static str>) -> Self {
        Self {
            url,
            method: Method::Post {
                headers: json_headers(),
                body: body.to_string().into_bytes(),
            },
            refusal,
            patience: Response::retry_after,
        }
    }
}

/// The headers of a JSON body.
pub(super) fn json_headers() -> HeaderMap {
    const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

/// How to ask.
pub(super) enum Method {
    Get,
    Post { headers: HeaderMap, body: Vec<u8> },
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DeliveryOutcome {
    /// The status of the answer that took it, where one was read to its end; or why none did.
    pub(super) result: Result<Option<u16>, DeliveryError>,
    /// How often it was tried.
    pub(super) tries: u32,
}

async fn send_once(
    client: &Client,
    request: &ChannelRequest,
    time: Duration,
) -> Result<Option<u16>, DeliveryError> {
    let limits = Limits::body(MAX_ANSWER).within(time);
    let answer = match &request.method {
        Method::Get => client.get(&request.url, &limits).await,
        Method::Post { headers, body } => {
            client
                .post(&request.url, headers.clone(), body.clone(), &limits)
                .await
        }
    };
    match answer {
        Ok(response) => judge(&response, request).map(Some),
        Err(error) => DeliveryError::of(&error).map_or(Ok(None), Err),
    }
}

/// Every status of success counts, where it is the receiver that answers: 200, 201, 202 and 204 are common.
fn judge(response: &Response, request: &ChannelRequest) -> Result<u16, DeliveryError> {
    let status = response.status;
    let is_success = (200..=299).contains(&status);
    if is_success && is_web_page(&response.body) {
        let said = "the answer is a web page, such as that of a sign-in or a proxy; is the URL complete, and is it the \
                    receiver's?";
        return Err(DeliveryError::NotTaken { status, said });
    }
    match (is_success, (request.refusal)(response)) {
        (true, None) => Ok(status),
        (true, Some(said)) => Err(DeliveryError::NotTaken { status, said }),
        (false, said) => Err(DeliveryError::Status {
            status,
            said,
            retry_after: (request.patience)(response),
        }),
    }
}

/// Whether an answer is for a browser: no receiver of alerts answers so.
fn is_web_page(body: &[u8]) -> bool {
    let body = body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(body)
        .trim_ascii_start();
    let starts = |tag: &[u8]| {
        body.get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag))
    };
    starts(b"<!doctype") || starts(b"<html") || starts(b"<head") || starts(b"<?xml")
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
