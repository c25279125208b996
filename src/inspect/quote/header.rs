//! The header: what kind of quote it is.

use crate::inspect::opened::Opened;
use crate::inspect::page::Page;
use cvm_verify_core::verify::little_endian::{u16_at, u32_at};

/// Intel's quoting enclave (Intel TDX DCAP Quoting Library API, A.3).
const INTEL_QE_VENDOR: &str = "939a7233f79c4ca9940a0db3957f0607";

pub(super) fn show(page: &mut Page, opened: &Opened<'_>) {
    let quote = opened.quote;
    page.field("Size", format!("{} bytes", quote.len()))
        .note(sizes(opened));
    let Some(version) = opened.extents.version else {
        return;
    };
    page.field("Version", version).note_or_mark(
        !matches!(version, 4 | 5),
        match version {
            3 => "The format of SGX enclaves. A TDX VM has 4 or 5.",
            4 => "The usual format of TDX quotes.",
            5 => "The newer format, which also holds the fields of TDX 1.5.",
            _ => "Unknown: TDX quotes have version 4 or 5.",
        },
    );
    if let Some(key_type) = u16_at(quote, 2) {
        page.field(
            "Key type",
            match key_type {
                2 => "2, ECDSA on P-256".to_owned(),
                3 => "3, ECDSA on P-384".to_owned(),
                other => other.to_string(),
            },
        )
        .note_or_mark(
            key_type != 2,
            "The kind of key that signed the quote. Intel's quoting enclave uses 2.",
        );
    }
    if let Some(tee_type) = u32_at(quote, 4) {
        page.field("TEE type", format!("{tee_type:#010x}")).note_or_mark(
            tee_type != 0x81,
            match tee_type {
                0x81 => "Intel TDX: a confidential VM.",
                0 => "Intel SGX: an enclave, not a confidential VM.",
                _ => "Neither SGX (0) nor TDX (0x81).",
            },
        );
    }
    body_type(page, opened);
    if let (Some(first), Some(second)) = (u16_at(quote, 8), u16_at(quote, 10)) {
        page.field("QE and PCE SVN", format!("{first}, {second}")).note(
            "Reserved in TDX quotes and zero. The versions that count are in the certificate and in the QE report.",
        );
    }
    if let Some(vendor) = quote.get(12..28) {
        let vendor = hex::encode(vendor);
        let intel = vendor == INTEL_QE_VENDOR;
        page.field("QE vendor", &vendor).note_if(
            intel,
            "Intel's quoting enclave, the program on the host that signs quotes.",
            "Not Intel's quoting enclave.",
        );
    }
    if let Some(user_data) = quote.get(28..48) {
        page.field("User data", hex::encode(user_data)).note(
            "16 bytes that name the quoting enclave's installation, then usually four zeros. Guests up to dstack 0.5.5 \
             show its SHA-256 as their device id.",
        );
    }
}

fn body_type(page: &mut Page, opened: &Opened<'_>) {
    let Some((kind, size)) = opened.extents.named_body else {
        return;
    };
    let name = match kind {
        1 => "an SGX enclave's report",
        2 => "a TDX 1.0 report",
        3 => "a TDX 1.5 report",
        4 => "an extended TDX 1.5 report",
        _ => "unknown",
    };
    page.field("Body type", format!("{kind}, {name}, {size} bytes"))
        .note_or_mark(
            opened.extents.body.is_none(),
            "Kind and size of the signed report. Sizes are 584 for TDX 1.0, 648 for 1.5, 885 for extended 1.5.",
        );
}

fn sizes(opened: &Opened<'_>) -> String {
    let Some((body, length)) = opened.extents.body else {
        return "Real TDX quotes have 5,006 to 8,000 bytes.".to_owned();
    };
    let mut text = format!(
        "{} of header and TD report, which the attestation key signs",
        body + length
    );
    if let Some((start, length)) = opened.extents.signature {
        text.push_str(&format!(", {length} of signature data"));
        let trailing = opened.quote.len().saturating_sub(start.saturating_add(length));
        text.push_str(&format!(", {trailing} that follow"));
    }
    text.push('.');
    text
}
