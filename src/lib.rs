//! cvm-verify proves that a confidential VM that answers at an address runs exactly the code that was
//! released, on genuine Intel TDX hardware, right now.
//!
//! [`cvm_verify_core`] decides: evidence and policy in, report out, without network and clock. The modules here collect the
//! evidence and show the result; a lower one never imports a higher one:
//!
//! 1. [`net`]: the HTTP client;
//! 2. [`collateral`], [`source`]: where Intel's statements and evidence come from; [`config`]: the policy file; [`compare`]: what
//!    changed between two deployments;
//! 3. [`render`][]: words; [`merge`]: several reports as one; [`inspect`]: every field of evidence, explained;
//! 4. [`alert`]: messages to people and services;
//! 5. [`engine`]: collects, verifies and appraises deployments, the entry for Rust programs;
//! 6. `plan`: what a run verifies; [`watch`]: the monitoring loop;
//! 7. [`cli`][]: arguments, files and exit codes.
//!
//! `docs/architecture.md` in the repository shows all floors.

pub mod address;
pub mod alert;
mod artifacts;
mod attempts;
mod bounded_io;
pub mod cli;
pub mod collateral;
pub mod compare;
pub mod config;
pub mod deploy_plan;
mod diff;
pub mod engine;
mod env;
mod files;
mod git;
pub mod image_source;
pub mod inspect;
mod interrupt;
pub mod merge;
pub mod net;
mod pin;
mod plan;
mod recorded;
pub mod render;
mod runtime;
pub mod source;
mod statement_check;
mod unknown_variables;
mod usage_error;
mod verify_run;
pub mod watch;
mod watchdog;
