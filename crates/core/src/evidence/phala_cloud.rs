//! The answer of Phala Cloud's API: quotes of all instances of an app, in its old and its new shape
//! (Phala Cloud API, `/apps/{app_id}/attestations`).

use super::error::utf8;
use serde_json::value::RawValue;

use super::EvidenceError;
use super::excerpt::json_problem;
use super::json::{Object, kind_of};

/// How messages call this document.
const DOCUMENT: &str = "Phala Cloud's answer";

/// Instances of one app.
const MAX_INSTANCES: usize = 256;

/// The instances of an app, each as its verbatim text: it has the members of `/attestation` and of `/info`.
#[derive(Debug)]
pub struct PhalaCloudAnswer<'a> {
    /// In the order of the answer.
    pub instances: Vec<PhalaCloudInstance<'a>>,
}

/// One instance.
#[derive(Debug, Clone, Copy)]
pub enum PhalaCloudInstance<'a> {
    /// One with a quote.
    Running(&'a RawValue),
    /// One without.
    Stopped,
}

impl<'a> PhalaCloudAnswer<'a> {
    /// Parses a body, which must be about this app. Who runs the app writes nothing of the list: what is wrong with it accuses no
    /// deployment. The entries are read later, each for itself.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the field. None of them is a failure of the app.
    pub fn parse(body: &'a [u8], app_id: &[u8; 20]) -> Result<Self, EvidenceError> {
        Self::parse_list(body, app_id).map_err(|error| match error {
            EvidenceError::Malformed { field, problem, .. }
            | EvidenceError::OtherForm { field, problem, .. }
            | EvidenceError::OtherType { field, problem, .. } => other_list(&field, problem),
            EvidenceError::Duplicate { field, .. } => other_list(&field, "occurs more than once"),
            error => error,
        })
    }

    fn parse_list(body: &'a [u8], app_id: &[u8; 20]) -> Result<Self, EvidenceError> {
        let text = utf8(DOCUMENT, body)?;
        if !text.trim_start().starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok() {
            return Err(other_list(
                "(the whole document)",
                format!("is {}; an object expected", kind_of(text.trim_start())),
            ));
        }
        let object = Object::document(DOCUMENT, text)?;
        if let Some(found) = object.hex_or_empty::<20>("app_id")?
            && found != *app_id
        {
            return Err(object.malformed(
                "app_id",
                format!("is {}; {} was asked for", hex::encode(found), hex::encode(app_id)),
            ));
        }
        let Some(list) = object.get("instances")? else {
            return Err(other_list("instances", "is missing"));
        };
        if !list.get().starts_with('[') {
            return Err(other_list(
                "instances",
                format!("is {}; a list expected", kind_of(list.get())),
            ));
        }
        let list: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(|error| {
            object.malformed(
                "instances",
                format!("cannot be read as a list: {}", json_problem(&error)),
            )
        })?;
        if list.len() > MAX_INSTANCES {
            return Err(object.malformed(
                "instances",
                format!("has {} entries; at most {MAX_INSTANCES} are read", list.len()),
            ));
        }
        let instances = list
            .into_iter()
            .enumerate()
            .map(|(index, value)| {
                if !value.get().starts_with('{') {
                    let problem = format!("is {}; an object expected", kind_of(value.get()));
                    return Err(other_list(&format!("instances[{index}]"), problem));
                }
                let instance = Object::at(DOCUMENT, format!("instances[{index}]"), value.get())?;
                // Null, or nothing at all; everything else is judged.
                match instance.get("quote")?.filter(|quote| quote.get() != "\"\"") {
                    Some(_) => Ok(PhalaCloudInstance::Running(value)),
                    None => Ok(PhalaCloudInstance::Stopped),
                }
            })
            .collect::<Result<_, EvidenceError>>()?;
        Ok(Self { instances })
    }
}

fn other_list(field: &str, problem: impl Into<String>) -> EvidenceError {
    EvidenceError::OtherList {
        document: DOCUMENT,
        field: field.to_owned(),
        problem: problem.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: [u8; 20] = [0xab; 20];

    fn parse(text: &str) -> Result<Vec<Option<String>>, EvidenceError> {
        let answer = PhalaCloudAnswer::parse(text.as_bytes(), &ID)?;
        let text = |instance: &PhalaCloudInstance<'_>| match instance {
            PhalaCloudInstance::Running(value) => Some(value.get().to_owned()),
            PhalaCloudInstance::Stopped => None,
        };
        Ok(answer.instances.iter().map(text).collect())
    }

    #[test]
    fn instances_come_verbatim_and_stopped_ones_are_told_apart() {
        let found = parse(
            r#"{"app_id":"ABABABABABABABABABABABABABABABABABABABAB","instances":[{"quote": "00" },{"quote":null},{},{"quote":""}]}"#,
        );
        assert_eq!(
            found.unwrap(),
            [Some(r#"{"quote": "00" }"#.to_owned()), None, None, None]
        );
    }

    #[test]
    fn each_way_to_be_wrong_is_named() {
        let many = format!(r#"{{"instances":[{}{{}}]}}"#, "{},".repeat(MAX_INSTANCES));
        for (text, kind, says) in [
            ("<html>", "NotJson", "HTML"),
            ("[]", "OtherList", "a list"),
            ("{}", "OtherList", "`instances` is missing"),
            (r#"{"instances":null}"#, "OtherList", "`instances` is missing"),
            (r#"{"instances":{}}"#, "OtherList", "a list expected"),
            (r#"{"instances":[null]}"#, "OtherList", "instances[0]"),
            (r#"{"instances":["x"]}"#, "OtherList", "instances[0]"),
            (
                r#"{"instances":[],"instances":[]}"#,
                "OtherList",
                "`instances` occurs more than once",
            ),
            (
                r#"{"instances":[{"quote":"00","quote":null}]}"#,
                "OtherList",
                "`instances[0].quote` occurs more than once",
            ),
            (
                r#"{"app_id":"0000000000000000000000000000000000000000","instances":[]}"#,
                "OtherList",
                "was asked for",
            ),
            (r#"{"app_id":"zz","instances":[]}"#, "OtherList", "app_id"),
            (r#"{"app_id":7,"instances":[]}"#, "OtherList", "app_id"),
            (&many, "OtherList", "at most 256"),
            (r#"{"instances":[}"#, "NotJson", "not JSON"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(format!("{error:?}").starts_with(kind), "{text}: {error:?}");
            assert!(error.to_string().contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let deep = format!(
            r#"{{"instances":[{}{}]}}"#,
            "[".repeat(200_000),
            "]".repeat(200_000)
        );
        assert!(parse(&deep).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"(\PC{0,200}|\{"instances":\[.{0,100}\]\})"#) {
            let _ = parse(&text);
        }
    }
}
