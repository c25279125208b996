//! The collateral: what Intel says about the platform. Its signatures are not checked here.

mod revocation;
mod tcb_info;
mod tcb_level;

use dcap_qvl::QuoteCollateralV3;

use super::opened::Opened;
use super::page::Page;
use super::platform;
use cvm_verify_core::report::rfc3339;
use cvm_verify_core::verify::validity::Windows;

/// Parts with dates that are shown. Real sets have about ten.
const MAX_PARTS: usize = 24;

/// Shows the collateral and how it rates the platform.
pub(super) fn section(page: &mut Page, opened: &Opened<'_>, collateral: &QuoteCollateralV3) {
    let platform = platform::pck_extension(opened.quote, Some(collateral));
    page.section("COLLATERAL: TCB INFO");
    tcb_info::show(page, opened, platform.as_ref(), &collateral.tcb_info);
    page.section("COLLATERAL: QUOTING ENCLAVE");
    tcb_info::show_qe_identity(page, opened, &collateral.qe_identity);
    page.section("COLLATERAL: REVOCATION LISTS");
    revocation::show(page, opened, collateral);
    page.section("COLLATERAL: WHEN IT IS VALID");
    windows(page, opened, collateral);
}

fn windows(page: &mut Page, opened: &Opened<'_>, collateral: &QuoteCollateralV3) {
    let own_chain = platform::chain_in(opened.quote);
    let windows = match Windows::read(collateral, own_chain.as_deref()) {
        Ok(windows) => windows,
        Err(error) => {
            page.field("Dates", "cannot be read").mark(error.to_string());
            return;
        }
    };
    for part in windows.parts().iter().take(MAX_PARTS) {
        page.field(
            part.what,
            format!("{} to {}", rfc3339(part.not_before), rfc3339(part.not_after)),
        );
    }
    page.more(windows.parts().len().saturating_sub(MAX_PARTS));
    if let (Some(start), Some(end)) = (windows.latest_start(), windows.earliest_end()) {
        let empty = start.not_before > end.not_after;
        page.field(
            "All together",
            format!("{} to {}", rfc3339(start.not_before), rfc3339(end.not_after)),
        )
        .note_if(!empty, "When every part is valid. After it, a quote needs newer collateral; `replay --at` verifies inside it.", "There is no time at which every part is valid.");
    }
}
