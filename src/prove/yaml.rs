//! YAML as a plain value, or not at all: what a docker compose file may be made of, within fixed bounds.
//!
//! The parser is a library's (YAML 1.2 events); this file builds a value from its events. Docker Compose reads by
//! the rules of YAML 1.1, so everything that the two read differently, or that a reader could overlook, is refused:
//! duplicate keys, tags beyond the core ones (`!reset` changes what a value is), several documents, keys that are
//! no text, and the line breaks of YAML 1.1.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};

/// What ends a line in YAML 1.1, by whose rules Docker Compose reads, and not in YAML 1.2, by whose rules this program
/// does: behind one of them a comment could hide a `build`.
const LINE_BREAKS_OF_YAML_1_1: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// How deeply a file may nest. Real ones reach 6.
const MAX_DEPTH: usize = 32;
/// How many values a file may have, those that aliases repeat included (T48). Real ones have a few hundred.
const MAX_VALUES: usize = 50_000;
/// The key that merges another mapping into this one.
const MERGE: &str = "<<";

/// Reads one document. The problem is one short phrase.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    if text.contains(LINE_BREAKS_OF_YAML_1_1) {
        return Err(
            "it holds a line break (U+0085, U+2028 or U+2029) that not every reader takes for one".to_owned(),
        );
    }
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let line = span.start.line();
        loader
            .take(event)
            .map_err(|problem| format!("line {line}: {problem}"))?;
    }
    Ok(loader.document.unwrap_or(Value::Null))
}

/// A collection that is not complete yet.
enum Open {
    Sequence(usize, Vec<Value>),
    Mapping(usize, Mapping),
}

#[derive(Default)]
struct Mapping {
    members: Map<String, Value>,
    merged: Vec<Value>,
    /// A key that waits for its value.
    key: Option<Key>,
}

enum Key {
    Merge,
    Name(String),
}

#[derive(Default)]
struct Loader {
    open: Vec<Open>,
    /// Complete values by the parser's number of their anchor, with the number of values inside each.
    anchors: HashMap<usize, (Value, usize)>,
    values: usize,
    document: Option<Value>,
}

impl Loader {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) if self.document.is_some() => Err("a second document".to_owned()),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1)?;
                let is_key =
                    matches!(self.open.last(), Some(Open::Mapping(_, mapping)) if mapping.key.is_none());
                if is_key && text == MERGE {
                    return match (style, tag) {
                        (ScalarStyle::Plain, None) => self.set_key(Key::Merge),
                        _ => Err("a quoted or tagged `<<`, which not every reader merges".to_owned()),
                    };
                }
                let value = scalar(&text, style, tag.as_deref())?;
                if is_key {
                    self.remember(anchor, &Value::String(text.clone().into_owned()));
                    return self.set_key(Key::Name(text.into_owned()));
                }
                self.complete(anchor, value)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), "seq")?;
                self.begin(Open::Sequence(anchor, Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), "map")?;
                self.begin(Open::Mapping(anchor, Mapping::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let (value, size) = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or("an alias of something that is not complete")?;
                self.count(size)?;
                self.complete(0, value)
            }
            _ => Ok(()),
        }
    }

    /// Counts values before they are made.
    fn count(&mut self, more: usize) -> Result<(), String> {
        self.values = self.values.saturating_add(more);
        if self.values > MAX_VALUES {
            return Err(format!("more than {MAX_VALUES} values, aliases included"));
        }
        Ok(())
    }

    fn begin(&mut self, open: Open) -> Result<(), String> {
        self.count(1)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("it nests more than {MAX_DEPTH} deep"));
        }
        if matches!(self.open.last(), Some(Open::Mapping(_, mapping)) if mapping.key.is_none()) {
            return Err("a key that is no text".to_owned());
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        match self.open.pop() {
            Some(Open::Sequence(anchor, items)) => self.complete(anchor, Value::Array(items)),
            Some(Open::Mapping(anchor, mapping)) => self.complete(anchor, Value::Object(mapping.finish()?)),
            None => Err("an end without a beginning".to_owned()),
        }
    }

    fn set_key(&mut self, key: Key) -> Result<(), String> {
        let Some(Open::Mapping(_, mapping)) = self.open.last_mut() else {
            return Err("a key outside a mapping".to_owned());
        };
        let duplicate = match &key {
            Key::Merge => !mapping.merged.is_empty(),
            Key::Name(name) => mapping.members.contains_key(name),
        };
        if duplicate {
            return Err("a key occurs twice".to_owned());
        }
        mapping.key = Some(key);
        Ok(())
    }

    fn remember(&mut self, anchor: usize, value: &Value) {
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), size(value)));
        }
    }

    /// Puts a complete value where it belongs.
    fn complete(&mut self, anchor: usize, value: Value) -> Result<(), String> {
        self.remember(anchor, &value);
        match self.open.last_mut() {
            None => self.document = Some(value),
            Some(Open::Sequence(_, items)) => items.push(value),
            Some(Open::Mapping(_, mapping)) => match mapping.key.take() {
                // An alias in a key's place.
                None => return Err("a key that is no text".to_owned()),
                Some(Key::Merge) => mapping.merged.push(value),
                Some(Key::Name(name)) => {
                    mapping.members.insert(name, value);
                }
            },
        }
        Ok(())
    }
}

