//! The compose document: from unproven text to [`MeasuredCompose`].
//!
//! The hash is over the exact text received. It is never re-serialised: key order, blanks, escapes and a
//! final newline all count (T15).

use std::any::Any;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::digest::sha256;
use super::{BootClaims, NotProven, Prover};
use crate::evidence::{
    EvidenceError, MAX_COMPOSE_VALUES, Object, Unproven, has_more_values_than, json_problem,
};
use crate::recent::Recent;

/// How deeply a compose document may nest. Real ones reach 4.
const MAX_DEPTH: usize = 32;

/// A compose document whose SHA-256 is the measured compose hash. A clone is the same memory.
#[derive(Debug, Clone)]
pub struct MeasuredCompose(Arc<ReadCompose>);

/// A text, and what was read of it so far.
#[derive(Debug)]
struct ReadCompose {
    text: String,
    sha256: [u8; 32],
    members: OnceLock<Result<Map<String, Value>, EvidenceError>>,
    settings: OnceLock<BTreeMap<String, Value>>,
    /// What others made of it, each with its question.
    others: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
}

/// The last documents, by their texts: all instances of a release show the same one.
static DOCUMENTS: Recent<String, Arc<ReadCompose>> = Recent::new();

impl ReadCompose {
    fn of(text: &str) -> Arc<Self> {
        let read = |text: &String| {
            Ok::<_, Infallible>(Arc::new(Self {
                text: text.clone(),
                sha256: sha256(text.as_bytes()),
                members: OnceLock::new(),
                settings: OnceLock::new(),
                others: Mutex::default(),
            }))
        };
        let Ok(document) = DOCUMENTS.of(text.to_owned(), text.len(), read);
        document
    }
}

/// Why a compose text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeRefusal {
    /// Its hash is not the measured one.
    #[error("the compose document in the evidence is not the one that was measured")]
    HashMismatch {
        /// The hash in the boot events.
        measured: [u8; 32],
        /// The text's hash.
        text: [u8; 32],
    },
}

impl MeasuredCompose {
    /// The exact text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The members of the document, with names that occur once at every depth: the guest reads it with two
    /// parsers that differ on duplicates.
    ///
    /// # Errors
    /// The text is not a JSON object, nests too deeply, or names something twice.
    pub fn members(&self) -> Result<&Map<String, Value>, EvidenceError> {
        let members = self.0.members.get_or_init(|| members_of(self.text()));
        members.as_ref().map_err(Clone::clone)
    }

    /// What `read` makes of the document for a question. The document keeps it, however large it is: several checks ask the same.
    pub(crate) fn read_once<Q, T>(&self, question: Q, read: impl FnOnce() -> T) -> T
    where
        Q: PartialEq + Send + Sync + 'static,
        T: Clone + Send + Sync + 'static,
    {
        let others = || self.0.others.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = |known: &Arc<dyn Any + Send + Sync>| {
            let (asked, answer) = known.downcast_ref::<(Q, T)>()?;
            (*asked == question).then(|| answer.clone())
        };
        if let Some(answer) = others().iter().find_map(answer) {
            return answer;
        }
        // Not while it is locked: reading may take long, and may panic.
        let answer = read();
        others().push(Arc::new((question, answer.clone())));
        answer
    }
}

/// The members of a compose document that nothing vouches for, read as strictly as a measured one.
///
/// # Errors
/// The text is not a JSON object, nests too deeply, or names something twice.
pub(crate) fn members_of(text: &str) -> Result<Map<String, Value>, EvidenceError> {
    if has_more_values_than(text.as_bytes(), MAX_COMPOSE_VALUES) {
        return Err(EvidenceError::Malformed {
            document: "the compose document",
            field: "(the whole document)".to_owned(),
            problem: format!("holds more than {MAX_COMPOSE_VALUES} values"),
        });
    }
    let object = Object::document("the compose document", text)?;
    refuse_duplicates(&object, 0)?;
    serde_json::from_str(text).map_err(|error| EvidenceError::NotJson {
        document: "the compose document",
        problem: json_problem(&error),
    })
}

