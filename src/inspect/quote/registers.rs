//! MRTD and RTMR0–3: what was measured.

use super::TdReport;
use crate::inspect::page::Page;
use crate::prove::{OsClass, OsImageRow, listed_rtmr0, row_of};

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
    match listed_rtmr0(rtmr0) {
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
        "The kernel. The same for all VMs of an OS image with 2816 MiB of memory or more.",
    );
    register(
        page,
        "RTMR2",
        rtmr2,
        "The kernel's command line and the initial file system, and through them the root file system.",
    );
    register(
        page,
        "RTMR3",
        rtmr3,
        "What the OS and then the app recorded: app id, compose hash, instance id, key provider. The event log below \
         explains it; it differs between instances.",
    );
    match row_of(&report.mr_td, rtmr1, rtmr2) {
        Some(row) => os_image(page, row),
        None => {
            page.note("MRTD, RTMR1 and RTMR2 are those of no OS image in the built-in table.");
        }
    }
}

/// The row of the built-in table, and what to think of it.
fn os_image(page: &mut Page, row: &OsImageRow) {
    page.note(format!("MRTD, RTMR1 and RTMR2 are those of {}.", row.name));
    match row.class {
        OsClass::Production if row.vulnerabilities.is_empty() => {}
        OsClass::Production => {
            page.mark(format!(
                "It has a published vulnerability: {}.",
                row.vulnerabilities.join(", ")
            ));
        }
        OsClass::Development => {
            page.mark("A development image: it allows root login and has a serial console.");
        }
        OsClass::Observed => {
            page.mark("It was seen in captures only, under no official name.");
        }
    }
}

fn register(page: &mut Page, name: &str, value: &[u8; 48], meaning: &str) {
    page.field(name, hex::encode(value)).note(meaning);
    if *value == [0; 48] {
        page.mark("It is zero: nothing was ever recorded in it. No dstack guest leaves it so.");
    }
}
