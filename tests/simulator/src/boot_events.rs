//! Events of RTMR0 to RTMR2, shaped as dstack's OVMF and kernel emit them: 13, 5 and 2 of them.

use sha2::{Digest as _, Sha256, Sha384};

use crate::{event_log::Event, image_files::ImageFiles, lite::LiteMeasurement, td_hob};

const EV_SEPARATOR: u32 = 0x4;
const EV_EVENT_TAG: u32 = 0x6;
const EV_PLATFORM_CONFIG_FLAGS: u32 = 0xa;
const EV_EFI_VARIABLE_DRIVER_CONFIG: u32 = 0x8000_0001;
const EV_EFI_VARIABLE_BOOT: u32 = 0x8000_0002;
const EV_EFI_BOOT_SERVICES_APPLICATION: u32 = 0x8000_0003;
const EV_EFI_ACTION: u32 = 0x8000_0007;
const EV_EFI_PLATFORM_FIRMWARE_BLOB2: u32 = 0x8000_000a;
const EV_EFI_HANDOFF_TABLES2: u32 = 0x8000_000b;

/// 8BE4DF61-93CA-11D2-AA0D-00E098032B8C
const EFI_GLOBAL: [u8; 16] = [
    0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c,
];
/// D719B2CB-3D3A-4596-A3BC-DAD00E67656F
const SECURITY_DATABASE: [u8; 16] = [
    0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f,
];
/// Digest of the configuration volume of every dstack OVMF so far (spec §5.6).
const CFV: [u8; 48] = digest(
    b"344bc51c980ba621aaa00da3ed7436f7d6e549197dfe699515dfa2c6583d95e6412af21c097d473155875ffd561d6790",
);
/// Digest of the variable Boot0000 of every dstack OVMF so far (spec §5.6).
const BOOT_0000: [u8; 48] = digest(
    b"23ada07f5261f12f34a0bd8e46760962d6b4d576a416f1fea1c64bc656b1d28eacf7047ae6e967c58fd2a98bfa74c298",
);

/// What the machine boots, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootMaterial {
    /// Name of the OS image; MRTD, RTMR1 and RTMR2 follow from it.
    pub os_image: String,
    /// An image that has files; they follow from them instead.
    pub files: Option<ImageFiles>,
    /// Bytes of memory; RTMR0 follows from it.
    pub memory_size: u64,
    /// The rest of the VM's shape; RTMR0 follows from it.
    pub hardware: String,
    /// What the host supplies as ACPI tables; moves RTMR0 alone.
    pub acpi_tables: String,
    /// Whether vm_config carries the `lite` measurement material; os_image_hash is then that of its checksum file.
    pub lite: bool,
    /// Lines appended to the checksum file of the `lite` variant.
    pub appended_manifest_lines: String,
}

impl BootMaterial {
    /// MRTD of the image's files, or a made-up one.
    pub fn mr_td(&self) -> [u8; 48] {
        match &self.files {
            Some(files) => files.mr_td(),
            None => synthetic(&["mrtd", &self.os_image]),
        }
    }

    /// os_image_hash, the SHA-256 of a checksum file.
    pub fn os_image_hash(&self) -> [u8; 32] {
        if self.lite {
            return Sha256::digest(LiteMeasurement::of(self).checksum_file).into();
        }
        match &self.files {
            Some(files) => files.os_image_hash(),
            None => Sha256::digest(format!("sha256sum.txt of {}", self.os_image)).into(),
        }
    }

    /// The digest of a part of the image's files, or a made-up one.
    pub(crate) fn image_digest(&self, part: &str) -> [u8; 48] {
        let measured = self.files.as_ref().and_then(|files| files.digest(part));
        measured.unwrap_or_else(|| synthetic(&[part, &self.os_image]))
    }

