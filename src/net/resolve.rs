//! Name resolution that refuses what the guard would refuse (T47).
//!
//! The HTTP library connects to exactly the addresses returned here, so there is no second look-up that a hostile DNS
//! server could answer differently (rebinding).

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{self, AddressScope};
use super::error::NetError;
use super::guard;
use cvm_verify_core::evidence::excerpt;

/// The answer of a look-up, when it comes.
pub(super) type LookupAnswer = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// A name look-up; the system's, or a test's own.
pub(super) type Lookup = Arc<dyn Fn(String) -> LookupAnswer + Send + Sync>;

/// The system's resolver.
pub(super) fn system_lookup() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|socket| socket.ip()).collect())
        })
    })
}

/// Most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// Resolves and checks. One refused answer refuses the name: a name that is public and private at once is an attack.
pub(super) struct GuardedResolver {
    lookup: Lookup,
    allow_private_network: bool,
    /// The proxy's own name. The user chose it, and it usually lies in a private network.
    proxy_host: Option<String>,
}

impl GuardedResolver {
    pub(super) fn new(lookup: Lookup, allow_private_network: bool, proxy_host: Option<String>) -> Self {
        Self {
            lookup,
            allow_private_network,
            proxy_host,
        }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let is_proxy = self
            .proxy_host
            .as_deref()
            .is_some_and(|proxy| proxy.eq_ignore_ascii_case(&host));
        let allow_private = self.allow_private_network || is_proxy;
        let answer = (self.lookup)(host.clone());
        Box::pin(async move {
            let found = answer.await.map_err(|error| NetError::Dns {
                host: host.clone(),
                detail: excerpt(&error.to_string()),
            })?;
            let addresses = vet(&host, found, allow_private)?;
            let sockets = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

/// The addresses that may be connected to, or why the whole name is refused. Pure.
fn vet(host: &str, found: Vec<IpAddr>, allow_private: bool) -> Result<Vec<IpAddr>, NetError> {
    if found.is_empty() {
        return Err(NetError::Dns {
            host: host.to_owned(),
            detail: "the name has no address".to_owned(),
        });
    }
    for &address in &found {
        guard::check_address(address, host, allow_private)?;
        // Plain http is let through for these names only because they mean this machine: hold them to it.
        let scope = address::scope(address);
        if guard::is_localhost_name(host) && scope != Some(AddressScope::Loopback) {
            return Err(NetError::AddressRefused {
                host: host.to_owned(),
                address,
                scope: scope.unwrap_or(AddressScope::Reserved),
            });
        }
    }
    Ok(found.into_iter().take(MAX_ADDRESSES).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn one_private_answer_among_public_ones_refuses_the_name() {
        let refused = vet("app.example", ips(&["1.1.1.1", "10.0.0.1", "8.8.8.8"]), false);
        assert_eq!(
            refused,
            Err(NetError::AddressRefused {
                host: "app.example".into(),
                address: "10.0.0.1".parse().unwrap(),
                scope: AddressScope::Private
            })
        );
        assert_eq!(
            vet("app.example", ips(&["1.1.1.1"]), false),
            Ok(ips(&["1.1.1.1"]))
        );
    }

    #[test]
    fn a_metadata_answer_is_refused_even_in_a_private_network() {
        match vet("metadata.internal", ips(&["169.254.169.254"]), true) {
            Err(NetError::AddressRefused { scope, .. }) => assert_eq!(scope, AddressScope::Metadata),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn localhost_must_be_loopback() {
        assert!(vet("localhost", ips(&["127.0.0.1", "::1"]), true).is_ok());
        assert!(matches!(
            vet("localhost", ips(&["10.0.0.1"]), true),
            Err(NetError::AddressRefused {
                scope: AddressScope::Private,
                ..
            })
        ));
        assert!(matches!(
            vet("x.localhost", ips(&["1.1.1.1"]), true),
            Err(NetError::AddressRefused { .. })
        ));
    }

    #[test]
    fn a_name_without_addresses_is_a_dns_error() {
        assert!(matches!(
            vet("app.example", vec![], false),
            Err(NetError::Dns { .. })
        ));
    }
}
