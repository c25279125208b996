//! cvm-verify as a library.
