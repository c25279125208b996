//! What the user expects: options and lock file in, [`Policy`] out.

mod key_provider;
pub mod lock;
mod os_image;
mod platform;
mod policy;
mod prelaunch;
mod risky_env;
mod tcb;

pub use key_provider::{KMS_IDS, KeyProviderPin, KmsRow, PinError};
pub use os_image::{OsImageError, OsImageOption, OsImagePolicy, OsTuple, parse_os_image};
pub use platform::{PlatformError, PlatformId, PlatformList};
pub use policy::{
    DEFAULT_TD_ATTRIBUTES, Expected, Freshness, ImagePinsPolicy, LaunchInputsPolicy, LockedCompose,
    LockedPlatform, Origin, Policy, ReportDataPolicy, Verifier,
};
pub use prelaunch::{PRELAUNCH_SCRIPTS, PrelaunchRow, known_prelaunch};
pub use risky_env::is_risky;
pub use tcb::{ExceptionError, MAX_EXCEPTION_DAYS, TcbException, TcbPolicy, built_in_eval_floor};
