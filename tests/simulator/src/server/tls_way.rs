//! The four ways in which TLS ends, each as a server of one application, and a relay in front of it.

use std::str::FromStr;

use super::{
    app::AppServer,
    ingress::Ingress,
    tls::{TlsIdentity, TlsMode},
};
use crate::{Cvm, Guest, ReportDataLayout};

/// Where TLS ends, and what binds its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsWay {
    /// Before the CVM: in a gateway, a proxy, a CDN. Nothing binds the key.
    Gateway,
    /// In the application, with the certificate that the KMS of the CVM issued: it carries a quote of its key.
    RaTls,
    /// In the application, with a certificate of a CA: the quote for the nonce holds the hash of its key.
    AppKey,
    /// In dstack-ingress in the CVM, with a certificate of a CA: `/evidences/` has a quote that lists it.
    Ingress,
}

/// An application that is served over TLS.
pub struct TlsApp {
    /// Its server.
    pub server: AppServer,
    /// The CA that a client must trust, PEM; `None` if the certificate's own quote takes its place.
    pub ca_pem: Option<String>,
}

impl TlsWay {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Gateway, Self::RaTls, Self::AppKey, Self::Ingress];

    /// Its name: as `--tls-binding` of the verifier, where one binds.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::RaTls => "ratls",
            Self::AppKey => "app-key",
            Self::Ingress => "ingress",
        }
    }

    /// Serves a CVM in this way at `localhost`. With `relayed`, a server with a key of its own answers instead: it hands on
    /// everything that the CVM shows. `now` in Unix seconds is the real time: TLS clients look at their clock.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn serve(self, mut cvm: Cvm, now: u64, relayed: bool) -> TlsApp {
        let seed = cvm.world.seed;
        // A handler that takes 64 hex digits and quotes nothing that a caller chooses.
        cvm.report_data = ReportDataLayout::Ascii;
        let of_ca = TlsIdentity::new(seed, now, TlsMode::TestCa);
        let own = match (self, cvm.guest) {
            (Self::RaTls, Guest::V0_6_0) => {
                TlsIdentity::ra_tls_versioned(seed, now, &cvm, |attestation| attestation.msgpack())
            }
            (Self::RaTls, _) => TlsIdentity::ra_tls(seed, now, &cvm),
            (Self::Gateway | Self::AppKey | Self::Ingress, _) => of_ca,
        };
        if self == Self::AppKey {
            cvm.report_data = ReportDataLayout::KeyThenNonce(own.key_hash());
        }
        let ingress = (self == Self::Ingress).then(|| Ingress::of(&cvm, &own, "localhost"));
        let shown = match relayed {
            true => TlsIdentity::new(seed.wrapping_add(1_000), now, TlsMode::TestCa),
            false => own,
        };
        let server = AppServer::https(cvm, &shown);
        server.strict();
        if let Some(ingress) = &ingress {
            server.serve_ingress(ingress);
        }
        TlsApp {
            server,
            ca_pem: (self != Self::RaTls || relayed).then(|| shown.ca_pem()),
        }
    }
}

impl FromStr for TlsWay {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|way| way.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("unknown way to end TLS {name:?}; it is one of {names}")
        })
    }
}
