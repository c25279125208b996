//! TCB info v3 and QE identity v2: the JSON documents that Intel signs.

use crate::asn1::rfc3339;

/// One row of the TCB info's `tcbLevels`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcbLevel {
    /// Lowest SGX component SVNs.
    pub sgx: [u8; 16],
    /// Lowest PCE SVN.
    pub pce_svn: u16,
    /// Lowest TDX component SVNs; 0 and 1 are left to the module identity when the quote's module version is not 0.
    pub tdx: [u8; 16],
    /// `2025-08-13T00:00:00Z`
    pub date: String,
    /// A status as Intel spells it, such as `UpToDate`; free text, so that a test can be rude.
    pub status: String,
    /// Advisory ids such as `INTEL-SA-01245`.
    pub advisories: Vec<String>,
}

/// One row of a module's or the QE's `tcbLevels`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SvnLevel {
    /// Lowest ISVSVN.
    pub isv_svn: u16,
    /// `2025-08-13T00:00:00Z`
    pub date: String,
    /// A status as Intel spells it.
    pub status: String,
    /// Advisory ids.
    pub advisories: Vec<String>,
}

/// Identity of one major version of the TDX module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleIdentity {
    /// `TDX_01` for module version 1, which is byte 1 of TEE_TCB_SVN.
    pub id: String,
    /// MRSIGNERSEAM that the module must have.
    pub mr_signer: [u8; 48],
    /// Rows by ISVSVN, which is byte 0 of TEE_TCB_SVN, highest first.
    pub levels: Vec<SvnLevel>,
}

/// The TCB info of one FMSPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcbInfo {
    /// `TDX`, or `SGX` for a wrong kind.
    pub id: String,
    /// `tcbEvaluationDataNumber`
    pub eval_data_number: u32,
    /// Seconds from the world's `now` to `issueDate`; negative is the past.
    pub issued_after: i64,
    /// Seconds from the world's `now` to `nextUpdate`.
    pub expires_after: i64,
    /// `None`: the platform's own.
    pub fmspc: Option<[u8; 6]>,
    /// `None`: the platform's own.
    pub pce_id: Option<[u8; 2]>,
    /// Rows, best first; a healthy platform lands on the first.
    pub levels: Vec<TcbLevel>,
    /// Module identities.
    pub modules: Vec<ModuleIdentity>,
}

impl TcbInfo {
    /// Lets the row that a healthy platform lands on say `status`, with these advisories.
    pub fn land_on(&mut self, status: &str, advisories: &[&str]) {
        let row = &mut self.levels[0];
        row.status = status.to_owned();
        row.advisories = advisories.iter().map(|id| (*id).to_owned()).collect();
    }

    /// The document, verbatim as signed.
    pub(crate) fn json(&self, now: u64, fmspc: [u8; 6], pce_id: [u8; 2]) -> String {
        let zero_signer = upper(&[0; 48]);
        let modules: Vec<_> = self.modules.iter().map(ModuleIdentity::json).collect();
        let levels: Vec<_> = self.levels.iter().map(TcbLevel::json).collect();
        format!(
            concat!(
                r#"{{"id":"{id}","version":3,"issueDate":"{issued}","nextUpdate":"{next}","fmspc":"{fmspc}","#,
                r#""pceId":"{pce_id}","tcbType":0,"tcbEvaluationDataNumber":{number},"#,
                r#""tdxModule":{{"mrsigner":"{signer}","attributes":"0000000000000000","attributesMask":"FFFFFFFFFFFFFFFF"}},"#,
                r#""tdxModuleIdentities":[{modules}],"tcbLevels":[{levels}]}}"#
            ),
            id = self.id,
            issued = rfc3339(now.saturating_add_signed(self.issued_after)),
            next = rfc3339(now.saturating_add_signed(self.expires_after)),
            fmspc = upper(&self.fmspc.unwrap_or(fmspc)),
            pce_id = upper(&self.pce_id.unwrap_or(pce_id)),
            number = self.eval_data_number,
            signer = zero_signer,
            modules = modules.join(","),
            levels = levels.join(","),
        )
    }
}

