//! `os-image`: the VM booted the expected operating system.

use super::{Acceptance, Check, Finding, QUOTE_NOT_PROVEN, Reason, Required, proven_quote};
use crate::config::{OsImagePolicy, OsTuple, Policy};
use crate::prove::{FORECAST, Facts, OsClass, OsImageRow, VerifiedQuote, listed_rtmr0};
use crate::report::{AcceptedKind, CheckId, Tier, rfc3339};

pub(super) const CHECK: Check = Check {
    id: CheckId::OsImage,
    title: "OS image",
    proves: "Firmware, kernel, command line and initrd are those of a known or locked production image.",
    prevents: "An OS that records any compose hash it likes: RTMR3 means nothing without a measured OS.",
    reasons: &[
        &NO_REFERENCE,
        &DEVELOPMENT_IMAGE,
        &VULNERABLE_IMAGE,
        &RESERVATION_ENDS_SOON,
        &ACPI_UNVERIFIED,
        &REGISTER_MISMATCH,
        &UNCHECKED,
        &QUOTE_NOT_PROVEN,
    ],
    required: Required::From(Tier::Code),
    harmless_warnings: &[],
    is_configured: |policy| !matches!(policy.os_image, OsImagePolicy::Known),
    run,
};

/// Reasons that say ahead that a pass will end.
pub(super) const FORECASTS: &[&Reason] = &[&RESERVATION_ENDS_SOON];

const NO_REFERENCE: Reason = Reason {
    id: "no-reference",
    means: "The registers are those of no production image that this version knows.",
    fix: "Find out which image runs, then pin it: `cvm-verify pin URL --accept-observed` and --os-image lock; or update \
          cvm-verify.",
};
const DEVELOPMENT_IMAGE: Reason = Reason {
    id: "development-image",
    means: "This is a development image: it allows root login and has a serial console.",
    fix: "Redeploy on a production image (its name has no `dev`).",
};
const RESERVATION_ENDS_SOON: Reason = Reason {
    id: "image-exception-ends-soon",
    means: "The image has a published vulnerability; the lock accepts it, for less than 14 more days.",
    fix: "Upgrade the OS image to dstack 0.5.4 or later before the end; after it this check fails.",
};
const VULNERABLE_IMAGE: Reason = Reason {
    id: "vulnerable-image",
    means: "This image has a published vulnerability.",
    fix: "Upgrade the OS image to dstack 0.5.4 or later. To go on meanwhile, lock it with `vulnerable_until`.",
};
const ACPI_UNVERIFIED: Reason = Reason {
    id: "acpi-unverified",
    means: "The image is known, but RTMR0, which covers the VM's shape and the ACPI tables that the host supplies, is not.",
    fix: "Pin this VM shape: `cvm-verify pin URL`, review, and verify with the lock.",
};
const REGISTER_MISMATCH: Reason = Reason {
    id: "register-mismatch",
    means: "A register is not the expected one: another firmware, VM shape, kernel, command line or initrd.",
    fix: "If the OS image or the VM's size was changed on purpose, run `cvm-verify pin` and review the difference; \
          otherwise the host booted something else.",
};
const UNCHECKED: Reason = Reason {
    id: "unchecked",
    means: "Waived with --os-image unchecked.",
    fix: "Pin the image with `cvm-verify pin` and remove `--os-image unchecked`.",
};

fn run(facts: &Facts, policy: &Policy) -> Finding {
    if matches!(policy.os_image, OsImagePolicy::Unchecked) {
        return Finding::waived(
            &UNCHECKED,
            policy.waived_by(CheckId::OsImage),
            "Waived: any operating system could have recorded this event log.",
        );
    }
    let quote = match proven_quote(facts) {
        Ok(quote) => quote,
        Err(finding) => return finding,
    };
    let row = facts.os.map(crate::prove::IdentifiedOs::row);
    match &policy.os_image {
        OsImagePolicy::Unchecked | OsImagePolicy::Known => known(quote, row),
        OsImagePolicy::Row(expected) => one_row(quote, row, expected),
        OsImagePolicy::Tuple(tuple) => {
            let origin = policy
                .os_image_origin
                .as_ref()
                .map_or_else(|| "--os-image".to_owned(), ToString::to_string);
            exact(quote, tuple, &origin).unwrap_or_else(|| {
                vulnerable(row, facts.at, None).unwrap_or_else(|| Finding::pass(matches(&origin, row)))
            })
        }
        OsImagePolicy::Lock {
            tuple,
            vulnerable_until,
            lock,
        } => exact(quote, tuple, lock).unwrap_or_else(|| {
            vulnerable(
                row,
                facts.at,
                vulnerable_until.map(|until| (until, lock.as_str())),
            )
            .unwrap_or_else(|| Finding::pass(matches(lock, row)))
        }),
    }
}

