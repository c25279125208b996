//! Untrusted in, proven out.
//!
//! | untrusted | proven by | trusted |
//! |---|---|---|
//! | quote bytes | DCAP signature chain, collateral, TEE type, attributes | [`VerifiedQuote`] |
//! | event log | replay with recomputed digests against a [`VerifiedQuote`] | [`MeasuredLog`] |
//! | its boot prefix | the boot grammar | [`BootClaims`] |
//! | compose text | its SHA-256 is the `compose-hash` of the [`BootClaims`] | [`MeasuredCompose`] |
//! | registers | a row of the reference values | [`IdentifiedOs`] |
//!
//! The types on the right can be made nowhere else. [`prove`] is pure: no clock, no network, no randomness. It remembers
//! which signatures were good, and looks at everything else anew: no result depends on what was proven before.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod boot;
mod compose;
mod compose_file;
mod config_id;
pub(crate) mod digest;
mod early;
mod event_log;
mod facts;
mod gap;
mod opinion;
mod os_image;
mod quote;
mod refusal;
mod report_data;
mod root;
pub mod validity;
mod yaml;

pub use boot::{BootClaims, BootRefusal, KeyProvider};
pub(crate) use compose::members_of;
pub use compose::{ComposeRefusal, MeasuredCompose};
pub(crate) use compose_file::compose_places;
pub use compose_file::{ComposeFile, ComposeFileError, LaunchScript, Place, Places, Setter, is_risky};
pub use config_id::{ConfigId, Launch};
pub use early::Early;
pub use event_log::{LogRefusal, MeasuredEvent, MeasuredLog};
pub use facts::{Echo, Facts, InfoOrigin, Inputs, prove};
pub use gap::COLLATERAL_LIMIT;
pub use gap::{CollateralGap, FORECAST, Gap};
pub use opinion::Opinion;
pub use os_image::IdentifiedOs;
pub use quote::{
    Component, QuoteLayout, ShortOf, TcbMoment, TcbRating, TcbVerdict, VerifiedQuote, forget_signatures,
    judge_collateral, severity,
};
pub use refusal::{QeShortfall, QuoteRefusal, Revocation};
pub use report_data::{Layout, UnknownLayout};
pub use root::{RootError, TrustRoot};
pub use yaml::canonical_yaml;

use crate::evidence::OpensUnproven;

/// The provers' capability to open unproven values. It can be made in this module and below only.
struct Prover(());

impl OpensUnproven for Prover {}
