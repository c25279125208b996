//! What the user expects, before it is a [`Policy`](cvm_verify_core::Policy): the policy file, settings, intervals.

pub mod file;
mod interval;
mod settings;
mod variable_name;

pub use interval::{Interval, IntervalError};
pub use settings::{SettingLevel, Settings, WrittenValue};
pub(crate) use settings::{path_of, written};
pub(crate) use variable_name::{PREFIX, variable_of};
