//! What is wrong with a policy file: where, what, and what to write instead.

use cvm_verify_core::toml_text::{self, FileMistake, TomlProblem};

/// One mistake in a policy file.
pub type PolicyMistake = toml_text::Mistake<FileProblem>;

/// Everything that is wrong with a policy file, in the order of the file. It shows the first 50.
pub type PolicyMistakes = toml_text::Mistakes<FileProblem>;

/// What is wrong with a policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// Not a file that can be read as TOML.
    #[error("{}; {}", .0, to_do(.0))]
    Toml(#[from] TomlProblem),
    /// Nothing in it but blanks and comments.
    #[error("the file is empty; write a [[target]] with `name` and `url`")]
    Empty,
    /// A lock file.
    #[error(
        "the file is a lock file, not a policy file; give it with --lock, and the address of the app as an argument or as `url`"
    )]
    IsALock,
    /// No target.
    #[error("the file has no target; write a [[target]] with `name` and `url`")]
    NoTarget,
    /// A key that does not exist.
    #[error("`{key}` is unknown here; {fix}")]
    UnknownKey {
        /// The key.
        key: String,
        /// What to write instead.
        fix: String,
    },
    /// A key that stands where it may not.
    #[error("`{key}` is not allowed in {here}; {fix}")]
    Misplaced {
        /// The key.
        key: &'static str,
        /// Where it stands.
        here: &'static str,
        /// What to do.
        fix: String,
    },
    /// A secret, or where one would be expected.
    #[error(
        "`{key}` would hold a secret, and this file must not hold a secret; put it into an environment variable and \
         write its name: {key}-env = \"CVM_VERIFY_…\""
    )]
    Secret {
        /// The key.
        key: &'static str,
    },
    /// A value of another type.
    #[error("`{key}` is a TOML {found}; write {form}")]
    Type {
        /// The key.
        key: &'static str,
        /// What it is.
        found: &'static str,
        /// What it must be.
        form: String,
    },
    /// Not a table where one must be.
    #[error("`{key}` is a TOML {found}; write {form}")]
    NotATable {
        /// The key.
        key: &'static str,
        /// What it is.
        found: &'static str,
        /// What it must be.
        form: &'static str,
    },
    /// A list without entries: it would look like an expectation and expect nothing.
    #[error("`{key}` is an empty list; remove it, or write {form}")]
    EmptyList {
        /// The key.
        key: &'static str,
        /// What it must be.
        form: String,
    },
    /// More than anyone reviews.
    #[error("`{key}` has {count} entries; at most {limit} are read")]
    TooMany {
        /// The key.
        key: &'static str,
        /// How many there are.
        count: usize,
        /// How many may be.
        limit: usize,
    },
    /// A value that its key does not take.
    #[error("`{key}` {problem}; write {form}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong.
        problem: String,
        /// What it must be.
        form: String,
    },
    /// A target without something that it needs.
    #[error("this target has no `{key}`; write {key} = {example}")]
    Missing {
        /// The key.
        key: &'static str,
        /// An example of its value.
        example: &'static str,
    },
    /// Two targets of one name.
    #[error("there is already a target {name}, in line {line}; give each target its own name")]
    SameName {
        /// The name, in quotes.
        name: String,
        /// The line of the first one.
        line: usize,
    },
    /// What is wrong only once files are read and levels are joined.
    #[error("{0}")]
    Joined(String),
}

impl FileMistake for FileProblem {
    const NAMED: usize = 50;

    fn fix(&self) -> String {
        String::new()
    }

    fn may_follow_from_another(&self) -> bool {
        matches!(self, Self::Empty | Self::NoTarget | Self::Missing { .. })
    }
}

const fn to_do(problem: &TomlProblem) -> &'static str {
    match problem {
        TomlProblem::TooLarge { .. } | TomlProblem::NotUtf8 | TomlProblem::OtherKind(_) => {
            "check that this is the right file"
        }
        TomlProblem::Empty => "write a [[target]] with `name` and `url`",
        TomlProblem::MergeConflict(_) => "keep one side and remove the markers",
        TomlProblem::TooDeep => "no key takes more than a list",
        TomlProblem::NotToml(_) => "repair the line",
        TomlProblem::UnknownKey(_) | TomlProblem::Type { .. } | TomlProblem::EmptySection => "correct it",
    }
}
