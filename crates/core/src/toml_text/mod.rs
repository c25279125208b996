//! TOML as text: how deep it nests, where in it something is, values written so that TOML reads them back, and names that are
//! nearly right.

pub mod depth;
mod keys;
pub mod literal;
mod nearest;
mod position;

pub use keys::KeyPositions;
pub use nearest::nearest;
pub use position::{LineIndex, Position};