    /// The events in CCEL order: IMR 1 entries stand among those of IMR 0.
    ///
    /// `label_acpi`: guests from 0.6 name the three ACPI entries.
    pub fn events(&self, label_acpi: bool) -> Vec<Event> {
        let variable = |guid, name: &str| {
            let record = variable_record(guid, name, &[]);
            Event::boot(
                0,
                EV_EFI_VARIABLE_DRIVER_CONFIG,
                Sha384::digest(&record).into(),
                &record,
            )
        };
        let boot_variable = |name: &str, digest, data: &[u8]| {
            let record = variable_record(&EFI_GLOBAL, name, data);
            Event::boot(0, EV_EFI_VARIABLE_BOOT, digest, &record)
        };
        let acpi = |name: &str| {
            let digest = synthetic(&[name, &self.hardware, &self.acpi_tables]);
            let mut event = Event::boot(0, EV_PLATFORM_CONFIG_FLAGS, digest, b"ACPI DATA");
            if label_acpi {
                event.event = name.to_owned();
            }
            event
        };
        // The digest of these is the digest of what they say, on every machine.
        let literal = |imr, event_type, payload: &[u8]| {
            Event::boot(imr, event_type, Sha384::digest(payload).into(), payload)
        };
        let image = |part| self.image_digest(part);

        vec![
            Event::boot(
                0,
                EV_EFI_HANDOFF_TABLES2,
                td_hob::digest(self.memory_size),
                b"\x09TdxTable\0",
            ),
            Event::boot(
                0,
                EV_EFI_PLATFORM_FIRMWARE_BLOB2,
                CFV,
                b")Fv(XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX)",
            ),
            variable(&EFI_GLOBAL, "SecureBoot"),
            variable(&EFI_GLOBAL, "PK"),
            variable(&EFI_GLOBAL, "KEK"),
            variable(&SECURITY_DATABASE, "db"),
            variable(&SECURITY_DATABASE, "dbx"),
            literal(0, EV_SEPARATOR, &[0; 4]),
            acpi("acpi-loader"),
            acpi("acpi-rsdp"),
            acpi("acpi-tables"),
            Event::boot(
                1,
                EV_EFI_BOOT_SERVICES_APPLICATION,
                image("kernel"),
                &[0x18, 0xe0, 0xfd, 0x7a],
            ),
            boot_variable("BootOrder", Sha384::digest([0, 0]).into(), &[0, 0]),
            boot_variable("Boot0000", BOOT_0000, b"UiApp"),
            literal(1, EV_EFI_ACTION, b"Calling EFI Application from Boot Option"),
            literal(1, EV_SEPARATOR, &[0; 4]),
            Event::boot(
                2,
                EV_EVENT_TAG,
                image("cmdline"),
                b"\xed\x22\x3b\x8f\x1a\0\0\0LOADED_IMAGE::LoadOptions\0",
            ),
            Event::boot(
                2,
                EV_EVENT_TAG,
                image("initrd"),
                b"\xec\x22\x3b\x8f\x0d\0\0\0Linux initrd\0",
            ),
            literal(1, EV_EFI_ACTION, b"Exit Boot Services Invocation"),
            literal(1, EV_EFI_ACTION, b"Exit Boot Services Returned with Success"),
        ]
    }
}

/// UEFI_VARIABLE_DATA: GUID, lengths, the name in UTF-16, the data.
fn variable_record(guid: &[u8; 16], name: &str, data: &[u8]) -> Vec<u8> {
    let mut record = guid.to_vec();
    record.extend((name.len() as u64).to_le_bytes());
    record.extend((data.len() as u64).to_le_bytes());
    record.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
    record.extend(data);
    record
}

/// 96 lower-case hex digits as bytes.
const fn digest(hex: &[u8; 96]) -> [u8; 48] {
    const fn value(digit: u8) -> u8 {
        if digit <= b'9' {
            digit - b'0'
        } else {
            digit - b'a' + 10
        }
    }
    let mut out = [0; 48];
    let mut i = 0;
    while i < 48 {
        out[i] = value(hex[2 * i]) << 4 | value(hex[2 * i + 1]);
        i += 1;
    }
    out
}

/// A digest that no real machine has.
fn synthetic(parts: &[&str]) -> [u8; 48] {
    Sha384::digest(format!("simulated {}", parts.join("\0"))).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digests that every recorded log has (spec §5.6, point 9).
    #[test]
    fn the_fixed_events_have_their_real_digests() {
        let record = |guid, name| hex::encode(Sha384::digest(variable_record(guid, name, &[])));
        assert!(record(&EFI_GLOBAL, "SecureBoot").starts_with("9dc3a1f8"));
        assert!(record(&EFI_GLOBAL, "PK").starts_with("6f2e3cbc"));
        assert!(record(&EFI_GLOBAL, "KEK").starts_with("d607c0ef"));
        assert!(record(&SECURITY_DATABASE, "db").starts_with("08a74f89"));
        assert!(record(&SECURITY_DATABASE, "dbx").starts_with("18cc6e01"));
        assert!(hex::encode(Sha384::digest([0; 4])).starts_with("394341b7"));
        assert!(hex::encode(Sha384::digest([0; 2])).starts_with("1dd6f7b4"));
        assert_eq!((CFV[0], CFV[47], BOOT_0000[0]), (0x34, 0x90, 0x23));
    }
}
