//! The PKI: root, PCK CA, PCK certificate, TCB signer, and the two CRLs.

use std::collections::BTreeSet;

use crate::{
    asn1,
    keys::{Key, derive_bytes},
    pck::PckCa,
    world::{DAY, World},
    x509::{self, Contents, Party, USAGE_CA, USAGE_SIGNER},
};

/// A window of validity around the world's `now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Seconds from `now` to the first second; negative is the past.
    pub from: i64,
    /// Seconds from `now` to the last second.
    pub to: i64,
}

impl Window {
    pub(crate) fn around(self, now: u64) -> (u64, u64) {
        (
            now.saturating_add_signed(self.from),
            now.saturating_add_signed(self.to),
        )
    }
}

/// A certificate of the simulated PKI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certificate {
    /// The self-signed root.
    Root,
    /// The issuer of the PCK certificate, Platform or Processor.
    PckCa,
    /// The PCK certificate, whose key signs QE reports.
    Pck,
    /// The signer of TCB info and QE identity.
    TcbSigning,
}

/// Dates and revocations of certificates and CRLs.
#[derive(Clone, Debug)]
pub struct Pki {
    /// Validity of the root.
    pub root: Window,
    /// Validity of the PCK CA.
    pub pck_ca: Window,
    /// Validity of the PCK certificate.
    pub pck: Window,
    /// Validity of the TCB signing certificate.
    pub tcb_signing: Window,
    /// thisUpdate and nextUpdate of the root's CRL.
    pub root_crl: Window,
    /// thisUpdate and nextUpdate of the PCK CA's CRL.
    pub pck_crl: Window,
    /// CRL number of the root's CRL.
    pub root_crl_number: u64,
    /// CRL number of the PCK CA's CRL.
    pub pck_crl_number: u64,
    /// Certificates on the CRL of their issuer.
    pub revoked: BTreeSet<Certificate>,
    /// CRL distribution point in the root, PCK CA and TCB signing certificates.
    pub root_crl_url: String,
    /// CRL distribution point in the PCK certificate.
    pub pck_crl_url: String,
}

impl Pki {
    /// Certificates and CRLs that are in date, with the life times of Intel's, and none revoked.
    pub fn healthy() -> Self {
        let years = |n: i64| n * 365 * DAY;
        Self {
            root: Window {
                from: -years(8),
                to: years(20),
            },
            pck_ca: Window {
                from: -years(8),
                to: years(7),
            },
            pck: Window {
                from: -years(1),
                to: years(6),
            },
            tcb_signing: Window {
                from: -years(1),
                to: years(6),
            },
            root_crl: Window {
                from: -30 * DAY,
                to: 335 * DAY,
            },
            pck_crl: Window {
                from: -DAY,
                to: 29 * DAY,
            },
            root_crl_number: 1,
            pck_crl_number: 1,
            revoked: BTreeSet::new(),
            root_crl_url: "https://certificates.simulator.example/RootCA.der".into(),
            pck_crl_url:
                "https://pcs.simulator.example/sgx/certification/v4/pckcrl?ca=platform&encoding=der"
                    .into(),
        }
    }
}

impl World {
    /// The root CA's certificate, DER.
    pub fn root_der(&self) -> Vec<u8> {
        self.certificate_der(Certificate::Root)
    }

    /// The root CA's certificate, PEM.
    pub fn root_pem(&self) -> String {
        self.certificate_pem(Certificate::Root)
    }

    /// Any certificate, PEM.
    pub fn certificate_pem(&self, which: Certificate) -> String {
        asn1::pem("CERTIFICATE", &self.certificate_der(which))
    }

