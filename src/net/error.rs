//! What can go wrong between us and a server, and whether trying again can help.

use std::net::IpAddr;
use std::time::Duration;

use super::address::AddressScope;
use super::retry::Heal;

/// Why a request brought no usable answer. `host` is always `host:port`, never a URL: no path, query or user name of a
/// URL reaches a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// The URL itself is not one we follow.
    #[error("{host}: {problem}")]
    BadUrl {
        /// Host of the URL, or its scheme when it has none.
        host: String,
        /// What is wrong with it.
        problem: UrlProblem,
    },
    /// The host is, or its name resolves to, an address that is not on the public internet.
    #[error("{host} is at {address}, which is {scope}: refused{}", .scope.private_network_hint())]
    AddressRefused {
        /// Host as the URL names it.
        host: String,
        /// The refused address; one of several answers is enough.
        address: IpAddr,
        /// What kind of address it is.
        scope: AddressScope,
    },
    /// The name could not be resolved.
    #[error(
        "{host}: the name could not be resolved ({detail}); check the spelling of the URL and the runner's DNS"
    )]
    Dns {
        /// Host as the URL names it.
        host: String,
        /// What the resolver said.
        detail: String,
    },
    /// No connection: refused, unreachable, closed before TLS was up, or the proxy would not connect.
    #[error("{host}: no connection {}", no_connection(*.via_proxy, .detail))]
    Connect {
        /// Where we wanted to go, not the proxy.
        host: String,
        /// Whether a proxy lay between.
        via_proxy: bool,
        /// What the system said.
        detail: String,
    },
    /// TLS could not be established: nothing was sent.
    #[error("{host}: {problem} ({detail})")]
    Tls {
        /// Where we wanted to go.
        host: String,
        /// What is wrong.
        problem: TlsProblem,
        /// The TLS library's words.
        detail: String,
    },
    /// Time was up.
    #[error("{host}: no answer in time ({stage})")]
    Timeout {
        /// The server.
        host: String,
        /// How far we had come.
        stage: Stage,
    },
    /// The body is larger than the limit.
    #[error("{host}: the body is larger than {limit} bytes, the most that is read here")]
    TooLarge {
        /// The server.
        host: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The headers are larger or more than the limit.
    #[error("{host}: the response headers are larger than {limit} bytes or more than 100")]
    HeadersTooLarge {
        /// The server.
        host: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The server sent us elsewhere. Not followed: the address that was asked must answer itself (T47).
    #[error(
        "{host}: redirects (status {status}) to {location}; redirects are not followed, give the final URL"
    )]
    Redirect {
        /// The server.
        host: String,
        /// The status, 300–399.
        status: u16,
        /// Where to: scheme, host and path only.
        location: String,
    },
    /// A status other than 200, where 200 was needed. Made by [`super::Response::ok`].
    #[error("{host}: status {status}")]
    HttpStatus {
        /// The server.
        host: String,
        /// The status.
        status: u16,
        /// What a `Retry-After` header asked for.
        retry_after: Option<Duration>,
    },
    /// The connection closed before the answer was complete.
    #[error("{host}: the connection closed before the answer was complete ({detail})")]
    Closed {
        /// The server.
        host: String,
        /// What the HTTP library said.
        detail: String,
    },
    /// The answer is not HTTP.
    #[error("{host}: the answer is not well-formed HTTP ({detail}){}", if *.over_tls { "" } else { "; does this port speak https?" })]
    Protocol {
        /// The server.
        host: String,
        /// What the HTTP library said.
        detail: String,
        /// Whether it came over TLS.
        over_tls: bool,
    },
}

/// Whom to look at first: a proxy that is down or refuses a host says nothing of the server behind it.
fn no_connection(via_proxy: bool, detail: &str) -> String {
    match via_proxy {
        true => format!(
            "through the proxy ({detail}); check first that the proxy of --proxy runs and lets this host through"
        ),
        false => format!("({detail}); check that the server runs and can be reached from here"),
    }
}

impl Heal for NetError {
    /// DNS, connection, time, 5xx and a status of time may be better in a moment; a refusal of ours, a certificate, a redirect or
    /// another 4xx will not (docs/concepts.md).
    fn may_heal(&self) -> bool {
        match self {
            Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Closed { .. }
            | Self::Protocol { .. } => true,
            Self::HttpStatus { status, .. } => is_of_time(*status) || (500..=599).contains(status),
            Self::BadUrl { .. }
            | Self::AddressRefused { .. }
            | Self::Tls { .. }
            | Self::TooLarge { .. }
            | Self::HeadersTooLarge { .. }
            | Self::Redirect { .. } => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::HttpStatus { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Whether a status says that the request came too slowly, too early or too often: 408, 425, 429. It says nothing of what was asked for.
#[must_use]
pub(crate) const fn is_of_time(status: u16) -> bool {
    matches!(status, 408 | 425 | 429)
}

/// Whether a status says that the server has nothing there: not one that is of a moment, nor one of a login in front of it.
pub(crate) const fn says_absent(status: u16) -> bool {
    matches!(status, 400..=499) && !is_of_time(status) && !matches!(status, 401 | 403 | 407)
}

/// Why a URL is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlProblem {
    /// Neither https nor http.
    #[error("only https URLs are followed")]
    Scheme,
    /// Plain http to anything but this machine.
    #[error(
        "plain http is refused, use https (plain http is for loopback only, with --allow-private-network)"
    )]
    PlainHttp,
    /// A user name or password before the host; not repeated here.
    #[error("a URL must not carry a user name or password")]
    UserInfo,
    /// No host.
    #[error("the URL names no host")]
    NoHost,
}

/// Why TLS failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsProblem {
    /// The certificate's time is over.
    #[error("the TLS certificate has expired; renew it")]
    Expired,
    /// The certificate's time has not come, or this runner's clock is behind.
    #[error("the TLS certificate is not yet valid; check the runner's clock")]
    NotYetValid,
    /// No path to a trusted root: self-signed, a private CA, or a proxy that opens TLS.
    #[error(
        "the TLS certificate has no path to a trusted root; for a CA of your own, name it with --ca-file"
    )]
    UnknownIssuer,
    /// A certificate for another name.
    #[error("the TLS certificate is for another name; check the URL's host")]
    WrongName,
    /// Another fault of the certificate.
    #[error("the TLS certificate is not acceptable")]
    Certificate,
    /// No agreement, an alert, or the other side does not speak TLS.
    #[error("TLS could not be set up; does this port speak https, in TLS 1.2 or 1.3?")]
    Handshake,
}

cvm_verify_core::word_enum! {
    /// How far a request had come.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Stage {
        /// Name look-up, TCP and TLS.
        Connect = "while connecting",
        /// No complete response head yet.
        Response = "waiting for its response",
        /// The body was arriving.
        Body = "the body was still arriving",
    }
}
