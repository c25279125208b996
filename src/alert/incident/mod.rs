//! What was reported before, and what is to be reported now: pure functions of the stored state, the time and what was just found.
//!
//! Without stored state, every run that does not pass is reported. With it, people hear of a failure once, at once, and of its
//! end; the rest is silence that they can trust:
//!
//! * The state of one target is a [`TargetState`]; [`decide`] takes it one observation further and says what is [`Due`].
//! * Nothing counts as reported before its channel took it: [`TargetState::record`]. What was not delivered is due again, in
//!   the form that is true by then, and each channel has state of its own, so that no other hears it twice.
//! * Whether two failures are the same is decided by a [`FailureKey`], which holds no text that a CVM chose (T61).
//! * A pass is a recovery only by the same policy and at the same address as the failure.
//! * State that is missing or cannot be read counts as none: everything is reported again.

mod asked_at;
mod channel;
mod decide;
#[cfg(test)]
mod decide_tests;
mod due;
mod failure;
mod file;
mod forecast;
mod history;
mod instances;
mod observation;
mod policy_entry;
#[cfg(test)]
mod simulation_tests;
mod target;
#[cfg(test)]
mod target_tests;

pub use asked_at::AskedAt;
pub use decide::{Rules, decide};
pub(in crate::alert) use due::RECEIVER;
pub use due::{About, Due};
pub use failure::{Failing, Failure, FailureKey, TargetId};
pub use file::{MAX_STATE_BYTES, MAX_TARGETS, State, StateError};
pub(in crate::alert) use forecast::FORGOTTEN_AFTER;
pub use forecast::Forecast;
pub use history::{Share, ShareError};
pub(crate) use instances::OpenInstances;
pub use observation::Observation;
pub use policy_entry::{Departed, PolicyEntry, PolicyFileId};
pub use target::TargetState;
