//! The world a CVM lives in: Intel's part (PKI, TCB info, QE identity, CRLs) and the machine.

use std::collections::BTreeSet;

use dcap_qvl::QuoteCollateralV3;

use crate::{
    asn1,
    keys::{Key, derive_bytes},
    pck::{PckCa, Platform},
    tcb_info::{ModuleIdentity, QeIdentity, SvnLevel, TcbInfo, TcbLevel},
    x509::{self, Contents, Party, USAGE_CA, USAGE_SIGNER},
};

/// One day in seconds.
pub const DAY: i64 = 86_400;

/// The time of [`World::new`]: 2026-10-01T12:00:00Z in Unix seconds.
pub const DEFAULT_NOW: u64 = 1_790_856_000;

/// TEE_TCB_SVN of an up-to-date TD in the default world: module 1, ISVSVN 11, SEAM loader 4.
pub const TEE_TCB_SVN: [u8; 16] = [11, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// TEE_TCB_SVN of a TD launched under an out-of-date module (ISVSVN 5).
pub const TEE_TCB_SVN_OUT_OF_DATE: [u8; 16] = [5, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A window of validity around the world's `now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Seconds from `now` to the first second; negative is the past.
    pub from: i64,
    /// Seconds from `now` to the last second.
    pub to: i64,
}

impl Window {
    fn around(self, now: u64) -> (u64, u64) {
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

/// Intel's part of the evidence, and the machine. All fields are knobs; every byte that comes out is a function of them.
#[derive(Clone, Debug)]
pub struct World {
    /// Every key and every random-looking value comes from it.
    pub seed: u64,
    /// Unix seconds.
    pub now: u64,
    /// What the PCK certificate says.
    pub platform: Platform,
    /// Certificates and CRLs.
    pub pki: Pki,
    /// TCB info.
    pub tcb_info: TcbInfo,
    /// QE identity and the quoting enclave.
    pub qe_identity: QeIdentity,
}

impl Default for World {
    fn default() -> Self {
        Self::new(1, DEFAULT_NOW)
    }
}

impl World {
    /// A healthy world: a platform that is up to date, collateral issued a day before `now` (Unix seconds) and good for 29 days more.
    pub fn new(seed: u64, now: u64) -> Self {
        let years = |n: i64| n * 365 * DAY;
        let month = Window {
            from: -DAY,
            to: 29 * DAY,
        };
        Self {
            seed,
            now,
            platform: Platform {
                ppid: derive_bytes(seed, "ppid"),
                fmspc: [0xb0, 0xc0, 0x6f, 0, 0, 0],
                cpu_svn: [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
                pce_svn: 11,
                pce_id: [0, 0],
                sgx_type: 1,
                platform_instance_id: derive_bytes(seed, "platform instance"),
                dynamic_platform: true,
                cached_keys: true,
                smt_enabled: true,
                pck_ca: PckCa::Platform,
                qe_id: derive_bytes(seed, "qe id"),
            },
            pki: Pki {
                root: Window { from: -years(8), to: years(20) },
                pck_ca: Window { from: -years(8), to: years(7) },
                pck: Window { from: -years(1), to: years(6) },
                tcb_signing: Window { from: -years(1), to: years(6) },
                root_crl: Window { from: -30 * DAY, to: 335 * DAY },
                pck_crl: month,
                root_crl_number: 1,
                pck_crl_number: 1,
                revoked: BTreeSet::new(),
                root_crl_url: "https://certificates.simulator.example/RootCA.der".into(),
                pck_crl_url: "https://pcs.simulator.example/sgx/certification/v4/pckcrl?ca=platform&encoding=der".into(),
            },
            tcb_info: default_tcb_info(),
            qe_identity: QeIdentity {
                id: "TD_QE".into(),
                eval_data_number: 20,
                issued_after: -DAY,
                expires_after: 29 * DAY,
                mr_signer: derive_bytes(seed, "qe mrsigner"),
                isv_prod_id: 2,
                levels: vec![
                    svn_level(4, "2025-05-14", "UpToDate", &[]),
                    svn_level(2, "2023-08-09", "OutOfDate", &["INTEL-SA-00837"]),
                ],
                enclave_isv_svn: 6,
                enclave_mr_signer: None,
            },
        }
    }

    /// Lowers the platform's CPUSVN below every TCB level.
    pub fn below_every_tcb_level(&mut self) {
        self.platform.cpu_svn = [0; 16];
        self.platform.pce_svn = 0;
    }

    /// Lowers the platform to the second row of the TCB info: genuinely `OutOfDate`, with advisories.
    pub fn fall_behind(&mut self) {
        self.platform.cpu_svn = self.tcb_info.levels[1].sgx;
    }

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

    /// TCB info, the text as signed, and the signature `r ‖ s`.
    pub fn signed_tcb_info(&self) -> (String, Vec<u8>) {
        let text = self
            .tcb_info
            .json(self.now, self.platform.fmspc, self.platform.pce_id);
        let signature = self.tcb_signing_key().sign_raw(text.as_bytes());
        (text, signature.to_vec())
    }

    /// QE identity, the text as signed, and the signature `r ‖ s`.
    pub fn signed_qe_identity(&self) -> (String, Vec<u8>) {
        let text = self.qe_identity.json(self.now);
        let signature = self.tcb_signing_key().sign_raw(text.as_bytes());
        (text, signature.to_vec())
    }

    /// The collateral for the world's quotes, as plain data that a test may mutate.
    pub fn collateral(&self) -> QuoteCollateralV3 {
        let (tcb_info, tcb_info_signature) = self.signed_tcb_info();
        let (qe_identity, qe_identity_signature) = self.signed_qe_identity();
        QuoteCollateralV3 {
            pck_crl_issuer_chain: self.pck_crl_issuer_chain(),
            root_ca_crl: self.root_ca_crl(),
            pck_crl: self.pck_crl(),
            tcb_info_issuer_chain: self.tcb_signing_chain(),
            tcb_info,
            tcb_info_signature,
            qe_identity_issuer_chain: self.tcb_signing_chain(),
            qe_identity,
            qe_identity_signature,
            pck_certificate_chain: None,
        }
    }

    /// [`World::collateral`] as JSON; byte fields are hex strings.
    pub fn collateral_json(&self) -> String {
        serde_json::to_string(&self.collateral()).expect("plain strings serialise")
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

fn default_tcb_info() -> TcbInfo {
    let level = |sgx0: u8, late: u8, date: &str, status: &str, advisories: &[&str]| TcbLevel {
        sgx: [
            sgx0,
            sgx0,
            2,
            2,
            sgx0.min(4),
            1,
            0,
            5,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ],
        pce_svn: 11,
        tdx: [5, 0, late, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        date: format!("{date}T00:00:00Z"),
        status: status.into(),
        advisories: owned(advisories),
    };
    TcbInfo {
        id: "TDX".into(),
        eval_data_number: 20,
        issued_after: -DAY,
        expires_after: 29 * DAY,
        fmspc: None,
        pce_id: None,
        levels: vec![
            level(4, 4, "2025-08-13", "UpToDate", &[]),
            level(
                3,
                3,
                "2025-05-14",
                "OutOfDate",
                &["INTEL-SA-01192", "INTEL-SA-01245", "INTEL-SA-01312"],
            ),
            level(
                2,
                2,
                "2023-08-09",
                "OutOfDate",
                &["INTEL-SA-01036", "INTEL-SA-01099", "INTEL-SA-01192"],
            ),
        ],
        modules: vec![
            ModuleIdentity {
                id: "TDX_03".into(),
                mr_signer: [0; 48],
                levels: vec![
                    svn_level(5, "2025-08-13", "UpToDate", &[]),
                    svn_level(3, "2025-05-14", "OutOfDate", &["INTEL-SA-01245"]),
                ],
            },
            ModuleIdentity {
                id: "TDX_01".into(),
                mr_signer: [0; 48],
                levels: vec![
                    svn_level(11, "2025-08-13", "UpToDate", &[]),
                    svn_level(
                        6,
                        "2025-05-14",
                        "OutOfDate",
                        &["INTEL-SA-01192", "INTEL-SA-01245"],
                    ),
                    svn_level(
                        2,
                        "2023-08-09",
                        "OutOfDate",
                        &["INTEL-SA-01036", "INTEL-SA-01099", "INTEL-SA-01192"],
                    ),
                ],
            },
        ],
    }
}

fn svn_level(isv_svn: u16, date: &str, status: &str, advisories: &[&str]) -> SvnLevel {
    SvnLevel {
        isv_svn,
        date: format!("{date}T00:00:00Z"),
        status: status.into(),
        advisories: owned(advisories),
    }
}

fn owned(advisories: &[&str]) -> Vec<String> {
    advisories.iter().map(|id| (*id).to_owned()).collect()
}
