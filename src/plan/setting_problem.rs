//! What is wrong with settings once they are joined and their files are read. All of it is told at once.

use crate::config::WrittenValue;
use crate::config::file::{FileProblem, PolicyMistake, PolicyMistakes};
use crate::usage_error::UsageError;
use cvm_verify_core::policy::Origin;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SettingProblem {
    /// In the policy file.
    File(PolicyMistake),
    /// Anywhere else.
    Other(String),
}

impl SettingProblem {
    /// About the value of a key, by option or in the policy file. `problem` goes on after the key's name and a colon.
    pub fn of(key: &str, value: &WrittenValue, problem: impl std::fmt::Display) -> Self {
        match &value.origin {
            Origin::File { path, place, .. } => Self::File(PolicyMistake {
                path: path.clone(),
                place: Some(*place),
                key: None,
                problem: FileProblem::Joined(format!("`{key}`: {problem}")),
            }),
            Origin::Option(option) => Self::Other(format!("{option}: {problem}")),
            Origin::Lock(lock) => Self::Other(format!("{lock}: {problem}")),
        }
    }

    /// About a file that a key names. `error` names the file itself.
    pub fn of_named_file(key: &str, value: &WrittenValue, error: impl std::fmt::Display) -> Self {
        match &value.origin {
            Origin::File { .. } => Self::of(key, value, error),
            _ => Self::Other(error.to_string()),
        }
    }
}

/// An error where anything is wrong.
pub(crate) fn refuse_any(problems: Vec<SettingProblem>) -> Result<(), UsageError> {
    match problems.is_empty() {
        true => Ok(()),
        false => Err(settings_error(problems)),
    }
}

/// One error that says everything that is wrong: there is something.
pub(crate) fn settings_error(problems: Vec<SettingProblem>) -> UsageError {
    let (mut in_file, mut others) = (Vec::new(), Vec::<String>::new());
    for problem in problems {
        match problem {
            SettingProblem::File(mistake) => in_file.push(mistake),
            // Each address meets the same problem with an option.
            SettingProblem::Other(text) if others.contains(&text) => {}
            SettingProblem::Other(text) => others.push(text),
        }
    }
    if let Some(mistakes) = PolicyMistakes::of(in_file) {
        if let [first, _, ..] = mistakes.all() {
            let path = first.path.clone();
            others.push(format!("{path} has {} mistakes:", mistakes.all().len()));
        }
        others.push(mistakes.to_string());
    }
    UsageError::new(others.join("\n"))
}
