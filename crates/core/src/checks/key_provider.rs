//! `key-provider`: the VM's keys come from who you think.

use super::{
    Acceptance, BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, InCertificate, QUOTE_NOT_PROVEN,
    Required, boot_claims, own_reference_values, reasons,
};
use crate::checks::known;
use crate::compose::UnprovenDocument;
use crate::policy::{Expected, KeyProviders, Policy};
use crate::reference::ReferenceValues;
use crate::report::{AcceptedKind, CheckId, MeasuredValue, Status, Tier};
use crate::verify::{Claims, KeyProvider};

pub(super) const CHECK: Check = Check {
    id: CheckId::KeyProvider,
    title: "Key provider",
    proves: "The VM's disk and app keys come from a key provider that you named or that is known.",
    prevents: "A host that runs your code with keys of its own, and so reads what the app encrypts.",
    reasons: REASONS,
    required: Required::NotToFailAndFrom(Tier::Code),
    is_configured: |policy| policy.key_provider.is_some(),
    run,
    of_document: Some(of_document),
    compares: &[MeasuredValue::KeyProvider],
    in_certificate: InCertificate::NotToFail,
    ..Check::BASE
};

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN, &EVENT_LOG_NOT_PROVEN, &BOOT_ORDER_NOT_PROVEN]:
    PROVIDER_MISMATCH "provider-mismatch"
        "The keys come from another key provider than the expected one."
        "If you moved to another key provider on purpose, correct --key-provider or the lock. Otherwise someone else chose it, and who runs \
         it knows every secret of the app: stop sending it secrets, and replace those that it has had.";
    NOT_NAMED "not-named"
        "The keys do not come from a KMS, and you did not name the provider that they come from."
        "If you did not choose this provider, stop sending the app secrets, and replace those that it has had: someone else chose who \
         knows them. If you did, deploy with a KMS, or accept this provider in writing: --key-provider NAME[:HEXID].";
    UNPINNED "unpinned"
        "The keys come from a KMS that is neither known nor named. The operator of a KMS knows every secret of the app, so \
         this does not meet `code`."
        "Find out who runs this KMS. If you trust them, write it down: --key-provider kms:HEXID, or pin it with \
         `cvm-verify pin`. To verify without knowing, waive it: --key-provider unchecked.";
    UNCHECKED "unchecked"
        "Waived with --key-provider unchecked, or by naming `kms` without an id."
        "Name the KMS that you trust, --key-provider kms:HEXID, instead of `unchecked` or `kms`.";
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let mut finding = judged(claims, policy);
    if matches!(finding.status, Status::Pass | Status::Warn)
        && let Some(caveat) = caveat(claims, policy)
    {
        finding.detail = format!("{} {caveat}", finding.detail);
    }
    finding
}

/// What vulnerabilities of the image mean for keys that come from a KMS.
fn caveat(claims: &Claims, policy: &Policy) -> Option<String> {
    let from_kms = claims
        .boot
        .as_ref()
        .is_ok_and(|boot| boot.key_provider().name == "kms");
    let os = claims.os(&policy.reference).filter(|_| from_kms)?;
    let advisories = policy.reference.advisories_of(os.row().version.as_ref());
    let sentences: Vec<&str> = advisories
        .iter()
        .filter_map(|advisory| advisory.key_provider.as_ref())
        .map(|sentence| sentence.as_str())
        .collect();
    (!sentences.is_empty()).then(|| format!("Of {}: {}.", os.row().name, sentences.join("; ")))
}

fn judged(claims: &Claims, policy: &Policy) -> Finding {
    if let Some(Expected {
        value: KeyProviders::Unchecked,
        origin,
    }) = &policy.key_provider
    {
        return Finding::waived(
            &UNCHECKED,
            origin,
            "Waived: the provider of the VM's keys knows every secret of the app.",
        );
    }
    let boot = known!(boot_claims(claims));
    let actual = boot.key_provider();
    match &policy.key_provider {
        Some(expected) => judge(actual, expected, policy),
        None => unnamed(actual, policy),
    }
}

