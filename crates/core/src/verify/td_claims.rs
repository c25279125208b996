//! What is proven of one TD, as far as a binding looks at it.

use super::{BootClaims, VerifiedQuote};

/// What is proven of the TD that made some evidence.
#[derive(Clone, Copy)]
pub(super) struct TdClaims<'a> {
    /// Its quote, if that is proven.
    pub quote: Option<&'a VerifiedQuote>,
    /// What it booted, if that is proven.
    pub boot: Option<&'a BootClaims>,
    /// The nonce that the evidence was asked for with.
    pub nonce: Option<&'a [u8; 32]>,
    /// Whether the report data beside the quote is another than the one inside it.
    pub echo_differs: bool,
    /// Whether its quote, its event log or its boot was refused: convicted, and not only undetermined.
    pub is_refused: bool,
}
