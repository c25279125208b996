//! Which characters of an untrusted party's text may reach which output.
//!
//! Details, names and addresses in a report may hold text that a CVM chose. Each format has a rule of its own, and
//! each rule is one file here.

mod markdown;
mod terminal;
mod visible;
mod workflow;
mod xml;

pub use markdown::{code, command, markdown, prose};
pub(super) use terminal::opens_command;
pub use terminal::{terminal, terminal_lines};
pub(crate) use visible::is_plain;
pub use visible::shorten;
pub use workflow::{workflow_data, workflow_property};
pub use xml::xml;
