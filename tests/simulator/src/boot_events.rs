//! Events of RTMR0 to RTMR2, shaped as dstack's OVMF and kernel emit them: 13, 5 and 2 of them.

use sha2::{Digest as _, Sha384};

use crate::event_log::Event;

const EV_SEPARATOR: u32 = 0x4;
const EV_EVENT_TAG: u32 = 0x6;
const EV_PLATFORM_CONFIG_FLAGS: u32 = 0xa;
const EV_EFI_VARIABLE_DRIVER_CONFIG: u32 = 0x8000_0001;
const EV_EFI_VARIABLE_BOOT: u32 = 0x8000_0002;
const EV_EFI_BOOT_SERVICES_APPLICATION: u32 = 0x8000_0003;
const EV_EFI_ACTION: u32 = 0x8000_0007;
const EV_EFI_PLATFORM_FIRMWARE_BLOB2: u32 = 0x8000_000a;
const EV_EFI_HANDOFF_TABLES2: u32 = 0x8000_000b;

/// What the machine boots, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootMaterial {
    /// Name of the OS image; MRTD, RTMR1 and RTMR2 follow from it.
    pub os_image: String,
    /// The VM's shape; RTMR0 follows from it and from the image.
    pub hardware: String,
    /// What the host supplies as ACPI tables; moves RTMR0 alone.
    pub acpi_tables: String,
}

impl BootMaterial {
    /// A made-up MRTD of the image.
    pub fn mr_td(&self) -> [u8; 48] {
        synthetic(&["mrtd", &self.os_image])
    }

    /// A made-up os_image_hash, the SHA-256 of a checksum file.
    pub fn os_image_hash(&self) -> [u8; 32] {
        sha2::Sha256::digest(format!("sha256sum.txt of {}", self.os_image)).into()
    }

    /// The events in CCEL order: IMR 1 entries stand among those of IMR 0.
    ///
    /// `label_acpi`: guests from 0.6 name the three ACPI entries.
    pub fn events(&self, label_acpi: bool) -> Vec<Event> {
        let variable = |name: &str| {
            let payload = [&[0x61, 0xdf, 0xe4, 0x8b][..], name.as_bytes()].concat();
            Event::boot(
                0,
                EV_EFI_VARIABLE_DRIVER_CONFIG,
                synthetic(&["variable", name]),
                &payload,
            )
        };
        let boot_variable = |name: &str| {
            Event::boot(
                0,
                EV_EFI_VARIABLE_BOOT,
                synthetic(&["boot variable", name]),
                name.as_bytes(),
            )
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
        let image = |part: &str| synthetic(&[part, &self.os_image]);

        vec![
            Event::boot(
                0,
                EV_EFI_HANDOFF_TABLES2,
                synthetic(&["td hob", &self.hardware]),
                b"\x09TdxTable\0",
            ),
            Event::boot(
                0,
                EV_EFI_PLATFORM_FIRMWARE_BLOB2,
                image("cfv"),
                b")Fv(XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX)",
            ),
            variable("SecureBoot"),
            variable("PK"),
            variable("KEK"),
            variable("db"),
            variable("dbx"),
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
            boot_variable("BootOrder"),
            boot_variable("Boot0000"),
            literal(
                1,
                EV_EFI_ACTION,
                b"Calling EFI Application from Boot Option",
            ),
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
            literal(
                1,
                EV_EFI_ACTION,
                b"Exit Boot Services Returned with Success",
            ),
        ]
    }
}

/// A digest that no real machine has.
fn synthetic(parts: &[&str]) -> [u8; 48] {
    Sha384::digest(format!("simulated {}", parts.join("\0"))).into()
}
