//! cvm-verify as a library.

pub mod collateral;
pub mod net;
pub mod source;
