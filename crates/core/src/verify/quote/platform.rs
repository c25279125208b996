//! Whether the documents of the collateral are for this machine. Looked at before any level: a level of another platform
//! says nothing about this one.

use dcap_qvl::{QeIdentity, TcbInfo, TcbStatus};

use super::documents::{AuthenticDocuments, QE_IDENTITY, TCB_INFO, bounded, malformed, wrong_platform};
use crate::verify::UnusableCollateral;

/// The machine that collateral is for.
pub(super) struct Platform<'a> {
    /// FMSPC, 6 bytes.
    pub fmspc: [u8; 6],
    /// Id of the provisioning certification enclave, if it is known.
    pub pce_id: Option<&'a [u8]>,
}

/// SGX and TDX components of a level (Intel PCS API v4, TCB info v3).
const COMPONENTS: usize = 16;

/// Statuses that Intel uses in each list; dcap-qvl refuses others.
const LEVEL: [TcbStatus; 7] = [
    TcbStatus::UpToDate,
    TcbStatus::OutOfDate,
    TcbStatus::ConfigurationNeeded,
    TcbStatus::Revoked,
    TcbStatus::OutOfDateConfigurationNeeded,
    TcbStatus::SWHardeningNeeded,
    TcbStatus::ConfigurationAndSWHardeningNeeded,
];
const MODULE: [TcbStatus; 3] = [TcbStatus::UpToDate, TcbStatus::OutOfDate, TcbStatus::Revoked];
const ENCLAVE: [TcbStatus; 5] = [
    TcbStatus::UpToDate,
    TcbStatus::OutOfDate,
    TcbStatus::ConfigurationNeeded,
    TcbStatus::Revoked,
    TcbStatus::OutOfDateConfigurationNeeded,
];

/// The first authentic document that is not for this machine, or that cannot rate any.
pub(super) fn first_fault(
    documents: &AuthenticDocuments,
    platform: &Platform<'_>,
) -> Option<UnusableCollateral> {
    let tcb_info = documents.tcb_info.as_ref().ok();
    let qe_identity = documents.qe_identity.as_ref().ok();
    tcb_info
        .and_then(|document| rates(document, platform).err())
        .or_else(|| qe_identity.and_then(|document| rates_quoting_enclaves(document).err()))
}

/// Whether a TCB info rates this machine.
pub(super) fn rates(tcb_info: &TcbInfo, platform: &Platform<'_>) -> Result<(), UnusableCollateral> {
    let wrong = |problem: String| Err(wrong_platform(TCB_INFO, problem));
    if tcb_info.id != "TDX" {
        return wrong(format!(
            "it is for {}, and the quote is of TDX",
            bounded(&tcb_info.id)
        ));
    }
    let own = hex::encode(platform.fmspc);
    if !tcb_info.fmspc.eq_ignore_ascii_case(&own) {
        return wrong(format!(
            "it is for the FMSPC {}, and the machine's certificate says {own}",
            bounded(&tcb_info.fmspc.to_ascii_lowercase())
        ));
    }
    if let Some(own) = platform.pce_id.map(hex::encode)
        && !tcb_info.pce_id.eq_ignore_ascii_case(&own)
    {
        return wrong(format!(
            "it is for the PCE id {}, and the machine's certificate says {own}",
            bounded(&tcb_info.pce_id)
        ));
    }
    is_complete(tcb_info).map_err(|problem| malformed(TCB_INFO, problem))
}

/// What dcap-qvl needs of a TCB info next to its members' types.
fn is_complete(tcb_info: &TcbInfo) -> Result<(), String> {
    if tcb_info.version < 3 {
        return Err(format!("`version` is {}; 3 or more expected", tcb_info.version));
    }
    for level in &tcb_info.tcb_levels {
        let counts = (level.tcb.sgx_components.len(), level.tcb.tdx_components.len());
        if counts != (COMPONENTS, COMPONENTS) {
            return Err(format!(
                "a level in `tcbLevels` has {} SGX and {} TDX components; {COMPONENTS} of each expected",
                counts.0, counts.1
            ));
        }
    }
    let statuses = tcb_info.tcb_levels.iter().map(|level| level.tcb_status);
    known(statuses, &LEVEL, "tcbLevels")?;
    for module in &tcb_info.tdx_module_identities {
        let statuses = module.tcb_levels.iter().map(|level| level.tcb_status);
        known(statuses, &MODULE, "tdxModuleIdentities")?;
        module_hex(&module.mrsigner, &module.attributes, &module.attributes_mask)?;
    }
    match &tcb_info.tdx_module {
        Some(module) => module_hex(&module.mrsigner, &module.attributes, &module.attributes_mask),
        None => Err("`tdxModule` is missing".to_owned()),
    }
}

fn module_hex(signer: &str, attributes: &str, mask: &str) -> Result<(), String> {
    let is = |text: &str, length: usize| hex::decode(text).is_ok_and(|bytes| bytes.len() == length);
    if is(signer, 48) && is(attributes, 8) && is(mask, 8) {
        return Ok(());
    }
    Err(
        "`mrsigner`, `attributes` or `attributesMask` of a TDX module is not hex of the right length"
            .to_owned(),
    )
}

fn known(found: impl Iterator<Item = TcbStatus>, allowed: &[TcbStatus], member: &str) -> Result<(), String> {
    match found.into_iter().find(|status| !allowed.contains(status)) {
        Some(status) => Err(format!(
            "`{member}` has the status {status}, which Intel does not use there"
        )),
        None => Ok(()),
    }
}

/// Whether a QE identity rates quoting enclaves of TDX.
pub(super) fn rates_quoting_enclaves(identity: &QeIdentity) -> Result<(), UnusableCollateral> {
    if identity.id != "TD_QE" {
        return Err(wrong_platform(
            QE_IDENTITY,
            format!(
                "it is that of the enclave {}, and quotes of TDX come from TD_QE",
                bounded(&identity.id)
            ),
        ));
    }
    let incomplete = |problem: String| Err(malformed(QE_IDENTITY, problem));
    if !matches!(identity.version, 2 | 3) {
        return incomplete(format!("`version` is {}; 2 or 3 expected", identity.version));
    }
    if identity.tcb_levels.is_empty() {
        return incomplete("`tcbLevels` is empty".to_owned());
    }
    let statuses = identity.tcb_levels.iter().map(|level| level.tcb_status);
    known(statuses, &ENCLAVE, "tcbLevels").or_else(incomplete)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcb_info() -> TcbInfo {
        serde_json::from_str(&simulator::World::default().collateral().tcb_info).unwrap()
    }

    #[test]
    fn a_tcb_info_is_of_version_3_at_least() {
        let of = |version| {
            let mut document = tcb_info();
            document.version = version;
            is_complete(&document)
        };
        assert_eq!(of(2), Err("`version` is 2; 3 or more expected".to_owned()));
        assert_eq!(of(3), Ok(()));
        assert_eq!(of(4), Ok(()));
    }

    #[test]
    fn signer_attributes_and_mask_of_a_module_have_their_lengths() {
        let (signer, eight) = ("00".repeat(48), "00".repeat(8));
        assert_eq!(module_hex(&signer, &eight, &eight), Ok(()));
        for (signer, attributes, mask) in [
            ("00", eight.as_str(), eight.as_str()),
            (&signer, "00", &eight),
            (&signer, &eight, "00"),
            (&signer, &eight, "xxxxxxxxxxxxxxxx"),
        ] {
            let problem = module_hex(signer, attributes, mask).unwrap_err();
            assert!(problem.contains("is not hex of the right length"), "{problem}");
        }
    }
}
