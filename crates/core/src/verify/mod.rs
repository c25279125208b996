//! Untrusted in, proven out.
//!
//! | untrusted | proven by | trusted |
//! |---|---|---|
//! | quote bytes | DCAP signature chain, collateral, TEE type, attributes | [`VerifiedQuote`] |
//! | event log | replay with recomputed digests against a [`VerifiedQuote`] | [`MeasuredLog`] |
//! | its boot prefix | the boot grammar | [`BootClaims`] |
//! | compose text | its SHA-256 is the `compose-hash` of the [`BootClaims`] | [`MeasuredCompose`] |
//! | MRTD, RTMR1, RTMR2 | a row of the reference values, or the measurement document that its hash names | [`IdentifiedOs`] |
//! | GPU reports | signature and chain to NVIDIA's device root | [`gpu::GpuDevices`] |
//! | leaf of the live TLS connection | a handshake of this run, and a quote of its key by the same TD | [`BoundChannel`] |
//! | the same, of a dstack ingress | a handshake of this run, and the same TD's quote of the ingress's files, of an unknown time | [`BoundIngress`] |
//! | what a KMS shows and answers | a handshake, and a quote of its key | `AttestedKms` in a [`KmsAnswer`](kms::KmsAnswer) |
//! | a Sigstore bundle | its certificate, time, log entry and signature | [`SignedStatement`](provenance::SignedStatement) |
//!
//! Begin with [`prove`] and [`Claims`], which holds what is proven; [`NotProven`] says why a field has no value.
//!
//! The types on the right can be made nowhere else. [`prove`] is pure: no clock (but that of the library for Sigstore), no network, no randomness. A
//! [`SignatureCache`] remembers which signatures were good; no result depends on it.

#[doc(hidden)]
pub mod age;
mod app_compose;
mod boot;
pub mod chain;
mod claims;
mod config_id;
#[doc(hidden)]
pub mod digest;
mod early_tcb;
mod event_log;
pub mod gpu;
mod ingress;
pub mod kms;
#[doc(hidden)]
pub mod little_endian;
mod live_kms;
mod live_tls;
mod measurements;
mod not_proven;
#[doc(hidden)]
pub mod oci;
pub mod os_image;
mod phala_verdict;
pub mod provenance;
pub(crate) mod quote;
mod ra_tls;
mod refusal;
mod report_data;
#[cfg(test)]
pub(crate) mod simulated_for_tests;
#[cfg(test)]
mod simulated_tests;
mod statements;
mod td_claims;
mod tls_binding;
pub(crate) mod trust_root;
#[doc(hidden)]
pub mod validity;

pub use app_compose::MeasuredCompose;
pub(crate) use app_compose::{compose_settings_of, members_of};
pub use boot::{BootClaims, KeyProvider};
pub use claims::{Claims, Echo, InfoOrigin, Inputs, prove};
pub use early_tcb::EarlyTcb;
pub use event_log::{MeasuredEvent, MeasuredLog};
pub use ingress::BoundIngress;
pub(crate) use measurements::mr_system_at_boot;
pub use not_proven::{CollateralServers, NotProven, UnusableCollateral};
pub use os_image::{
    DocumentedOs, IdentifiedBy, IdentifiedOs, KernelRegister, MeasuredImage, Mrtd, ShownDocument,
};
pub use phala_verdict::PhalaVerdict;
pub use quote::{Component, ShortOf, SignatureCache, TcbMoment, TcbRating, TcbVerdict, VerifiedQuote};
pub use report_data::Layout;
pub(crate) use statements::name_and_digest;
pub use statements::{AboutImage, FoundStatement, ImageStatements};
pub(crate) use tls_binding::BindingMode;
pub use tls_binding::{BoundChannel, Tls};
pub use trust_root::{RootError, TrustRoot};

// For the program.
#[doc(hidden)]
pub use self::{
    app_compose::ComposeRefusal,
    boot::BootRefusal,
    config_id::{ConfigId, Launch},
    event_log::{LogRefusal, RESERVED_NAMES},
    ingress::{
        IngressNotBound, IngressRefusal, ReadIngress, evidence_of as ingress_evidence_of,
        may_be_renewing as ingress_may_be_renewing,
    },
    live_tls::{is_bound_certificate, issuer_of_certificate},
    measurements::mr_aggregated,
    not_proven::{COLLATERAL_LIMIT, FORECAST},
    os_image::{
        AcpiDigests, DocumentError, ImageError, ImageFiles, Initrd, MAX_INITRD, MeasurementDocument,
        image_file, image_limit,
    },
    quote::{QuoteExtents, QuoteLayout, built_in_eval_floor, judge_collateral, severity},
    ra_tls::{RaTlsCertificate, RaTlsRefusal, evidence_of as ra_tls_evidence_of, spki_sha256},
    refusal::{QeShortfall, QuoteRefusal, Revocation},
    report_data::UnknownLayout,
    statements::verify_statements,
    td_claims::UnprovenTd,
    tls_binding::{Issuer, NotBound},
};

use crate::evidence::OpensUnproven;

/// The provers' capability to open unproven values. It can be made in this module and below only.
pub(crate) struct Prover(());

impl OpensUnproven for Prover {}
