//! The conformance corpus as data: read ([`corpus`]), made into evidence bundles ([`make`]), run against a verifier
//! ([`run`]). `docs/conformance.md` says what a case may hold.

#![allow(clippy::print_stdout, reason = "what differs is printed")]

pub mod case;
pub mod chain;
pub mod corpus;
pub mod edit;
pub mod gpu;
pub mod kms;
pub mod make;
pub mod policy;
pub mod provenance;
pub mod questions;
pub mod recipe;
pub mod run;
pub mod tls;
pub mod values;
