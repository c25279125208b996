//! What published vulnerabilities of an image mean for the result.

use std::borrow::Cow;
use std::fmt;

use super::reasons::{RESERVATION_ENDS_SOON, VULNERABLE_IMAGE};
use crate::checks::{Acceptance, Finding};
use crate::policy::{KnownBy, VulnerableAcceptance, WRITTEN_BY_PIN};
use crate::reference::{Advisory, Grade, OsImageRow, ReferenceValues, ReleaseVersion};
use crate::report::{AcceptedKind, rfc3339};
use crate::verify::FORECAST;

/// An image by what decides which vulnerabilities it has.
#[derive(Debug, Clone)]
pub(super) struct Release<'a> {
    pub(super) name: String,
    pub(super) version: Option<Cow<'a, ReleaseVersion>>,
}

impl<'a> Release<'a> {
    pub(super) fn of_row(row: &'a OsImageRow) -> Self {
        Self {
            name: row.name.to_string(),
            version: row.version.as_ref().map(Cow::Borrowed),
        }
    }

    /// Of registers that a lock or an option says.
    pub(super) fn locked(known_by: Option<&'a KnownBy>, origin: &str) -> Self {
        Self {
            name: format!("The image of {origin}"),
            version: known_by.and_then(KnownBy::version).map(Cow::Borrowed),
        }
    }

    /// With the version of another one where its own is not known.
    pub(super) fn or_version_of(mut self, other: Self) -> Self {
        self.version = self.version.or(other.version);
        self
    }

    fn version(&self) -> Option<&ReleaseVersion> {
        self.version.as_deref()
    }
}

/// Of an image without a version.
pub(super) const VERSION_UNKNOWN: &str =
    " Its version is not known, so it is not known whether it has published vulnerabilities.";

/// The finding of an image from which the host alone gains secrets or code: it fails, or warns while a lock accepts each of its
/// vulnerabilities. `accepted` is the acceptance, and where it is written.
pub(super) fn vulnerable(
    reference: &ReferenceValues,
    image: &Release<'_>,
    at: u64,
    accepted: Option<(&VulnerableAcceptance, &dyn fmt::Display)>,
) -> Option<Finding> {
    let advisories = reference.host_alone(image.version());
    if advisories.is_empty() {
        return None;
    }
    let names = advisories
        .iter()
        .map(|advisory| sentence(advisory))
        .collect::<Vec<_>>();
    let has = format!("{} has {}", image.name, names.join("; "));
    let fix = |meanwhile: &str| match reference.lowest_fixed(image.version()) {
        Some(fixed) => format!("Upgrade the OS image to dstack {fixed} or later.{meanwhile}"),
        None => format!("Upgrade the OS image.{meanwhile}"),
    };
    let fail = |detail: String, meanwhile: &str| {
        let finding = Finding::fail(&VULNERABLE_IMAGE, detail).found(image.name.clone());
        Some(finding.advising(fix(meanwhile)))
    };
    let name_it = " To continue until then, accept it in the lock: `cvm-verify pin URL --accept vulnerable-image`, or name it with an \
                   end date: --os-image HASH:until=DATE.";
    let Some((acceptance, lock)) = accepted else {
        return fail(format!("{has}."), name_it);
    };
    let until = rfc3339(acceptance.until);
    if at >= acceptance.until {
        return fail(format!("{has}; {lock} accepted it until {until}."), name_it);
    }
    let open = ids(advisories
        .iter()
        .filter(|advisory| !acceptance.accepts(advisory, reference)));
    if !open.is_empty() {
        return fail(
            format!(
                "{has}; {lock} accepts the image until {until}, but does not name {open}: what became known after the acceptance \
                 is not part of it, and a person must decide."
            ),
            &format!(
                " To accept {open} until a new date: `cvm-verify pin URL --accept vulnerable-image`, then review the difference and \
                 commit it."
            ),
        );
    }
    let because = format!("{}{WRITTEN_BY_PIN}{}.", image.name, ids(advisories.iter()));
    Some(soon_or_later(&has, because, at, (acceptance.until, lock)).advising(fix("")))
}

fn ids<'a>(advisories: impl Iterator<Item = &'a &'a Advisory>) -> String {
    let ids: Vec<&str> = advisories.map(|advisory| advisory.id.as_str()).collect();
    ids.join(", ")
}

fn soon_or_later(has: &str, because: String, at: u64, (until, lock): (u64, &dyn fmt::Display)) -> Finding {
    let reason = match until < at.saturating_add(FORECAST) {
        true => &RESERVATION_ENDS_SOON,
        false => &VULNERABLE_IMAGE,
    };
    Finding::warn(
        reason,
        format!("{has}; {lock} accepts it until {}.", rfc3339(until)),
    )
    .accepting([Acceptance::new(AcceptedKind::VulnerableImage, lock, because).until(until)])
}

fn sentence(advisory: &Advisory) -> String {
    format!("{} ({}: {})", advisory.id, advisory.what, advisory.gain)
}

/// Sentences with the vulnerabilities that an image is not refused for; absent if there is none.
pub(super) fn named(reference: &ReferenceValues, image: &Release<'_>) -> Option<String> {
    let mut advisories = reference.advisories_of(image.version());
    advisories.retain(|advisory| advisory.grade == Grade::NeedsMore);
    // Those of the keys are no matter of "more than the host": the host stands between the guest and its KMS.
    let (of_keys, others): (Vec<_>, Vec<_>) = advisories
        .into_iter()
        .partition(|advisory| advisory.key_provider.is_some());
    let named: Vec<String> = others
        .iter()
        .map(|advisory| format!("{} ({})", advisory.id, advisory.gain))
        .collect();
    let named = (!named.is_empty()).then(|| {
        format!(
            "Published vulnerabilities of {} as of {}, for which an attacker needs more than the host: {}.",
            image.name,
            reference.updated(),
            named.join("; ")
        )
    });
    let of_keys: Vec<&str> = of_keys
        .iter()
        .filter_map(|advisory| advisory.key_provider.as_deref())
        .collect();
    let of_keys = (!of_keys.is_empty()).then(|| format!("Of its keys: {}.", of_keys.join("; ")));
    let sentences: Vec<String> = named.into_iter().chain(of_keys).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}
