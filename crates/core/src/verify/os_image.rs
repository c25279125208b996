//! Which OS image a quote's registers are: [`IdentifiedOs`].
//!
//! RTMR3 alone proves nothing about the OS: any image on genuine TDX can extend it with any event (T30).
//! The JSON's `vm_config` and the `os-image-hash` event are never consulted: the first is the host's claim, the
//! second the KMS's view.

use std::sync::Arc;

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
