//! Verifies evidence of confidential VMs (dstack on Intel TDX) and appraises it by a policy.
//!
//! A deployment supplies a quote, an event log and a compose document. This crate decides whether they are authentic
//! ([`verify`](mod@verify)), whether they are what you expect ([`appraise()`]), and says why ([`report`]). It is a pure
//! function of its arguments: it opens no connection, and reads no clock, no environment and no file. Time, nonce, collateral
//! and policy are arguments, so recorded evidence gives the same result in a year. One exception: the library for Sigstore reads this
//! machine's clock, too, so on a machine whose clock runs behind a statement about an image may be not determined.
//!
//! ```
//! use cvm_verify_core::{
//!     Evidence, Inputs, Policy, SignatureCache, Subject, TargetReport, TrustRoot, appraise, parse_collateral, prove,
//! };
//!
//! /// Appraises what a CVM answered to a nonce of 32 random bytes, as of when it was recorded, in Unix seconds.
//! fn report(
//!     attestation: &[u8],
//!     info: &[u8],
//!     collateral: &[u8],
//!     nonce: [u8; 32],
//!     root: &TrustRoot,
//!     policy: &Policy,
//!     recorded_at: u64,
//! ) -> Result<TargetReport, Box<dyn std::error::Error>> {
//!     let evidence = Evidence::parse(attestation, Some(info), None, Some(nonce))?;
//!     let collateral = parse_collateral(collateral)?;
//!     let claims = prove(&evidence, &Inputs {
//!         collateral: Ok(&collateral),
//!         // Of live evidence: when the collateral was fetched, so that one that is kept for too long is refused.
//!         collateral_fetched_at: None,
//!         signatures: &SignatureCache::default(),
//!         root,
//!         at: recorded_at,
//!         // Of live evidence: when the program was built, so that a clock which was set back is noticed.
//!         clock_floor: 0,
//!     });
//!     let subject = Subject {
//!         name: "api".to_owned(),
//!         url: None,
//!         root: root.clone(),
//!         at: recorded_at,
//!         bundle: None,
//!     };
//!     Ok(appraise(Ok(&claims), policy, &subject))
//! }
//!
//! # use cvm_verify_core::{Bundle, CheckId, OsImagePolicy, Status};
//! # let bundle = Bundle::parse(include_bytes!("../../../fixtures/simulated/healthy.evidence.json")).unwrap();
//! # let text = |value: &serde_json::value::RawValue| value.get().as_bytes().to_vec();
//! # let root = TrustRoot::custom(include_bytes!("../../../fixtures/simulated/root.pem")).unwrap();
//! # let (attestation, info) = (text(&bundle.attestation), text(bundle.info.as_deref().unwrap()));
//! # let collateral = text(bundle.collateral.as_deref().unwrap());
//! // A simulated CVM: its OS image is not a released one. For real hardware the root is `TrustRoot::Intel`.
//! let policy = Policy { os_image: OsImagePolicy::Unchecked, ..Policy::default() };
//! let report = report(&attestation, &info, &collateral, bundle.nonce.unwrap(), &root, &policy, bundle.captured_at).unwrap();
//! let quote = report.checks.iter().find(|check| check.id == CheckId::QuoteSignature).unwrap();
//! assert_eq!(quote.status, Status::Pass);
//! ```
//!
//! # What each type proves
//!
//! Bytes from outside become facts only by passing a proof, and the type changes there. Only this crate makes the types of
//! the right column.
//!
//! | given | and | proves |
//! |---|---|---|
//! | quote bytes | Intel's collateral, a [`TrustRoot`], a time | [`VerifiedQuote`]: the signature chain, its dates, no revocation, the TD attributes' form |
//! | an event log | a [`VerifiedQuote`] | [`MeasuredLog`]: replayed, with digests recomputed from name and payload, it gives RTMR3 of the quote; and RTMR0–2, if it has their digests |
//! | a [`MeasuredLog`] | | [`BootClaims`]: what the measured OS recorded before the app could write events |
//! | the compose document's text | [`BootClaims`] | [`MeasuredCompose`]: its SHA-256 is the measured compose hash |
//! | MRTD, RTMR1, RTMR2 | [`ReferenceValues`] | [`IdentifiedOs`]: they are those of one row, or follow from the measurement document that the row's hash names. RTMR0 is not part of it |
//!
//! # What a caller must not do
//!
//! * Take a value from [`Evidence`] as a fact: a parsed value proves nothing. [`Claims`] holds what is proven, and for the rest
//!   why it is not ([`NotProven`]).
//! * Write a field of [`Claims`]: they are public to be read.
//! * Count [`Status::Skip`] or [`Status::Warn`] as a pass. [`TargetReport::verdict`] is the result; only [`Verdict::Pass`] is one.
//! * Reuse a nonce, or take one that the CVM chose. It is what makes an answer belong to this run.
//! * Print the texts of a report as they are: a host chose some of their words. Escape them for where they go.
//! * Give a [`TrustRoot::custom`] root outside of tests: anyone who holds its key can sign any machine.
//! * Implement [`evidence::OpensUnproven`]: it is for the proofs, and for a display that gives no verdict.
//!
//! # Units and encodings
//!
//! Times are Unix seconds (`u64`) as arguments and RFC 3339 UTC in reports. Measurements (MRTD, RTMRs) have 48 bytes, hashes of
//! documents 32, app and instance ids 20, FMSPC 6; in text all are hexadecimal, in lower case, without `0x`. Collateral is
//! dcap-qvl's `QuoteCollateralV3`, so a new major version of dcap-qvl is one of this crate.
//!
//! # What the interface is
//!
//! What this documentation shows: the names on this page, and the types that they show as fields, arguments and results, in
//! the modules [`evidence`], [`verify`](mod@verify), [`policy`], [`lock`], [`reference`](mod@reference) and [`report`]. A public
//! item that it does not show is for the program `cvm-verify` alone, and may change in any release: so may the reasons in
//! [`NotProven::Refused`], which print as sentences.
//!
//! # Features
//!
//! * `schema`: JSON Schemas of the types in [`report`].
//! * `test-util`: for tests alone, never for a verification. It makes arbitrary locks, and rows of reference values that count
//!   as built in.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[doc(hidden)]
pub mod appraise;
#[doc(hidden)]
pub mod checks;
#[doc(hidden)]
pub mod compose;
pub mod evidence;
pub mod lock;
pub mod policy;
#[doc(hidden)]
pub mod recent;
pub mod reference;
pub mod report;
#[doc(hidden)]
pub mod tiers;
#[doc(hidden)]
pub mod toml_text;
pub mod verify;

pub use appraise::{Subject, appraise};
pub use checks::{EvidenceFailure, EvidenceReason};
pub use evidence::collateral::{FileError, parse as parse_collateral};
pub use evidence::{Bundle, Evidence, EvidenceError, HexError, Unproven, parse_user_hex};
pub use lock::{Lock, LockError, LockFile, LockProblem};
pub use policy::{Expected, Fingerprint, Origin, OsImagePolicy, Policy, TcbPolicy};
pub use reference::ReferenceValues;
pub use report::{Assurance, CheckId, CheckResult, Report, Status, TargetReport, Tier, Verdict};
pub use verify::{
    BootClaims, Claims, IdentifiedOs, Inputs, MeasuredCompose, MeasuredLog, NotProven, SignatureCache,
    TrustRoot, UnusableCollateral, VerifiedQuote, prove,
};
