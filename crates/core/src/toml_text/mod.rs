//! TOML as text: how deep it nests, and values written so that TOML reads them back.

pub mod depth;
pub mod literal;
