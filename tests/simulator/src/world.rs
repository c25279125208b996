//! The world a CVM lives in: Intel's part (PKI, TCB info, QE identity, CRLs) and the machine.

use dcap_qvl::QuoteCollateralV3;

use crate::{
    keys::derive_bytes,
    pck::{PckCa, Platform},
    pki::Pki,
    qe_identity::QeIdentity,
    tcb_info::TcbInfo,
};

/// One day in seconds.
pub const DAY: i64 = 86_400;

/// The time of [`World::new`]: 2026-10-01T12:00:00Z in Unix seconds.
pub const DEFAULT_NOW: u64 = 1_790_856_000;

/// TEE_TCB_SVN of an up-to-date TD in the default world: module 1, ISVSVN 11, SEAM loader 4.
pub const TEE_TCB_SVN: [u8; 16] = [11, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// TEE_TCB_SVN of a TD launched under an out-of-date module (ISVSVN 5).
pub const TEE_TCB_SVN_OUT_OF_DATE: [u8; 16] = [5, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

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
            pki: Pki::healthy(),
            tcb_info: TcbInfo::healthy(),
            qe_identity: QeIdentity::healthy(seed),
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
}
