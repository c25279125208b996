//! The appraisal policy (RFC 9334): what a deployment is appraised against.
//!
//! Begin with [`Policy`]: one field for each expectation, and its default is what applies if nobody says otherwise. The
//! other types are of its fields, and of those of a [`Lock`](crate::Lock):
//!
//! * a value with the place where a user wrote it: [`Expected`], [`Origin`];
//! * a choice of words: [`Freshness`], [`ImagePinsPolicy`], [`LaunchInputsPolicy`], [`MrConfigIdPolicy`], [`TlsBinding`],
//!   [`Verifier`];
//! * what may run: [`SecondHash`], [`SourcePolicy`], [`OsImagePolicy`], [`KeyProviders`];
//! * where it may run, and who decides on it: [`PlatformList`], [`TcbPolicy`], [`GpuExpectations`], [`KmsPolicy`],
//!   [`GovernancePolicy`];
//! * what only a lock says: [`LockedCompose`], [`LockedPlatform`], [`LockedBinding`], [`LockedGpus`].
//!
//! [`Policy::fingerprint`] tells two policies apart, and [`Policy::problems`] says what is wrong with one.

mod appraisal;
mod expected;
mod fingerprint;
mod github_issuer;
mod governance;
mod gpu;
mod gpu_pin;
mod image_name;
mod key_provider;
mod key_providers;
mod kms;
mod known_by;
mod lock_key;
mod lock_origin;
mod locked_place;
mod max_age;
mod os_image;
mod platform;
mod problem;
mod second_hash;
#[doc(hidden)]
pub mod seconds;
mod source;
mod source_rule_values;
pub(crate) mod tcb;
mod tls_binding;
mod vulnerable_acceptance;
mod written_source;

pub(crate) use gpu_pin::KEYS as GPU_KEYS;

pub use appraisal::{
    Freshness, ImagePinsPolicy, LaunchInputsPolicy, LockedCompose, LockedPlatform, MrConfigIdPolicy, Policy,
    ReportDataPolicy, Verifier,
};
pub use expected::{Expected, Origin};
pub use fingerprint::Fingerprint;
pub(crate) use github_issuer::github_of;
pub use governance::{ContractPin, GovernanceMode, GovernancePolicy};
pub use gpu::{GpuExpectations, GpuMode, GpuModel, GpuVerifier, LockedGpus};
pub use gpu_pin::GpuPin;
pub use image_name::ImagePattern;
pub use key_provider::KeyProviderPin;
pub use key_providers::KeyProviders;
pub use kms::{KmsDocument, KmsHost, KmsMode, KmsPolicy};
pub use known_by::{FilesIdentity, KnownBy};
pub use lock_key::LockKey;
pub use lock_origin::LockOrigin;
pub use locked_place::LockedPlace;
pub use max_age::CollateralMaxAge;
pub use os_image::{
    ImageRegisters, LockedShape, MeasuredFiles, OsImageOption, OsImagePolicy, OsTuple, PublishedImage,
};
pub use platform::PlatformList;
pub use problem::PolicyProblem;
pub use second_hash::SecondHash;
pub(crate) use source::OpenPart;
pub use source::{BuildSource, ExpectedSource, RefPattern, SourcePolicy, SourceRule};
pub use tcb::{TcbException, TcbPolicy};
pub use tls_binding::{LockedBinding, TlsBinding};
pub use vulnerable_acceptance::VulnerableAcceptance;
pub(crate) use vulnerable_acceptance::WRITTEN_BY_PIN;
pub use written_source::WrittenRule;

#[doc(hidden)]
pub use crate::compose::ComposePlace;
pub(crate) use github_issuer::GITHUB_ACTIONS;

// For the program.
#[doc(hidden)]
pub use self::{
    appraisal::DEFAULT_TD_ATTRIBUTES,
    image_name::normal_name,
    key_provider::PinError,
    key_providers::KeyProvidersError,
    known_by::KnownByError,
    max_age::ReportMaxAge,
    os_image::{OsImageError, parse_os_image, parse_os_image_of},
    platform::PlatformId,
    second_hash::SecondHashError,
    source::MAX_SOURCE_RULES,
    tcb::{ExceptionError, MAX_EXCEPTION_DAYS},
};
