//! What the user expects: options, policy file and lock file in, [`Policy`] out.

mod address;
mod clean_envelope;
mod compose_forms;
mod expected;
pub mod file;
mod fingerprint;
mod interval;
mod key_provider;
mod key_providers;
pub mod lock;
mod locked_place;
mod max_age;
mod nesting;
mod os_image;
mod place;
mod platform;
mod policy;
mod prelaunch;
mod roll_out;
mod script_variables;
mod seconds;
mod settings;
mod tcb;
mod text;
mod text_diff;

pub use address::{AddressProblem, parse_address, shown_address, shown_text};
pub use clean_envelope::clean_envelope_violations;
pub use compose_forms::{ComposeForm, compose_forms};
pub use expected::{Expected, Origin};
pub use fingerprint::Fingerprint;
pub use interval::{Interval, IntervalError};
pub use key_provider::{KeyProviderPin, PinError};
pub use key_providers::{KeyProviders, KeyProvidersError, MAX_KEY_PROVIDERS};
pub use locked_place::LockedPlace;
pub use max_age::{CollateralMaxAge, CollateralMaxAgeError, ReportMaxAge, ReportMaxAgeError};
pub use os_image::{OsImageError, OsImageOption, OsImagePolicy, OsTuple, parse_os_image, parse_os_image_of};
pub use platform::{PlatformError, PlatformId, PlatformList};
pub use policy::{
    DEFAULT_TD_ATTRIBUTES, Freshness, ImagePinsPolicy, LaunchInputsPolicy, LockedCompose, LockedPlatform,
    MrConfigIdPolicy, Policy, ReportDataPolicy, Verifier,
};
pub use prelaunch::known_prelaunch_script;
pub use roll_out::{SecondHash, SecondHashError};
pub use script_variables::launch_script;
pub use settings::{Settings, Written};
pub use tcb::{ExceptionError, MAX_EXCEPTION_DAYS, TcbException, TcbPolicy, built_in_eval_floor};
pub use text_diff::{MAX_DIFF_LINES, TextDiff, UnseenDifference};
