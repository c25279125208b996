//! The in-toto statement inside an envelope.

use serde_json::Value;

use super::{Refusal, strict_json};

/// Most subjects of a statement.
pub(crate) const MAX_SUBJECTS: usize = 1024;
/// Values of a statement in JSON.
const MAX_VALUES: usize = 50_000;
/// The two versions of the statement's type (<https://github.com/in-toto/attestation>).
const TYPES: [&str; 2] = [
    "https://in-toto.io/Statement/v1",
    "https://in-toto.io/Statement/v0.1",
];

/// A statement, parsed; whether somebody signed it is another question.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub(super) predicate_type: String,
    pub(super) predicate: Value,
    pub(super) subjects: Vec<StatementSubject>,
}

/// One subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementSubject {
    /// Its name, which the signer chose freely.
    pub name: String,
    /// SHA-256, lower-case hex; empty where it has another digest alone.
    pub sha256: String,
}

impl Statement {
    pub(super) fn read(payload: &[u8]) -> Result<Self, Refusal> {
        let value =
            strict_json::read(payload, MAX_VALUES).ok_or(Refusal::Malformed("its statement is not JSON"))?;
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        if !text("_type").is_some_and(|found| TYPES.contains(&found)) {
            return Err(Refusal::Malformed("its statement has another type"));
        }
        let predicate_type = text("predicateType")
            .ok_or(Refusal::Malformed("its statement has no predicateType"))?
            .to_owned();
        let subjects = value
            .get("subject")
            .and_then(Value::as_array)
            .ok_or(Refusal::Malformed("its statement has no subject"))?;
        if subjects.len() > MAX_SUBJECTS {
            return Err(Refusal::Malformed("its statement has more than 1024 subjects"));
        }
        let subjects = subjects.iter().map(subject).collect();
        let predicate = value.get("predicate").cloned().unwrap_or(Value::Null);
        Ok(Self {
            predicate_type,
            predicate,
            subjects,
        })
    }

    /// Whether a subject has this SHA-256, lower-case hex.
    pub(super) fn is_about(&self, sha256: &str) -> bool {
        self.subjects.iter().any(|subject| subject.sha256 == sha256)
    }
}

fn subject(value: &Value) -> StatementSubject {
    let text = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    StatementSubject {
        name: text("/name"),
        sha256: text("/digest/sha256"),
    }
}
