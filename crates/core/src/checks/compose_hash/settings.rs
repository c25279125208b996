//! The fields around the docker compose file: the locked ones, or the built-in clean ones.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::{Acceptance, Finding};
use super::{
    SECOND_HASH_SETTINGS, SETTINGS_MISMATCH, SETTINGS_NOT_SHOWN, SETTINGS_UNPINNED, second_words, unreadable,
};
use crate::compose::{UnprovenDocument, clean_settings_violations, known_prelaunch_script, launch_script};
use crate::lock::field_words;
use crate::policy::{LockOrigin, LockedCompose, Origin, Policy, SecondHash};
use crate::report::{AcceptedKind, and_more};
use crate::verify::{Claims, MeasuredCompose, NotProven};

/// How many fields a finding names.
const MAX_NAMED: usize = 8;
/// Characters of each that are shown.
const MAX_SHOWN: usize = 200;

/// What says which document it is, where its fields are not the locked ones. A hash binds every field: whoever wrote it out in full, at
/// whatever level, named these fields, and nobody deployed others. So only the lock alone convicts.
pub(super) enum DocumentNamedBy<'p> {
    /// The lock's own hash: then only the lock can be wrong, which was edited or merged badly, or written by another version of
    /// this program.
    LockedHash,
    /// A hash of an option or the policy file, for good. What the lock holds was reviewed, and these fields were not: that stays open
    /// until the lock says them.
    WrittenHash(Origin),
    /// A second hash, with an end: an acceptance in writing. The lock holds the fields of the other release.
    SecondHash(&'p SecondHash),
    /// The lock alone: a docker compose file names the release, and says nothing of what is around it.
    Lock,
}

impl<'p> DocumentNamedBy<'p> {
    /// For a document that has one of these hashes.
    fn of(hashes: &[[u8; 32]], policy: &'p Policy) -> Self {
        let expected = policy.compose_hash.as_ref();
        match expected.filter(|expected| hashes.contains(&expected.value)) {
            _ if hashes.iter().any(|hash| policy.is_locked_compose_hash(hash)) => Self::LockedHash,
            Some(written) => Self::WrittenHash(written.origin.clone()),
            None => Self::Lock,
        }
    }

    /// For a document that has the second hash. A lock without a hash of its own holds the fields of no release: it demands them of
    /// each, and then a person wrote two things that contradict each other.
    pub(super) fn second(second: &'p SecondHash, policy: &'p Policy) -> Self {
        match policy.locked_compose_hash() {
            Some(own) if *own == second.value => Self::LockedHash,
            Some(_) => Self::SecondHash(second),
            None => Self::WrittenHash(second_origin(policy)),
        }
    }
}

/// Where the second hash is written.
fn second_origin(policy: &Policy) -> Origin {
    let written = policy.setting("also-compose-hash");
    written.unwrap_or(Origin::Option("--also-compose-hash"))
}

/// Compares the fields around the docker compose file with the locked ones, if there are any.
pub(super) fn locked_finding(claims: &Claims, policy: &Policy, measured: &[u8; 32]) -> Option<Finding> {
    let named_by = DocumentNamedBy::of(std::slice::from_ref(measured), policy);
    compared(claims, policy, measured, &named_by)
}

/// The same for a document that has the second hash.
pub(super) fn second_finding(claims: &Claims, policy: &Policy, second: &SecondHash) -> Option<Finding> {
    compared(
        claims,
        policy,
        &second.value,
        &DocumentNamedBy::second(second, policy),
    )
}

fn compared(
    claims: &Claims,
    policy: &Policy,
    measured: &[u8; 32],
    named_by: &DocumentNamedBy<'_>,
) -> Option<Finding> {
    let locked = policy.locked_compose.as_ref()?;
    let actual = match &claims.compose {
        Ok(compose) => compose.compose_settings().map_err(|error| error.to_string()),
        Err(NotProven::Refused(_)) => Err("the document in the evidence is not the measured one".to_owned()),
        Err(NotProven::Absent | NotProven::NotReached) => {
            Err("the evidence contains no compose document".to_owned())
        }
    };
    match actual {
        Ok(actual) => mismatch(locked, actual, named_by, policy),
        // The lock's own hash binds its settings; another hash does not.
        Err(_) if policy.is_locked_compose_hash(measured) => None,
        Err(problem) => Some(
            Finding::error(
                &SETTINGS_NOT_SHOWN,
                format!(
                    "The settings in {} could not be compared: {problem}.",
                    locked.lock
                ),
            )
            .against(locked.lock.key(&["compose"])),
        ),
    }
}

