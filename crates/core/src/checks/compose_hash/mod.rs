//! `compose-hash`: the VM runs exactly the compose document that you released.
//!
//! What was released is said by the document's hash, or by the docker compose file inside it: then everything around
//! that file must be pinned as well, by a lock or by being the built-in clean settings.

mod changed;
mod docker_compose;
mod locked_release;
mod other_form;
mod settings;
mod unseen;

use super::{
    BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, InCertificate, NOT_COMPARED,
    QUOTE_NOT_PROVEN, Required, boot_claims, not_compared, reasons,
};
use crate::checks::known;
use crate::policy::{Expected, Policy, SecondHash};
use crate::report::{CheckId, MeasuredValue, Status, Tier};
use crate::verify::{Claims, ComposeRefusal, NotProven};

pub(super) const CHECK: Check = Check {
    id: CheckId::ComposeHash,
    title: "Compose hash",
    proves: "The VM was started with exactly the compose document that you expect, byte for byte.",
    prevents: "Running other code than was released, with hashes that the VM itself supplies.",
    reasons: REASONS,
    required: Required::From(Tier::Code),
    harmless_warnings: &[&SECOND_HASH_ENDS_SOON],
    is_configured: |policy| {
        policy.compose_hash.is_some()
            || policy.docker_compose.is_some()
            || policy.not_compared_by(CheckId::ComposeHash).is_some()
    },
    forecasts: &[&SECOND_HASH_ENDS_SOON],
    run,
    of_document: Some(settings::of_document),
    compares: &[MeasuredValue::ComposeHash],
    in_certificate: InCertificate::ToBeMet,
    ..Check::BASE
};

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN, &EVENT_LOG_NOT_PROVEN, &BOOT_ORDER_NOT_PROVEN, &NOT_COMPARED]:
    NO_EXPECTATION "no-expectation"
        "No compose hash is expected, so any code would be consistent with itself."
        "Review what runs, then write it down: `cvm-verify pin URL` writes a lock file, or give --compose-hash with the \
         value shown under `actual`.";
    COMPOSE_HASH_MISMATCH "compose-hash-mismatch"
        "The VM runs another compose document than the expected one, or the expected one in another JSON form: the hash is over its bytes."
        "If you deployed a new version, run `cvm-verify pin` and review the difference; where an option or a key of the policy file \
         expects the hash, correct that. If you did not, someone else did: stop sending it secrets.";
    SECOND_HASH_ENDED "second-hash-ended"
        "The VM still runs the second compose document, which --also-compose-hash accepted until a day that is over."
        "Finish the roll-out. If it takes longer on purpose, give --also-compose-hash a later day.";
    SECOND_HASH_ENDS_SOON "second-hash-ends-soon"
        "The VM runs the second compose document, which --also-compose-hash accepts for 3 more days at most."
        "Finish the roll-out. If what runs is the release that stays, expect it (run `cvm-verify pin`, and remove --also-compose-hash). If \
         it takes longer on purpose, give --also-compose-hash a later day.";
    SECOND_HASH_SETTINGS "second-hash-settings"
        "The VM runs the second compose document, which --also-compose-hash accepts for a while, and fields around its docker compose \
         file are not those in the lock, which holds the other release."
        "Review the named fields. The verdict says that they were accepted, and `code` is not reached. Of the release that stays, write \
         them into the lock: `cvm-verify plan --output` before its deploy, or `cvm-verify pin` once it answers alone.";
    DOCKER_COMPOSE_MISMATCH "docker-compose-mismatch"
        "The docker compose file inside the measured document is not the one that you gave, byte for byte."
        "Check that it is the right file, and read the difference. If the release is not live yet, wait for it (--wait 10m). If your \
         tools render the file before they deploy it, give the rendered file. If the change is not yours, someone else deployed: stop sending it secrets.";
    TEXT_MISMATCH "text-mismatch"
        "The compose document in the evidence is not the one that was measured, and no expected hash says that the \
         measured one is right."
        "Return the exact text of `app_compose`, never serialized again (a final newline counts), and make sure that no CDN \
         and no app caches /info. Or write the compose hash down (--compose-hash, a lock): then only the measured hash \
         counts, whatever text is shown.";
    SETTINGS_MISMATCH "compose-settings-mismatch"
        "A field around the docker compose file (scripts, flags, allowed variables) is not the locked one. It is a failure only if the lock \
         alone says which is right: a compose hash that is written out binds every field."
        "Review the named fields. If they are those of the release that is to stay, write them into the lock: `cvm-verify plan --output` \
         before the deploy, or `cvm-verify pin` after it. Review the difference.";
    SETTINGS_NOT_SHOWN "compose-settings-not-shown"
        "The lock holds the settings of another compose hash, and the evidence contains no document to compare, or one \
         that names a field twice, so that its settings are ambiguous."
        "Expose /info with `tcb_info.app_compose`, name where it is (--info-path, --info-url), or give the document with \
         --app-compose-file.";
    SETTINGS_UNPINNED "compose-settings-unpinned"
        "The docker compose file is yours, but nothing pins the scripts, flags and variables around it, and they are \
         not the built-in clean settings."
        "Give the lock of this deployment with --lock. If there is none, write it with `cvm-verify pin URL` and review its section \
         [compose].";
    DOCUMENT_NOT_SHOWN "document-not-shown"
        "The app does not show its compose document, or shows another one than the measured one, so your docker compose \
         file cannot be looked for in it."
        "Expose /info with `tcb_info.app_compose`, name where it is (--info-path, --info-url), or give the document with \
         --app-compose-file.";
    UNREADABLE_DOCUMENT "unreadable-document"
        "The measured compose document is not a JSON object, or names a field twice, so two readers can see different \
         files in it."
        "Deploy a document that names each field once; if you did not write it, treat the deployment as hostile.";
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let boot = known!(boot_claims(claims));
    let measured = boot.compose_hash();
    let expectation = Expectation::of(policy, measured, claims);
    if let Expectation::Other(expected) = expectation
        && let Some(same) = other_form::finding(expected, measured, claims, policy)
    {
        return same;
    }
    let finding = judged(expectation, measured, claims, policy);
    locked_release::named(
        locked_release::nor_second(finding, measured, policy),
        measured,
        policy,
    )
}

