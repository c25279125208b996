//! The quote: header, TD report, signature data (Intel TDX DCAP Quoting Library API, A.3 and A.4).

mod config_id;
mod header;
mod module;
mod registers;
mod report;
mod report_data;
mod service_td;
mod signature;
mod td_attributes;
mod xfam;

pub(super) use report::TdReport;

use super::opened::Opened;
use super::page::Page;

/// Shows the quote.
pub(super) fn section(page: &mut Page, opened: &Opened<'_>) {
    page.section("QUOTE");
    header::show(page, opened);
    match &opened.report {
        None => {
            page.field("TD report", "cannot be read").mark(
                "The bytes are not a TDX quote of version 4 or 5, or end inside its TD report. Nothing else of it is \
                 shown.",
            );
        }
        Some(report) => {
            page.section("QUOTE: TDX MODULE AND VM");
            module::show(page, report);
            td_attributes::show(page, &report.td_attributes);
            xfam::show(page, &report.xfam);
            page.section("QUOTE: MEASUREMENTS");
            registers::show(page, report);
            page.section("QUOTE: CHOSEN BY HOST AND APP");
            config_id::show(page, opened, report);
            owners(page, report);
            report_data::show(page, opened, report);
            service_td::show(page, report);
        }
    }
    page.section("QUOTE: SIGNATURE");
    signature::show(page, opened);
}

fn owners(page: &mut Page, report: &TdReport) {
    for (name, value) in [
        ("MROWNER", &report.mr_owner),
        ("MROWNERCONFIG", &report.mr_owner_config),
    ] {
        let zero = *value == [0; 48];
        page.field(name, or_zeros(value)).note_if(
            zero,
            "Free for the host to choose at launch; dstack leaves it zero.",
            "The host gave the VM an owner. dstack never does: ask the operator what it is for.",
        );
    }
}

/// Hex, or how many zeros.
fn or_zeros(bytes: &[u8]) -> String {
    if bytes.iter().all(|byte| *byte == 0) {
        format!("all {} bytes zero", bytes.len())
    } else {
        hex::encode(bytes)
    }
}
