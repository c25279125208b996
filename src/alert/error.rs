//! Why an alert did not arrive, in words without any part of the URL (T59).

use std::time::Duration;

use crate::net::address::AddressScope;
use crate::net::retry::Heal;
use crate::net::{NetError, Stage, TlsProblem, UrlProblem};

/// Why an alert did not arrive.
///
/// Path, query and often the host of a webhook's URL are the secret itself, and any answer may repeat them. So nothing
/// here carries text: neither of the URL, nor of a library, nor of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum DeliveryError {
    #[error("{what} holds a line break or another control character; store it again, as a single line")]
    ControlCharacter {
        /// Which secret.
        what: &'static str,
    },
    #[error("its URL is not one ({0}); store the whole URL, https:// included")]
    NotAUrl(url::ParseError),
    #[error("{0}")]
    BadUrl(UrlProblem),
    #[error("its host is at an address that is {0}: refused{hint}", hint = .0.private_network_hint())]
    AddressRefused(AddressScope),
    #[error("its host's name could not be resolved; check the URL's spelling and the runner's DNS")]
    Dns,
    #[error("no connection{}", if *.via_proxy {
        " through the proxy; check first that the proxy of --proxy runs and lets this host through"
    } else {
        "; check that the server runs and can be reached from here"
    })]
    Connect { via_proxy: bool },
    #[error("{0}")]
    Tls(TlsProblem),
    #[error("no answer in time ({0})")]
    Timeout(Stage),
    #[error(
        "the server redirects (status {status}); redirects are not followed with a secret, give the final URL"
    )]
    Redirect { status: u16 },
    #[error("the server answered with status {status}{}", words_for(*status, *.said, *.retry_after))]
    Status {
        status: u16,
        /// What the channel's own words for it mean.
        said: Option<&'static str>,
        retry_after: Option<Duration>,
    },
    #[error("the server answered with status {status}, but it did not take the alert: {said}")]
    NotTaken { status: u16, said: &'static str },
    #[error(
        "the server's answer is longer than that of any receiver of alerts; is the URL complete, and is it the receiver's?"
    )]
    TooLarge,
    #[error("the response headers are larger than any that are read here")]
    HeadersTooLarge,
    #[error("the connection closed before the answer was complete")]
    Closed,
    #[error("the answer is not well-formed HTTP")]
    Protocol,
    #[error("the answer is not that of GitHub's API; is the address right?")]
    NotUnderstood,
    #[error(
        "the owner of the token could not be determined ({}), so no issue counts as its own; give the job the permission \
         `issues: write`, and check the token, the repository (`github-issue`) and the address of the API",
        status_of_refusal(*.status)
    )]
    NobodysToken {
        /// What GitHub answered, if that was a status.
        status: Option<u16>,
    },
    #[error("the time for alerts was used up before its turn")]
    NoTimeLeft,
    #[error("the message could not be written; this is a bug in cvm-verify")]
    Payload,
}

fn status_of_refusal(status: Option<u16>) -> String {
    status.map_or_else(
        || "its answer cannot be read".to_owned(),
        |status| format!("status {status}"),
    )
}

impl DeliveryError {
    /// What remains of `error` without the words in it. `None` where the server has taken the alert anyway: its
    /// status was a success, and only what came after it is slow.
    pub(super) fn of(error: &NetError) -> Option<Self> {
        Some(match error {
            NetError::Timeout {
                stage: Stage::Body, ..
            } => return None,
            NetError::TooLarge { .. } => Self::TooLarge,
            NetError::BadUrl { problem, .. } => Self::BadUrl(*problem),
            NetError::AddressRefused { scope, .. } => Self::AddressRefused(*scope),
            NetError::Dns { .. } => Self::Dns,
            NetError::Connect { via_proxy, .. } => Self::Connect {
                via_proxy: *via_proxy,
            },
            NetError::Tls { problem, .. } => Self::Tls(*problem),
            NetError::Timeout { stage, .. } => Self::Timeout(*stage),
            NetError::HeadersTooLarge { .. } => Self::HeadersTooLarge,
            NetError::Redirect { status, .. } => Self::Redirect { status: *status },
            NetError::HttpStatus {
                status, retry_after, ..
            } => Self::Status {
                status: *status,
                said: None,
                retry_after: *retry_after,
            },
            NetError::Closed { .. } => Self::Closed,
            NetError::Protocol { .. } => Self::Protocol,
        })
    }

    /// Whether the server asked to be left alone for longer than an alert may take: it would refuse every other message.
    pub(super) fn ends_the_channel(&self) -> bool {
        matches!(self, Self::Status { status: 429, retry_after: Some(asked), .. } if *asked > MAX_PAUSE)
    }
}

/// Why something was certainly not taken; what may have been taken must not be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OnlyIfNotTaken(pub(super) DeliveryError);

impl Heal for OnlyIfNotTaken {
    fn may_heal(&self) -> bool {
        let certain = match self.0 {
            DeliveryError::Dns | DeliveryError::Connect { .. } => true,
            DeliveryError::Status { status, .. } => status < 500,
            _ => false,
        };
        certain && self.0.may_heal()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after()
    }
}

impl Heal for DeliveryError {
    /// As everywhere (docs/concepts.md). A server that asks for more patience than there is time gets no
    /// second try: coming back too early would not honour it.
    fn may_heal(&self) -> bool {
        match self {
            Self::Dns | Self::Connect { .. } | Self::Timeout(_) | Self::Closed | Self::Protocol => true,
            Self::Status {
                status, retry_after, ..
            } => {
                let patient = retry_after.is_none_or(|asked| asked <= MAX_PAUSE);
                // GitHub's limit on what makes content is a 403 that says when to come back.
                let limited = *status == 429 || (*status == 403 && retry_after.is_some());
                patient && (limited || (500..=599).contains(status))
            }
            _ => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn words_for(status: u16, said: Option<&'static str>, retry_after: Option<Duration>) -> String {
    match (said, retry_after, status) {
        (Some(said), _, _) => format!(": {said}"),
        (None, Some(asked), _) if asked > MAX_PAUSE => {
            format!(
                "; it asks to wait {} s, longer than an alert may take",
                asked.as_secs()
            )
        }
        (None, _, 401 | 403 | 404 | 410) => ": is the URL complete, and does it still exist?".to_owned(),
        (None, _, 429) => ": it asks to send less often".to_owned(),
        (None, _, _) => String::new(),
    }
}

/// Longest pause between two tries, whatever the server asks for.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(30);
