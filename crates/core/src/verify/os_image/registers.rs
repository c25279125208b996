//! RTMR0, RTMR1 and RTMR2 of a dstack guest from what is measured into them (dstack, `dstack-mr/src`).
//!
//! A register starts as 48 zero bytes; each event extends it: `register = SHA-384(register ‖ digest)`.

use crate::verify::digest::{extend, sha384};

/// A SHA-384 digest, 48 bytes.
pub type Digest384 = [u8; 48];

/// The digests of the ACPI loader, RSDP and tables, in the order of the event log. The host supplies these tables: the
/// digests are as good as their source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcpiDigests(pub [Digest384; 3]);

/// `Boot0000` of dstack's OVMF: digest of its load option (dstack 0.6, `dstack-mr/src`).
const BOOT_0000: Digest384 = hex_48(
    b"23ada07f5261f12f34a0bd8e46760962d6b4d576a416f1fea1c64bc656b1d28eacf7047ae6e967c58fd2a98bfa74c298",
);
/// The configuration volume of dstack's OVMF `pre202505` (dstack 0.6, `dstack-mr/src`).
pub(crate) const CONFIGURATION_VOLUME: Digest384 = hex_48(
    b"344bc51c980ba621aaa00da3ed7436f7d6e549197dfe699515dfa2c6583d95e6412af21c097d473155875ffd561d6790",
);

/// GUID 8BE4DF61-93CA-11D2-AA0D-00E098032B8C (EFI global variable), in the byte order of the UEFI specification.
const GLOBAL_VARIABLE: [u8; 16] = [
    0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c,
];
/// GUID D719B2CB-3D3A-4596-A3BC-DAD00E67656F (image security database), in the byte order of the UEFI specification.
const SECURITY_DATABASE: [u8; 16] = [
    0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f,
];
/// The variables of Secure Boot, all empty in a dstack guest, in the order in which OVMF measures them.
const SECURE_BOOT_VARIABLES: [(&[u8; 16], &str); 5] = [
    (&GLOBAL_VARIABLE, "SecureBoot"),
    (&GLOBAL_VARIABLE, "PK"),
    (&GLOBAL_VARIABLE, "KEK"),
    (&SECURITY_DATABASE, "db"),
    (&SECURITY_DATABASE, "dbx"),
];

/// RTMR0: firmware configuration, memory layout and ACPI tables of a VM.
#[must_use]
pub fn rtmr0(td_hob: &Digest384, configuration_volume: &Digest384, acpi: &AcpiDigests) -> Digest384 {
    let variables = SECURE_BOOT_VARIABLES.map(|(guid, name)| empty_variable(guid, name));
    let AcpiDigests([loader, rsdp, tables]) = acpi;
    let separator = sha384(&[0; 4]);
    let boot_order = sha384(&[0; 2]);
    replay(
        [td_hob, configuration_volume]
            .into_iter()
            .chain(&variables)
            .chain([&separator, loader, rsdp, tables, &boot_order, &BOOT_0000]),
    )
}

/// RTMR1: the kernel, by the digest that the firmware takes of it (PE Authenticode, SHA-384).
#[must_use]
pub fn rtmr1(kernel: &Digest384) -> Digest384 {
    let separator = sha384(&[0; 4]);
    let said = [
        "Calling EFI Application from Boot Option",
        "Exit Boot Services Invocation",
        "Exit Boot Services Returned with Success",
    ]
    .map(|text| sha384(text.as_bytes()));
    let [calling, invocation, success] = &said;
    replay([kernel, calling, &separator, invocation, success])
}

/// RTMR2: kernel command line and initrd, by their digests.
#[must_use]
pub fn rtmr2(command_line: &Digest384, initrd: &Digest384) -> Digest384 {
    replay([command_line, initrd])
}

/// The digest that the kernel's EFI stub takes of its command line: UTF-16LE with a terminating zero. `command_line` is the
/// one of the image's metadata; QEMU adds ` initrd=initrd`.
#[must_use]
pub fn command_line_digest(command_line: &str) -> Digest384 {
    let mut bytes = utf16(command_line);
    bytes.extend(utf16(" initrd=initrd"));
    bytes.extend([0, 0]);
    sha384(&bytes)
}

/// The record that OVMF measures of a variable without a value: GUID, name length, data length, name.
fn empty_variable(guid: &[u8; 16], name: &str) -> Digest384 {
    let mut record = guid.to_vec();
    record.extend((name.encode_utf16().count() as u64).to_le_bytes());
    record.extend(0_u64.to_le_bytes());
    record.extend(utf16(name));
    sha384(&record)
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn replay<'a>(digests: impl IntoIterator<Item = &'a Digest384>) -> Digest384 {
    digests
        .into_iter()
        .fold([0; 48], |register, digest| extend(&register, digest))
}

/// 48 bytes of 96 lower-case hex digits, when the program is compiled.
#[expect(
    clippy::panic,
    reason = "evaluated by the compiler, which refuses another digit"
)]
const fn hex_48(digits: &[u8; 96]) -> Digest384 {
    const fn value(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("a lower-case hex digit is expected"),
        }
    }
    let mut bytes = [0; 48];
    let mut at = 0;
    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated by the compiler, which refuses an index that is out of range"
    )]
    while at < 48 {
        bytes[at] = value(digits[2 * at]) << 4 | value(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beginnings of the digests that real event logs show (dstack 0.6, `dstack-mr/src`).
    #[test]
    fn the_fixed_digests_are_those_of_real_event_logs() {
        let begins = |digest: Digest384, hex: &str| assert!(hex::encode(digest).starts_with(hex), "{hex}");
        let expected = ["9dc3a1f8", "6f2e3cbc", "d607c0ef", "08a74f89", "18cc6e01"];
        for ((guid, name), expected) in SECURE_BOOT_VARIABLES.into_iter().zip(expected) {
            begins(empty_variable(guid, name), expected);
        }
        begins(sha384(&[0; 4]), "394341b7");
        begins(sha384(&[0; 2]), "1dd6f7b4");
    }
}
