//! The synthetic OS image in `fixtures/os-image`, as a VM boots it. What its files are measured as is computed by the script that
//! makes them, not by the verifier.

use serde_json::Value;

const EXPECTED: &str = include_str!("../../../fixtures/os-image/expected.json");
const METADATA: &str = include_str!("../../../fixtures/os-image/metadata.json");
/// The image's checksum file.
pub const CHECKSUM_FILE: &str = include_str!("../../../fixtures/os-image/sha256sum.txt");

/// Which QEMU runs the VM: it decides MRTD, and RTMR1 of a kernel whose header is not normalized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qemu {
    /// Adds the firmware's pages in two passes, and edits the kernel's header.
    V8,
    /// Adds them in a single pass, and edits the header.
    V9,
    /// Leaves the header as it is in the file.
    V10_2,
}

/// What the parts of the image are measured as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFiles {
    /// Which QEMU runs the VM.
    pub qemu: Qemu,
}

impl ImageFiles {
    /// The hash of the image: SHA-256 of its checksum file.
    pub fn os_image_hash(&self) -> [u8; 32] {
        bytes(&expected()["os_image_hash"])
    }

    /// MRTD of a VM.
    pub fn mr_td(&self) -> [u8; 48] {
        let order = match self.qemu {
            Qemu::V8 => "two_pass",
            Qemu::V9 | Qemu::V10_2 => "single_pass",
        };
        bytes(&expected()["mrtd"][order])
    }

    /// The digest of a part, by the names of [`crate::boot_events::BootMaterial`].
    pub(crate) fn digest(&self, part: &str) -> Option<[u8; 48]> {
        let expected = expected();
        Some(bytes(match (part, self.qemu) {
            ("cmdline", _) => &expected["events"]["command_line"],
            ("kernel", Qemu::V10_2) | ("kernel file", _) => &expected["events"]["kernel_plain"],
            ("kernel", Qemu::V8 | Qemu::V9) => &expected["events"]["kernel_patched"],
            ("initrd", _) => &expected["events"]["initrd"],
            ("mrtd single pass", _) => &expected["mrtd"]["single_pass"],
            ("mrtd two pass", _) => &expected["mrtd"]["two_pass"],
            _ => return None,
        }))
    }

    /// The kernel's command line, without what QEMU adds.
    pub(crate) fn command_line(&self) -> String {
        let metadata: Value = serde_json::from_str(METADATA).unwrap_or_default();
        metadata["cmdline"].as_str().unwrap_or_default().to_owned()
    }
}

fn expected() -> Value {
    serde_json::from_str(EXPECTED).unwrap_or_default()
}

fn bytes<const N: usize>(hex: &Value) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(hex.as_str().unwrap_or_default(), &mut bytes)
        .expect("the fixture has hex of this length");
    bytes
}
