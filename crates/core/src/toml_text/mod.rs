//! The one reader of the TOML files that people write, and the writing of values so that TOML reads them back.
//!
//! `read` bounds a file's bytes and depth before it is parsed, gives its tables with the position of each key, and collects
//! every mistake: of the file, of each broken line and of each value, with the known name that a mistyped one is near to.

mod depth;
mod keys;
pub mod literal;
mod mistake;
mod nearest;
mod position;
mod problem;
mod read;
mod table;

pub use depth::MAX_DEPTH;
pub(crate) use keys::KeyPositions;
pub use mistake::{FileMistake, FoundMistakes, Mistake, Mistakes};
pub use nearest::nearest;
pub use position::{LineIndex, Position};
pub use problem::{TomlProblem, UnknownKey};
pub use read::read;
pub use table::{TomlEntry, TomlFile, TomlTable};
