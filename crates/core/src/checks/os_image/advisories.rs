//! What published vulnerabilities of an image mean for the result.

use std::fmt;

use super::reasons::{RESERVATION_ENDS_SOON, VULNERABLE_IMAGE};
use crate::checks::{Acceptance, Finding};
use crate::reference::{Advisory, Grade, OsImageRow, ReferenceValues};
use crate::report::{AcceptedKind, rfc3339};
use crate::verify::FORECAST;

/// The finding of an image from which the host alone gains secrets or code: it fails, or warns while a lock accepts it. `until` is
/// when the acceptance ends, Unix seconds, and the lock that says so.
pub(super) fn vulnerable(
    reference: &ReferenceValues,
    row: Option<&OsImageRow>,
    at: u64,
    until: Option<(u64, &dyn fmt::Display)>,
) -> Option<Finding> {
    let row = row?;
    let advisories = reference.host_alone(row);
    if advisories.is_empty() {
        return None;
    }
    let names = advisories
        .iter()
        .map(|advisory| sentence(advisory))
        .collect::<Vec<_>>();
    let has = format!("{} has {}", row.name, names.join("; "));
    let fix = |meanwhile: &str| match reference.lowest_fixed(row) {
        Some(fixed) => format!("Upgrade the OS image to dstack {fixed} or later.{meanwhile}"),
        None => format!("Upgrade the OS image.{meanwhile}"),
    };
    let detail = match until {
        Some((until, lock)) if at < until => {
            let reason = if until < at.saturating_add(FORECAST) {
                &RESERVATION_ENDS_SOON
            } else {
                &VULNERABLE_IMAGE
            };
            let detail = format!("{has}; {lock} accepts it until {}.", rfc3339(until));
            let ids: Vec<&str> = advisories.iter().map(|advisory| advisory.id.as_str()).collect();
            let because = format!("{} has a published vulnerability: {}.", row.name, ids.join(", "));
            let accepted = Acceptance::new(AcceptedKind::VulnerableImage, lock, because).until(until);
            return Some(
                Finding::warn(reason, detail)
                    .advising(fix(""))
                    .accepting([accepted]),
            );
        }
        Some((until, lock)) => format!("{has}; {lock} accepted it until {}.", rfc3339(until)),
        None => format!("{has}."),
    };
    Some(
        Finding::fail(&VULNERABLE_IMAGE, detail)
            .found(row.name.to_string())
            .advising(fix(
                " To continue until then, lock it with `vulnerable_until`, or name it with an end date: --os-image \
                 HASH:until=DATE.",
            )),
    )
}

fn sentence(advisory: &Advisory) -> String {
    format!("{} ({}: {})", advisory.id, advisory.what, advisory.gain)
}

/// A sentence with the vulnerabilities for which an attacker needs more than the host; absent if there is none.
pub(super) fn named(reference: &ReferenceValues, row: &OsImageRow) -> Option<String> {
    let mut advisories = reference.advisories_of(row);
    advisories.retain(|advisory| advisory.grade == Grade::NeedsMore);
    let gains: Vec<String> = advisories
        .iter()
        .map(|advisory| match &advisory.key_provider {
            Some(sentence) => format!("{} ({sentence})", advisory.id),
            None => format!("{} ({})", advisory.id, advisory.gain),
        })
        .collect();
    (!gains.is_empty()).then(|| {
        format!(
            "Published vulnerabilities of {} as of {}, for which an attacker needs more than the host: {}.",
            row.name,
            reference.updated(),
            gains.join("; ")
        )
    })
}
