//! Reasons that say ahead what will end: a pass rests on something that has an end, and the end is near.
//!
//! An alert says each of them once (`expiring`). The lists stand in the files of the checks, beside the reasons.

use super::{ALL, Reason, collateral, os_image, source_provenance, tcb_status};
use crate::report::CheckId;

/// The forecasts of a check. Each is one of its reasons.
const fn of(id: CheckId) -> &'static [&'static Reason] {
    match id {
        CheckId::Collateral => collateral::FORECASTS,
        CheckId::TcbStatus => tcb_status::FORECASTS,
        CheckId::OsImage => os_image::FORECASTS,
        CheckId::SourceProvenance => source_provenance::FORECASTS,
        _ => &[],
    }
}

/// Every forecast with its check, in the order of the checks and of their reasons.
pub fn forecasts() -> impl Iterator<Item = (CheckId, &'static Reason)> {
    ALL.into_iter().flat_map(|check| {
        let is_forecast = |reason: &&&Reason| of(check.id).iter().any(|one| one.id == reason.id);
        check
            .reasons
            .iter()
            .filter(is_forecast)
            .map(|reason| (check.id, *reason))
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

    #[test]
    fn every_forecast_is_a_reason_of_its_check() {
        for check in ALL {
            let found = forecasts().filter(|(id, _)| *id == check.id).count();
            assert_eq!(found, of(check.id).len(), "{}", check.id);
        }
    }
}
