//! From the HTTP library's error to ours, by the types in its chain of causes and never by its text.

use std::error::Error;
use std::io;

use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use super::error::{NetError, Stage, TlsProblem};
use cvm_verify_core::evidence::excerpt;
use cvm_verify_core::report::rfc3339;

/// What the request was about, for the message.
pub(super) struct RequestContext<'a> {
    pub(super) host: &'a str,
    pub(super) via_proxy: bool,
    /// Whether the address is an https one.
    pub(super) over_tls: bool,
    pub(super) max_headers: usize,
}

/// Classifies an error that came before the response head was complete.
pub(super) fn before_body(error: &reqwest::Error, context: &RequestContext<'_>) -> NetError {
    let host = context.host.to_owned();
    let causes = Causes::of(error);
    if let Some(ours) = causes.find::<NetError>() {
        return with_host(ours.clone(), host, context.via_proxy);
    }
    if let Some(tls) = causes.find::<rustls::Error>() {
        return NetError::Tls {
            host,
            problem: tls_problem(tls),
            detail: tls_detail(tls),
        };
    }
    if error.is_timeout() {
        let stage = if error.is_connect() {
            Stage::Connect
        } else {
            Stage::Response
        };
        return NetError::Timeout { host, stage };
    }
    let detail = causes.deepest();
    if error.is_dns() {
        return NetError::Dns { host, detail };
    }
    if error.is_connect() {
        return NetError::Connect {
            host,
            via_proxy: context.via_proxy,
            detail,
        };
    }
    if let Some(http) = causes.find::<hyper::Error>() {
        if http.is_parse_too_large() {
            return NetError::HeadersTooLarge {
                host,
                limit: context.max_headers,
            };
        }
        if http.is_parse() {
            return NetError::Protocol {
                host,
                detail,
                over_tls: context.over_tls,
            };
        }
    }
    NetError::Closed { host, detail }
}

/// Classifies an error in the middle of the body.
pub(super) fn in_body(error: &reqwest::Error, host: &str) -> NetError {
    let host = host.to_owned();
    if error.is_timeout() {
        return NetError::Timeout {
            host,
            stage: Stage::Body,
        };
    }
    let causes = Causes::of(error);
    let detail = causes.deepest();
    match causes.find::<hyper::Error>() {
        // The head of the answer was HTTP: the scheme is the right one.
        Some(http) if http.is_parse() => NetError::Protocol {
            host,
            detail,
            over_tls: true,
        },
        _ => NetError::Closed { host, detail },
    }
}

/// The resolver knows only a name; the message shall say `host:port` as everywhere.
fn with_host(error: NetError, host: String, via_proxy: bool) -> NetError {
    let is_server = |name: &str| {
        host.rsplit_once(':')
            .is_some_and(|(server, _)| server.eq_ignore_ascii_case(name))
    };
    match error {
        // The only other name that is looked up is the proxy's.
        NetError::Dns { host: name, detail } if via_proxy && !is_server(&name) => NetError::Connect {
            host,
            via_proxy,
            detail: format!("the name {name} could not be resolved: {detail}"),
        },
        NetError::AddressRefused { address, scope, .. } => NetError::AddressRefused { host, address, scope },
        NetError::Dns { detail, .. } => NetError::Dns { host, detail },
        other => other,
    }
}

fn tls_problem(error: &rustls::Error) -> TlsProblem {
    match error {
        rustls::Error::InvalidCertificate(fault) => match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsProblem::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TlsProblem::NotYetValid
            }
            CertificateError::UnknownIssuer => TlsProblem::UnknownIssuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsProblem::WrongName
            }
            _ => TlsProblem::Certificate,
        },
        rustls::Error::NoCertificatesPresented => TlsProblem::Certificate,
        _ => TlsProblem::Handshake,
    }
}

/// The library's words; where they count seconds, when a certificate begins or ends.
fn tls_detail(error: &rustls::Error) -> String {
    let at = |time: &UnixTime| rfc3339(time.as_secs());
    match error {
        rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. }) => {
            format!("it ended at {}", at(not_after))
        }
        rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. }) => {
            format!("it begins at {}", at(not_before))
        }
        rustls::Error::InvalidCertificate(CertificateError::Other(other))
            if format!("{other:?}").contains("CaUsedAsEndEntity") =>
        {
            "the server presents the certificate of a CA itself (CA:TRUE), as `openssl req -x509` makes it; let a CA sign a certificate \
             for the server's name"
                .to_owned()
        }
        other => excerpt(&other.to_string()),
    }
}

/// The causes of an error, outermost first.
struct Causes<'a>(Vec<&'a (dyn Error + 'static)>);

impl<'a> Causes<'a> {
    /// More than any library nests; a chain that loops must not hang us.
    const MAX: usize = 32;

    fn of(error: &'a reqwest::Error) -> Self {
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next.take() {
            if causes.len() == Self::MAX {
                break;
            }
            causes.push(cause);
            // `io::Error::source` skips the error that an io::Error wraps, and that is the one that tells.
            next = cause
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref)
                .map(|inner| inner as &(dyn Error + 'static))
                .or_else(|| cause.source());
        }
        Self(causes)
    }

    fn find<T: Error + 'static>(&self) -> Option<&'a T> {
        self.0.iter().find_map(|cause| cause.downcast_ref())
    }

    /// The innermost cause in words. The outer ones repeat the URL, which may hold a secret.
    fn deepest(&self) -> String {
        self.0
            .last()
            .map_or_else(|| "no detail".to_owned(), |cause| excerpt(&cause.to_string()))
    }
}
