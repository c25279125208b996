//! The parts of `cvm-verify watch` that decide and say things: when a target is due, what its log lines and metrics are,
//! whether the loop does its work. Pure: the loop itself, with clock and network, is the command's.

mod beat;
mod board;
mod lap;
mod log;
mod metrics;

#[cfg(test)]
mod board_tests;

pub use beat::{Beat, Ended};
pub use board::{Board, Health, TargetStatus};
pub use lap::Lap;
pub use log::{Entry, Level, LogFormat};
pub use metrics::metrics;
