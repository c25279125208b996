//! What a dstack gateway's host name says about the CVM behind it (spec §1.b).
//!
//! The first DNS label is `<id>[-<port>][s|g]`. It is a claim of the URL's author and proves nothing: it lets a report
//! say early that the evidence is another app's than the URL names.

use std::fmt;

use cvm_verify_core::evidence::TlsHost;
use url::Url;

/// An app id or instance id, 20 bytes; which of the two a label holds cannot be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostId(pub [u8; 20]);

impl fmt::Display for HostId {
    /// 40 lower-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// How the gateway passes the connection on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayChannel {
    /// No suffix: TLS ends at the gateway, whose certificate says nothing about the CVM.
    Gateway,
    /// `s`: TLS ends in the CVM.
    Passthrough,
    /// `g`: gRPC over HTTP/2, TLS ends at the gateway.
    Grpc,
}

/// The first label of a gateway host name, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostLabel {
    /// The app or instance.
    pub id: HostId,
    /// Port inside the CVM: as written, else 443 with suffix `s` and 80 without.
    pub port: u16,
    /// How it is reached.
    pub channel: GatewayChannel,
}

/// What the name of a host says of how a gateway passes TLS on. It proves nothing.
#[must_use]
pub fn tls_host(url: &Url) -> TlsHost {
    match HostLabel::of(url).map(|label| label.channel) {
        Some(GatewayChannel::Gateway | GatewayChannel::Grpc) => TlsHost::Gateway,
        Some(GatewayChannel::Passthrough) => TlsHost::Passthrough,
        None => TlsHost::Other,
    }
}

/// Hex digits of an id.
const ID_DIGITS: usize = 40;

impl HostLabel {
    /// The label of a URL's host; `None` for an IP address, a custom domain, or a name without a second label.
    pub fn of(url: &Url) -> Option<Self> {
        let (label, rest) = url.domain()?.split_once('.')?;
        if rest.is_empty() {
            return None;
        }
        Self::parse(label)
    }

    /// The id in the host of an address.
    pub(super) fn id_in(url: &str) -> Option<HostId> {
        Self::of(&Url::parse(url).ok()?).map(|label| label.id)
    }

    /// Parses one DNS label.
    fn parse(label: &str) -> Option<Self> {
        let (id, rest) = label.split_at_checked(ID_DIGITS)?;
        let mut bytes = [0; 20];
        hex::decode_to_slice(id, &mut bytes).ok()?;
        let (rest, channel) = match rest.as_bytes().last() {
            Some(b's' | b'S') => (rest.get(..rest.len() - 1)?, GatewayChannel::Passthrough),
            Some(b'g' | b'G') => (rest.get(..rest.len() - 1)?, GatewayChannel::Grpc),
            _ => (rest, GatewayChannel::Gateway),
        };
        let port = match rest.strip_prefix('-') {
            Some(digits) => parse_port(digits)?,
            None if rest.is_empty() && channel == GatewayChannel::Passthrough => 443,
            None if rest.is_empty() => 80,
            None => return None,
        };
        Some(Self {
            id: HostId(bytes),
            port,
            channel,
        })
    }
}

/// A port, 1–65535, in the one way of writing it.
fn parse_port(digits: &str) -> Option<u16> {
    let canonical = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    canonical.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn of(url: &str) -> Option<(u16, GatewayChannel)> {
        let label = HostLabel::of(&url.parse().expect("a URL"))?;
        assert_eq!(label.id.to_string(), ID);
        Some((label.port, label.channel))
    }

    #[test]
    fn the_forms_of_the_grammar_are_read() {
        for (suffix, expected) in [
            ("", (80, GatewayChannel::Gateway)),
            ("s", (443, GatewayChannel::Passthrough)),
            ("g", (80, GatewayChannel::Grpc)),
            ("-8090", (8090, GatewayChannel::Gateway)),
            ("-8443s", (8443, GatewayChannel::Passthrough)),
            ("-50051g", (50051, GatewayChannel::Grpc)),
        ] {
            let url = format!("https://{ID}{suffix}.dstack-prod7.example/attestation");
            assert_eq!(of(&url), Some(expected), "{url}");
            assert_eq!(of(&url.to_uppercase().replace("HTTPS", "https")), Some(expected));
        }
    }

    #[test]
    fn a_name_says_where_tls_ends() {
        for (suffix, host) in [
            ("-8080", TlsHost::Gateway),
            ("-8080g", TlsHost::Gateway),
            ("-8443s", TlsHost::Passthrough),
        ] {
            let url = format!("https://{ID}{suffix}.gateway.example/")
                .parse()
                .expect("a URL");
            assert_eq!(tls_host(&url), host);
        }
        assert_eq!(
            tls_host(&"https://app.example/".parse().expect("a URL")),
            TlsHost::Other
        );
    }

    #[test]
    fn everything_else_is_no_label() {
        for host in [
            "app.example".to_owned(),
            "10.0.0.1".to_owned(),
            "[::1]".to_owned(),
            ID.to_owned(),
            format!("{ID}."),
            format!("{}.example", &ID[1..]),
            format!("{ID}0.example"),
            format!("{ID}-.example"),
            format!("{ID}-s.example"),
            format!("{ID}-0.example"),
            format!("{ID}-080.example"),
            format!("{ID}-65536.example"),
            format!("{ID}-80x.example"),
            format!("{ID}-80ss.example"),
            format!("{ID}8090.example"),
            format!("www.{ID}-80.example"),
            format!("g{}.example", &ID[1..]),
        ] {
            assert_eq!(of(&format!("https://{host}/")), None, "{host}");
        }
    }

    proptest! {
        #[test]
        fn no_label_panics(label in ".{0,80}") {
            let _ = HostLabel::parse(&label);
        }

        #[test]
        fn what_is_written_is_read(id: [u8; 20], port in 1u16.., suffix in 0usize..3) {
            let (letter, channel) = [("", GatewayChannel::Gateway), ("s", GatewayChannel::Passthrough), ("g", GatewayChannel::Grpc)][suffix];
            let label = format!("{}-{port}{letter}", hex::encode(id));
            prop_assert_eq!(HostLabel::parse(&label), Some(HostLabel { id: HostId(id), port, channel }));
        }

        #[test]
        fn a_label_that_is_read_begins_with_its_id(label in "[0-9a-f]{38,42}(-[0-9]{0,6})?[sg]?") {
            if let Some(found) = HostLabel::parse(&label) {
                prop_assert!(label.starts_with(&found.id.to_string()));
            }
        }
    }
}
