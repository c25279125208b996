//! What the user expects: options, policy file and lock file in, [`Policy`] out.

pub mod file;
mod key_provider;
pub mod lock;
mod nesting;
mod os_image;
mod policy;
mod settings;
mod tcb;
mod text;

pub use key_provider::{KMS_IDS, KeyProviderPin, KmsRow, PinError};
pub use os_image::{OsImageError, OsImageOption, OsImagePolicy, OsTuple, parse_os_image};
pub use policy::{
    DEFAULT_TD_ATTRIBUTES, Expected, Freshness, ImagePinsPolicy, LockedCompose, LockedPlatform, Origin,
    Policy, ReportDataPolicy,
};
pub use settings::{Settings, Written};
pub use tcb::{ExceptionError, MAX_EXCEPTION_DAYS, TcbException, TcbPolicy, built_in_eval_floor};
