//! The expected document, deployed as other bytes: deploy tools write one document in several JSON forms, and editors change line ends,
//! so that it has another hash. Nobody deployed another release then.

use super::super::Finding;
use super::{other_hash, unseen};
use crate::compose::spelling_of;
use crate::policy::{Expected, Origin, Policy};
use crate::verify::Claims;

/// The finding of another compose hash, if the measured document is the expected one as other bytes. It fails all the same: only a person
/// says which bytes are expected. `None` if nothing shows that it is the same document.
pub(super) fn finding(
    expected: &Expected<[u8; 32]>,
    measured: &[u8; 32],
    claims: &Claims,
    policy: &Policy,
) -> Option<Finding> {
    let text = claims.compose.as_ref().ok().map(|compose| compose.text());
    let by = format!("The VM runs the compose document expected by {}", expected.origin);
    if let Some(how) = text.and_then(|text| unseen::difference(text, &expected.value)) {
        let detail = format!("{by}, as other bytes: they differ only in {how}.");
        let correct = match expected.origin.to_correct() {
            Some(by) => format!("correct {by}"),
            None => "run `cvm-verify pin URL`".to_owned(),
        };
        return Some(other_hash(expected, measured, detail).advising(format!(
            "Expect exactly the bytes that were deployed: {correct}. The hash of those bytes is under `actual`; line ends and a byte \
             order mark count."
        )));
    }
    let of_file = policy
        .given_document
        .as_ref()
        .and_then(|document| document.other_form(measured, text));
    let (by, how, instead) = match of_file.or_else(|| written(text?, &expected.value)) {
        Some(how) => (by, how, corrected(&expected.origin, measured)),
        None => {
            let second = policy
                .second_compose_hash
                .as_ref()
                .filter(|second| second.holds(claims.at))?;
            let how = written(text?, &second.value)?;
            let by = "The VM runs the compose document of --also-compose-hash".to_owned();
            let instead = format!(
                "--also-compose-hash {}:until={}",
                hex::encode(measured),
                second.until
            );
            (by, how, instead)
        }
    };
    let or_file = match policy.given_document {
        Some(_) => " Or give the file in that form.",
        None => "",
    };
    let detail = format!("{by}, in another JSON form: {how}.");
    Some(other_hash(expected, measured, detail).advising(format!(
        "No other release was deployed. Expect the hash of the form that is deployed: {instead}.{or_file}"
    )))
}

/// How the measured document is written in the form that has this hash.
fn written(text: &str, expected: &[u8; 32]) -> Option<String> {
    let how = spelling_of(text, expected)?;
    Some(format!(
        "every field has the expected value, and the expected hash is that of the document written {how}"
    ))
}