/// What this check will say of a deployment of this document. Which KMS it is, the host decides: a document that takes its keys
/// from one is refused only where every expected provider is another kind.
fn of_document(document: &UnprovenDocument, policy: &Policy) -> Option<Finding> {
    let Some(name) = document.key_provider_beside_a_kms() else {
        return of_a_kms(policy.key_provider.as_ref()?);
    };
    let expected = match &policy.key_provider {
        None => {
            return Some(Finding::fail(
                &NOT_NAMED,
                format!(
                    "The document takes the VM's keys from `{name}`, not from a KMS. To accept that: --key-provider {name}."
                ),
            ));
        }
        Some(expected) => expected,
    };
    let is_expected = match &expected.value {
        KeyProviders::Unchecked => true,
        KeyProviders::AnyKms => false,
        // There is one of the kind `local` for each kind of enclave: `local-sgx`.
        KeyProviders::Named(pins) => pins
            .iter()
            .any(|pin| pin.name == name || (name == "local" && pin.name.starts_with("local"))),
    };
    (!is_expected).then(|| of_another(&format!("`{name}`"), expected))
}

/// What is said of a document that takes its keys from a KMS.
fn of_a_kms(expected: &Expected<KeyProviders>) -> Option<Finding> {
    let can_be = match &expected.value {
        KeyProviders::Unchecked | KeyProviders::AnyKms => true,
        KeyProviders::Named(pins) => pins.iter().any(|pin| pin.name == "kms"),
    };
    (!can_be).then(|| of_another("a KMS", expected))
}

fn of_another(actual: &str, expected: &Expected<KeyProviders>) -> Finding {
    let Expected { value, origin } = expected;
    let detail = format!("The document takes the VM's keys from {actual}; {origin} expects {value}.");
    Finding::fail(&PROVIDER_MISMATCH, detail).against(origin.clone())
}

/// The provider against what is expected.
fn judge(actual: &KeyProvider, expected: &Expected<KeyProviders>, policy: &Policy) -> Finding {
    let Expected { value, origin } = expected;
    let is_kms = actual.name == "kms";
    if *value == KeyProviders::AnyKms && is_kms {
        return match known(actual, policy) {
            Some(finding) => finding,
            None => Finding::waived(
                &UNCHECKED,
                origin,
                "Waived: any KMS is accepted, and its operator knows every secret of the app.",
            )
            .found(actual.to_string()),
        };
    }
    if !value.names(&actual.name, &actual.id) {
        let detail = match is_kms {
            true => format!("The VM's keys come from a KMS that is not the provider that {origin} expects."),
            false => format!(
                "The VM's keys come from `{}`, which is not the provider that {origin} expects.",
                actual.name
            ),
        };
        let finding = Finding::fail(&PROVIDER_MISMATCH, detail)
            .comparing(value.to_string(), actual.to_string())
            .against(origin.clone());
        let correct = match origin.to_correct() {
            Some(by) => format!("correct {by}"),
            None if is_kms && ReferenceValues::built_in().kms_by_id(&actual.id).is_none() => {
                "run `cvm-verify pin URL --accept other-kms` and review the difference".to_owned()
            }
            None => "run `cvm-verify pin URL` and review the difference".to_owned(),
        };
        return finding.advising(format!(
            "If you moved to another key provider on purpose, {correct}. Otherwise someone else chose it, and who runs it knows every \
             secret of the app: stop sending it secrets, and replace those that it has had."
        ));
    }
    let finding = Finding::pass(format!("The key provider is the one expected by {origin}."));
    if is_kms {
        return finding;
    }
    let reason = format!("The VM's keys come from `{}`, not from a KMS.", actual.name);
    finding.accepting([Acceptance::new(AcceptedKind::KeyProvider, origin, reason)])
}

/// Nothing is expected: a KMS of a known party alone will do.
fn unnamed(actual: &KeyProvider, policy: &Policy) -> Finding {
    if actual.name != "kms" {
        return Finding::fail(
            &NOT_NAMED,
            format!(
                "The keys come from `{}`, and no expectation names this provider.",
                actual.name
            ),
        )
        .found(actual.to_string());
    }
    known(actual, policy).unwrap_or_else(|| {
        Finding::warn(
            &UNPINNED,
            "The keys come from a KMS that is neither known nor named. This does not meet `code`.",
        )
        .found(actual.to_string())
    })
}

/// A pass, if the KMS is one of a known party.
fn known(actual: &KeyProvider, policy: &Policy) -> Option<Finding> {
    let row = policy.reference.kms_by_id(&actual.id)?;
    let finding = Finding::pass(format!("The keys come from {} (`{}`).", row.what, row.name));
    Some(finding.accepting(own_reference_values(
        row.origin,
        &format!("the KMS {}", row.name),
        policy,
    )))
}
