//! What TDX 1.5 adds to the report.

use super::report::Td15Ex;
use super::{TdReport, module, or_zeros};
use crate::inspect::page::Page;

pub(super) fn show(page: &mut Page, report: &TdReport) {
    let Some(td15) = &report.td15 else { return };
    page.section("QUOTE: TDX 1.5");
    page.field("TEE_TCB_SVN_2", hex::encode(td15.tee_tcb_svn2))
        .note(module::svn(&td15.tee_tcb_svn2))
        .note("The TDX module that runs now; TEE_TCB_SVN above is the one that launched the VM.");
    let zero = td15.mr_service_td == [0; 48];
    page.field("MRSERVICETD", or_zeros(&td15.mr_service_td)).note_if(
        zero,
        "No service TD is bound to the VM, as it must be.",
        "A service TD is bound to the VM and may access it.",
    );
    if let Some(extended) = &report.td15_ex {
        show_extended(page, extended);
    }
}

fn show_extended(page: &mut Page, extended: &Td15Ex) {
    page.field("VM index", extended.vm_id)
        .note("0 for a VM that is not divided into further ones.");
    page.field("TD id", hex::encode(extended.td_id))
        .note("A random name of this launch of the VM.");
    page.field("Device info", or_zeros(&extended.device_info))
        .note("A hash of the devices that are attached through TDX Connect.");
    for (name, value) in [
        ("Service TD at launch", &extended.init_service_td_hash[..]),
        ("its attributes", &extended.init_service_td_attributes[..]),
        ("Service TD now", &extended.current_service_td_hash[..]),
        ("its attributes", &extended.current_service_td_attributes[..]),
    ] {
        page.field(name, or_zeros(value));
        if value.iter().any(|byte| *byte != 0) {
            page.mark("A service TD is or was bound to the VM and may access it.");
        }
    }
    page.field("CPUSVN at launch", hex::encode(extended.init_cpu_svn));
    page.field("TEE_TCB_SVN at launch", hex::encode(extended.init_tee_tcb_svn));
    page.field("FMSPC at launch", or_zeros(&extended.init_tee_fmspc))
        .note("The platform on which the VM was launched. No check appraises these three.");
}
