//! What is wrong with a policy file: where, what, and what to write instead.

use std::fmt;

use super::MAX_FILE_BYTES;
use cvm_verify_core::toml_text::Position;
use cvm_verify_core::toml_text::depth::MAX_DEPTH;

/// How many mistakes are shown. A file that holds more is the wrong file.
const SHOWN: usize = 50;

/// One mistake in a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file's path.
    pub path: String,
    /// Where in it, where that is known.
    pub place: Option<Position>,
    /// What is wrong.
    pub problem: FileProblem,
}

/// What is wrong with a policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// Larger than any policy file.
    #[error(
        "the file has {size} bytes, and at most {MAX_FILE_BYTES} are read; check that this is the right file"
    )]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// Not text.
    #[error("the file is not UTF-8 text; check that this is the right file")]
    NotUtf8,
    /// Nothing in it but blanks and comments.
    #[error("the file is empty; write a [[target]] with `name` and `url`")]
    Empty,
    /// No target.
    #[error("the file has no target; write a [[target]] with `name` and `url`")]
    NoTarget,
    /// A marker that git leaves where a merge was not finished.
    #[error("a merge conflict is not resolved here (`{0}`); keep one side and remove the markers")]
    MergeConflict(&'static str),
    /// Deeper than any policy file.
    #[error("the file nests more than {MAX_DEPTH} deep here; no key takes more than a list")]
    TooDeep,
    /// Not TOML.
    #[error("this is not TOML: {0}; repair the line")]
    NotToml(String),
    /// A key that does not exist.
    #[error("`{key}` is unknown here; {fix}")]
    UnknownKey {
        /// The key.
        key: String,
        /// What to write instead.
        fix: String,
    },
    /// A key that stands where it may not.
    #[error("`{key}` cannot stand in {here}; {fix}")]
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
    #[error("there is a target {name} already, in line {line}; give each a name of its own")]
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

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(Position { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Everything that is wrong with a policy file, in the order of the file. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Nothing, where there is no mistake. Repeated ones are unique once.
    #[must_use]
    pub fn of(mut mistakes: Vec<Mistake>) -> Option<Self> {
        let place = |mistake: &Mistake| mistake.place.map(|Position { line, column }| (line, column));
        mistakes.sort_by_key(place);
        let mut unique: Vec<Mistake> = Vec::new();
        for mistake in mistakes {
            if !unique.contains(&mistake) {
                unique.push(mistake);
            }
        }
        (!unique.is_empty()).then_some(Self(unique))
    }

    /// Each of them.
    #[must_use]
    pub fn all(&self) -> &[Mistake] {
        &self.0
    }
}

impl fmt::Display for Mistakes {
    /// One line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().take(SHOWN).enumerate() {
            let line_end = if index == 0 { "" } else { "\n" };
            write!(f, "{line_end}{mistake}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n… and {more} more mistakes"),
        }
    }
}

impl std::error::Error for Mistakes {}
