//! Reasons that say ahead what will end: a pass relies on something that has an end, and the end is near.
//!
//! An alert says each of them once (`expiring`). The lists are in the files of the checks.

use super::{ALL, Reason};
use crate::report::CheckId;

/// Every forecast with its check, in the order of the checks and of their reasons.
pub fn forecasts() -> impl Iterator<Item = (CheckId, &'static Reason)> {
    ALL.into_iter().flat_map(|check| {
        let is_forecast = |reason: &&&Reason| check.forecasts.iter().any(|one| one.id == reason.id);
        let reasons = check.reasons.iter().filter(is_forecast);
        reasons.map(|reason| (check.id, *reason))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reason that is called so and is missing in its check's list would never be told.
    #[test]
    fn every_reason_that_something_ends_soon_is_a_forecast() {
        for check in ALL {
            for reason in check.reasons {
                let is_named_so = reason.id.ends_with("ends-soon");
                let is_forecast = forecasts().any(|one| (one.0, one.1.id) == (check.id, reason.id));
                assert!(is_forecast || !is_named_so, "{}: {}", check.id, reason.id);
            }
        }
    }
}
