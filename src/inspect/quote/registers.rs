//! MRTD and RTMR0–3: what was measured.

use super::TdReport;
use crate::inspect::page::Page;
use cvm_verify_core::reference::{OsClass, OsImageRow, ReferenceValues};

pub(super) fn show(page: &mut Page, report: &TdReport) {
    page.field("MRTD", hex::encode(report.mr_td)).note(
        "The VM's memory at launch: the virtual firmware. It is the same for all VMs of one firmware build and one \
         QEMU generation.",
    );
    let [rtmr0, rtmr1, rtmr2, rtmr3] = &report.rtmr;
    register(
        page,
        "RTMR0",
        rtmr0,
        "Firmware configuration, VM shape (CPUs, memory) and the ACPI tables that the host supplies. It changes with the \
         size of the VM.",
    );
    let reference = ReferenceValues::built_in();
    match reference.shape_of(rtmr0) {
        Some(shape) => page.note(format!("A listed value: {shape}.")),
        None => page.note(
            "Not one of the few listed values, which is common: there is one for every combination of CPUs, memory and \
             GPUs.",
        ),
    };
    register(
        page,
        "RTMR1",
        rtmr1,
        "The kernel. On QEMU up to 10.1 it is the same for all VMs of an OS image with 2 GiB, or with 2816 MiB or more; on QEMU \
         10.2 and later, and for the kernels of dstack 0.5.13, 0.6.0 and later, for all VMs.",
    );
    register(
        page,
        "RTMR2",
        rtmr2,
        "The kernel's command line and the initial file system, and through them the root file system.",
    );
    match (
        reference.image_of(&report.mr_td, rtmr1, rtmr2),
        reference.image_but_for_rtmr1(&report.mr_td, rtmr2),
    ) {
        (Some(row), _) => os_image(page, row, reference),
        (None, Some(row)) => {
            page.note(format!(
                "MRTD and RTMR2 are those of {}, RTMR1 is not. QEMU 10.2 and later leave another kernel header, and the table \
                 of {} does not have both values.",
                row.name,
                reference.updated()
            ));
        }
        (None, None) => {
            page.note(format!(
                "MRTD, RTMR1 and RTMR2 are those of no OS image in the table of {}.",
                reference.updated()
            ));
            if let Some(nearest) = reference.nearest_image(&report.mr_td, rtmr1, rtmr2) {
                page.note(format!("{nearest}."));
            }
        }
    }
    register(
        page,
        "RTMR3",
        rtmr3,
        "What the OS and then the app recorded: app id, compose hash, instance id, key provider. The event log below \
         explains it; it differs between instances.",
    );
}

/// The row of the table, and what to think of it.
fn os_image(page: &mut Page, row: &OsImageRow, reference: &ReferenceValues) {
    page.note(format!("MRTD, RTMR1 and RTMR2 are those of {}.", row.name));
    match row.class {
        OsClass::Production if row.is_third_party() => {
            page.mark(format!(
                "Its registers are known from one capture of a third party: {}.",
                row.source
            ));
        }
        OsClass::Production => {}
        OsClass::Prerelease => {
            page.mark("A release candidate.");
        }
        OsClass::Development => {
            page.mark("A development image: it allows root login and has a serial console.");
        }
        OsClass::Observed => {
            page.mark("It was seen in captures only, under no official name.");
        }
    }
    let advisories = reference.advisories_of(row.version.as_ref());
    for advisory in &advisories {
        page.mark(format!(
            "{}: {}. Gain: {}.",
            advisory.id, advisory.what, advisory.gain
        ));
    }
    if let (false, Some(fixed)) = (
        advisories.is_empty(),
        reference.lowest_fixed(row.version.as_ref()),
    ) {
        page.note(format!(
            "The lowest version without a listed vulnerability: {fixed}."
        ));
    }
}

fn register(page: &mut Page, name: &str, value: &[u8; 48], meaning: &str) {
    page.field(name, hex::encode(value)).note(meaning);
    if *value == [0; 48] {
        page.mark("It is zero: nothing was ever recorded in it. No dstack guest leaves it so.");
    }
}
