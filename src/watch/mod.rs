//! The parts of `cvm-verify watch` that decide and say things: when each target is due, what its log lines and metrics
//! are, whether the loop is healthy. Pure: the loop itself, with clock and network, is the command's.

mod board;
mod interval;
mod log;
mod metrics;
mod schedule;

#[cfg(test)]
mod board_tests;

pub use board::{Board, Health, TargetStatus};
pub use interval::{Interval, IntervalError};
pub use log::{Entry, LogFormat};
pub use metrics::metrics;
pub use schedule::Schedule;
