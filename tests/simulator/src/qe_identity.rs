//! QE identity v2: the JSON document that names the TD quoting enclave, and the enclave itself.

use crate::{
    asn1::rfc3339,
    keys::derive_bytes,
    tcb_info::{SvnLevel, svn_level, upper},
    world::DAY,
};

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
    /// The identity and the enclave of an up-to-date machine; issued a day ago.
    pub fn healthy(seed: u64) -> Self {
        Self {
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
        }
    }

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