impl Mapping {
    /// With what it merges: its own members win, then earlier merges before later ones.
    fn finish(self) -> Result<Map<String, Value>, String> {
        let mut members = self.members;
        for merged in self.merged {
            let sources = match merged {
                Value::Array(sources) => sources,
                source => vec![source],
            };
            for source in sources {
                let Value::Object(source) = source else {
                    return Err("`<<` merges something that is no mapping".to_owned());
                };
                for (name, value) in source {
                    members.entry(name).or_insert(value);
                }
            }
        }
        Ok(members)
    }
}

/// How many values a value holds, itself included. Its depth is bounded by [`MAX_DEPTH`] and the aliases in it.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(size).fold(1, usize::saturating_add),
        Value::Object(members) => members.values().map(size).fold(1, usize::saturating_add),
        _ => 1,
    }
}

/// Null, booleans and text: nothing in a compose file that is judged depends on numbers, which stay text.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    if let Some(tag) = tag {
        return match core_tag(tag) {
            Some("str") => Ok(Value::String(text.to_owned())),
            Some("bool" | "null" | "int" | "float") => Ok(plain(text)),
            _ => Err("a tag that changes what a value is".to_owned()),
        };
    }
    Ok(match style {
        ScalarStyle::Plain => plain(text),
        _ => Value::String(text.to_owned()),
    })
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => Value::String(text.to_owned()),
    }
}

fn refuse_tag(tag: Option<&Tag>, allowed: &str) -> Result<(), String> {
    match tag {
        Some(tag) if core_tag(tag) != Some(allowed) => Err("a tag that changes what a value is".to_owned()),
        _ => Ok(()),
    }
}

/// The name of a tag of YAML's core schema.
fn core_tag(tag: &Tag) -> Option<&str> {
    tag.is_yaml_core_schema().then_some(tag.suffix.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_documents_become_plain_values() {
        let text = "a: 1\nb: [x, 'true', true, ~]\nc:\n  d: \"e\\n\"\n  f: |\n    g\n    h\n";
        assert_eq!(
            parse(text).unwrap(),
            json!({"a": "1", "b": ["x", "true", true, null], "c": {"d": "e\n", "f": "g\nh\n"}})
        );
        assert_eq!(parse("").unwrap(), Value::Null);
        assert_eq!(parse("# nothing\n").unwrap(), Value::Null);
    }

    #[test]
    fn aliases_and_merges_stand_for_what_they_name() {
        let text = "x: &x {image: old, tty: true}\ny: &y {image: older, user: me}\na: {<<: [*x, *y], tty: false}\nb: *x\n";
        let value = parse(text).unwrap();
        assert_eq!(value["a"], json!({"image": "old", "tty": false, "user": "me"}));
        assert_eq!(value["b"], json!({"image": "old", "tty": true}));
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for (text, says) in [
            ("a: 1\na: 2\n", "a key occurs twice"),
            ("a: 1\n'a': 2\n", "a key occurs twice"),
            ("x: &x {a: 1}\nb: {<<: *x, <<: *x}\n", "a key occurs twice"),
            ("a: !reset null\n", "a tag"),
            ("a: !override [b]\n", "a tag"),
            ("? [a]\n: b\n", "a key that is no text"),
            ("x: &x a\n*x : b\n", "a key that is no text"),
            ("a: 1\n---\nb: 2\n", "a second document"),
            ("a: {<<: b}\n", "no mapping"),
            ("a: {'<<': {b: c}}\n", "not every reader merges"),
            ("a: 1 # \u{2028}b: 2\n", "line break"),
            ("a: *nothing\n", ""),
            ("a: [\n", ""),
            ("\ta: b\n", ""),
        ] {
            let problem = parse(text).unwrap_err();
            assert!(problem.contains(says), "{text:?}: {problem}");
        }
    }

    #[test]
    fn depth_and_aliases_are_bounded() {
        assert!(parse(&format!("a: {}{}", "[".repeat(31), "]".repeat(31))).is_ok());
        assert!(
            parse(&format!("a: {}{}", "[".repeat(64), "]".repeat(64)))
                .unwrap_err()
                .contains("deep")
        );
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(",");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert!(parse(&bomb).unwrap_err().contains("values"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn no_yaml_like_text_panics(text in "[-a:&*<>!?|{}\\[\\], \n'\"#~]{0,80}") {
            let _ = parse(&text);
        }
    }
}
