//! The machine: its certificate chain and what Intel put into its certificate (Intel SGX PCK Certificate and Certificate
//! Revocation List Profile Specification).

mod certificate;
mod extension;

pub(super) use certificate::load_chain;

use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::intel::{PckExtension, extract_cert_chain, parse_pck_extension, parse_pck_extension_from_pem};
use dcap_qvl::quote::Quote;

use super::opened::Opened;
use super::page::Page;

/// Shows the chain of the quote, that of the collateral where it has one, and the platform's data.
pub(super) fn section(page: &mut Page, opened: &Opened<'_>, collateral: Option<&QuoteCollateralV3>) {
    page.section("PLATFORM CERTIFICATE");
    let own = chain_in(opened.quote);
    match &own {
        None => {
            page.field("Chain in the quote", "none").note(
                "The quote brings no certificate of the platform, or it cannot be read. The collateral must bring it.",
            );
        }
        Some(pem) => certificate::show_chain(page, "Chain in the quote", pem),
    }
    if let Some(pem) = collateral.and_then(|collateral| collateral.pck_certificate_chain.as_deref()) {
        if own.as_deref().and_then(load_chain) == load_chain(pem) {
            page.field("Chain in the collateral", "the same as in the quote");
        } else {
            certificate::show_chain(page, "Chain in the collateral", pem);
        }
        page.note(
            "If the quote brings a chain, its own is verified, and this one must have the same certificate.",
        );
    }
    match pck_extension(opened.quote, collateral) {
        None => {
            page.field("SGX extension", "cannot be read").mark(
                "The platform's certificate has no extension with its id and patch level, or there is none.",
            );
        }
        Some(platform) => extension::show(page, &platform),
    }
}

/// The chain of the quote, PEM. It often ends in a NUL byte.
pub(super) fn chain_in(quote: &[u8]) -> Option<String> {
    let quote = Quote::parse(quote).ok()?;
    Some(std::str::from_utf8(quote.raw_cert_chain().ok()?).ok()?.to_owned())
}

/// The platform's data: out of the quote's own chain if it brings one, as in verification.
pub(super) fn pck_extension(quote: &[u8], collateral: Option<&QuoteCollateralV3>) -> Option<PckExtension> {
    if chain_in(quote).is_some() {
        let chain = extract_cert_chain(&Quote::parse(quote).ok()?).ok()?;
        return parse_pck_extension(chain.first()?).ok();
    }
    let pem = collateral?.pck_certificate_chain.as_deref()?;
    parse_pck_extension_from_pem(pem.as_bytes()).ok()
}
