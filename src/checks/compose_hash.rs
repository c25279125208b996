//! `compose-hash`: the VM runs exactly the compose document that you released.

use super::{
    BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, QUOTE_NOT_PROVEN, Reason, boot_claims,
};
use crate::config::Policy;
use crate::prove::{ComposeRefusal, Facts, Gap};
use crate::report::CheckId;

pub(super) const CHECK: Check = Check {
    id: CheckId::ComposeHash,
    title: "Compose hash",
    proves: "The VM was started with exactly the compose document that you expect, byte for byte.",
    prevents: "Running other code than was released, with hashes that the VM itself supplies.",
    reasons: &[
        &NO_EXPECTATION,
        &COMPOSE_HASH_MISMATCH,
        &TEXT_MISMATCH,
        &ENVELOPE_MISMATCH,
        &ENVELOPE_NOT_SHOWN,
        &QUOTE_NOT_PROVEN,
        &EVENT_LOG_NOT_PROVEN,
        &BOOT_ORDER_NOT_PROVEN,
    ],
    run,
};

const NO_EXPECTATION: Reason = Reason {
    id: "no-expectation",
    means: "No compose hash is expected, so any code would be consistent with itself.",
    fix: "Review what runs, then write it down: `cvm-verify pin URL` writes a lock file, or give --compose-hash with the \
          value shown under `actual`.",
};
const COMPOSE_HASH_MISMATCH: Reason = Reason {
    id: "compose-hash-mismatch",
    means: "The VM runs another compose document than the expected one.",
    fix: "If you deployed a new version, run `cvm-verify pin` and review the difference. If you did not, someone else did: \
          stop sending it secrets.",
};
const TEXT_MISMATCH: Reason = Reason {
    id: "text-mismatch",
    means: "The compose document that was handed over is not the one that was measured.",
    fix: "Hand over the exact text of `app_compose`, never re-serialised (a final newline counts). If the app returns the \
          SDK's object unchanged, treat the host as hostile.",
};
const ENVELOPE_MISMATCH: Reason = Reason {
    id: "envelope-mismatch",
    means: "A field around the docker compose file (scripts, flags, allowed variables) is not the locked one.",
    fix: "Review the named fields; if the change is yours, run `cvm-verify pin` and review the difference.",
};
const ENVELOPE_NOT_SHOWN: Reason = Reason {
    id: "envelope-not-shown",
    means: "The lock holds the envelope of another compose hash, and the document was not handed over to compare, or \
            names a field twice, so that it has no one envelope.",
    fix: "Expose /info with `tcb_info.app_compose`, or give the document with --app-compose-file.",
};

fn run(facts: &Facts, policy: &Policy) -> Finding {
    let boot = match boot_claims(facts) {
        Ok(boot) => boot,
        Err(finding) => return finding,
    };
    let actual = hex::encode(boot.compose_hash());
    // Before what was shown: another code must not pass for a badly copied text.
    if let Some(expected) = &policy.compose_hash
        && expected.value != *boot.compose_hash()
    {
        return Finding::fail(
            &COMPOSE_HASH_MISMATCH,
            format!(
                "The VM runs another compose document than the one expected by {}.",
                expected.origin
            ),
        )
        .comparing(hex::encode(expected.value), actual);
    }
    if let Err(Gap::Refused(ComposeRefusal::HashMismatch { measured, text })) = &facts.compose {
        return Finding::fail(
            &TEXT_MISMATCH,
            "The compose document that was handed over is not the one that was measured.",
        )
        .comparing(hex::encode(measured), hex::encode(text));
    }
    let Some(expected) = &policy.compose_hash else {
        return Finding::skip(
            &NO_EXPECTATION,
            format!("No compose hash is expected. To expect this one, write down: --compose-hash {actual}"),
        )
        .found(actual);
    };
    envelope_finding(facts, policy).unwrap_or_else(|| {
        Finding::pass(format!(
            "The compose hash is the one expected by {}.",
            expected.origin
        ))
    })
}

/// Compares the fields around the docker compose file with the locked ones, where there are any.
fn envelope_finding(facts: &Facts, policy: &Policy) -> Option<Finding> {
    let locked = policy.locked_compose.as_ref()?;
    let actual = match &facts.compose {
        Ok(compose) => compose.envelope().map_err(|error| error.to_string()),
        Err(_) => Err("the document was not handed over".to_owned()),
    };
    let actual = match actual {
        Ok(envelope) => envelope,
        // The lock's own hash binds its envelope; another hash does not.
        Err(_) if policy.compose_hash_is_locked() => return None,
        Err(problem) => {
            return Some(Finding::error(
                &ENVELOPE_NOT_SHOWN,
                format!(
                    "The envelope in {} could not be compared: {problem}.",
                    locked.lock
                ),
            ));
        }
    };
    let names: std::collections::BTreeSet<&String> = locked.envelope.keys().chain(actual.keys()).collect();
    let differing: Vec<&String> = names
        .into_iter()
        .filter(|name| locked.envelope.get(*name) != actual.get(*name))
        .collect();
    let shown = |envelope: &std::collections::BTreeMap<String, serde_json::Value>| {
        let of = |name: &&String| {
            let value = envelope
                .get(*name)
                .map_or_else(|| "(absent)".to_owned(), ToString::to_string);
            format!("{name} = {}", value.chars().take(200).collect::<String>())
        };
        differing.iter().take(8).map(of).collect::<Vec<_>>().join("; ")
    };
    (!differing.is_empty()).then(|| {
        let names = differing
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        Finding::fail(
            &ENVELOPE_MISMATCH,
            format!(
                "These fields of the compose document are not those in {}: {names}.",
                locked.lock
            ),
        )
        .comparing(shown(&locked.envelope), shown(&actual))
    })
}
