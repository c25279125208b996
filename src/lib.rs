//! cvm-verify proves that a confidential VM that answers at an address runs exactly the code that was
//! released, on genuine Intel TDX hardware, right now.
//!
//! [`cvm_verify_core`] decides: evidence and policy in, report out, without network and clock. This crate is the program around
//! it. What a Rust program uses of it:
//!
//! * [`engine`]: collects, verifies and appraises deployments;
//! * [`net`]: the HTTP client that the engine is given;
//! * [`source`]: where evidence comes from.
//!
//! The other public modules are for the program and its tests; [`collateral`] also has the type of a field of the engine's session. `docs/architecture.md` in the repository shows what each folder
//! holds, and which may import which.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

pub mod address;
pub mod alert;
mod alert_test;
mod artifacts;
mod attempts;
mod bounded_io;
pub mod cli;
pub mod collateral;
pub mod compare;
mod compose_document;
pub mod config;
pub mod deploy_plan;
mod diff;
pub mod engine;
mod env;
mod files;
mod git;
mod github_step;
pub mod image_source;
pub mod inspect;
mod inspect_run;
mod interrupt;
pub mod merge;
pub mod net;
mod pin;
mod plan;
mod recorded;
pub mod render;
mod run_alerts;
mod runtime;
pub mod source;
mod standard_output;
mod statement_check;
mod unknown_variables;
mod usage_error;
mod verify_run;
pub mod watch;
mod watchdog;
