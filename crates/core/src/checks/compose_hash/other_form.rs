//! The document that the user gave as a file, deployed in another form: deploy tools write one document as other bytes, so that it has
//! another hash. Nobody deployed another release then.

use super::super::Finding;
use crate::policy::{Origin, Policy};
use crate::verify::Claims;

/// The finding of another compose hash, which says so where the measured document is the given one in another form. It fails all the
/// same: only a person says which bytes are expected.
pub(super) fn named(mut finding: Finding, measured: &[u8; 32], claims: &Claims, policy: &Policy) -> Finding {
    let (Some(document), Some(expected)) = (&policy.given_document, &policy.compose_hash) else {
        return finding;
    };
    let text = claims.compose.as_ref().ok().map(|compose| compose.text());
    let Some(form) = document.other_form(measured, text) else {
        return finding;
    };
    let same = format!(" It is the document of that file in another form: {form}.");
    finding.detail.push_str(&same);
    let hash = hex::encode(measured);
    let instead = match &expected.origin {
        Origin::Option(name) => format!("--compose-hash {hash} instead of {name}"),
        Origin::File { path, key, place } => format!(
            "compose-hash = \"{hash}\" instead of `{key}` in line {} of {path}",
            place.line
        ),
        Origin::Lock(_) => return finding,
    };
    finding.advising(format!(
        "No other release was deployed. Expect the hash of the form that is deployed: {instead}. Or give the file in that form."
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
}
