//! The expected document, deployed in another form: deploy tools write one document as other bytes, so that it has another hash. Nobody
//! deployed another release then.

use super::super::Finding;
use crate::compose::spelling_of;
use crate::policy::{Origin, Policy};
use crate::verify::Claims;

/// How the document of the expected hash is written, if it is the measured one: a phrase behind "written".
pub(super) fn spelling(claims: &Claims, expected: &[u8; 32]) -> Option<String> {
    spelling_of(claims.compose.as_ref().ok()?.text(), expected)
}

/// The finding of another compose hash, which says so if the measured document is the expected one in another form. It fails all the
/// same: only a person says which bytes are expected.
pub(super) fn named(mut finding: Finding, measured: &[u8; 32], claims: &Claims, policy: &Policy) -> Finding {
    let Some(expected) = &policy.compose_hash else {
        return finding;
    };
    let text = claims.compose.as_ref().ok().map(|compose| compose.text());
    let of_file = policy
        .given_document
        .as_ref()
        .and_then(|document| document.other_form(measured, text));
    let same = match of_file {
        Some(form) => format!(" It is the document of that file in another form: {form}."),
        None => match spelling(claims, &expected.value) {
            Some(how) => format!(
                " It is the same document: every field has the expected value. The expected hash is that of the document written {how}."
            ),
            None => return finding,
        },
    };
    finding.detail.push_str(&same);
    let hash = hex::encode(measured);
    let instead = match &expected.origin {
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
    };
    let or_file = match policy.given_document {
        Some(_) => " Or give the file in that form.",
        None => "",
    };
    finding.advising(format!(
        "No other release was deployed. Expect the hash of the form that is deployed: {instead}.{or_file}"
    ))
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
                    .contains("in another form: the deploy tool wrote it as `sdk`"),
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
            assert!(!found.detail.contains("another form"), "{}", found.detail);
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
            detail.contains("the same document: every field has the expected value"),
            "{detail}"
        );
        assert!(fix.starts_with("No other release was deployed"), "{fix}");
        // A hash of which nothing is known: what is proven is said, and no more.
        let (detail, fix) = found([7; 32], images);
        assert!(!detail.contains("file changed"), "{detail}");
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
}