fn judged(expectation: Expectation<'_>, measured: &[u8; 32], claims: &Claims, policy: &Policy) -> Finding {
    match expectation {
        // Told before what was shown: another code must not pass for a badly copied text.
        Expectation::Other(expected) => match docker_compose::difference(claims, policy) {
            none if none.is_empty() => changed::finding(expected, measured, claims, policy),
            of_file => mismatch_finding(expected, measured).differing(of_file),
        },
        Expectation::Ended(second) => {
            ended_finding(second, policy).differing(docker_compose::difference(claims, policy))
        }
        // What is expected was measured, so that the VM runs it, whatever text someone shows: nothing in that text is read.
        Expectation::First(expected) => docker_compose::file_finding(claims, policy)
            .or_else(|| settings::locked_finding(claims, policy, measured))
            .unwrap_or_else(|| {
                Finding::pass(format!(
                    "The compose hash is the one expected by {}.{}{}",
                    expected.origin,
                    second_note(policy, claims.at),
                    other_text_note(claims)
                ))
            }),
        Expectation::Second(second) => second_finding(second, claims, policy),
        Expectation::File(ended) => other_text(claims).unwrap_or_else(|| {
            let finding = docker_compose::release_finding(claims, measured, policy);
            match ended.filter(|_| finding.status == Status::Fail) {
                Some(second) => ended_finding(second, policy).differing(finding.diff),
                None => finding,
            }
        }),
        Expectation::None => other_text(claims)
            .or_else(|| not_compared(CheckId::ComposeHash, policy))
            .unwrap_or_else(|| {
                let actual = hex::encode(measured);
                Finding::skip(
                    &NO_EXPECTATION,
                    format!(
                        "No compose hash is expected. To expect this one, write down: --compose-hash {actual}"
                    ),
                )
                .found(actual)
            }),
    }
}

/// The finding of a document that is not the measured one, where no hash says that the measured one is right.
fn other_text(claims: &Claims) -> Option<Finding> {
    let Err(NotProven::Refused(ComposeRefusal::HashMismatch { measured, text })) = &claims.compose else {
        return None;
    };
    let finding = match claims.compose_is_of_info {
        // An old answer of a cache on the way looks like this, and nothing that was written down is missed.
        true => Finding::error(
            &TEXT_MISMATCH,
            "Not determined: the compose document that /info shows is not the one that was measured.",
        ),
        false => Finding::fail(
            &TEXT_MISMATCH,
            "The compose document in the evidence is not the one that was measured.",
        ),
    };
    Some(finding.comparing(hex::encode(measured), hex::encode(text)))
}

/// The second compose hash, where the VM runs that one and it is accepted.
pub(crate) fn second_release<'p>(claims: &Claims, policy: &'p Policy) -> Option<&'p SecondHash> {
    let boot = claims.boot.as_ref().ok()?;
    match Expectation::of(policy, boot.compose_hash(), claims) {
        Expectation::Second(second) => Some(second),
        _ => None,
    }
}

