//! Why a source gave nothing, in the words of the `evidence` check.

use std::time::Duration;

use crate::net::retry::Heal;
use crate::net::{NetError, Stage};
use cvm_verify_core::checks::EvidenceReason;

/// Why a document could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The network, or a status other than 200.
    #[error("{error}{}", status_hint(.path, .error))]
    Net {
        /// Path of the document.
        path: String,
        /// What happened.
        error: NetError,
    },
    /// Status 200, but no JSON object or array.
    #[error("{host}{path} answered {found}, expected JSON{}", not_json_hint(.path))]
    NotJson {
        /// `host:port` that answered.
        host: String,
        /// Path of the document.
        path: String,
        /// What came instead.
        found: NotJson,
        /// The first bytes of it, at most [`NOT_JSON_BYTES`].
        start: Vec<u8>,
    },
    /// A guest agent that has no quote to show from outside.
    #[error(
        "the guest agent at {host} does not know GetAttestationForAppKey, as before dstack 0.5.6: it describes the app, but \
         gives no quote. Verify the app's own /attestation, and take the description from the guest agent with --info-url"
    )]
    AgentWithoutQuote {
        /// The host that was asked.
        host: String,
    },
    /// A guest agent that wants a token.
    #[error(
        "the guest agent at {host} answered {status}: its port is closed by this guest, as by default from dstack 0.6.3 on. \
         No other source is asked instead. Serve /attestation and /info from the app and verify that \
         (docs/expose-endpoints.md), or have the operator of the host open the agent with `anonymous_scopes`"
    )]
    AgentClosed {
        /// The host that was asked.
        host: String,
        /// 401 or 403.
        status: u16,
    },
    /// Phala Cloud has no quotes of the app.
    #[error("{}", unknown(.app_id, *.status))]
    AppUnknown {
        /// 40 hex digits.
        app_id: String,
        /// 404 or 500.
        status: u16,
    },
    /// None of several servers of one service gave an answer that serves.
    #[error("{chosen}. Of the API's other server: {other}")]
    OfSeveral {
        /// What says most.
        chosen: Box<Self>,
        /// What another one said.
        other: Box<Self>,
    },
}

/// What Phala Cloud's API says of an app that it shows nothing of.
fn unknown(app_id: &str, status: u16) -> String {
    match status {
        500 => format!(
            "Phala Cloud answered with status 500 about the app {app_id}: it does not know the app, nothing of it runs, or the API \
             has a fault"
        ),
        _ => format!("Phala Cloud does not know the app {app_id}, or nothing of it runs; check the app id"),
    }
}

impl SourceError {
    /// Whether the network or the server stumbled: a connection that broke, a 503; neither a page that is always there
    /// nor an answer that takes too long.
    pub fn is_hiccup(&self) -> bool {
        let timed_out = matches!(
            self,
            Self::Net {
                error: NetError::Timeout { .. },
                ..
            }
        );
        matches!(self, Self::Net { .. }) && self.may_heal() && !timed_out
    }

    /// The `evidence` check's reason.
    pub fn reason(&self) -> EvidenceReason {
        let error = match self {
            Self::NotJson { .. } => return EvidenceReason::NotJson,
            Self::AgentWithoutQuote { .. } => return EvidenceReason::NoQuote,
            Self::AppUnknown { status, .. } => return EvidenceReason::HttpStatus(*status),
            Self::OfSeveral { chosen, .. } => return chosen.reason(),
            Self::AgentClosed { status, .. } => return EvidenceReason::HttpStatus(*status),
            Self::Net { error, .. } => error,
        };
        match error {
            NetError::BadUrl { .. } | NetError::AddressRefused { .. } => EvidenceReason::AddressRefused,
            NetError::Tls { .. } => EvidenceReason::Tls,
            NetError::TooLarge { .. } | NetError::HeadersTooLarge { .. } => EvidenceReason::TooLarge,
            NetError::Redirect { status, .. } | NetError::HttpStatus { status, .. } => {
                EvidenceReason::HttpStatus(*status)
            }
            NetError::Dns { .. }
            | NetError::Connect { .. }
            | NetError::Timeout { .. }
            | NetError::Closed { .. }
            | NetError::Protocol { .. } => EvidenceReason::Unreachable,
        }
    }

    /// The status code, where the server gave one other than 200.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Net {
                error: NetError::HttpStatus { status, .. } | NetError::Redirect { status, .. },
                ..
            } => Some(*status),
            Self::AgentClosed { status, .. } | Self::AppUnknown { status, .. } => Some(*status),
            Self::OfSeveral { chosen, .. } => chosen.status(),
            _ => None,
        }
    }
}

impl Heal for SourceError {
    /// As the network says; a page that is not JSON under status 200 is a gateway's, and may be gone in a moment.
    fn may_heal(&self) -> bool {
        match self {
            Self::Net { error, .. } => error.may_heal(),
            Self::NotJson { .. } => true,
            Self::OfSeveral { chosen, other } => chosen.may_heal() || other.may_heal(),
            Self::AgentWithoutQuote { .. } | Self::AgentClosed { .. } | Self::AppUnknown { .. } => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Net { error, .. } => error.retry_after(),
            Self::OfSeveral { chosen, other } => chosen.retry_after().or_else(|| other.retry_after()),
            Self::NotJson { .. }
            | Self::AgentWithoutQuote { .. }
            | Self::AgentClosed { .. }
            | Self::AppUnknown { .. } => None,
        }
    }
}

/// How many bytes are kept of a body that is not JSON: enough to see what it is.
pub const NOT_JSON_BYTES: usize = 4096;

