//! TDATTRIBUTES, bit by bit (Intel TDX module ABI, document 348551).

use crate::inspect::page::Page;

/// Which bits are set in every dstack guest: SEPT_VE_DISABLE alone.
const USUAL: u64 = 1 << 28;

/// A bit, its name, whether it lets someone look in or reach in, and what it does.
const BITS: [(u32, &str, bool, &str); 13] = [
    (0, "DEBUG", true, "the host can read and change the VM's memory"),
    (
        4,
        "HGS_PLUS_PROF",
        true,
        "the host can profile the VM's execution",
    ),
    (
        5,
        "PERF_PROF",
        true,
        "the host can profile the VM with performance counters",
    ),
    (
        6,
        "PMT_PROF",
        true,
        "the host can profile the VM with platform telemetry",
    ),
    (
        16,
        "ICSSD",
        false,
        "defence against single-stepping by counting instructions",
    ),
    (
        17,
        "SERVTD_EXT",
        true,
        "service TDs, which may reach into the VM, are described by an extended structure",
    ),
    (
        27,
        "LASS",
        false,
        "the guest may separate kernel and user addresses in hardware",
    ),
    (
        28,
        "SEPT_VE_DISABLE",
        false,
        "the host cannot inject a fault by taking memory away; must be set",
    ),
    (
        29,
        "MIGRATABLE",
        true,
        "the VM's memory can be moved to another machine",
    ),
    (
        30,
        "PKS",
        false,
        "the guest may use protection keys for kernel pages",
    ),
    (31, "KL", false, "the guest may use Key Locker"),
    (62, "TPA", false, "the VM is a provisioning agent of TDX Connect"),
    (63, "PERFMON", false, "the guest may use performance counters"),
];

/// Bits without a meaning, which must be zero: 1–3, 7–15, 23–26, 32–61.
const RESERVED: u64 = 0x3fff_ffff_0780_ff8e;

pub(super) fn show(page: &mut Page, attributes: &[u8; 8]) {
    let bits = u64::from_le_bytes(*attributes);
    page.field("TDATTRIBUTES", hex::encode(attributes));
    if bits == USUAL {
        page.note("How the VM was launched, 8 bytes, lowest first. Exactly what every dstack guest has:");
    } else {
        page.mark(
            "How the VM was launched, 8 bytes, lowest first. Every dstack guest has 0000001000000000; this one has other \
             bits:",
        );
    }
    for (bit, name, dangerous, meaning) in BITS.iter().filter(|(bit, ..)| bits >> bit & 1 == 1) {
        let danger = if *dangerous { " DANGEROUS," } else { "" };
        page.note_or_mark(*dangerous, format!("bit {bit} {name}:{danger} {meaning}."));
    }
    for bit in (0..64).filter(|bit| bits >> bit & 1 == 1) {
        if RESERVED >> bit & 1 == 1 {
            page.mark(format!("bit {bit}: DANGEROUS, reserved: must be zero."));
        } else if !BITS.iter().any(|(known, ..)| *known == bit) {
            page.mark(format!(
                "bit {bit}: defined since TDX 1.5; no dstack guest sets it."
            ));
        }
    }
    if bits & USUAL == 0 {
        page.mark("bit 28 SEPT_VE_DISABLE is not set: DANGEROUS, the host can inject faults into the guest.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bits: u64) -> String {
        let mut page = Page::new("", "", 110);
        show(&mut page, &bits.to_le_bytes());
        page.finish()
    }

    #[test]
    fn reserved_and_named_bits_do_not_overlap() {
        for (bit, name, ..) in BITS {
            assert_eq!(RESERVED >> bit & 1, 0, "{name}");
        }
        let reserved = (1..=3).chain(7..=15).chain(23..=26).chain(32..=61);
        assert_eq!(RESERVED, reserved.map(|bit: u32| 1u64 << bit).sum::<u64>());
    }

    #[test]
    fn only_the_usual_value_is_unmarked_and_each_other_bit_is_named() {
        assert!(!text(USUAL).contains('!'));
        for bit in (0..64).filter(|bit| *bit != 28) {
            let text = text(USUAL | 1 << bit);
            assert!(
                text.contains("\n!") && text.contains(&format!("bit {bit}")),
                "{text}"
            );
        }
        assert!(text(0).contains("SEPT_VE_DISABLE is not set"));
    }
}
