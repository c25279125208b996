//! TCB info and QE identity: which security versions Intel rates how (Intel PCS API v4).

use dcap_qvl::intel::PckExtension;
use dcap_qvl::quote::Quote;
use dcap_qvl::{QeIdentity, TcbInfo};

use super::tcb_level;
use crate::inspect::opened::Opened;
use crate::inspect::page::{Page, count};

const EVALUATION: &str = "Intel counts its evaluations up. A higher number knows more vulnerabilities.";

pub(super) fn show(page: &mut Page, opened: &Opened<'_>, platform: Option<&PckExtension>, json: &str) {
    let info: TcbInfo = match serde_json::from_str(json) {
        Ok(info) => info,
        Err(error) => {
            page.field("TCB info", "cannot be read").mark(error.to_string());
            return;
        }
    };
    page.field("Kind", format!("{}, version {}", info.id, info.version))
        .note_or_mark(
            info.id != "TDX",
            "For TDX the kind is TDX; SGX has a set of its own.",
        );
    let fmspc = platform.map(|platform| hex::encode(platform.fmspc));
    page.field("FMSPC", info.fmspc.to_ascii_lowercase()).note_or_mark(
        fmspc
            .as_ref()
            .is_some_and(|fmspc| !fmspc.eq_ignore_ascii_case(&info.fmspc)),
        match fmspc {
            None => "The processor family that it is for.".to_owned(),
            Some(fmspc) if fmspc.eq_ignore_ascii_case(&info.fmspc) => {
                "The platform certificate's.".to_owned()
            }
            Some(fmspc) => format!("For another processor family than the platform certificate's, {fmspc}."),
        },
    );
    let pce_id = platform.map(|platform| hex::encode(&platform.pce_id));
    page.field("PCE id", &info.pce_id).note_or_mark(
        pce_id
            .as_ref()
            .is_some_and(|id| !id.eq_ignore_ascii_case(&info.pce_id)),
        match pce_id {
            None => "The provisioning enclave that it is for.".to_owned(),
            Some(id) if id.eq_ignore_ascii_case(&info.pce_id) => "The platform certificate's.".to_owned(),
            Some(id) => format!("For another provisioning enclave than the platform certificate's, {id}."),
        },
    );
    page.field("Evaluation number", info.tcb_evaluation_data_number)
        .note(EVALUATION);
    page.field("Issued", &info.issue_date);
    page.field("Next update", &info.next_update)
        .note("Until then it is valid.");
    page.field("Levels", info.tcb_levels.len()).note(
        "Combinations of security versions, best first. The first that the platform reaches is its own.",
    );
    match (platform, &opened.report) {
        (Some(platform), Some(report)) => tcb_level::show(page, &info, platform, report),
        _ => {
            page.field("Level of the platform", "cannot be told")
                .note("It needs the platform's certificate and the TD report.");
        }
    }
}

pub(super) fn show_qe_identity(page: &mut Page, opened: &Opened<'_>, json: &str) {
    let identity: QeIdentity = match serde_json::from_str(json) {
        Ok(identity) => identity,
        Err(error) => {
            page.field("QE identity", "cannot be read")
                .mark(error.to_string());
            return;
        }
    };
    page.field("Kind", format!("{}, version {}", identity.id, identity.version))
        .note_or_mark(
            identity.id != "TD_QE",
            "The enclave that signs quotes of TDX VMs is TD_QE.",
        );
    page.field("Evaluation number", identity.tcb_evaluation_data_number)
        .note(EVALUATION);
    page.field("Issued", &identity.issue_date);
    page.field("Next update", &identity.next_update)
        .note("Until then it is valid.");
    let quote = Quote::parse(opened.quote).ok();
    let report = quote
        .as_ref()
        .map_or(&[][..], |quote| quote.qe_report().as_slice());
    let same_signer = report.get(128..160) == Some(&identity.mrsigner[..]);
    page.field("MRSIGNER", hex::encode(identity.mrsigner)).note_if(
        same_signer,
        "Whose enclave it must be: the same as in the quote's QE report.",
        "Whose enclave it must be: not the one in the quote's QE report.",
    );
    page.field("Product", identity.isvprodid)
        .note(format!("With {}.", count(identity.tcb_levels.len(), "level")));
    let version = report
        .get(258..260)
        .and_then(|bytes| Some(u16::from_le_bytes(*bytes.first_chunk()?)));
    let level = version.and_then(|version| {
        identity
            .tcb_levels
            .iter()
            .find(|level| level.tcb.isvsvn <= version)
    });
    match level {
        Some(level) => tcb_level::show_rating(
            page,
            "Level of the enclave",
            level.tcb_status,
            &level.tcb_date,
            &level.advisory_ids,
        ),
        None => {
            page.field("Level of the enclave", "none").mark(
                "The quoting enclave is older than every version that Intel rates, or its report is missing.",
            );
        }
    }
}