fn matches(origin: &str, row: Option<&OsImageRow>) -> String {
    let name = row.map_or_else(String::new, |row| format!(" ({})", row.name));
    format!("MRTD and RTMR0–2 are those of {origin}{name}.")
}

/// `known`: any production row, with a listed RTMR0.
fn known(quote: &VerifiedQuote, row: Option<&OsImageRow>) -> Finding {
    let Some(row) = row else {
        return Finding::skip(
            &NO_REFERENCE,
            "The registers are those of no image that this version knows.",
        );
    };
    match row.class {
        OsClass::Observed => Finding::skip(
            &NO_REFERENCE,
            format!(
                "The registers were seen before ({}), but of no image with an official name.",
                row.name
            ),
        )
        .found(row.name.clone()),
        OsClass::Development => Finding::fail(
            &DEVELOPMENT_IMAGE,
            format!("{} is a development image.", row.name),
        )
        .found(row.name.clone()),
        OsClass::Production => vulnerable(Some(row), 0, None).unwrap_or_else(|| production(quote, row)),
    }
}

/// One production row, by its hash.
fn one_row(quote: &VerifiedQuote, row: Option<&OsImageRow>, expected: &OsImageRow) -> Finding {
    match row {
        Some(row) if std::ptr::eq(row, expected) => known(quote, Some(row)),
        _ => Finding::fail(
            &REGISTER_MISMATCH,
            format!("The registers are not those of {}.", expected.name),
        )
        .comparing(
            expected.name.clone(),
            row.map_or_else(|| "an unknown image".to_owned(), |row| row.name.clone()),
        ),
    }
}

fn production(quote: &VerifiedQuote, row: &OsImageRow) -> Finding {
    let [rtmr0, ..] = quote.rtmrs();
    match listed_rtmr0(rtmr0) {
        Some(shape) => Finding::pass(format!("{} on a known VM shape ({shape}).", row.name)),
        None => Finding::warn(
            &ACPI_UNVERIFIED,
            format!(
                "{}, but RTMR0 is not known: the VM's ACPI tables are unverified. This does not meet `code`.",
                row.name
            ),
        )
        .found(hex::encode(rtmr0)),
    }
}

fn exact(quote: &VerifiedQuote, expected: &OsTuple, origin: &str) -> Option<Finding> {
    let [rtmr0, rtmr1, rtmr2, _] = quote.rtmrs();
    let actual = OsTuple {
        mrtd: *quote.mrtd(),
        rtmr: [*rtmr0, *rtmr1, *rtmr2],
    };
    let (name, expected, actual) = expected
        .named()
        .into_iter()
        .zip(actual.named())
        .find(|((_, expected), (_, actual))| expected != actual)
        .map(|((name, expected), (_, actual))| (name, hex::encode(expected), hex::encode(actual)))?;
    Some(
        Finding::fail(
            &REGISTER_MISMATCH,
            format!("{} is not the one of {origin}.", name.to_uppercase()),
        )
        .comparing(expected, actual),
    )
}

/// `until` is when the acceptance ends, Unix seconds, and the lock that says so.
fn vulnerable(row: Option<&OsImageRow>, at: u64, until: Option<(u64, &str)>) -> Option<Finding> {
    let row = row.filter(|row| !row.vulnerabilities.is_empty())?;
    let names = row.vulnerabilities.join(", ");
    let detail = match until {
        Some((until, lock)) if at < until => {
            let finding = Finding::warn(
                if until < at.saturating_add(FORECAST) {
                    &RESERVATION_ENDS_SOON
                } else {
                    &VULNERABLE_IMAGE
                },
                format!(
                    "{} has {names}; the lock accepts it until {}.",
                    row.name,
                    rfc3339(until)
                ),
            );
            let reason = format!("{} has a published vulnerability: {names}.", row.name);
            let accepted = Acceptance::new(AcceptedKind::VulnerableImage, lock, reason).until(until);
            return Some(finding.accepting([accepted]));
        }
        Some((until, _)) => format!(
            "{} has {names}; the lock accepted it until {}.",
            row.name,
            rfc3339(until)
        ),
        None => format!("{} has {names}.", row.name),
    };
    Some(Finding::fail(&VULNERABLE_IMAGE, detail).found(row.name.clone()))
}
