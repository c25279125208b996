//! Which OS image a quote's registers are: [`IdentifiedOs`] by a row of the reference values, [`DocumentedOs`] by the
//! measurement document of a published image.
//!
//! RTMR3 alone proves nothing about the OS: any image on genuine TDX can extend it with any event (T30). The
//! `os-image-hash` event is never consulted: it is the KMS's view. `vm_config` is the host's claim: of it, the measurement
//! document is read, which proves something only if the registers that follow from it are those of the quote.

mod document_error;
mod firmware;
mod image_files;
mod kernel;
mod measurement_document;
mod measurement_fields;
mod mrtd;
mod registers;
mod shown_document;
mod td_hob;

use std::sync::Arc;

pub use image_files::{KernelRegister, MeasuredImage};
pub use mrtd::Mrtd;
pub(super) use shown_document::shown_document;
pub use shown_document::{DocumentedOs, ShownDocument};

// For the program.
#[doc(hidden)]
pub use self::{
    document_error::DocumentError,
    image_files::{ImageError, ImageFiles, Initrd, MAX_INITRD, limit as image_limit, name as image_file},
    measurement_document::MeasurementDocument,
    registers::AcpiDigests,
};

use super::VerifiedQuote;
use crate::reference::{OsClass, OsImageRow, ReferenceValues};

/// An OS image of the reference values, whose MRTD, RTMR1 and RTMR2 are those of a verified quote. RTMR0 is not part of
/// it: see [`ReferenceValues::shape_of`].
#[derive(Debug, Clone)]
pub struct IdentifiedOs {
    row: Arc<OsImageRow>,
    by: IdentifiedBy,
}

/// What says that registers are those of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentifiedBy {
    /// The registers of the row.
    Registers,
    /// The measurement document that the guest shows: it is bound to the hash of the row, and reproduces the registers.
    Document,
}

impl IdentifiedOs {
    /// Looks the registers of a verified quote up. The document that the guest shows is asked only where they do not decide.
    #[must_use]
    pub(super) fn of(
        quote: &VerifiedQuote,
        document: &ShownDocument,
        reference: &ReferenceValues,
    ) -> Option<Self> {
        let [_, rtmr1, rtmr2, _] = quote.rtmrs();
        let by_registers = reference.image_of(quote.mrtd(), rtmr1, rtmr2).map(|row| Self {
            row: Arc::clone(row),
            by: IdentifiedBy::Registers,
        });
        let by_document = || match document {
            ShownDocument::Reproduces(os) => Some(Self {
                row: Arc::clone(reference.image_by_hash(os.os_image_hash())?),
                by: IdentifiedBy::Document,
            }),
            _ => None,
        };
        match by_registers {
            Some(os) if os.is_decided() => Some(os),
            other => by_document().or(other),
        }
    }

    /// Whether the registers say by themselves whether the image may be accepted.
    #[must_use]
    pub(crate) fn is_decided(&self) -> bool {
        match self.row.class {
            OsClass::Production => !self.row.is_third_party(),
            OsClass::Development => true,
            OsClass::Prerelease | OsClass::Observed => false,
        }
    }

    /// What says that the registers are those of the row.
    #[must_use]
    pub const fn by(&self) -> IdentifiedBy {
        self.by
    }

    /// Whether all that says so are registers that somebody else read.
    #[must_use]
    pub fn is_third_party(&self) -> bool {
        self.by == IdentifiedBy::Registers && self.row.is_third_party()
    }

    /// The row.
    #[must_use]
    pub fn row(&self) -> &Arc<OsImageRow> {
        &self.row
    }
}
