//! MRTD, which depends on the order in which the hypervisor adds the firmware's pages.

use super::registers::Digest384;

/// MRTD by the order in which the hypervisor adds the firmware's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mrtd {
    /// Each page is extended when it is added: QEMU 9 and later.
    pub single_pass: Digest384,
    /// All pages of a section are added, then extended: QEMU 8.
    pub two_pass: Digest384,
}

impl Mrtd {
    /// The order in which the pages of this MRTD were added.
    #[must_use]
    pub(crate) fn order_of(&self, mrtd: &Digest384) -> Option<PageOrder> {
        if *mrtd == self.single_pass {
            Some(PageOrder::SinglePass)
        } else if *mrtd == self.two_pass {
            Some(PageOrder::TwoPass)
        } else {
            None
        }
    }
}

/// The order in which the hypervisor adds the firmware's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageOrder {
    /// QEMU 9 and later.
    SinglePass,
    /// QEMU 8.
    TwoPass,
}
