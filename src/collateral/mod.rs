//! Intel's statements about platforms.

pub mod window;
