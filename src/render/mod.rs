//! Words for people. Each format is one pure function from a report to text; nothing here
//! prints.
//!
//! A report holds text that a CVM chose. Every format passes it through its own rule in [`escape`].

mod cause;
pub mod escape;
mod measured;
mod page;
mod table;
mod text;
mod words;

#[cfg(test)]
mod samples;

pub use text::{Style, text};
