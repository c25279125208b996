//! Words for people, and the versioned JSON. Each format is one pure function from a report to text; nothing here
//! prints.
//!
//! A report holds text that a CVM chose. Every format passes it through its own rule in [`escape`].

pub(crate) mod cause;
mod docs;
pub mod escape;
mod explain;
mod json;
mod measured;
mod page;
mod table;
mod text;
mod words;

#[cfg(test)]
mod generated;
#[cfg(test)]
mod samples;

pub use docs::{check_index_markdown, check_page_markdown};
pub use explain::{explain, explain_list};
pub use json::json;
pub use text::{Style, text};
