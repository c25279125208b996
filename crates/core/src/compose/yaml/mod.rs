//! YAML as a plain value, or not at all: what a docker compose file may be made of, within fixed bounds.
//!
//! Docker Compose reads with go-yaml, a descendant of libyaml. The scanner and the parser here are a port of libyaml to
//! safe Rust, so that both see the same tokens; this module builds a value from its events. Where readers differ, or
//! compose does more than read, the document is refused: a key that is given twice (`<<` too), a tag beyond the core
//! ones (`!reset` and `!override` change what compose merges), a second document that is not empty, a key that is not
//! text, a byte order mark inside the text, and the line breaks that YAML 1.1 has and YAML 1.2 does not.
//! `tests/yaml` compares the trees of this reader, of libyaml and of go-yaml.

mod input;
mod loader;
mod problem;
mod tree;

use std::rc::Rc;

use libyaml_safer::{Encoding, EventData, Mark, Parser, ScalarStyle};
use serde_json::Value;

use self::input::Input;
use self::loader::Loader;
pub(super) use self::problem::YamlProblem;
use self::tree::Tree;
use crate::evidence::MAX_COMPOSE_BYTES;

/// How deeply a file may nest, with every alias written out. Real ones reach 6.
const MAX_DEPTH: usize = 32;
/// How many keys, scalars, lists and mappings a file may have, with every alias written out (T48). Real ones have a
/// few hundred.
const MAX_NODES: usize = 50_000;
/// How many bytes of keys and scalars a file may have, with every alias written out (T48).
const MAX_BYTES: usize = MAX_COMPOSE_BYTES;

/// What ends a line in YAML 1.1 and not in YAML 1.2: behind one of them a comment could hide a `build`.
const LINE_BREAKS_OF_YAML_1_1: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads one document. A text without one is null.
///
/// # Errors
/// Where it is not YAML, or not YAML that every reader reads alike, and what to change.
pub(super) fn parse(text: &str) -> Result<Value, YamlProblem> {
    Ok(read(text)?.map_or(Value::Null, Tree::into_value))
}

/// What this program reads in a docker compose file, in one canonical text, to compare with what other readers read:
/// `S`, the length in bytes, `:` and the text for a scalar; `N` for a plain scalar that is null; `[` items `]`; `{` keys
/// and values `}`, in the byte order of the keys. Aliases and merge keys are written out.
///
/// # Errors
/// Where the document is refused, and what to change.
pub fn canonical_yaml(text: &str) -> Result<String, String> {
    let tree = read(text).map_err(|problem| problem.to_string())?;
    let mut canonical = String::new();
    match tree {
        Some(tree) => tree.write_canonical(&mut canonical),
        None => canonical.push('N'),
    }
    Ok(canonical)
}

fn read(text: &str) -> Result<Option<Rc<Tree>>, YamlProblem> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    refuse_characters(text)?;
    input::refuse_tag_before_comma(text)?;
    let tree = read_events(text)?;
    // Whether spaces at the very end belong to a block scalar depends on its indentation.
    if let Some(trimmed) = input::without_last_spaces(text)
        && read_events(trimmed)? != tree
    {
        return Err(YamlProblem::at_byte(
            text,
            trimmed.len(),
            "the document ends with spaces that may belong to the text before them",
            "end the document with a line break",
        ));
    }
    Ok(tree)
}

fn read_events(text: &str) -> Result<Option<Rc<Tree>>, YamlProblem> {
    let mut parser = Parser::new();
    parser.set_encoding(Encoding::Utf8);
    parser.set_input(Input::new(text));
    let mut loader = Loader::default();
    let mut reached = Mark::default();
    loop {
        let mut event = parser
            .parse()
            .map_err(|error| YamlProblem::of_parser(&error, reached))?;
        reached = event.end_mark;
        let end = matches!(event.data, EventData::StreamEnd);
        if let EventData::Scalar {
            style: ScalarStyle::Literal | ScalarStyle::Folded,
            value,
            ..
        } = &mut event.data
        {
            input::remove_added_break(text, event.end_mark, value);
        }
        loader.take(event)?;
        if end {
            return Ok(loader.finish());
        }
    }
}

/// Refuses characters that readers take for different things.
fn refuse_characters(text: &str) -> Result<(), YamlProblem> {
    if let Some(at) = text.find(LINE_BREAKS_OF_YAML_1_1) {
        return Err(YamlProblem::at_byte(
            text,
            at,
            "a line break (U+0085, U+2028 or U+2029) that not every reader takes for one",
            "write it as the escape `\\N`, `\\L` or `\\P` between double quotes, or use a line feed",
        ));
    }
    if let Some(at) = text.find(BYTE_ORDER_MARK) {
        return Err(YamlProblem::at_byte(
            text,
            at,
            "a byte order mark (U+FEFF) inside the text",
            "remove the invisible character",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
