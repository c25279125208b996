//! `key-provider`: the VM's keys come from who you think.

use super::{
    BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, QUOTE_NOT_PROVEN, Reason, Required,
    boot_claims,
};
use crate::config::Policy;
use crate::prove::Facts;
use crate::report::{CheckId, Status};

pub(super) const CHECK: Check = Check {
    id: CheckId::KeyProvider,
    title: "Key provider",
    proves: "The VM's disk and app keys come from a key provider that you named or that is known.",
    prevents: "A host that runs your code with keys of its own, and so reads what the app encrypts.",
    reasons: &[
        &PROVIDER_MISMATCH,
        &NOT_NAMED,
        &UNPINNED,
        &QUOTE_NOT_PROVEN,
        &EVENT_LOG_NOT_PROVEN,
        &BOOT_ORDER_NOT_PROVEN,
    ],
    required: Required::NotToFail,
    harmless_warnings: &[],
    is_configured: |policy| policy.key_provider.is_some(),
    run,
};

const PROVIDER_MISMATCH: Reason = Reason {
    id: "provider-mismatch",
    means: "The keys come from another key provider than the expected one.",
    fix: "If you moved to another KMS on purpose, update --key-provider or the lock; otherwise the host chose its own.",
};
const NOT_NAMED: Reason = Reason {
    id: "not-named",
    means: "The keys come from no KMS, and you did not say that this is right.",
    fix: "Deploy with a KMS, or accept this provider in writing: --key-provider NAME[:HEXID].",
};
const UNPINNED: Reason = Reason {
    id: "unpinned",
    means: "The keys come from a KMS that is neither known nor named.",
    fix: "Write down the KMS that you trust: --key-provider kms:HEXID, or pin it with `cvm-verify pin`.",
};

fn run(facts: &Facts, policy: &Policy) -> Finding {
    let mut finding = judge(facts, policy);
    if matches!(finding.status, Status::Pass | Status::Warn)
        && let Some(caveat) = caveat(facts, policy)
    {
        finding.detail = format!("{} {caveat}", finding.detail);
    }
    finding
}

/// What vulnerabilities of the image mean for keys that come from a KMS.
fn caveat(facts: &Facts, policy: &Policy) -> Option<String> {
    let from_kms = facts
        .boot
        .as_ref()
        .is_ok_and(|boot| boot.key_provider().name == "kms");
    let os = facts.os(&policy.reference).filter(|_| from_kms)?;
    let advisories = policy.reference.advisories_of(os.row());
    let sentences: Vec<&str> = advisories
        .iter()
        .filter_map(|advisory| advisory.key_provider.as_ref())
        .map(|sentence| sentence.as_str())
        .collect();
    (!sentences.is_empty()).then(|| format!("Of {}: {}.", os.row().name, sentences.join("; ")))
}

fn judge(facts: &Facts, policy: &Policy) -> Finding {
    let boot = match boot_claims(facts) {
        Ok(boot) => boot,
        Err(finding) => return finding,
    };
    let actual = boot.key_provider();
    if let Some(expected) = &policy.key_provider {
        let pin = &expected.value;
        let same = pin.name == actual.name && pin.id.as_ref().is_none_or(|id| *id == actual.id);
        return if same {
            Finding::pass(format!(
                "The key provider is the one expected by {}.",
                expected.origin
            ))
        } else {
            Finding::fail(
                &PROVIDER_MISMATCH,
                format!("The key provider is not the one expected by {}.", expected.origin),
            )
            .comparing(pin.to_string(), actual.to_string())
        };
    }
    if actual.name != "kms" {
        return Finding::fail(
            &NOT_NAMED,
            format!("The keys come from `{}`, which nobody named.", actual.name),
        )
        .found(actual.to_string());
    }
    match policy.reference.kms_by_id(&actual.id) {
        Some(row) => Finding::pass(format!("The keys come from {} (`{}`).", row.what, row.name)),
        None => Finding::warn(
            &UNPINNED,
            "The keys come from a KMS that is neither known nor named.",
        )
        .found(actual.to_string()),
    }
}
