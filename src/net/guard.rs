//! Which URLs are followed at all (T47). Names are judged again at resolution, in `resolve.rs`.

use std::net::IpAddr;

use url::{Host, Url};

use super::address::{self, AddressScope};
use super::error::{NetError, UrlProblem};

/// Checks `url` before anything is sent or looked up.
pub(super) fn check(url: &Url, allow_private_network: bool) -> Result<(), NetError> {
    let bad = |problem| NetError::BadUrl {
        host: authority(url),
        problem,
    };
    let host = url.host().ok_or_else(|| bad(UrlProblem::NoHost))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(UrlProblem::UserInfo));
    }
    match url.scheme() {
        "https" => {}
        "http" if allow_private_network && is_loopback(&host) => {}
        "http" => return Err(bad(UrlProblem::PlainHttp)),
        _ => return Err(bad(UrlProblem::Scheme)),
    }
    match literal(&host) {
        Some(address) => check_address(address, &authority(url), allow_private_network),
        None => Ok(()),
    }
}

/// `Err(AddressRefused)` when `address` must not be connected to.
pub(super) fn check_address(
    address: IpAddr,
    host: &str,
    allow_private_network: bool,
) -> Result<(), NetError> {
    address::permit(address, allow_private_network).map_err(|scope| NetError::AddressRefused {
        host: host.to_owned(),
        address,
        scope,
    })
}

/// Whether a URL's host is an address of a private network, or this machine, as far as its text tells.
pub(super) fn is_private(url: &Url) -> bool {
    let is_in = |address| address::scope(address).is_some();
    url.host()
        .is_some_and(|host| literal(&host).map_or_else(|| is_loopback(&host), is_in))
}

/// Whether a URL's host is this machine, as far as its text tells.
pub(super) fn is_this_machine(url: &Url) -> bool {
    url.host().is_some_and(|host| is_loopback(&host))
}

/// `localhost` and names below it, which RFC 6761 reserves for loopback.
pub(super) fn is_localhost_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// `host:port` for messages; just the scheme when there is no host.
pub(super) fn authority(url: &Url) -> String {
    match (url.host_str(), url.port_or_known_default()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => format!("{}:", url.scheme()),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_localhost_name(name),
        Host::Ipv4(v4) => address::scope((*v4).into()) == Some(AddressScope::Loopback),
        Host::Ipv6(v6) => address::scope((*v6).into()) == Some(AddressScope::Loopback),
    }
}

fn literal(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(v4) => Some((*v4).into()),
        Host::Ipv6(v6) => Some((*v6).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str, allow: bool) -> NetError {
        check(&url.parse().unwrap(), allow).unwrap_err()
    }

    fn problem(url: &str, allow: bool) -> UrlProblem {
        match refusal(url, allow) {
            NetError::BadUrl { problem, .. } => problem,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn public_https_is_followed() {
        for url in [
            "https://app.example/attestation",
            "https://1.1.1.1:8443/",
            "https://[2606:4700::1]/",
        ] {
            assert_eq!(check(&url.parse().unwrap(), false), Ok(()));
        }
    }

    #[test]
    fn plain_http_needs_loopback_and_the_option() {
        for url in [
            "http://127.0.0.1:1/",
            "http://localhost/",
            "http://a.localhost./",
            "http://[::1]/",
        ] {
            assert_eq!(problem(url, false), UrlProblem::PlainHttp);
            assert_eq!(check(&url.parse().unwrap(), true), Ok(()));
        }
        for url in ["http://app.example/", "http://10.0.0.1/", "http://notlocalhost/"] {
            assert_eq!(problem(url, true), UrlProblem::PlainHttp, "{url}");
        }
    }

    #[test]
    fn other_schemes_and_user_names_are_refused_without_repeating_them() {
        assert_eq!(problem("ftp://app.example/", true), UrlProblem::Scheme);
        assert_eq!(problem("file:///etc/passwd", true), UrlProblem::NoHost);
        let error = refusal("https://hunter2:hunter3@app.example/", true);
        assert_eq!(
            error,
            NetError::BadUrl {
                host: "app.example:443".into(),
                problem: UrlProblem::UserInfo
            }
        );
        assert!(!error.to_string().contains("hunter"));
    }

    #[test]
    fn private_literals_are_refused_however_they_are_spelled() {
        for (url, scope) in [
            ("https://127.0.0.1/", AddressScope::Loopback),
            ("https://0x7f.1/", AddressScope::Loopback),
            ("https://2130706433/", AddressScope::Loopback),
            ("https://017700000001/", AddressScope::Loopback),
            ("https://[::ffff:127.0.0.1]/", AddressScope::Loopback),
            ("https://[64:ff9b::10.0.0.1]/", AddressScope::Private),
            ("https://169.254.169.254/latest/", AddressScope::Metadata),
            ("https://0.0.0.0/", AddressScope::Unspecified),
        ] {
            match refusal(url, false) {
                NetError::AddressRefused { scope: found, .. } => assert_eq!(found, scope, "{url}"),
                other => panic!("{url}: {other:?}"),
            }
        }
        match refusal("https://169.254.169.254/latest/", true) {
            NetError::AddressRefused { scope, .. } => assert_eq!(scope, AddressScope::Metadata),
            other => panic!("{other:?}"),
        }
    }
}
