//! What the user expects, before it is a [`Policy`](cvm_verify_core::Policy): the policy file, settings, addresses, intervals.

mod address;
pub mod file;
mod interval;
mod settings;

pub(crate) use address::parse_url;
pub use address::{AddressProblem, origin_of, parse_address, shown_address, shown_text};
pub use interval::{Interval, IntervalError};
pub use settings::{Settings, WrittenValue};
pub(crate) use settings::{path_of, written};
