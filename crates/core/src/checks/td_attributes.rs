//! `td-attributes`: the VM runs in the one mode in which the host can neither look in nor reach in.

use super::{
    Acceptance, Check, Finding, Heals, InCertificate, QUOTE_NOT_PROVEN, Required, proven_quote, reasons,
};
use crate::checks::known;
use crate::policy::{DEFAULT_TD_ATTRIBUTES, Policy};
use crate::report::{AcceptedKind, CheckId, MeasuredValue, Tier};
use crate::verify::{Claims, VerifiedQuote};

/// XFAM bits that a TD may have (docs/threats.md, T22); bits 0 and 1 (x87, SSE) it must have.
const XFAM_ALLOWED: u64 = 0x6_DBE7;
const XFAM_REQUIRED: u64 = 0x3;

pub(super) const CHECK: Check = Check {
    id: CheckId::TdAttributes,
    title: "VM attributes",
    proves: "The VM runs without debugging, profiling, migration, service TDs and host-chosen owners.",
    prevents: "A host that gains access to a VM whose measurements are otherwise right.",
    reasons: REASONS,
    required: Required::From(Tier::Hardware),
    harmless_warnings: &[&PLATFORM_CHANGED],
    run,
    convicts: &[
        (&TD_ATTRIBUTES, Heals::UnlessExpectedRuns),
        (&OWNER, Heals::UnlessExpectedRuns),
        (&SERVICE_TD, Heals::UnlessExpectedRuns),
    ],
    compares: &[MeasuredValue::TdAttributes, MeasuredValue::Xfam],
    in_certificate: InCertificate::ToBeMet,
    ..Check::BASE
};

const REDEPLOY: &str = "Stop sending it secrets. Redeploy on a host that starts VMs the way dstack does, replace every secret that this VM has held, and ask \
     the operator why this one differs.";

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN]:
    TD_ATTRIBUTES "td-attributes-mismatch"
        "TDATTRIBUTES are not exactly what they must be."
        REDEPLOY;
    XFAM "xfam-refused"
        "XFAM has bits that no dstack guest uses, or lacks x87 and SSE."
        REDEPLOY;
    OWNER "owner-not-zero"
        "The host gave the VM an owner; dstack guests have none."
        REDEPLOY;
    SERVICE_TD "service-td"
        "A service TD is bound to the VM and may access it."
        REDEPLOY;
    PLATFORM_CHANGED "platform-changed"
        "The TDX module is another one than the locked one."
        "If the host was updated, run `cvm-verify pin` and review the difference.";
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let quote = known!(proven_quote(claims));
    let accepted = accepted(quote, policy);
    let finding = refuse(quote, policy).unwrap_or_else(|| {
        let locked = policy.locked_platform.as_ref();
        match locked.and_then(|locked| Some((&locked.lock, locked.mr_seam?))) {
            Some((lock, mr_seam)) if mr_seam != *quote.mr_seam() => Finding::warn(
                &PLATFORM_CHANGED,
                format!("The VM's attributes are right, but the TDX module is not the one in {lock}."),
            )
            .comparing(
                format!("MRSEAM {}", hex::encode(mr_seam)),
                format!("MRSEAM {}", hex::encode(quote.mr_seam())),
            )
            .against(lock.key(&["platform", "mr_seam"])),
            _ => Finding::pass("No debugging, profiling, migration, service TD or owner."),
        }
    });
    finding.accepting(accepted)
}

/// Attributes that a lock expects and no dstack guest has: anyone who committed the lock accepted them.
fn accepted(quote: &VerifiedQuote, policy: &Policy) -> Option<Acceptance> {
    let locked = policy.locked_platform.as_ref()?;
    let other = locked
        .td_attributes
        .filter(|value| *value != DEFAULT_TD_ATTRIBUTES)?;
    let reason = format!(
        "The VM was started with other attributes than any dstack guest: {}.",
        hex::encode(other)
    );
    (*quote.td_attributes() == other)
        .then(|| Acceptance::new(AcceptedKind::TdAttributes, &locked.lock, reason))
}

fn refuse(quote: &VerifiedQuote, policy: &Policy) -> Option<Finding> {
    let locked = policy.locked_platform.as_ref();
    let locked = locked.and_then(|locked| Some((&locked.lock, locked.td_attributes?)));
    let expected = locked.map_or(DEFAULT_TD_ATTRIBUTES, |(_, attributes)| attributes);
    if *quote.td_attributes() != expected {
        let actual = hex::encode(quote.td_attributes());
        let expecting = locked.map_or_else(|| "every dstack guest".to_owned(), |(lock, _)| lock.to_string());
        return Some(
            Finding::fail(
                &TD_ATTRIBUTES,
                format!(
                    "TDATTRIBUTES of the VM are {actual}; those of {expecting} are {}.",
                    hex::encode(expected)
                ),
            )
            .comparing(hex::encode(expected), actual)
            .against(locked.map(|(lock, _)| lock.key(&["platform", "td_attributes"]))),
        );
    }
    let xfam = u64::from_le_bytes(*quote.xfam());
    if xfam & XFAM_REQUIRED != XFAM_REQUIRED || xfam & !XFAM_ALLOWED != 0 {
        let what = match xfam & !XFAM_ALLOWED {
            0 => "it lacks x87 or SSE, which every dstack guest has".to_owned(),
            bits => format!("the bits {bits:#x} are CPU features that no dstack guest uses"),
        };
        return Some(
            Finding::fail(&XFAM, format!("XFAM of the VM is {xfam:#x}: {what}.")).comparing(
                format!("within {XFAM_ALLOWED:#x}, with {XFAM_REQUIRED:#x}"),
                format!("{xfam:#x}"),
            ),
        );
    }
    for (name, value) in [
        ("MROWNER", quote.mr_owner()),
        ("MROWNERCONFIG", quote.mr_owner_config()),
    ] {
        if *value != [0; 48] {
            return Some(
                Finding::fail(&OWNER, format!("{name} is not zero."))
                    .comparing("48 zero bytes", hex::encode(value)),
            );
        }
    }
    match quote.mr_service_td() {
        Some(value) if *value != [0; 48] => Some(
            Finding::fail(&SERVICE_TD, "MRSERVICETD is not zero.")
                .comparing("48 zero bytes", hex::encode(value)),
        ),
        _ => None,
    }
}