impl TcbLevel {
    fn json(&self) -> String {
        let components = |svns: &[u8]| {
            svns.iter()
                .map(|svn| format!(r#"{{"svn":{svn}}}"#))
                .collect::<Vec<_>>()
                .join(",")
        };
        format!(
            r#"{{"tcb":{{"sgxtcbcomponents":[{}],"pcesvn":{},"tdxtcbcomponents":[{}]}},{}}}"#,
            components(&self.sgx),
            self.pce_svn,
            components(&self.tdx),
            verdict(&self.date, &self.status, &self.advisories),
        )
    }
}

impl SvnLevel {
    fn json(&self) -> String {
        let verdict = verdict(&self.date, &self.status, &self.advisories);
        format!(r#"{{"tcb":{{"isvsvn":{}}},{verdict}}}"#, self.isv_svn)
    }
}

impl ModuleIdentity {
    fn json(&self) -> String {
        let levels: Vec<_> = self.levels.iter().map(SvnLevel::json).collect();
        format!(
            r#"{{"id":"{}","mrsigner":"{}","attributes":"0000000000000000","attributesMask":"FFFFFFFFFFFFFFFF","tcbLevels":[{}]}}"#,
            self.id,
            upper(&self.mr_signer),
            levels.join(","),
        )
    }
}

/// The identity of the TD quoting enclave, and the enclave's own values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QeIdentity {
    /// `TD_QE`
    pub id: String,
    /// Its own evaluation data number: in real collateral often lower than the TCB info's.
    pub eval_data_number: u32,
    /// Seconds from the world's `now` to `issueDate`.
    pub issued_after: i64,
    /// Seconds from the world's `now` to `nextUpdate`.
    pub expires_after: i64,
    /// MRSIGNER in the identity.
    pub mr_signer: [u8; 32],
    /// ISVPRODID in the identity.
    pub isv_prod_id: u16,
    /// Rows by ISVSVN, highest first; a healthy enclave lands on the first.
    pub levels: Vec<SvnLevel>,
    /// ISVSVN of the enclave that signs quotes.
    pub enclave_isv_svn: u16,
    /// MRSIGNER of the enclave; `None`: as in the identity.
    pub enclave_mr_signer: Option<[u8; 32]>,
}

impl QeIdentity {
    /// The document, verbatim as signed.
    pub(crate) fn json(&self, now: u64) -> String {
        let levels: Vec<_> = self.levels.iter().map(SvnLevel::json).collect();
        format!(
            concat!(
                r#"{{"id":"{id}","version":2,"issueDate":"{issued}","nextUpdate":"{next}","#,
                r#""tcbEvaluationDataNumber":{number},"miscselect":"00000000","miscselectMask":"FFFFFFFF","#,
                r#""attributes":"11000000000000000000000000000000","attributesMask":"FBFFFFFFFFFFFFFF0000000000000000","#,
                r#""mrsigner":"{signer}","isvprodid":{product},"tcbLevels":[{levels}]}}"#
            ),
            id = self.id,
            issued = rfc3339(now.saturating_add_signed(self.issued_after)),
            next = rfc3339(now.saturating_add_signed(self.expires_after)),
            number = self.eval_data_number,
            signer = upper(&self.mr_signer),
            product = self.isv_prod_id,
            levels = levels.join(","),
        )
    }
}

fn verdict(date: &str, status: &str, advisories: &[String]) -> String {
    let mut text = format!(r#""tcbDate":"{date}","tcbStatus":"{status}""#);
    if !advisories.is_empty() {
        let ids: Vec<_> = advisories.iter().map(|id| format!("\"{id}\"")).collect();
        text.push_str(&format!(r#","advisoryIDs":[{}]"#, ids.join(",")));
    }
    text
}

fn upper(bytes: &[u8]) -> String {
    hex::encode_upper(bytes)
}
