//! `cvm-verify watch`: the loop, and what it decides and says.
//!
//! When a target is due, what its log lines and metrics are, and whether the loop does its work is decided by pure functions.
//! `run` is the loop itself, with clock, network, files and signals.

mod beat;
mod board;
mod desk;
mod endpoint;
mod kept;
mod lap;
mod log;
mod log_writer;
mod metrics;
mod options;
mod pages;
mod policy_files;
mod rounds;
mod run;
mod signals;

#[cfg(test)]
mod board_tests;

pub use beat::{Beat, Ended};
pub use board::{Board, Health, TargetStatus};
pub use lap::Lap;
pub use log::{Entry, Level, LogFormat};
pub use metrics::metrics;
pub(crate) use options::{Options, WatchError};
pub(crate) use run::run;