/// What a body is that is not JSON, told from its first byte that is not white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotJson {
    /// Nothing, or white space.
    #[error("an empty body")]
    Empty,
    /// `<`: a page.
    #[error("an HTML page")]
    Html,
    /// Other printable text, a bare JSON value among it.
    #[error("text that is not a JSON object")]
    Text,
    /// Compressed with gzip, which no request asks for.
    #[error(
        "a body that is compressed with gzip, which was not asked for (a browser shows it unpacked; turn the compression of this path off)"
    )]
    Gzip,
    /// Anything else.
    #[error("binary data")]
    Binary,
}

impl NotJson {
    /// `None` when `body` begins like a JSON object or array; whether it is one is for its parser to say.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        match body.trim_ascii_start().first() {
            Some(b'{' | b'[') => None,
            None => Some(Self::Empty),
            Some(b'<') => Some(Self::Html),
            Some(0x21..=0x7e) => Some(Self::Text),
            Some(0x1f) if body.starts_with(&[0x1f, 0x8b]) => Some(Self::Gzip),
            Some(_) => Some(Self::Binary),
        }
    }
}

/// Whether a path is one of Phala Cloud's API, which no app serves.
fn is_of_phala_cloud(path: &str) -> bool {
    path.contains("/api/v1/apps/")
}

fn not_json_hint(path: &str) -> &'static str {
    match is_of_phala_cloud(path) {
        true => "",
        false => ". Check that it is the app's endpoint and that the app is running behind its gateway",
    }
}

/// What to do about a status.
fn status_hint(path: &str, error: &NetError) -> String {
    let status = match error {
        NetError::HttpStatus { status, .. } => status,
        NetError::Timeout {
            stage: Stage::Response | Stage::Body,
            ..
        } => return "; --timeout gives each request more time".to_owned(),
        _ => return String::new(),
    };
    match status {
        _ if is_of_phala_cloud(path) => String::new(),
        502..=504 if path.starts_with("/prpc/") => "; the gateway does not reach port 8090 of the CVM".to_owned(),
        404 => format!(
            "; check the path of the URL; the app must serve GET {path}, or its path must be named"
        ),
        401 | 403 if path.starts_with("/prpc/") => {
            "; the guest agent's port is closed by this guest, as by default from dstack 0.6.3 on: serve the document from \
             the app, or have the operator of the host open the agent with `anonymous_scopes`"
                .to_owned()
        }
        401 | 403 => {
            format!("; GET {path} must be open to this runner, without a login or by a key in the query of the address")
        }
        400 | 405 | 422 => {
            format!(
                "; GET {path} must answer to the nonce, 64 hex digits in the query parameter reportData or that of --nonce-parameter"
            )
        }
        429 => format!("; the app or its gateway limits requests, and served no GET {path} now"),
        500..=599 => format!("; the app or its gateway could not serve GET {path} now"),
        _ => format!("; GET {path} must answer 200"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn status(status: u16) -> SourceError {
        SourceError::Net {
            path: "/attestation".into(),
            error: NetError::HttpStatus {
                host: "app.example:443".into(),
                status,
                retry_after: None,
            },
        }
    }

    #[test]
    fn an_answer_that_comes_too_late_names_the_option_that_waits_longer() {
        let error = SourceError::Net {
            path: "/attestation".into(),
            error: NetError::Timeout {
                host: "app.example:443".into(),
                stage: crate::net::Stage::Response,
            },
        };
        let said = "app.example:443: no answer in time (waiting for its response); --timeout gives each request more time";
        assert_eq!(error.to_string(), said);
    }

    #[test]
    fn a_404_says_how_to_expose_the_endpoint() {
        let error = status(404);
        assert_eq!(
            (error.reason(), error.status()),
            (EvidenceReason::HttpStatus(404), Some(404))
        );
        assert!(!error.may_heal());
        let text = error.to_string();
        assert!(
            text.starts_with(
                "app.example:443: status 404; check the path of the URL; the app must serve GET /attestation"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_status_says_what_it_is_about() {
        for (code, words) in [
            (401, "by a key in the query of the address"),
            (403, "by a key in the query of the address"),
            (429, "limits requests"),
            (503, "could not serve GET /attestation now"),
        ] {
            let text = status(code).to_string();
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn busy_servers_may_heal_and_other_statuses_do_not() {
        for (code, heals) in [(429, true), (502, true), (400, false), (403, false), (204, false)] {
            assert_eq!(
                (status(code).reason(), status(code).may_heal()),
                (EvidenceReason::HttpStatus(code), heals),
                "{code}"
            );
        }
    }

    #[test]
    fn the_first_byte_tells_json_from_the_rest() {
        for (body, expected) in [
            (&b" \r\n\t{"[..], None),
            (b"[1]", None),
            (b"", Some(NotJson::Empty)),
            (b" \n", Some(NotJson::Empty)),
            (b"<!doctype html>", Some(NotJson::Html)),
            (b"true", Some(NotJson::Text)),
            (b"\"quote\"", Some(NotJson::Text)),
            (&[0x1f, 0x8b], Some(NotJson::Gzip)),
            (&[0xef, 0xbb, 0xbf, b'{'], Some(NotJson::Binary)),
        ] {
            assert_eq!(NotJson::of(body), expected, "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn every_json_object_and_array_is_let_through(text in r#"[ \n\r\t]{0,5}(\{"a":1\}|\[\])"#) {
            prop_assert_eq!(NotJson::of(text.as_bytes()), None);
        }
    }
}
