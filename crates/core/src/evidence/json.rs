//! JSON objects read so that no two readers can believe two things (docs/threats.md, T13).
//!
//! A derived deserialiser would do for the happy path, but it cannot say *which* field of *which* document is
//! wrong and why; and verbatim text (the compose document, the bundle's bodies) must survive untouched.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::EvidenceError;
use super::bytes::{self, HexError};
use super::excerpt::json_problem;
use super::json_budget::has_more_values_than;
use super::limits::MAX_JSON_VALUES;

/// How many members an object may have before it is refused as a flood.
const MAX_MEMBERS: usize = 1024;

/// The members of one JSON object in their order, duplicates included, values as raw text.
pub struct Object<'a> {
    document: &'static str,
    path: Cow<'a, str>,
    /// Which entry it is of the list at the path.
    index: Option<usize>,
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Reads a whole document, which must be an object.
    pub fn document(document: &'static str, text: &'a str) -> Result<Self, EvidenceError> {
        refuse_flood(document, "(the whole document)", text, MAX_JSON_VALUES)?;
        let read = Self::at(document, String::new(), text);
        // No JSON at all is another error than JSON of another shape.
        if read.is_err() {
            serde_json::from_str::<&RawValue>(text).map_err(|error| EvidenceError::NotJson {
                document,
                problem: describe(text, &error),
            })?;
        }
        read
    }

    /// Reads the object at `path` of a document.
    pub(crate) fn at(document: &'static str, path: String, text: &'a str) -> Result<Self, EvidenceError> {
        let path = Cow::Owned(path);
        match serde_json::from_str::<Members<'a>>(text) {
            Ok(Members(members)) => Ok(Self {
                document,
                path,
                index: None,
                members,
            }),
            Err(error) => {
                let field = match path.is_empty() {
                    true => "(the whole document)".to_owned(),
                    false => path.into_owned(),
                };
                Err(match text.trim_start().starts_with('{') {
                    true => EvidenceError::Malformed {
                        document,
                        field,
                        problem: format!("cannot be read: {}", json_problem(&error)),
                    },
                    false => EvidenceError::OtherForm {
                        document,
                        field,
                        problem: format!("is {}; an object expected", kind_of(text)),
                    },
                })
            }
        }
    }

    /// The objects of a list in one pass. `None` where it is no list, an entry is not an object or there are more than `limit`:
    /// which one it is, and why, a reader finds that takes them one by one.
    pub(crate) fn list(
        document: &'static str,
        path: &'a str,
        text: &'a str,
        limit: usize,
    ) -> Option<Vec<Self>> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let lists = (&mut deserializer)
            .deserialize_seq(ListOfMembers { limit })
            .ok()?;
        deserializer.end().ok()?;
        let object = |(index, Members(members))| Self {
            document,
            path: Cow::Borrowed(path),
            index: Some(index),
            members,
        };
        Some(lists.into_iter().enumerate().map(object).collect())
    }

    /// The value of a member. Null counts as absent; a second occurrence is refused.
    pub fn get(&self, name: &str) -> Result<Option<&'a RawValue>, EvidenceError> {
        self.get_either(&[name])
    }

    /// The value of a member that has several spellings, of which only one may occur.
    pub(crate) fn get_either(&self, names: &[&str]) -> Result<Option<&'a RawValue>, EvidenceError> {
        let mut found = self.members.iter().filter(|(name, _)| {
            names
                .iter()
                .any(|known| known.len() == name.len() && **known == **name)
        });
        let first = found.next();
        if let (Some((name, _)), Some(_)) = (first, found.next()) {
            return Err(EvidenceError::Duplicate {
                document: self.document,
                field: self.field(name),
            });
        }
        Ok(first
            .map(|(_, value)| *value)
            .filter(|value| value.get() != "null"))
    }

    /// A member that is a string.
    pub(crate) fn string(&self, name: &str) -> Result<Option<String>, EvidenceError> {
        Ok(self.text(name)?.map(Cow::into_owned))
    }

    /// A member that is a string, borrowed where it has no escapes.
    pub(crate) fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, EvidenceError> {
        self.get(name)?
            .map(|value| match without_escapes(value) {
                Some(text) => Ok(Cow::Borrowed(text)),
                None => self.as_string(name, value).map(Cow::Owned),
            })
            .transpose()
    }

    /// A member that is hex of exactly `N` bytes; an empty string counts as absent.
    pub(crate) fn hex_or_empty<const N: usize>(&self, name: &str) -> Result<Option<[u8; N]>, EvidenceError> {
        match self.text(name)? {
            Some(text) if !text.is_empty() => bytes::hex_exact(&text)
                .map(Some)
                .map_err(|error| self.bad_hex(name, &error)),
            _ => Ok(None),
        }
    }

    /// A member that is hex of at most `limit` bytes.
    pub(crate) fn hex_up_to(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, EvidenceError> {
        self.text(name)?
            .map(|text| bytes::hex_up_to(&text, limit).map_err(|error| self.bad_hex(name, &error)))
            .transpose()
    }

    /// A member that is a whole number of at most `max`.
    pub(crate) fn integer(&self, name: &str, max: u32) -> Result<Option<u32>, EvidenceError> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        match serde_json::from_str::<u64>(value.get())
            .ok()
            .and_then(|n| u32::try_from(n).ok())
        {
            Some(number) if number <= max => Ok(Some(number)),
            _ => {
                let kind = kind_of(value.get());
                let problem = format!("is {kind}; a whole number from 0 to {max} expected");
                Err(match kind {
                    "a number" => self.malformed(name, problem),
                    _ => self.other_form(name, problem),
                })
            }
        }
    }

    /// A value of this object as a string.
    pub(crate) fn as_string(&self, name: &str, value: &RawValue) -> Result<String, EvidenceError> {
        serde_json::from_str(value.get()).map_err(|_| match value.get().starts_with('"') {
            true => self.malformed(name, "is a string with an invalid escape"),
            false => self.other_form(name, format!("is {}; a string expected", kind_of(value.get()))),
        })
    }

    /// All members, in their order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// An error about a member.
    pub(crate) fn malformed(&self, name: &str, problem: impl Into<String>) -> EvidenceError {
        EvidenceError::Malformed {
            document: self.document,
            field: self.field(name),
            problem: problem.into(),
        }
    }

    /// An error about a member in another form than is read.
    pub(crate) fn other_form(&self, name: &str, problem: impl Into<String>) -> EvidenceError {
        EvidenceError::OtherForm {
            document: self.document,
            field: self.field(name),
            problem: problem.into(),
        }
    }

    /// An error about a member that should be a byte string.
    pub(crate) fn bad_hex(&self, name: &str, error: &HexError) -> EvidenceError {
        match error {
            HexError::TooLong { .. } => self.too_large(name, error.to_string()),
            // Bytes, and too few or too many of them: no other form.
            HexError::Length { .. } | HexError::Odd { .. } => self.malformed(name, error.to_string()),
            HexError::NotHex { .. } | HexError::NeitherHexNorBase64 => {
                self.other_form(name, error.to_string())
            }
        }
    }

    /// An error about a member that holds more than is read of it.
    pub(crate) fn too_large(&self, name: &str, problem: impl Into<String>) -> EvidenceError {
        EvidenceError::FieldTooLarge {
            document: self.document,
            field: self.field(name),
            problem: problem.into(),
        }
    }

    /// The path of a member.
    pub(crate) fn field(&self, name: &str) -> String {
        let name: String = name.chars().take(64).collect();
        match self.index {
            Some(index) => format!("{}[{index}].{name}", self.path),
            None if self.path.is_empty() => name,
            None => format!("{}.{name}", self.path),
        }
    }
}

