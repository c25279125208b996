//! An answer, bounded but untrusted.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::error::NetError;

/// A complete answer, within the limits that were asked for. Every byte of it may be hostile.
#[derive(Debug, Clone)]
pub struct Response {
    /// `host:port` that was asked.
    pub host: String,
    /// Status: 200–299 or 400 and above. A redirect is an error already, but if it was asked to be shown.
    pub status: u16,
    /// The body. Of an error status it is the part that arrived within the limits, possibly none.
    pub body: Vec<u8>,
    headers: HeaderMap,
    /// Whether who answered is in a private network.
    pub(super) is_private: bool,
}

impl Response {
    pub(super) fn new(host: String, status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self {
            host,
            status,
            body,
            headers,
            is_private: false,
        }
    }

    /// A response that no server sent.
    #[cfg(test)]
    pub(crate) fn with(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Self {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        Self::new("app.example:443".into(), status, map, body.to_vec())
    }

    /// The value of a header that occurs exactly once and is visible ASCII; else `None`. Two values are as good as none:
    /// which one a proxy or a parser takes differs.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// The values of a header that may occur several times, each visible ASCII.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let values = self.headers.get_all(name).iter();
        values.filter_map(|value| value.to_str().ok()).collect()
    }

    /// A header that is a list, which may be split into several of its name; empty if there is none. `None` if a part is not
    /// visible ASCII.
    pub fn list(&self, name: &str) -> Option<String> {
        let values = self.headers.get_all(name).iter();
        let parts: Option<Vec<&str>> = values.map(|value| value.to_str().ok()).collect();
        parts.map(|parts| parts.join(", "))
    }

    /// `Retry-After` in its seconds form. The date form is ignored: it needs the server's clock.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header(RETRY_AFTER.as_str())?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
    }

    /// The answer itself if its status is 200.
    ///
    /// # Errors
    /// [`NetError::HttpStatus`] for every other status.
    pub fn ok(self) -> Result<Self, NetError> {
        if self.status == 200 {
            return Ok(self);
        }
        Err(NetError::HttpStatus {
            retry_after: self.retry_after(),
            host: self.host,
            status: self.status,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::retry::Heal;

    fn with_headers(status: u16, headers: &[(&'static str, &str)]) -> Response {
        Response::with(status, headers, b"")
    }

    #[test]
    fn a_header_that_occurs_twice_counts_as_absent() {
        let once = with_headers(200, &[("x-chain", "a")]);
        assert_eq!(once.header("X-Chain"), Some("a"));
        let twice = with_headers(200, &[("x-chain", "a"), ("x-chain", "a")]);
        assert_eq!(twice.header("x-chain"), None);
    }

    #[test]
    fn retry_after_is_read_in_seconds_only() {
        let asked = |value| with_headers(429, &[("retry-after", value)]).retry_after();
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            asked("99999999999999999999999"),
            Some(Duration::from_secs(u64::MAX))
        );
        for odd in ["-1", "+1", "1.5", "", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(asked(odd), None, "{odd}");
        }
    }

    #[test]
    fn only_200_is_ok_and_only_some_of_the_rest_may_heal() {
        assert!(with_headers(200, &[]).ok().is_ok());
        for (status, heals) in [
            (201, false),
            (204, false),
            (400, false),
            (404, false),
            (429, true),
            (500, true),
            (503, true),
        ] {
            let error = with_headers(status, &[("retry-after", "3")]).ok().unwrap_err();
            assert_eq!(error.may_heal(), heals, "{status}");
            assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
        }
    }
}