impl MeasuredCompose {
    /// Every field but the docker compose file. Scripts are shown as `sha256:` and the hash of their text.
    ///
    /// # Errors
    /// As [`MeasuredCompose::members`].
    pub fn compose_settings(&self) -> Result<&BTreeMap<String, Value>, EvidenceError> {
        let members = self.members()?;
        Ok(self.0.settings.get_or_init(|| compose_settings_of(members)))
    }
}

/// Every field of a document's members but the docker compose file, scripts as `sha256:` and the hash of their text.
pub(crate) fn compose_settings_of(members: &Map<String, Value>) -> BTreeMap<String, Value> {
    let shown = |name: &str, value: &Value| match value {
        Value::String(text) if SCRIPTS.contains(&name) => script_hash(text),
        Value::Array(items) if SCRIPTS.contains(&name) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.clone(), script_hash))
            .collect(),
        other => other.clone(),
    };
    let fields = members.iter().filter(|(name, _)| *name != "docker_compose_file");
    fields
        .map(|(name, value)| (name.clone(), shown(name, value)))
        .collect()
}

/// Fields that hold programs (dstack, `dstack-types/src/lib.rs`, `AppCompose`).
const SCRIPTS: [&str; 3] = ["pre_launch_script", "init_script", "bash_script"];

fn script_hash(text: &str) -> Value {
    Value::String(format!("sha256:{}", hex::encode(sha256(text.as_bytes()))))
}

fn refuse_duplicates(object: &Object<'_>, depth: usize) -> Result<(), EvidenceError> {
    for (name, value) in object.members() {
        object.get(name)?;
        refuse_duplicates_in(&object.field(name), value, depth + 1)?;
    }
    Ok(())
}

fn refuse_duplicates_in(path: &str, value: &RawValue, depth: usize) -> Result<(), EvidenceError> {
    const DOCUMENT: &str = "the compose document";
    if depth > MAX_DEPTH {
        return Err(EvidenceError::Malformed {
            document: DOCUMENT,
            field: path.chars().take(80).collect(),
            problem: format!("nests more than {MAX_DEPTH} deep"),
        });
    }
    match value.get().as_bytes().first() {
        Some(b'{') => refuse_duplicates(&Object::at(DOCUMENT, path.to_owned(), value.get())?, depth),
        Some(b'[') => {
            let items: Vec<&RawValue> =
                serde_json::from_str(value.get()).map_err(|error| EvidenceError::Malformed {
                    document: DOCUMENT,
                    field: path.to_owned(),
                    problem: json_problem(&error),
                })?;
            items
                .into_iter()
                .try_for_each(|item| refuse_duplicates_in(path, item, depth + 1))
        }
        _ => Ok(()),
    }
}

/// The first of some texts whose hash is the measured one.
///
/// # Errors
/// [`NotProven::Absent`] without any text; else that the first one is not the measured one.
pub(super) fn measured_of<'t>(
    mut texts: impl Iterator<Item = &'t Unproven<String>>,
    claims: &BootClaims,
    prover: &Prover,
) -> Result<MeasuredCompose, NotProven<ComposeRefusal>> {
    let first = texts.next().ok_or(NotProven::Absent)?;
    measure(first, claims, prover).or_else(|refusal| {
        texts
            .find_map(|text| measure(text, claims, prover).ok())
            .ok_or(NotProven::Refused(refusal))
    })
}