/// What to write so that this hash is expected.
fn corrected(origin: &Origin, measured: &[u8; 32]) -> String {
    let hash = hex::encode(measured);
    match origin {
        Origin::Option("--compose-hash") => format!("--compose-hash {hash}"),
        Origin::Option(name) => format!("--compose-hash {hash} instead of {name}"),
        Origin::File { path, key, place } if key.ends_with("compose-hash") => {
            format!("compose-hash = \"{hash}\" in line {} of {path}", place.line)
        }
        Origin::File { path, key, place } => format!(
            "compose-hash = \"{hash}\" instead of `{key}` in line {} of {path}",
            place.line
        ),
        Origin::Lock(lock) => format!(
            "compose_hash = \"{hash}\" in {lock}. `cvm-verify pin URL` writes it, and changes nothing else of the document"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::checks::claims_for_tests::healthy;
    use crate::checks::compose_hash::CHECK;
    use crate::compose::{UnprovenDocument, compose_forms};
    use crate::policy::Expected;
    use crate::report::Status;
    use crate::verify::NotProven;

    /// What the check says of an honest deployment of which a file is expected.
    fn finding(file: &str, claims: &Claims) -> Finding {
        let policy = Policy {
            compose_hash: Some(Expected {
                value: Sha256::digest(file).into(),
                origin: Origin::Option("--app-compose-file"),
            }),
            given_document: UnprovenDocument::read(file).ok().map(Arc::new),
            ..Policy::default()
        };
        (CHECK.run)(claims, &policy)
    }

    #[test]
    fn a_document_in_another_form_fails_and_accuses_nobody() {
        let mut claims = healthy();
        let text = claims.compose.as_ref().unwrap().text().to_owned();
        let measured = hex::encode(claims.boot.as_ref().unwrap().compose_hash());
        let is_sdk = compose_forms(&text)
            .unwrap()
            .0
            .iter()
            .skip(1)
            .any(|form| hex::encode(form.hash) == measured);
        assert!(is_sdk, "the simulated document is in the form of the SDKs");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let mut other = value.clone();
        other["public_logs"] = serde_json::json!("other");

        for is_shown in [true, false] {
            if !is_shown {
                claims.compose = Err(NotProven::Absent);
            }
            let found = finding(&pretty, &claims);
            assert_eq!(
                (found.status, found.reason.map(|reason| reason.id)),
                (Status::Fail, Some("compose-hash-mismatch"))
            );
            assert!(
                found
                    .detail
                    .starts_with(
                        "The VM runs the compose document expected by --app-compose-file, in another JSON form: the deploy tool \
                         wrote it as `sdk`"
                    ),
                "{}",
                found.detail
            );
            let fix = found.fix.unwrap();
            assert!(
                fix.contains(&format!(
                    "--compose-hash {measured} instead of --app-compose-file"
                )),
                "{fix}"
            );
            assert!(!fix.contains("someone else"), "{fix}");
            // Another document is not this one.
            let found = finding(&other.to_string(), &claims);
            assert!(
                found.detail.starts_with("The VM runs another compose document"),
                "{}",
                found.detail
            );
            assert!(found.fix.unwrap().contains("someone else deployed"));
        }
    }

    #[test]
    fn blanks_that_no_tool_writes_are_a_form_where_the_document_is_shown() {
        let mut claims = healthy();
        let text = claims.compose.as_ref().unwrap().text().to_owned();
        // The file has the form of the SDKs, and what runs has none that is known.
        let file = text.clone();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let document = UnprovenDocument::read(&file).unwrap();
        let deployed = serde_json::to_string_pretty(&value).unwrap();
        let hash: [u8; 32] = Sha256::digest(&deployed).into();
        assert!(
            document
                .other_form(&hash, Some(&deployed))
                .unwrap()
                .contains("other blanks")
        );
        assert_eq!(document.other_form(&hash, None), None);
        assert_eq!(document.other_form(&hash, Some("{\"a\":1,\"a\":1}")), None);
        claims.compose = Err(NotProven::Absent);
        assert_eq!(finding(&file, &claims).status, Status::Pass);
    }

    /// A lock with the hash of the readable file, and what runs is the same document as the SDKs write it.
    #[test]
    fn a_lock_of_the_same_document_in_another_form_accuses_nobody() {
        use std::collections::BTreeMap;

        use crate::policy::{LockOrigin, LockedCompose};

        let claims = healthy();
        let compose = claims.compose.as_ref().unwrap();
        let value: serde_json::Value = serde_json::from_str(compose.text()).unwrap();
        let file = compose
            .compose_file(crate::compose::launch_script(compose))
            .unwrap()
            .unwrap();
        let lock = LockOrigin::from("cvm.lock");
        let found = |expected: [u8; 32], images: BTreeMap<String, String>| {
            let policy = Policy {
                compose_hash: Some(Expected {
                    value: expected,
                    origin: lock.key(&["compose_hash"]),
                }),
                locked_compose: Some(LockedCompose {
                    compose_settings: compose.compose_settings().unwrap().clone(),
                    images,
                    places: Vec::new(),
                    lock: lock.clone(),
                }),
                ..Policy::default()
            };
            let finding = (CHECK.run)(&claims, &policy);
            assert_eq!(
                (finding.status, finding.reason.map(|reason| reason.id)),
                (Status::Fail, Some("compose-hash-mismatch"))
            );
            (finding.detail, finding.fix.unwrap())
        };
        let images = file.images.clone();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let (detail, fix) = found(Sha256::digest(&pretty).into(), images.clone());
        assert!(
            detail.starts_with(
                "The VM runs the compose document expected by cvm.lock, in another JSON form: every field has the expected value"
            ),
            "{detail}"
        );
        assert!(fix.starts_with("No other release was deployed"), "{fix}");
        // A hash of which nothing is known: what is proven is said, and no more.
        let (detail, fix) = found([7; 32], images);
        assert!(!detail.contains("file changed"), "{detail}");
        assert!(
            detail.starts_with("The compose hash is not the one expected by cvm.lock."),
            "{detail}"
        );
        assert!(
            detail.contains("or only the way in which the JSON of the document is written"),
            "{detail}"
        );
        assert!(
            fix.starts_with("Find out which: `cvm-verify compose-hash"),
            "{fix}"
        );
        assert!(fix.contains("someone else did"), "{fix}");
        let (detail, fix) = found([7; 32], BTreeMap::new());
        assert!(detail.contains("What changed: "), "{detail}");
        assert!(!fix.contains("Find out which"), "{fix}");
    }

    /// The release that is accepted for a while, too, is in another form than that of its hash.
    #[test]
    fn the_second_document_in_another_form_is_named_and_accuses_nobody() {
        let claims = healthy();
        let text = claims.compose.as_ref().unwrap().text();
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let second = hex::encode(Sha256::digest(&pretty));
        let policy = Policy {
            compose_hash: Some(Expected {
                value: [7; 32],
                origin: Origin::Option("--compose-hash"),
            }),
            second_compose_hash: format!("{second}:until=2099-01-01").parse().ok(),
            ..Policy::default()
        };
        let found = (CHECK.run)(&claims, &policy);
        assert_eq!(
            (found.status, found.reason.map(|reason| reason.id)),
            (Status::Fail, Some("compose-hash-mismatch"))
        );
        assert!(
            found.detail.starts_with(
                "The VM runs the compose document of --also-compose-hash, in another JSON form: every field has the expected value"
            ),
            "{}",
            found.detail
        );
        let fix = found.fix.unwrap();
        assert!(
            fix.contains(":until=2099-01-01") && !fix.contains("someone"),
            "{fix}"
        );
    }
}
