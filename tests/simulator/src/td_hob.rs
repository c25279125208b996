//! The TD hand-off block that the firmware measures first into RTMR0: a function of memory size and firmware layout.

use sha2::{Digest as _, Sha384};

/// The layout of OVMF "pre202505" (spec §5.6): LEB128 base page, HOB page, count, then start and length in pages.
pub const TD_HOB_WITNESS: [u8; 12] = [
    0x80, 0x10, 0x09, 0x04, 0x00, 0x06, 0x09, 0x02, 0x0b, 0x02, 0x10, 0x10,
];

const PAGE: u64 = 4096;
const BASE: u64 = 0x800 * PAGE;
const HOB: u64 = BASE + 9 * PAGE;
/// Ranges that the VMM has accepted: the same layout as the witness, start and length in bytes.
const ACCEPTED: [(u64, u64); 4] = [
    (BASE, 6 * PAGE),
    (BASE + 9 * PAGE, 2 * PAGE),
    (BASE + 11 * PAGE, 2 * PAGE),
    (BASE + 16 * PAGE, 16 * PAGE),
];
const LOWMEM_END: u64 = 0x8000_0000;
const HIGH_MEMORY: u64 = 0x1_0000_0000;
/// From this size on QEMU splits memory around the PCI hole.
const SPLIT_FROM: u64 = 0xb000_0000;

/// SHA-384 of the hand-off block for `memory_size` bytes: the digest of the first event.
pub(crate) fn digest(memory_size: u64) -> [u8; 48] {
    let mut resources = vec![];
    let mut at = 0;
    for (start, length) in ACCEPTED {
        if at < start {
            resources.push(resource(7, at, start - at));
        }
        resources.push(resource(0, start, length));
        at = start + length;
    }
    if memory_size >= SPLIT_FROM {
        resources.push(resource(7, at, LOWMEM_END - at));
        resources.push(resource(7, HIGH_MEMORY, memory_size - LOWMEM_END));
    } else {
        resources.push(resource(7, at, memory_size.saturating_sub(at)));
    }
    let resources = resources.concat();
    let total = 56 + resources.len() as u64;

    let mut phit = vec![1, 0, 56, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    phit.extend([0; 32]);
    phit.extend((HOB + total + 8).to_le_bytes());
    Sha384::new()
        .chain_update(phit)
        .chain_update(resources)
        .finalize()
        .into()
}

/// A resource descriptor; type 0 is accepted memory, 7 unaccepted.
fn resource(kind: u32, start: u64, length: u64) -> Vec<u8> {
    let mut out = vec![3, 0, 48, 0, 0, 0, 0, 0];
    out.extend([0; 16]);
    out.extend(kind.to_le_bytes());
    out.extend(7u32.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend(length.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_machine_with_2_gib_measures_the_same() {
        assert_eq!(
            hex::encode(digest(2 << 30)),
            "0b8772e5b0b41b83e6044a68397e02f49fb47066b4fbe4917ea2c45c64f323fdacbb37948f821ebaf8bc9c938ba8a749"
        );
    }
}