/// Compares a text with the measured hash.
pub(super) fn measure(
    text: &Unproven<String>,
    claims: &BootClaims,
    prover: &Prover,
) -> Result<MeasuredCompose, ComposeRefusal> {
    let document = ReadCompose::of(text.open(prover));
    if document.sha256 != *claims.compose_hash() {
        return Err(ComposeRefusal::HashMismatch {
            measured: *claims.compose_hash(),
            text: document.sha256,
        });
    }
    Ok(MeasuredCompose(document))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// The error, as a user reads it.
    fn refused(text: &str) -> String {
        members_of(text).unwrap_err().to_string()
    }

    #[test]
    fn a_name_that_occurs_twice_is_refused_wherever_it_is() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"o":{"a":1,"a":2}}"#,
            r#"{"l":[{"a":1,"a":2}]}"#,
            r#"{"l":[0,[{"a":1,"a":2}]]}"#,
            r#"{"o":{"l":[{"o":{"a":1,"a":2}}]}}"#,
        ] {
            let refusal = members_of(text).unwrap_err();
            assert!(
                matches!(refusal, EvidenceError::Duplicate { .. }),
                "{text}: {refusal}"
            );
        }
        assert!(members_of(r#"{"a":1,"o":{"a":1},"l":[{"a":1},{"a":2}]}"#).is_ok());
    }

    #[test]
    fn an_equal_text_is_the_same_document_and_any_other_has_its_own_hash() {
        let one = ReadCompose::of(r#"{"a":1}"#);
        // Other tests read documents, too, and few are held.
        let is_same = |_| Arc::ptr_eq(&ReadCompose::of(r#"{"a":1}"#), &ReadCompose::of(r#"{"a":1}"#));
        assert!((0..1000).any(is_same));
        for other in [r#"{"a":2}"#, r#"{"a":1} "#, "{", ""] {
            let document = ReadCompose::of(other);
            assert_eq!(
                (&*document.text, document.sha256),
                (other, sha256(other.as_bytes()))
            );
            assert_ne!(document.sha256, one.sha256);
        }
    }

    #[test]
    fn a_large_document_is_read_once_for_each_question_whatever_comes_of_it() {
        let document = MeasuredCompose(ReadCompose::of(&format!("{{}}{}", " ".repeat(100_000))));
        let read = Cell::new(0);
        let ask = |question: &'static str, answer: Result<usize, String>| {
            document.clone().read_once(question, || {
                read.set(read.get() + 1);
                answer
            })
        };
        let refused = Err("too much".to_owned());
        for _ in 0..3 {
            assert_eq!(ask("a", Ok(1)), Ok(1));
            assert_eq!(ask("b", refused.clone()), refused);
        }
        assert_eq!(read.get(), 2);
        // Another type is another question.
        assert_eq!(document.read_once("a", || 'c'), 'c');
    }

    #[test]
    fn a_document_nests_as_deep_as_the_limit_and_no_deeper() {
        let objects = |depth: usize| format!("{}0{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        let arrays = |depth: usize| format!(r#"{{"a":{}0{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
        let both = |depth: usize| {
            let pairs = (depth - 2) / 2;
            format!(
                r#"{{"a":{}[0]{}}}"#,
                r#"[{"a":"#.repeat(pairs),
                "}]".repeat(pairs)
            )
        };
        for nested in [objects, arrays, both] {
            assert!(members_of(&nested(MAX_DEPTH)).is_ok(), "{}", nested(MAX_DEPTH));
            for depth in [MAX_DEPTH + 2, MAX_DEPTH + 4, 60] {
                assert!(
                    refused(&nested(depth)).contains("nests more than 32 deep"),
                    "{depth}"
                );
            }
        }
        assert!(refused(&objects(MAX_DEPTH + 1)).contains("nests more than 32 deep"));
    }

    #[test]
    fn an_envelope_shows_the_hash_of_each_script() {
        let hash = format!("sha256:{}", hex::encode(sha256(b"echo")));
        let text = r#"{"docker_compose_file":"x","name":"echo","pre_launch_script":"echo","init_script":["echo",1],"l":["echo"]}"#;
        let expected = serde_json::json!({
            "name": "echo", "pre_launch_script": hash, "init_script": [hash, 1], "l": ["echo"],
        });
        let settings = compose_settings_of(&members_of(text).unwrap());
        assert_eq!(serde_json::to_value(settings).unwrap(), expected);
    }
}
