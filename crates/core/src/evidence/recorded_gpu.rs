//! Evidence of GPUs that a run fetched apart from the attestation, as a bundle records it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::RecordedNras;

/// What was requested about GPUs in addition to the attestation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RecordedGpu {
    /// The verbatim JSON body of the endpoint that serves GPU evidence, if it has one of its own.
    #[serde(default)]
    pub document: Option<Box<RawValue>>,
    /// Why that endpoint has no answer, a sentence without its full stop.
    #[serde(default)]
    pub problem: Option<String>,
    /// What NVIDIA's remote attestation service answered, if it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nras: Option<RecordedNras>,
}

impl RecordedGpu {
    /// Of what an endpoint answered.
    #[must_use]
    pub fn of(answer: &Result<Vec<u8>, String>) -> Self {
        let body = answer
            .as_ref()
            .map(|body| std::str::from_utf8(body).unwrap_or_default());
        match body.map(|text| RawValue::from_string(text.to_owned())) {
            Ok(Ok(document)) => Self {
                document: Some(document),
                ..Self::default()
            },
            Ok(Err(_)) => Self {
                problem: Some(NOT_JSON.to_owned()),
                ..Self::default()
            },
            Err(problem) => Self {
                problem: Some(problem.clone()),
                ..Self::default()
            },
        }
    }

    /// The document, or why there is none. `None` if none was asked for.
    #[must_use]
    pub fn answer(&self) -> Option<Result<&[u8], &str>> {
        match (&self.document, &self.problem) {
            (Some(document), _) => Some(Ok(document.get().as_bytes())),
            (None, Some(problem)) => Some(Err(problem)),
            (None, None) => None,
        }
    }
}

/// The problem of a document that begins like JSON and is not.
const NOT_JSON: &str = "the endpoint of the GPU evidence did not answer with JSON";
