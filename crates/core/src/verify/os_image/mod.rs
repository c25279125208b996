//! Which OS image a quote's registers are: [`IdentifiedOs`] by a row of the reference values, [`DocumentedOs`] by the
//! measurement document of a published image.
//!
//! RTMR3 alone proves nothing about the OS: any image on genuine TDX can extend it with any event (T30). The
//! `os-image-hash` event is never consulted: it is the KMS's view. `vm_config` is the host's claim: of it, the measurement
//! document is read, which proves something only if the registers that follow from it are those of the quote.

mod firmware;
pub(crate) mod image_files;
mod kernel;
mod measurement_document;
mod registers;
mod shown_document;
mod td_hob;

use std::sync::Arc;

pub use image_files::{
    ImageError, ImageFiles, Initrd, KernelRegister, MAX_INITRD, MeasuredImage, name as image_file,
};
pub use measurement_document::{DocumentError, MeasurementDocument, Mrtd, PageOrder};
pub use registers::AcpiDigests;
pub(super) use shown_document::shown_document;
pub use shown_document::{DocumentedOs, ShownDocument};
pub use td_hob::MemoryError;

use super::VerifiedQuote;
use crate::reference::{OsImageRow, ReferenceValues};

/// An OS image whose MRTD, RTMR1 and RTMR2 are those of a row of the reference values. RTMR0 is not part of
/// it: see [`ReferenceValues::shape_of`].
#[derive(Debug, Clone)]
pub struct IdentifiedOs {
    row: Arc<OsImageRow>,
}

impl IdentifiedOs {
    /// Looks the registers of a verified quote up.
    #[must_use]
    pub fn of(quote: &VerifiedQuote, reference: &ReferenceValues) -> Option<Self> {
        let [_, rtmr1, rtmr2, _] = quote.rtmrs();
        let row = reference.image_of(quote.mrtd(), rtmr1, rtmr2)?;
        Some(Self { row: Arc::clone(row) })
    }

    /// The row.
    #[must_use]
    pub fn row(&self) -> &Arc<OsImageRow> {
        &self.row
    }
}
