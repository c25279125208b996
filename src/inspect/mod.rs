//! The words of `cvm-verify inspect`: every field of the evidence, explained. No verdict.
//!
//! Nothing here is proven and nothing here decides: it is for people who want to see what a CVM says. A `!` in the
//! margin marks what is worth a second look; that it is missing means nothing.
//!
//! The module is pure. All that it prints goes through `page::Page`, which escapes and shortens it.

mod bundle;
mod chain;
mod collateral;
mod compose;
mod event_log;
mod gpu;
mod kms;
mod nras_claims;
mod opened;
mod page;
mod platform;
mod quote;
mod tls;
mod unsigned;

use dcap_qvl::QuoteCollateralV3;
use serde::Serialize;
use serde_json::{Map, Value};

use cvm_verify_core::evidence::{Bundle, Evidence, GpuEvidence, OpensUnproven};
use opened::Opened;
use page::Page;

/// The first line of every inspection.
const NOT_VERIFIED: &str =
    "Not verified: this is what the evidence claims. `cvm-verify verify` or `replay` proves it.";

/// What is inspected.
#[derive(Debug, Clone, Copy)]
pub struct Inspected<'a> {
    /// What the CVM supplied.
    pub evidence: &'a Evidence,
    /// Intel's statements about the platform, if there are any.
    pub collateral: Option<&'a QuoteCollateralV3>,
    /// The file that the evidence was recorded in, if it is a bundle.
    pub bundle: Option<&'a Bundle>,
    /// Whether the user trusts another root than Intel's.
    pub simulated: bool,
}

/// What the first line says if the user trusts another root than Intel's.
const SIMULATED: &str = "SIMULATED: not Intel's root, proves nothing about hardware";

/// The schema of [`inspect_json`].
pub const SCHEMA: &str = "cvm-verify/inspection/v1";

/// The capability to open unproven values, for showing them. It can be made in this module and below only.
struct Inspector(());

impl OpensUnproven for Inspector {}

/// Explains every field: plain text of several sections, wrapped at `width`, that ends in a line end.
///
/// Text out of the evidence is escaped for a terminal, and long values and lists are cut.
#[must_use]
pub fn inspect(input: &Inspected<'_>, width: usize) -> String {
    let text = page(input, width).finish();
    match input.simulated {
        true => format!("{SIMULATED}\n{text}"),
        false => text,
    }
}

/// The same for machines: one JSON document with a final line end. Values are whole.
#[must_use]
pub fn inspect_json(input: &Inspected<'_>) -> String {
    json(page(input, 0), NOT_VERIFIED, input.simulated)
}

/// Explains a compose document that no evidence stands beside, as [`inspect`] does.
#[must_use]
pub fn inspect_document(text: &str, width: usize) -> String {
    document_page(text, width).finish()
}

/// The same for machines, as [`inspect_json`] does.
#[must_use]
pub fn inspect_document_json(text: &str) -> String {
    json(document_page(text, 0), NOT_EVIDENCE, false)
}

/// The first line of the inspection of GPU evidence that stands beside no quote.
const GPU_ALONE: &str = "Not verified: this is what the file claims of GPUs. No command verifies it by itself: the nonce and the VM that it is of \
                         are in an evidence bundle, which `cvm-verify verify URL --gpu required --evidence FILE` writes.";

/// A file about GPUs that stands beside no quote.
#[derive(Debug)]
pub enum GpuFile<'a> {
    /// Reports of GPUs and switches, or the record of a boot.
    Evidence(Box<GpuEvidence>),
    /// The answer of NVIDIA's remote attestation service, or one of its tokens.
    Tokens(&'a str),
}

impl<'a> GpuFile<'a> {
    /// Recognises it.
    #[must_use]
    pub fn of(file: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(file).ok()?.trim_ascii();
        // Of a body with a quote, the quote is what cannot be read.
        let has_quote = serde_json::from_str::<Map<String, Value>>(text).is_ok_and(|members| {
            members
                .keys()
                .any(|name| name.contains("quote") || name == "attestation")
        });
        if !has_quote
            && text.starts_with(['{', '['])
            && let Ok(evidence) = GpuEvidence::parse(text.as_bytes())
            && !evidence.is_empty()
        {
            return Some(Self::Evidence(Box::new(evidence)));
        }
        gpu::is_answer(text).then_some(Self::Tokens(text))
    }

    fn page(&self, width: usize) -> Page {
        let mut page = Page::new(GPU_ALONE, MARKS, width);
        match self {
            Self::Evidence(evidence) => gpu::alone(&mut page, evidence, &Inspector(())),
            Self::Tokens(text) => gpu::tokens_alone(&mut page, text),
        }
        page
    }
}

/// Explains a file about GPUs that stands beside no quote, as [`inspect`] does.
#[must_use]
pub fn inspect_gpu(file: &GpuFile<'_>, width: usize) -> String {
    file.page(width).finish()
}

/// The same for machines, as [`inspect_json`] does.
#[must_use]
pub fn inspect_gpu_json(file: &GpuFile<'_>) -> String {
    json(file.page(0), GPU_ALONE, false)
}

fn json(page: Page, note: &'static str, simulated: bool) -> String {
    #[derive(Serialize)]
    struct InspectJson {
        schema: &'static str,
        note: &'static str,
        simulated: bool,
        sections: Vec<page::Section>,
    }
    crate::render::safe_json(&InspectJson {
        schema: SCHEMA,
        note,
        simulated,
        sections: page.into_sections(),
    })
}

/// Whether bytes that came without JSON around them can be a quote: any other bytes have no fields to explain.
#[must_use]
pub fn begins_like_quote(evidence: &Evidence) -> bool {
    matches!(Opened::new(evidence, &Inspector(())).quote, [3..=5, 0, ..])
}

/// The first line of the inspection of a compose document.
const NOT_EVIDENCE: &str =
    "Not verified: this is what the document says. `cvm-verify verify` proves whether a VM runs it.";

/// The second line of every inspection.
const MARKS: &str =
    "A `!` in the margin marks values that you should check. A value without a mark is not proven either.";

fn document_page(text: &str, width: usize) -> Page {
    let mut page = Page::new(NOT_EVIDENCE, MARKS, width);
    compose::document(&mut page, text);
    page
}

fn page(input: &Inspected<'_>, width: usize) -> Page {
    let opened = Opened::new(input.evidence, &Inspector(()));
    let mut page = Page::new(NOT_VERIFIED, MARKS, width);
    if let Some(bundle) = input.bundle {
        bundle::section(&mut page, bundle);
        tls::section(&mut page, bundle, &opened);
    }
    quote::section(&mut page, &opened);
    platform::section(&mut page, &opened, input.collateral);
    if let Some(collateral) = input.collateral {
        collateral::section(&mut page, &opened, collateral);
    }
    event_log::section(&mut page, &opened);
    compose::section(&mut page, &opened);
    gpu::section(&mut page, &opened, input.bundle);
    unsigned::section(&mut page, &opened);
    if let Some(bundle) = input.bundle {
        kms::section(&mut page, &bundle.kms);
    }
    if let Some(chain) = input.bundle.and_then(|bundle| bundle.chain.as_ref()) {
        chain::section(&mut page, chain);
    }
    if let Some(text) = opened.compose {
        compose::texts(&mut page, text);
    }
    page
}

#[cfg(test)]
mod tests;
