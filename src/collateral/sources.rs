//! Where collateral may come from, and the URL of each document there (Intel PCS API v4).

use sha2::{Digest as _, Sha256};
use url::Url;

use super::request::CollateralRequest;
use crate::net::below;
use cvm_verify_core::verify::CollateralServers;

/// Intel's PCS. <https://api.portal.trustedservices.intel.com/content/documentation.html>
const INTEL_PCS: &str = "https://api.trustedservices.intel.com/";
/// The root CRL, which the PCS does not serve; the place is written in Intel's root certificate and is fixed here.
const INTEL_ROOT_CRL: &str = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
/// The PCCS that Phala runs for dstack.
const PHALA_PCCS: &str = "https://pccs.phala.network/";

cvm_verify_core::word_enum! {
    /// One of the four documents that make up collateral.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum CollateralPart {
        /// TCB levels of the platform (`tcbInfo`).
        TcbInfo = "TCB info",
        /// Identity of the TD quoting enclave (`enclaveIdentity`).
        QeIdentity = "QE identity",
        /// Revoked PCK certificates.
        PckCrl = "PCK CRL",
        /// Revoked intermediate authorities.
        RootCaCrl = "root CA CRL",
    }
}

/// Sources in the order in which they are asked. The documents of one answer always come from one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources(Vec<CollateralServer>, CollateralServers);

impl Sources {
    /// Intel's own PCS, then Phala's PCCS. The fallback is run by the operator of the hosts, so a report names the
    /// source that was used (T25).
    pub fn default_public() -> Self {
        let known = [INTEL_PCS, PHALA_PCCS];
        let parsed = known.iter().filter_map(|url| Url::parse(url).ok());
        Self(
            parsed.map(|url| CollateralServer::new(&url)).collect(),
            CollateralServers::Public,
        )
    }

    /// Only the PCS or PCCS at `url` (`--pccs-url`). The path that Intel's own tools write into such a URL,
    /// `/sgx/certification/v4/`, may be there or not. Its query is sent with every request.
    pub fn only(url: &Url) -> Self {
        Self(vec![CollateralServer::new(url)], CollateralServers::Named)
    }

    /// What tells these sources from others, as part of a file's name: 16 hex digits of a SHA-256.
    pub(super) fn fingerprint(&self) -> String {
        let bases: Vec<&str> = self.0.iter().map(|source| source.base.as_str()).collect();
        hex::encode(Sha256::digest(bases.join("\n")))
            .chars()
            .take(16)
            .collect()
    }

    /// Whose they are.
    pub(super) const fn servers(&self) -> CollateralServers {
        self.1
    }

    /// These sources, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &CollateralServer> {
        self.0.iter()
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Whether this is the name of the source that is asked before all others.
    pub(super) fn is_first(&self, name: &str) -> bool {
        self.0.first().is_some_and(|source| source.name() == name)
    }

    #[cfg(test)]
    pub(super) fn in_order(urls: &[&Url]) -> Self {
        let servers = urls.iter().map(|url| CollateralServer::new(url));
        Self(servers.collect(), CollateralServers::Public)
    }
}

/// One PCS or PCCS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CollateralServer {
    /// Without query, fragment and the API's own path.
    base: Url,
    /// The query of the user's URL, perhaps with a key: sent with every request, and shown nowhere.
    query: Option<String>,
}

impl CollateralServer {
    fn new(url: &Url) -> Self {
        let mut base = url.clone();
        base.set_query(None);
        base.set_fragment(None);
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/certification/v4").unwrap_or(path);
        let path = path
            .strip_suffix("/sgx")
            .or_else(|| path.strip_suffix("/tdx"))
            .unwrap_or(path);
        base.set_path(path);
        let query = url.query().filter(|query| !query.is_empty());
        Self {
            base,
            query: query.map(str::to_owned),
        }
    }