    /// Any certificate, DER.
    pub fn certificate_der(&self, which: Certificate) -> Vec<u8> {
        let (window, ca, more) = match which {
            Certificate::Root => (self.pki.root, Some(1), vec![]),
            Certificate::PckCa => (self.pki.pck_ca, Some(0), vec![]),
            Certificate::Pck => (self.pki.pck, None, vec![self.platform.sgx_extension()]),
            Certificate::TcbSigning => (self.pki.tcb_signing, None, vec![]),
        };
        let issuer = if which == Certificate::Pck {
            Certificate::PckCa
        } else {
            Certificate::Root
        };
        let (not_before, not_after) = window.around(self.now);
        let crl_url = if which == Certificate::Pck {
            &self.pki.pck_crl_url
        } else {
            &self.pki.root_crl_url
        };
        let usage = if ca.is_some() { USAGE_CA } else { USAGE_SIGNER };
        let contents = Contents {
            not_before,
            not_after,
            ca,
            usage,
            crl_url: Some(crl_url),
            more,
        };
        x509::certificate(&self.party(issuer), &self.party(which), &contents)
    }

    /// PCK certificate, PCK CA, root: the chain inside a quote, PEM.
    pub fn pck_chain_pem(&self) -> String {
        [Certificate::Pck, Certificate::PckCa, Certificate::Root]
            .map(|c| self.certificate_pem(c))
            .concat()
    }

    /// PCK CA, root, PEM.
    pub fn pck_crl_issuer_chain(&self) -> String {
        [Certificate::PckCa, Certificate::Root]
            .map(|c| self.certificate_pem(c))
            .concat()
    }

    /// TCB signing certificate, root, PEM.
    pub fn tcb_signing_chain(&self) -> String {
        [Certificate::TcbSigning, Certificate::Root]
            .map(|c| self.certificate_pem(c))
            .concat()
    }

    /// The root's CRL, DER.
    pub fn root_ca_crl(&self) -> Vec<u8> {
        let listed = [
            Certificate::Root,
            Certificate::PckCa,
            Certificate::TcbSigning,
        ];
        self.crl(
            Certificate::Root,
            self.pki.root_crl,
            self.pki.root_crl_number,
            &listed,
        )
    }

    /// The PCK CA's CRL, DER. One certificate that nobody uses is always on it, as on Intel's.
    pub fn pck_crl(&self) -> Vec<u8> {
        self.crl(
            Certificate::PckCa,
            self.pki.pck_crl,
            self.pki.pck_crl_number,
            &[Certificate::Pck],
        )
    }

    /// The key of TCB info and QE identity, for tests that sign documents of their own.
    pub fn tcb_signing_key(&self) -> Key {
        self.party(Certificate::TcbSigning).key
    }

    /// The key that signs QE reports.
    pub fn pck_key(&self) -> Key {
        self.party(Certificate::Pck).key
    }

    fn crl(
        &self,
        issuer: Certificate,
        window: Window,
        number: u64,
        listed: &[Certificate],
    ) -> Vec<u8> {
        let (this_update, next_update) = window.around(self.now);
        let mut revoked: Vec<_> = listed
            .iter()
            .filter(|certificate| self.pki.revoked.contains(certificate))
            .map(|certificate| (self.party(*certificate).key_id().to_vec(), this_update))
            .collect();
        if issuer == Certificate::PckCa {
            let mut stranger: [u8; 20] = derive_bytes(self.seed, "a revoked stranger");
            stranger[0] = 0x6f;
            revoked.push((stranger.to_vec(), this_update));
        }
        x509::crl(
            &self.party(issuer),
            this_update,
            next_update,
            number,
            &revoked,
        )
    }

    fn party(&self, certificate: Certificate) -> Party {
        let name = match (certificate, self.platform.pck_ca) {
            (Certificate::Root, _) => "Simulated SGX Root CA",
            (Certificate::PckCa, PckCa::Platform) => "Simulated SGX PCK Platform CA",
            (Certificate::PckCa, PckCa::Processor) => "Simulated SGX PCK Processor CA",
            (Certificate::Pck, _) => "Simulated SGX PCK Certificate",
            (Certificate::TcbSigning, _) => "Simulated SGX TCB Signing",
        };
        Party::new(self.seed, name)
    }
}
