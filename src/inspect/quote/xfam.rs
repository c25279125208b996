//! XFAM: the CPU features that the VM may use (Intel SDM, XCR0 and IA32_XSS; docs/threats.md, T22).

use crate::inspect::page::Page;

/// Bits that a TD may have.
const ALLOWED: u64 = 0x6_DBE7;

/// x87 and SSE, which every VM has.
const REQUIRED: u64 = 0x3;

const FEATURES: [(u32, &str); 20] = [
    (0, "x87"),
    (1, "SSE"),
    (2, "AVX"),
    (3, "MPX bounds registers"),
    (4, "MPX bounds configuration"),
    (5, "AVX-512 masks"),
    (6, "AVX-512 upper halves"),
    (7, "AVX-512 upper registers"),
    (8, "PT (processor trace)"),
    (9, "PKRU (protection keys)"),
    (10, "PASID"),
    (11, "CET user"),
    (12, "CET supervisor"),
    (13, "HDC"),
    (14, "UINTR (user interrupts)"),
    (15, "LBR (last branch records)"),
    (16, "HWP"),
    (17, "AMX configuration"),
    (18, "AMX tiles"),
    (19, "APX"),
];

pub(super) fn show(page: &mut Page, xfam: &[u8; 8]) {
    let bits = u64::from_le_bytes(*xfam);
    let names: Vec<String> = (0..64)
        .filter(|bit| bits >> bit & 1 == 1)
        .map(|bit| {
            FEATURES
                .iter()
                .find(|(known, _)| *known == bit)
                .map_or_else(|| format!("bit {bit}"), |(_, name)| (*name).to_owned())
        })
        .collect();
    page.field("XFAM", hex::encode(xfam))
        .note("CPU features with state of their own that the VM may use, 8 bytes, lowest first. Usual: e702060000000000, \
               or 0702000000000000 on older hosts.")
        .note(format!("Set: {}.", names.join(", ")));
    if bits & REQUIRED != REQUIRED {
        page.mark("x87 and SSE are not both set, as they are in every VM.");
    }
    if bits & !ALLOWED != 0 {
        page.mark(format!("No dstack guest uses the bits {:#x}.", bits & !ALLOWED));
    }
}