    /// How a report names it: the host, and the port if it is not the usual one. Never a user name.
    pub(super) fn name(&self) -> String {
        let host = self.base.host_str().unwrap_or("no host");
        match self.base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Where `document` is. `update=standard` asks for the set that verifiers are expected to use, not the early one.
    pub(super) fn url(&self, document: CollateralPart, request: &CollateralRequest) -> Url {
        let fmspc = request.fmspc_hex();
        let ca = request.ca.as_str();
        match document {
            CollateralPart::TcbInfo => self.at(
                "tdx/certification/v4/tcb",
                &format!("fmspc={fmspc}&update=standard"),
            ),
            CollateralPart::QeIdentity => self.at("tdx/certification/v4/qe/identity", "update=standard"),
            CollateralPart::PckCrl => {
                self.at("sgx/certification/v4/pckcrl", &format!("ca={ca}&encoding=der"))
            }
            CollateralPart::RootCaCrl => match Url::parse(INTEL_ROOT_CRL) {
                Ok(url) if self.is_intel() => url,
                _ => self.at("sgx/certification/v4/rootcacrl", ""),
            },
        }
    }

    /// Where the early form of `document` is: the one that becomes the standard one in some weeks. Only TCB info and QE
    /// identity have one.
    pub(super) fn early_url(&self, document: CollateralPart, fmspc: [u8; 6]) -> Url {
        match document {
            CollateralPart::QeIdentity => self.at("tdx/certification/v4/qe/identity", "update=early"),
            _ => self.at(
                "tdx/certification/v4/tcb",
                &format!("fmspc={}&update=early", hex::encode(fmspc)),
            ),
        }
    }

    fn is_intel(&self) -> bool {
        Url::parse(INTEL_PCS).is_ok_and(|intel| intel.host() == self.base.host())
    }

    fn at(&self, path: &str, query: &str) -> Url {
        let mut url = below(&self.base, path);
        let parts = [self.query.as_deref().unwrap_or_default(), query];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        url.set_query((!parts.is_empty()).then(|| parts.join("&")).as_deref());
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collateral::PckCa;

    const DOCUMENTS: [CollateralPart; 4] = [
        CollateralPart::TcbInfo,
        CollateralPart::QeIdentity,
        CollateralPart::PckCrl,
        CollateralPart::RootCaCrl,
    ];

    fn urls(source: &CollateralServer, ca: PckCa) -> Vec<String> {
        let request = CollateralRequest {
            fmspc: [0xb0, 0xc0, 0x6f, 0, 0, 0],
            ca,
        };
        DOCUMENTS
            .iter()
            .map(|document| source.url(*document, &request).to_string())
            .collect()
    }

    #[test]
    fn intel_comes_first_and_its_root_crl_from_its_own_place() {
        let sources = Sources::default_public();
        let names: Vec<String> = sources.iter().map(CollateralServer::name).collect();
        assert_eq!(names, ["api.trustedservices.intel.com", "pccs.phala.network"]);
        assert_eq!(
            urls(&sources.0[0], PckCa::Platform),
            [
                "https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=b0c06f000000&update=standard",
                "https://api.trustedservices.intel.com/tdx/certification/v4/qe/identity?update=standard",
                "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
                "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der",
            ]
        );
        assert_eq!(
            urls(&sources.0[1], PckCa::Processor)[2..],
            [
                "https://pccs.phala.network/sgx/certification/v4/pckcrl?ca=processor&encoding=der",
                "https://pccs.phala.network/sgx/certification/v4/rootcacrl",
            ]
        );
    }

    #[test]
    fn a_pccs_url_may_carry_a_path_or_the_apis_own() {
        for (given, first) in [
            ("https://pccs.example", "https://pccs.example/tdx/"),
            ("https://pccs.example/", "https://pccs.example/tdx/"),
            (
                "https://pccs.example:8081/sgx/certification/v4/",
                "https://pccs.example:8081/tdx/",
            ),
            (
                "https://pccs.example/cache/?x=1#y",
                "https://pccs.example/cache/tdx/",
            ),
        ] {
            let parsed = Url::parse(given).expect("a URL");
            let sources = Sources::only(&parsed);
            assert!(
                urls(&sources.0[0], PckCa::Platform)[0].starts_with(first),
                "{given}"
            );
        }
    }

    #[test]
    fn the_query_of_a_pccs_url_is_sent_and_is_no_part_of_its_name() {
        let url = Url::parse("https://pccs.example/cache?api_key=hunter2").expect("a URL");
        let sources = Sources::only(&url);
        let source = &sources.0[0];
        assert_eq!(
            urls(source, PckCa::Platform),
            [
                "https://pccs.example/cache/tdx/certification/v4/tcb?api_key=hunter2&fmspc=b0c06f000000&update=standard",
                "https://pccs.example/cache/tdx/certification/v4/qe/identity?api_key=hunter2&update=standard",
                "https://pccs.example/cache/sgx/certification/v4/pckcrl?api_key=hunter2&ca=platform&encoding=der",
                "https://pccs.example/cache/sgx/certification/v4/rootcacrl?api_key=hunter2",
            ]
        );
        assert_eq!(source.name(), "pccs.example");
        let plain = Sources::only(&Url::parse("https://pccs.example/cache").expect("a URL"));
        assert_eq!(sources.fingerprint(), plain.fingerprint());
    }
}
