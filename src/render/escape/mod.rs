//! Which characters of a stranger's text may reach which output.
//!
//! Details, names and addresses in a report may hold text that a CVM chose. Each format has a rule of its own, and
//! each rule is one file here.

mod terminal;
mod visible;

pub(super) use terminal::opens_command;
pub use terminal::terminal;
pub(super) use visible::is_plain;
pub use visible::shorten;
