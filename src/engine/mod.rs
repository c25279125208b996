//! Collects, verifies and appraises deployments: the entry for Rust programs. A target and a policy in, a report out.
//!
//! A [`Session`] holds what does not change from target to target: the HTTP client, the cache of collateral, the root
//! certificate, the clock. A [`Deployment`] is a name, a [`Source`](crate::source::Source) and a
//! [`Policy`](cvm_verify_core::Policy). [`verify`] takes both and gives a
//! [`TargetReport`](cvm_verify_core::TargetReport) for each deployment, or for each of its instances where it has several.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use cvm_verify::engine::{Deployment, Run, Session, verify};
//! use cvm_verify::net::{Client, Transport};
//! use cvm_verify_core::{Policy, Verdict};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let session = Arc::new(Session::new(Client::new(&Transport::default())?));
//! let app = Deployment::app("api", "https://api.example.com", Policy::default())?;
//! let show = |progress: cvm_verify::engine::Progress| eprintln!("{} of {}", progress.done, progress.total);
//! let reports = verify(&session, vec![app], &Run::default(), show, std::future::pending()).await?;
//! // The worst of no report at all is inconclusive.
//! assert_eq!(Verdict::worst(reports.iter().map(|report| report.verdict)), Verdict::Pass);
//! # Ok(())
//! # }
//! ```
//!
//! It needs a tokio runtime with time and I/O enabled. It prints nothing, reads no environment and no file but the cache that
//! the session was given, and ends when [`Run::deadline`] or the caller's `cancel` says so.
//!
//! A deployment that answers nothing, or nonsense, is not an error here: its report says why, and its verdict is inconclusive or
//! fail. [`Cancelled`] is the only error.

mod answer;
mod appraise;
mod attempt;
mod bundle;
mod clock;
mod collect;
mod collected;
mod computation;
mod contracts;
mod deployment;
mod describe;
mod instances;
mod jitter;
mod kms;
mod phala_hints;
mod recorded;
mod recorded_answers;
mod repeated;
mod run;
mod run_reports;
mod schedule;
mod second_verifiers;
mod session;
mod single;
mod statements;
mod tasks;
mod time;
mod tls;
mod tls_ask;
mod trust_roots;
mod verify;

pub use appraise::{Appraised, AppraisedInstance};
pub(crate) use bundle::raw_collateral;
pub use clock::{COMMIT_TIME, clock_floor, now};
pub use collect::collect;
pub use collected::{Collected, Collection};
pub(crate) use collected::{interrupted, is_interrupted};
pub use computation::Computation;
pub use contracts::{AskedContracts, ContractHints, ask as ask_contracts};
pub use deployment::{AddressError, AskedNodes, Deployment};
pub use describe::{Described, FurtherAnswers, FurtherQuestions, SeveralInstances, ask_further, describe};
pub(crate) use jitter::jitter;
pub use kms::{ask as ask_kms, asked_kms};
pub use phala_hints::PhalaHints;
pub use recorded::RecordedEvidence;
pub use recorded_answers::RecordedAnswers;
pub(crate) use run::run;
pub use run::{Cancelled, Progress, Run, verify};
pub use run_reports::{OrderedReports, RunReports};
pub(crate) use schedule::{RunSchedule, follow};
pub use second_verifiers::SecondVerifiers;
pub use session::Session;
pub use statements::{LookupLimits, StatementLookups};
pub use time::TimeLimits;
pub(crate) use time::milliseconds;
pub use trust_roots::TrustRoots;
