//! Telling people: what happened, whether to tell, and one file for each channel on one transport.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod cause;
mod event;
mod message;
#[cfg(test)]
mod samples;
mod visible;

pub use event::{Event, occasion};
pub use message::{Context, FailedCheck, Message};
