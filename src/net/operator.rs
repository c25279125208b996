//! Who runs a host, as far as its name says.

use url::{Host, Url};

/// Second-level domains under which names are sold in domains of countries. The list is short on purpose: a suffix that is
/// missing makes two operators one, and another URL is asked for; one too many would make one operator two.
const SOLD_BELOW: [&str; 10] = ["ac", "co", "com", "edu", "gov", "ne", "net", "or", "org", "gob"];

/// Who runs a host, as far as its name says: the part of the name that is bought. Loopback is told apart by port, for tests.
pub fn operator(url: &Url) -> String {
    match url.host() {
        Some(Host::Domain(name)) => {
            let labels: Vec<&str> = name.trim_end_matches('.').split('.').collect();
            // `example.co.uk` is bought as a whole.
            let is_country = matches!(labels.as_slice(), [_, .., second, country] if country.len() == 2 && SOLD_BELOW.contains(second));
            let bought = if is_country { 3 } else { 2 };
            let start = labels.len().saturating_sub(bought);
            match labels.last() {
                Some(&"localhost") => format!("localhost:{:?}", url.port()),
                _ => labels.get(start..).unwrap_or_default().join("."),
            }
        }
        Some(Host::Ipv4(address)) if address.is_loopback() => format!("loopback:{:?}", url.port()),
        Some(Host::Ipv6(address)) if address.is_loopback() => format!("loopback:{:?}", url.port()),
        Some(host) => host.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_below_one_bought_name_are_of_one_operator() {
        let of = |host: &str| operator(&Url::parse(&format!("https://{host}/")).unwrap());
        for (one, other) in [
            ("a.abc.io", "b.abc.io"),
            ("auth.docker.io", "registry-1.docker.io"),
            ("a.rpc.co.uk", "b.rpc.co.uk"),
            ("GHCR.io", "ghcr.io."),
        ] {
            assert_eq!(of(one), of(other), "{one} {other}");
        }
        for (one, other) in [
            ("a.co.uk", "b.co.uk"),
            ("a.example", "b.example"),
            ("ghcr.io.evil.example", "ghcr.io"),
            ("127.0.0.1:1", "127.0.0.1:2"),
            ("localhost:1", "localhost:2"),
        ] {
            assert_ne!(of(one), of(other), "{one} {other}");
        }
    }
}
