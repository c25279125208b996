//! The user's docker compose file, looked for in the measured document.

use serde_json::Value;

use super::super::Finding;
use super::super::measured_compose::AS_OBJECT;
use super::{DOCKER_COMPOSE_MISMATCH, DOCUMENT_NOT_SHOWN, settings, unreadable};
use crate::compose::{Runner, TextDiff, UnseenDifference};
use crate::policy::{Expected, Policy};
use crate::report::Status;
use crate::verify::digest::sha256;
use crate::verify::{Claims, MeasuredCompose, NotProven};

/// Judges a release that is given by its docker compose file: that file byte for byte, and all around it pinned.
pub(super) fn release_finding(claims: &Claims, measured: &[u8; 32], policy: &Policy) -> Finding {
    let (compose, expected) = match matching(claims, policy) {
        Ok(Some(found)) => found,
        // The caller has one.
        Ok(None) => return not_shown(claims),
        Err(finding) => return finding,
    };
    match settings::pinned_by(compose, measured, policy) {
        Ok(by) => Finding::pass(format!(
            "The docker compose file is that of {} byte for byte, and {by}.",
            expected.origin
        )),
        Err(finding) => finding,
    }
}

/// Whether a docker compose file is expected and is the release that runs.
pub(super) fn is_released(claims: &Claims, measured: &[u8; 32], policy: &Policy) -> bool {
    release_finding(claims, measured, policy).status == Status::Pass
}

/// The finding where a docker compose file is expected and is not the measured one. What is around it is bound
/// otherwise.
pub(super) fn file_finding(claims: &Claims, policy: &Policy) -> Option<Finding> {
    matching(claims, policy).err()
}

/// What differs from the expected docker compose file, where both are known.
pub(super) fn difference(claims: &Claims, policy: &Policy) -> Vec<String> {
    file_finding(claims, policy)
        .map(|finding| finding.diff)
        .unwrap_or_default()
}

/// The measured document, where the docker compose file in it is the expected one. Nothing where none is expected.
fn matching<'f>(
    claims: &'f Claims,
    policy: &'f Policy,
) -> Result<Option<(&'f MeasuredCompose, &'f Expected<String>)>, Finding> {
    let Some(expected) = &policy.docker_compose else {
        return Ok(None);
    };
    let Ok(compose) = &claims.compose else {
        return Err(not_shown(claims));
    };
    let members = compose.members().map_err(unreadable)?;
    let runner = Runner::of(members).map_err(|error| unreadable(error).against(expected.origin.clone()))?;
    if runner == Runner::Bash {
        return Err(Finding::fail(
            &DOCKER_COMPOSE_MISMATCH,
            format!(
                "The measured compose document has the runner bash, which starts a script and not the docker compose file \
                 that {} expects.",
                expected.origin
            ),
        )
        .against(expected.origin.clone()));
    }
    match members.get("docker_compose_file") {
        Some(Value::String(actual)) if *actual == expected.value => Ok(Some((compose, expected))),
        Some(Value::String(actual)) => Err(mismatch(expected, actual)),
        _ => Err(Finding::fail(
            &DOCKER_COMPOSE_MISMATCH,
            format!(
                "The measured compose document has no docker compose file, but {} expects one.",
                expected.origin
            ),
        )
        .against(expected.origin.clone())),
    }
}

fn not_shown(claims: &Claims) -> Finding {
    Finding::error(
        &DOCUMENT_NOT_SHOWN,
        match &claims.compose {
            Err(NotProven::Refused(_)) => {
                "The compose document in the evidence is not the measured one, so the docker compose file could not be \
                 compared."
            }
            _ if claims.compose_is_object => AS_OBJECT,
            _ => {
                "The evidence contains no compose document, so the docker compose file in it could not be compared."
            }
        },
    )
}

fn mismatch(expected: &Expected<String>, actual: &str) -> Finding {
    let diff = TextDiff::of(&expected.value, actual);
    let how = match diff.only {
        Some(UnseenDifference::LineEnds) => {
            "the bytes differ only in line ends: one has CRLF (Windows) where the other has LF".to_owned()
        }
        Some(UnseenDifference::FinalLineEnd) => {
            "the bytes differ only in the line ends at the very end of the file".to_owned()
        }
        Some(UnseenDifference::ByteOrderMark) => {
            "the bytes differ only in a byte order mark at the beginning".to_owned()
        }
        None => match diff.changed_lines() {
            1 => "1 line differs".to_owned(),
            count => format!("{count} lines differ"),
        },
    };
    let hash = |text: &str| format!("sha256:{}", hex::encode(sha256(text.as_bytes())));
    let finding = Finding::fail(
        &DOCKER_COMPOSE_MISMATCH,
        format!(
            "The docker compose file inside the measured document is not that of {}: {how}.",
            expected.origin
        ),
    )
    .comparing(hash(&expected.value), hash(actual))
    .against(expected.origin.clone())
    .differing(diff.lines);
    match diff.only {
        // Nobody deployed another release: tools and editors make such a difference by themselves.
        Some(_) => finding.advising(
            "Give the file with exactly the bytes that were deployed: line ends and a byte order mark count. Git writes other line ends \
             on Windows unless .gitattributes says otherwise (docker-compose.yml text eol=lf).",
        ),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::claims_for_tests::healthy;
    use crate::verify::ComposeRefusal;

    /// Why there is no document to compare with: it is another one, its text is lost, or it was not sent.
    #[test]
    fn a_document_that_is_not_shown_is_told_by_what_became_of_it() {
        let other = || {
            NotProven::Refused(ComposeRefusal::HashMismatch {
                measured: [1; 32],
                text: [2; 32],
            })
        };
        for (compose, is_object, says) in [
            (other(), false, "is not the measured one"),
            (other(), true, "is not the measured one"),
            (NotProven::Absent, true, AS_OBJECT),
            (NotProven::Absent, false, "contains no compose document"),
        ] {
            let mut claims = healthy();
            claims.compose = Err(compose);
            claims.compose_is_object = is_object;
            let finding = not_shown(&claims);
            assert_eq!(
                (finding.status, finding.reason.map(|reason| reason.id)),
                (Status::Error, Some("document-not-shown"))
            );
            assert!(finding.detail.contains(says), "{says}: {}", finding.detail);
        }
    }
}
