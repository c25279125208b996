//! Names of event types (TCG PC Client Platform Firmware Profile).

/// A type's name.
pub(super) fn name(event_type: u32) -> String {
    let known = match event_type {
        0x01 => "EV_POST_CODE",
        0x03 => "EV_NO_ACTION",
        0x04 => "EV_SEPARATOR",
        0x05 => "EV_ACTION",
        0x06 => "EV_EVENT_TAG",
        0x07 => "EV_S_CRTM_CONTENTS",
        0x08 => "EV_S_CRTM_VERSION",
        0x09 => "EV_CPU_MICROCODE",
        0x0a => "EV_PLATFORM_CONFIG_FLAGS",
        0x0d => "EV_IPL",
        0x8000_0001 => "EV_EFI_VARIABLE_DRIVER_CONFIG",
        0x8000_0002 => "EV_EFI_VARIABLE_BOOT",
        0x8000_0003 => "EV_EFI_BOOT_SERVICES_APPLICATION",
        0x8000_0006 => "EV_EFI_GPT_EVENT",
        0x8000_0007 => "EV_EFI_ACTION",
        0x8000_0008 => "EV_EFI_PLATFORM_FIRMWARE_BLOB",
        0x8000_000a => "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
        0x8000_000b => "EV_EFI_HANDOFF_TABLES2",
        0x8000_00e0 => "EV_EFI_VARIABLE_AUTHORITY",
        other => return format!("type {other:#010x}"),
    };
    known.to_owned()
}

/// What events of the type record in a dstack guest.
pub(super) const fn meaning(event_type: u32) -> Option<&'static str> {
    Some(match event_type {
        0x04 => "A boundary between two stages of the boot.",
        0x06 => "A named part of the kernel's start: command line or initial file system.",
        0x0a => "One of the three ACPI blobs of the host: loader, RSDP, tables.",
        0x8000_0001 => "A Secure Boot variable.",
        0x8000_0002 => "A boot option.",
        0x8000_0003 => "The kernel image.",
        0x8000_0007 => "A step of the firmware.",
        0x8000_000a => "The firmware's configuration volume.",
        0x8000_000b => "The TD HOB: the memory layout that the host gives the firmware.",
        _ => return None,
    })
}
