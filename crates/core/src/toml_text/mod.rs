//! TOML as text: how deep it nests, values written so that TOML reads them back, and names that are nearly right.

pub mod depth;
pub mod literal;
mod nearest;

pub use nearest::nearest;
