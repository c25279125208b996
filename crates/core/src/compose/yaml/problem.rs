//! Why a YAML document is not read, where, and what to change.

use libyaml_safer::{Error, Mark};

/// Why a YAML document is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {says}; {fix}")]
pub(crate) struct YamlProblem {
    /// Counted from 1.
    pub line: u64,
    /// In characters, counted from 1.
    pub column: u64,
    /// What is found there.
    pub says: String,
    /// What to change.
    pub fix: &'static str,
}

/// What the scanner and the parser say of a document that is not YAML, and what its author can change.
const FIXES: [(&str, &str); 17] = [
    (
        "did not find expected node content",
        "write a value there, or close the `[` or `{` that is open",
    ),
    (
        "mapping values are not allowed in this context",
        "indent the key like the keys around it, or quote a value that contains `: `",
    ),
    (
        "could not find expected ':'",
        "write the line as `key: value`, or quote the text",
    ),
    (
        "found character that cannot start any token",
        "indent with spaces and not with tabs, and quote a value that begins with `@`, a backtick or `%`",
    ),
    (
        "found a tab character that violates indentation",
        "indent with spaces and not with tabs",
    ),
    (
        "found a tab character where an indentation space is expected",
        "indent with spaces and not with tabs",
    ),
    (
        "did not find expected key",
        "give the keys of one mapping the same indentation",
    ),
    (
        "did not find expected '-' indicator",
        "give the items of one list the same indentation",
    ),
    (
        "did not find expected ',' or ']'",
        "close the `[`, or put a comma between its items",
    ),
    (
        "did not find expected ',' or '}'",
        "close the `{`, or put a comma between its members",
    ),
    ("found unexpected end of stream", "close the quotation mark"),
    (
        "found unexpected document indicator",
        "close the quotation mark before the `---` or `...`",
    ),
    (
        "found unknown escape character",
        "write `\\\\` for a backslash between double quotes, or use single quotes",
    ),
    (
        "found unexpected ':'",
        "put a space behind the `:`, or quote the text",
    ),
    (
        "control characters are not allowed",
        "remove the control character, or write it as an escape between double quotes",
    ),
    (
        "block sequence entries are not allowed in this context",
        "put the list on lines of its own below the key",
    ),
    (
        "did not find expected <document start>",
        "remove what follows the end of the document",
    ),
];

impl YamlProblem {
    /// A problem at a place of the parser's.
    pub(super) fn at(mark: Mark, says: impl Into<String>, fix: &'static str) -> Self {
        Self {
            line: mark.line.saturating_add(1),
            column: mark.column.saturating_add(1),
            says: says.into(),
            fix,
        }
    }

    /// A problem at a byte of the text.
    pub(super) fn at_byte(text: &str, byte: usize, says: impl Into<String>, fix: &'static str) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.matches('\n').count() as u64;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |start| start.chars().count() as u64);
        Self {
            line: line.saturating_add(1),
            column: column.saturating_add(1),
            says: says.into(),
            fix,
        }
    }

    /// What the scanner or the parser found. `reached` is where the event before it ended: a control character is
    /// reported without its place.
    pub(super) fn of_parser(error: &Error, reached: Mark) -> Self {
        let problem = error.problem();
        let says = match error.context() {
            Some(context) => format!("{problem}, {context}"),
            None => problem.to_owned(),
        };
        let fix = FIXES.iter().find(|(known, _)| *known == problem).map_or(
            "check the indentation and the quotation marks there",
            |(_, fix)| fix,
        );
        Self::at(error.problem_mark().unwrap_or(reached), says, fix)
    }
}
