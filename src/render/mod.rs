//! Words for people, and the versioned JSON. Each format is one pure function from a report to text; nothing here
//! prints.
//!
//! A report holds text that a CVM chose. Every format passes it through its own rule in [`escape`].

mod cause;
pub mod escape;
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

pub use json::json;
pub use text::{Style, text};