/// What the user expects of a compose hash that was measured.
enum Expectation<'p> {
    /// Nothing.
    None,
    /// It is the one expected.
    First(&'p Expected<[u8; 32]>),
    /// It is the second one, which is accepted today.
    Second(&'p SecondHash),
    /// It is the second one, which no longer is accepted.
    Ended(&'p SecondHash),
    /// It is another one.
    Other(&'p Expected<[u8; 32]>),
    /// No hash is expected, but a docker compose file is. With the second hash that this is, where it has ended or the file runs.
    File(Option<&'p SecondHash>),
}

impl<'p> Expectation<'p> {
    fn of(policy: &'p Policy, measured: &[u8; 32], claims: &Claims) -> Self {
        let second = policy
            .second_compose_hash
            .as_ref()
            .filter(|second| second.value == *measured);
        match (&policy.compose_hash, second) {
            (Some(first), _) if first.value == *measured => Self::First(first),
            (None, Some(_)) if docker_compose::is_released(claims, measured, policy) => Self::File(second),
            (_, Some(second)) if second.holds(claims.at) => Self::Second(second),
            (Some(_), Some(second)) => Self::Ended(second),
            (Some(first), None) => Self::Other(first),
            (None, ended) if policy.docker_compose.is_some() => Self::File(ended),
            (None, _) => Self::None,
        }
    }
}

/// The finding of a compose hash that is not the expected one, in words that say what is known of the two documents.
fn other_hash(expected: &Expected<[u8; 32]>, measured: &[u8; 32], detail: impl Into<String>) -> Finding {
    Finding::fail(&COMPOSE_HASH_MISMATCH, detail)
        .comparing(hex::encode(expected.value), hex::encode(measured))
        .against(expected.origin.clone())
}

fn mismatch_finding(expected: &Expected<[u8; 32]>, measured: &[u8; 32]) -> Finding {
    let detail = format!(
        "The VM runs another compose document than the one expected by {}.",
        expected.origin
    );
    let finding = other_hash(expected, measured, detail);
    match expected.origin.to_correct() {
        Some(by) => finding.advising(format!(
            "Compare {by} with the hash of your release. If that is another one, or if you deployed a new version, correct {by}: a lock does \
             not change what it expects. Otherwise someone else deployed: stop sending it secrets."
        )),
        None => finding,
    }
}

/// How long before the end of the second hash it is said, seconds: 3 days. A roll-out is short, so that the 14 days of other forecasts
/// would say it of each.
const ENDS_SOON: u64 = 3 * 86_400;

/// What runs is the second release, which is accepted today.
fn second_finding(second: &SecondHash, claims: &Claims, policy: &Policy) -> Finding {
    let is_soon = second.ends < claims.at.saturating_add(ENDS_SOON);
    let note = other_text_note(claims);
    match settings::second_finding(claims, policy, second) {
        Some(finding) if is_soon && finding.status == Status::Warn => Finding {
            reason: Some(&SECOND_HASH_ENDS_SOON),
            fix: None,
            ..finding
        },
        Some(finding) => finding,
        None if is_soon => Finding::warn(&SECOND_HASH_ENDS_SOON, second_words(second) + &note),
        None => Finding::pass(second_words(second) + &note),
    }
}

fn second_words(second: &SecondHash) -> String {
    format!(
        "The compose hash is the second one, of --also-compose-hash, which is accepted until {}; the release that is expected first does \
         not run here.",
        second.until
    )
}

fn ended_finding(second: &SecondHash, policy: &Policy) -> Finding {
    Finding::fail(
        &SECOND_HASH_ENDED,
        format!(
            "The VM runs the compose document of --also-compose-hash, which was accepted only until {}.",
            second.until
        ),
    )
    .found(hex::encode(second.value))
    .against(policy.setting("also-compose-hash"))
}

/// What a pass says of a document that was supplied and is not the measured one.
fn other_text_note(claims: &Claims) -> String {
    match &claims.compose {
        Err(NotProven::Refused(ComposeRefusal::HashMismatch { text, .. })) => format!(
            " The document in the evidence is another one (SHA-256 {}); nothing in it was read.",
            hex::encode(text)
        ),
        Ok(_) | Err(NotProven::Absent | NotProven::NotReached) => String::new(),
    }
}

/// What a pass by the first hash says of the second.
fn second_note(policy: &Policy, at: u64) -> String {
    match &policy.second_compose_hash {
        None => String::new(),
        Some(second) if second.holds(at) => {
            format!(
                " Until {} that of --also-compose-hash is accepted, too.",
                second.until
            )
        }
        Some(second) => format!(
            " --also-compose-hash ended with {} and is ignored: remove it.",
            second.until
        ),
    }
}

fn unreadable(error: impl std::fmt::Display) -> Finding {
    Finding::error(
        &UNREADABLE_DOCUMENT,
        format!("The measured compose document cannot be read unambiguously: {error}."),
    )
}
