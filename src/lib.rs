//! cvm-verify as a library.

pub mod net;