/// Compares the fields of a document that is not deployed yet with the locked ones, as [`locked_finding`] will.
pub(super) fn of_document(document: &UnprovenDocument, policy: &Policy) -> Option<Finding> {
    let named_by = DocumentNamedBy::of(document.hashes(), policy);
    let locked = policy.locked_compose.as_ref()?;
    let mut finding = mismatch(locked, &document.compose_settings(), &named_by, policy)?;
    if !matches!(named_by, DocumentNamedBy::LockedHash) {
        finding.detail += &format!(
            " If the change is yours, add `--output {}` to this command: it writes this document into the lock. Review the difference, and \
             commit it with the release.",
            locked.lock
        );
    }
    Some(finding)
}

/// What pins the fields around a docker compose file: where it is nothing, a finding.
pub(super) fn pinned_by(
    compose: &MeasuredCompose,
    measured: &[u8; 32],
    policy: &Policy,
) -> Result<String, Finding> {
    let actual = compose.compose_settings().map_err(unreadable)?;
    if let Some(locked) = &policy.locked_compose {
        let named_by = DocumentNamedBy::of(std::slice::from_ref(measured), policy);
        return match mismatch(locked, actual, &named_by, policy) {
            None => Ok(format!(
                "every other field of the measured document is the one in {}",
                locked.lock
            )),
            Some(finding) => Err(finding),
        };
    }
    let file = compose.compose_file(launch_script(compose)).map_err(unreadable)?;
    let violations = clean_settings_violations(actual, &file.unwrap_or_default());
    if violations.is_empty() {
        return Ok(format!(
            "the rest of the measured document has the built-in clean settings ({})",
            script_of(actual)
        ));
    }
    let more = violations.len().saturating_sub(MAX_NAMED);
    let named: Vec<String> = violations
        .into_iter()
        .take(MAX_NAMED)
        .map(|one| cut(&one))
        .collect();
    let more = and_more(";", more);
    Err(Finding::error(
        &SETTINGS_UNPINNED,
        format!(
            "The docker compose file is the expected one, but nothing pins the settings around it, and they are not the \
             built-in clean ones: {}{more}.",
            named.join("; ")
        ),
    ))
}

fn script_of(compose_settings: &BTreeMap<String, Value>) -> String {
    let hash = compose_settings.get("pre_launch_script").and_then(Value::as_str);
    hash.and_then(|text| known_prelaunch_script(text.strip_prefix("sha256:")?))
        .map_or_else(
            || "no pre-launch script".to_owned(),
            |script| format!("Phala's pre-launch script {}", script.version),
        )
}

/// The fields that are not the locked ones, judged by what names the document.
fn mismatch(
    locked: &LockedCompose,
    actual: &BTreeMap<String, Value>,
    named_by: &DocumentNamedBy<'_>,
    policy: &Policy,
) -> Option<Finding> {
    let names: BTreeSet<&String> = locked.compose_settings.keys().chain(actual.keys()).collect();
    let differing: Vec<&String> = names
        .into_iter()
        .filter(|name| locked.compose_settings.get(*name) != actual.get(*name))
        .collect();
    let first = differing.first()?;
    let means = |name: &&String| {
        let (old, new) = (locked.compose_settings.get(*name), actual.get(*name));
        let words = field_words(name, old, new).filter(|_| !matches!(named_by, DocumentNamedBy::LockedHash));
        let more = words.map(|words| format!(" ({})", cut(&words)));
        format!("`{}`{}", cut(name), more.unwrap_or_default())
    };
    let named: Vec<String> = differing.iter().take(MAX_NAMED).map(means).collect();
    let more = and_more("", differing.len().saturating_sub(MAX_NAMED));
    let finding = judged(&(named.join(", ") + &more), &locked.lock, named_by, policy);
    let shown = |settings| shown(&differing, settings);
    Some(
        finding
            .comparing(shown(&locked.compose_settings), shown(actual))
            .against(locked.lock.key(&["compose", first])),
    )
}

