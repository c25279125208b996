//! What is expected of an OS image.

use super::encoding::Encoding;
use crate::policy::os_image::{ImageRegisters, OsImagePolicy, PublishedImage};

impl Encoding {
    pub(super) fn os_image(&mut self, policy: &OsImagePolicy) {
        let (tuple, until) = match policy {
            OsImagePolicy::Known => return,
            OsImagePolicy::Unchecked => return self.word("os-image", "unchecked"),
            OsImagePolicy::Published(PublishedImage {
                os_image_hash,
                row: _,
                is_by_name: _,
                vulnerable_until,
                files: _,
            }) => {
                let until = vulnerable_until.map(u64::to_be_bytes);
                let until = until.as_ref().map_or(&[][..], |until| until);
                return self.entry("os-image", [b"published", &os_image_hash[..], until]);
            }
            OsImagePolicy::LockedImage {
                registers: ImageRegisters { mrtd, rtmr1, rtmr2 },
                vulnerable_until,
                known_by: _,
                lock: _,
            } => {
                let until = vulnerable_until.map(u64::to_be_bytes);
                let until = until.as_ref().map_or(&[][..], |until| until);
                return self.entry("os-image", [b"image", &mrtd[..], rtmr1, rtmr2, until]);
            }
            OsImagePolicy::Tuple(tuple) => (tuple, None),
            OsImagePolicy::Lock {
                tuple,
                vulnerable_until,
                known_by: _,
                acpi_change: _,
                lock: _,
            } => (tuple, *vulnerable_until),
        };
        let registers = tuple.named().map(|(_, value)| value.as_slice());
        self.entry("os-image", registers);
        if let Some(until) = until {
            self.entry("os-image-vulnerable-until", [until.to_be_bytes().as_slice()]);
        }
    }
}
