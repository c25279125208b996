//! TCB info v3: the JSON document in which Intel judges the machine's security versions.

use crate::{asn1::rfc3339, world::DAY};

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
    /// Three rows and two module identities, like the real document of FMSPC b0c06f000000; issued a day ago.
    pub fn healthy() -> Self {
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
        Self {
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
    pub(crate) fn json(&self) -> String {
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

fn verdict(date: &str, status: &str, advisories: &[String]) -> String {
    let mut text = format!(r#""tcbDate":"{date}","tcbStatus":"{status}""#);
    if !advisories.is_empty() {
        let ids: Vec<_> = advisories.iter().map(|id| format!("\"{id}\"")).collect();
        text.push_str(&format!(r#","advisoryIDs":[{}]"#, ids.join(",")));
    }
    text
}

pub(crate) fn upper(bytes: &[u8]) -> String {
    hex::encode_upper(bytes)
}

/// A row by ISVSVN.
pub(crate) fn svn_level(isv_svn: u16, date: &str, status: &str, advisories: &[&str]) -> SvnLevel {
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