/// The first of these fields with their values.
fn shown(names: &[&String], compose_settings: &BTreeMap<String, Value>) -> String {
    let of = |name: &&String| {
        let value = compose_settings
            .get(*name)
            .map_or_else(|| "(absent)".to_owned(), ToString::to_string);
        format!("{} = {}", cut(name), cut(&value))
    };
    let shown: Vec<String> = names.iter().take(MAX_NAMED).map(of).collect();
    shown.join("; ")
}

/// What it is that these fields are not the locked ones.
fn judged(names: &str, lock: &LockOrigin, named_by: &DocumentNamedBy<'_>, policy: &Policy) -> Finding {
    let written_before = format!(
        "write them into the lock before the deploy (`cvm-verify plan --app-compose-file FILE --lock {lock} --output {lock}`)"
    );
    match named_by {
        DocumentNamedBy::LockedHash => Finding::error(
            &SETTINGS_MISMATCH,
            format!(
                "{lock} contradicts itself: its own compose hash was measured, and these fields of that document are not those in its \
                 section [compose]: {names}."
            ),
        )
        .advising(
            "Run `cvm-verify pin URL` again and review the difference: the lock was edited or merged badly, or another version of \
             cvm-verify wrote it. No other code was deployed.",
        ),
        DocumentNamedBy::WrittenHash(by) => Finding::error(
            &SETTINGS_MISMATCH,
            format!(
                "The document is exactly the one that {by} names. These fields of it are not those in {lock}, so that nobody reviewed them \
                 there: {names}."
            ),
        )
        .advising(format!(
            "The two expectations contradict each other, and no other document was deployed. If {lock} is the newer one, correct {}. If \
             the release that {by} names is to stay, review the named fields, and {written_before}, or take them from the deployment: \
             `cvm-verify pin URL`.",
            by.to_correct().unwrap_or_else(|| by.to_string())
        )),
        DocumentNamedBy::SecondHash(second) => {
            let by = second_origin(policy);
            let others = format!("These fields of it are not those in {lock}, which holds the other release: {names}.");
            Finding::warn(&SECOND_HASH_SETTINGS, format!("{} {others}", second_words(second)))
                .advising(format!(
                    "Review the named fields. Of the release that stays, {written_before}, or run `cvm-verify pin URL` once it answers \
                     alone."
                ))
                .accepting([
                    Acceptance::new(AcceptedKind::ComposeSettings, by, others).until(second.ends),
                ])
        }
        DocumentNamedBy::Lock => Finding::fail(
            &SETTINGS_MISMATCH,
            format!("These fields of the compose document are not those in {lock}: {names}."),
        )
        .advising(format!(
            "Review the named fields: `cvm-verify diff {lock} URL` shows them. If the change is yours (a docker compose file that uses a \
             new variable changes `allowed_envs`), run `cvm-verify pin URL`, review the difference and commit the lock with the release. \
             If it is not, someone else deployed: stop sending it secrets."
        )),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::claims_for_tests::healthy;
    use crate::policy::{Expected, Origin};
    use crate::report::Status;

    /// Without the document, the hash in the lock decides whether its settings are the measured ones; another hash does not.
    #[test]
    fn the_hash_of_a_lock_binds_its_settings_where_no_document_is_shown() {
        let mut claims = healthy();
        claims.compose = Err(NotProven::Absent);
        let hash = *claims.boot.as_ref().unwrap().compose_hash();
        let lock = crate::policy::LockOrigin::from("cvm.lock");
        for (locked, origin, is_bound) in [
            (hash, lock.key(&["compose_hash"]), true),
            ([9; 32], lock.key(&["compose_hash"]), false),
            (hash, Origin::Option("--compose-hash"), false),
        ] {
            let policy = Policy {
                compose_hash: Some(Expected {
                    value: locked,
                    origin,
                }),
                locked_compose: Some(LockedCompose {
                    compose_settings: BTreeMap::new(),
                    images: BTreeMap::new(),
                    places: Vec::new(),
                    lock: lock.clone(),
                }),
                ..Policy::default()
            };
            let found = locked_finding(&claims, &policy, &hash);
            let said = found.map(|finding| (finding.status, finding.reason.map(|reason| reason.id)));
            let expected = (!is_bound).then_some((Status::Error, Some("compose-settings-not-shown")));
            assert_eq!(said, expected);
        }
    }
}
