//! Collateral: what Intel says about a platform – TCB info, the quoting enclave's identity, revocation lists – fetched
//! from Intel's Provisioning Certification Service (PCS) or from a PCCS, which is a cache of it.
//!
//! It never comes from the CVM (T25), its sources are ours or the user's `--pccs-url` and nothing in the environment
//! (T49), and URLs found inside certificates are not followed (T47). Nothing here is believed: Intel's signatures on the
//! documents are checked where the quote is verified.
//!
//! [`CollateralCache`] is between a caller and [`CollateralFetcher`]: one fetch for all targets of a platform, kept by the collateral's own
//! dates, on disk too ([`Disk`]).

mod answer;
mod cache;
mod disk;
mod early;
mod edition;
mod error;
mod fetch;
mod request;
mod sources;

#[cfg(test)]
#[path = "tests/fake.rs"]
pub mod fake;

pub use answer::AnswerError;
pub use cache::CollateralCache;
pub use disk::Disk;
pub use early::fetch_early;
pub use error::{CollateralError, FetchProblem, SourceFailure};
pub use fetch::{CollateralFetcher, Fetched};
pub use request::{CollateralRequest, PckCa};
pub use sources::{CollateralPart, Sources};
