//! `cvm-verify watch`: the schedule that the loop of `engine` follows, and what is decided and said of the results.
//!
//! When a target is due, what its log lines and metrics are, and whether the loop does its work is decided by pure functions.
//! `run` connects them with clock, network, files and signals.

mod alert_queue;
mod channel_group;
mod endpoint;
mod evidence_archive;
mod heartbeat_cycle;
mod log;
mod log_writer;
mod metrics;
mod options;
mod pages;
mod policy_files;
mod run;
mod signals;
mod target_schedule;
mod timetable;
mod watch_status;

#[cfg(test)]
mod watch_status_tests;

pub use heartbeat_cycle::HeartbeatCycle;
pub use log::{LogEntry, LogFormat, LogLevel};
pub use metrics::metrics;
pub(crate) use options::Options;
pub(crate) use run::run;
pub use target_schedule::{Ended, TargetSchedule};
pub use watch_status::{Health, TargetStatus, WatchStatus};