/// Refuses a text of more values than `limit`, before anything is made of them (T80).
pub(crate) fn refuse_flood(
    document: &'static str,
    field: &str,
    text: &str,
    limit: usize,
) -> Result<(), EvidenceError> {
    if has_more_values_than(text.as_bytes(), limit) {
        return Err(EvidenceError::FieldTooLarge {
            document,
            field: field.to_owned(),
            problem: format!("holds more than {limit} values"),
        });
    }
    Ok(())
}

/// What a string without escapes says. A [`RawValue`] is JSON already: nothing else is left to look at.
fn without_escapes(value: &RawValue) -> Option<&str> {
    let inside = value.get().strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains('\\')).then_some(inside)
}

/// What kind of JSON value a text begins with, for messages.
pub(crate) fn kind_of(text: &str) -> &'static str {
    match text.trim_start().bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(b'-' | b'0'..=b'9') => "a number",
        _ => "nothing",
    }
}

fn describe(text: &str, error: &serde_json::Error) -> String {
    let start = text.trim_start();
    if start.is_empty() {
        "it is empty".to_owned()
    } else if start.starts_with('<') {
        "it looks like an HTML page".to_owned()
    } else if error.is_eof() {
        "it ends too early".to_owned()
    } else {
        format!("line {}, column {} cannot be read", error.line(), error.column())
    }
}

struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<Name<'de>>()? {
                    if members.len() >= MAX_MEMBERS {
                        return Err(de::Error::custom(format_args!("more than {MAX_MEMBERS} members")));
                    }
                    members.push((name.0, map.next_value()?));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// The members of each object of a list.
struct ListOfMembers {
    limit: usize,
}

impl<'de> Visitor<'de> for ListOfMembers {
    type Value = Vec<Members<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut objects = Vec::new();
        while let Some(object) = list.next_element()? {
            if objects.len() >= self.limit {
                return Err(de::Error::custom(format_args!(
                    "more than {} entries",
                    self.limit
                )));
            }
            objects.push(object);
        }
        Ok(objects)
    }
}

/// A member's name, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object(text: &str) -> Object<'_> {
        Object::document("test", text).unwrap()
    }

    #[test]
    fn a_duplicate_is_found_even_when_its_name_is_escaped() {
        let object = object(r#"{"quote":"00","quo\u0074e":"01"}"#);
        assert_eq!(
            object.get("quote").unwrap_err(),
            EvidenceError::Duplicate {
                document: "test",
                field: "quote".to_owned()
            }
        );
    }

    #[test]
    fn two_spellings_of_one_field_are_a_duplicate() {
        let object = object(r#"{"event_log":[],"eventlog":[]}"#);
        let error = object.get_either(&["event_log", "eventlog"]).unwrap_err();
        assert!(matches!(error, EvidenceError::Duplicate { .. }), "{error}");
    }

    #[test]
    fn numbers_out_of_range_are_refused_with_the_field() {
        for text in [
            r#"{"imr":4}"#,
            r#"{"imr":-1}"#,
            r#"{"imr":1e1}"#,
            r#"{"imr":99999999999999999999}"#,
        ] {
            let error = object(text).integer("imr", 3).unwrap_err();
            assert!(
                matches!(&error, EvidenceError::Malformed { field, .. } if field == "imr"),
                "{text}: {error}"
            );
        }
        // An app that wraps the evidence may write a number as text.
        let error = object(r#"{"imr":"0"}"#).integer("imr", 3).unwrap_err();
        assert!(
            matches!(&error, EvidenceError::OtherForm { field, .. } if field == "imr"),
            "{error}"
        );
    }

    #[test]
    fn a_document_that_is_no_object_says_what_it_is() {
        for text in ["", "<html>", r#"{"a":"#] {
            let error = Object::document("test", text).err();
            assert!(matches!(error, Some(EvidenceError::NotJson { .. })), "{text}");
        }
        let error = Object::document("test", "[]").err();
        assert!(
            matches!(error, Some(EvidenceError::OtherForm { .. })),
            "{error:?}"
        );
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
        let _ = Object::document("test", &deep);
    }

    proptest! {
        #[test]
        fn a_string_is_read_as_serde_json_reads_it(text in r#"(\\[nu"\\]|[a-z"\u{0}-\u{1f}é]){0,12}"#) {
            let document = format!("{{\"a\":\"{text}\"}}");
            let theirs = serde_json::from_str::<serde_json::Value>(&document);
            let ours = Object::document("test", &document).and_then(|object| object.string("a"));
            if let Ok(theirs) = &theirs {
                prop_assert_eq!(ours.unwrap(), theirs["a"].as_str().map(str::to_owned));
            } else {
                prop_assert!(ours.is_err());
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,200}") {
            if let Ok(object) = Object::document("test", &text) {
                let _ = object.string("a");
                let _ = object.integer("a", 3);
            }
        }
    }
}
