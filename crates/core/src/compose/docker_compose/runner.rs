//! What starts the app.

use serde_json::{Map, Value};

use super::ComposeFileError;
use super::place::shown;

/// What the guest's start script does with the document (dstack, `dstack-types/src/lib.rs`, `AppCompose`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// It starts the docker compose file: `docker-compose` or `nerdctl-compose`.
    Compose,
    /// It executes `bash_script`.
    Bash,
}

impl Runner {
    /// Whether the field is exactly one of the names with which the guest starts the docker compose file.
    pub(crate) fn starts_containers(field: Option<&Value>) -> bool {
        matches!(
            field.and_then(Value::as_str),
            Some("docker-compose" | "nerdctl-compose")
        )
    }

    /// Reads the field. The guest's shell compares the text without the line ends at its end and without NUL, so that only a text with
    /// neither has one meaning for all who read it.
    ///
    /// # Errors
    /// [`ComposeFileError::Runner`]: any other text, another type, or none.
    pub(crate) fn of(members: &Map<String, Value>) -> Result<Self, ComposeFileError> {
        let text = match members.get("runner") {
            Some(Value::String(text)) => text,
            Some(other) => return Err(ComposeFileError::Runner(shown(&other.to_string()))),
            None => return Err(ComposeFileError::Runner("absent".to_owned())),
        };
        match text.as_str() {
            "docker-compose" | "nerdctl-compose" => Ok(Self::Compose),
            "bash" => Ok(Self::Bash),
            other => {
                let start: String = other.chars().take(80).collect();
                Err(ComposeFileError::Runner(format!("{start:?}")))
            }
        }
    }
}
