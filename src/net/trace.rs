//! What was asked and how long it took, for `--verbose`. Queries are left out: they may hold a secret. So is the path, where it may.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::Url;

use super::error::NetError;
use super::response::Response;

/// Requests that are remembered; those after them are counted.
const MAX_LINES: usize = 2_000;

/// What is shown of an address next to its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShownPart {
    /// The path.
    Path,
    /// Nothing: the path may hold a key.
    HostAlone,
}

/// A record of requests. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Trace(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<String>,
    more: usize,
}

impl Trace {
    /// Remembers a request and how it ended.
    pub(super) fn note(
        &self,
        url: &Url,
        part: ShownPart,
        took: Duration,
        outcome: Result<&Response, &NetError>,
    ) {
        let path = match part {
            ShownPart::Path => url.path(),
            ShownPart::HostAlone => "/…",
        };
        let outcome = match outcome {
            // The target of a redirect repeats the path.
            Err(NetError::Redirect { status, .. }) if part == ShownPart::HostAlone => {
                format!("{status}, a redirect")
            }
            Ok(response) => format!("{}, {} bytes", response.status, response.body.len()),
            Err(error) => error.to_string(),
        };
        let host = url.host_str().unwrap_or_default();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let line = format!(
            "{:>6} ms  {}://{host}{port}{path}  {outcome}",
            took.as_millis(),
            url.scheme()
        );
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.lines.len() < MAX_LINES {
            lines.lines.push(line);
        } else {
            lines.more += 1;
        }
    }

    /// Takes out what was remembered, a line each; may hold an untrusted party's text.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = std::mem::take(&mut lines.lines);
        let more = std::mem::take(&mut lines.more);
        taken.extend((more > 0).then(|| format!("and {more} more requests")));
        taken
    }
}
