//! What a bundle says of itself.

use cvm_verify_core::evidence::Bundle;
use cvm_verify_core::report::rfc3339;

use super::page::Page;

/// Shows when and where the evidence was recorded.
pub(super) fn section(page: &mut Page, bundle: &Bundle) {
    page.section("BUNDLE");
    page.field("Captured at", rfc3339(bundle.captured_at))
        .note("A bundle is not signed: the author of the file can write anything here.");
    page.field(
        "Source",
        match &bundle.source.url {
            Some(url) => format!("{} {url}", bundle.source.kind),
            None => bundle.source.kind.clone(),
        },
    );
    if let Some(source) = &bundle.collateral_source {
        page.field("Collateral from", source);
    }
    if let Some(fetched_at) = bundle.collateral_fetched_at {
        page.field("Fetched at", rfc3339(fetched_at));
    }
}
