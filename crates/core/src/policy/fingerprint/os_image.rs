//! What is expected of an OS image.

use super::encoding::Encoding;
use crate::policy::os_image::{ImageRegisters, OsImagePolicy, PublishedImage};
use crate::policy::{KnownBy, VulnerableAcceptance};

impl Encoding {
    pub(super) fn os_image(&mut self, policy: &OsImagePolicy) {
        let (tuple, vulnerable, accepts_development) = match policy {
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
                vulnerable,
                known_by,
                accepts_development,
                lock: _,
            } => {
                let until = vulnerable.as_ref().map(|accepted| accepted.until.to_be_bytes());
                let until = until.as_ref().map_or(&[][..], |until| until);
                self.entry("os-image", [b"image", &mrtd[..], rtmr1, rtmr2, until]);
                self.known_by(known_by.as_ref());
                self.development(*accepts_development);
                return self.vulnerabilities(vulnerable.as_ref());
            }
            OsImagePolicy::Tuple(tuple) => (tuple, None, false),
            OsImagePolicy::Lock {
                tuple,
                vulnerable,
                known_by,
                acpi_change,
                accepts_development,
                lock: _,
            } => {
                self.known_by(known_by.as_ref());
                self.optional("os-image-acpi-change", acpi_change.as_ref());
                (tuple, vulnerable.as_ref(), *accepts_development)
            }
        };
        let registers = tuple.named().map(|(_, value)| value.as_slice());
        self.entry("os-image", registers);
        self.development(accepts_development);
        if let Some(accepted) = vulnerable {
            self.entry(
                "os-image-vulnerable-until",
                [accepted.until.to_be_bytes().as_slice()],
            );
            self.vulnerabilities(vulnerable);
        }
    }

    /// Where the lock has the image from: it says which version that is, where no row does.
    fn known_by(&mut self, known_by: Option<&KnownBy>) {
        self.optional("os-image-known-by", known_by.map(ToString::to_string));
    }

    /// That a development image is accepted.
    fn development(&mut self, is_accepted: bool) {
        if is_accepted {
            self.word("os-image-development", "accepted");
        }
    }

    /// Which vulnerabilities are accepted.
    fn vulnerabilities(&mut self, accepted: Option<&VulnerableAcceptance>) {
        if let Some(sentence) = accepted.and_then(|accepted| accepted.sentence.as_ref()) {
            self.entry("os-image-vulnerabilities", [sentence.as_bytes()]);
        }
    }
}
