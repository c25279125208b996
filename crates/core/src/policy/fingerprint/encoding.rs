//! The bytes that are hashed: names, numbers and items, so that no two policies have one encoding.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde_json::Value;

use crate::policy::expected::Expected;

/// The bytes that are hashed.
pub(super) struct Encoding(pub(super) Vec<u8>);

impl Encoding {
    pub(super) fn entry<'i>(&mut self, name: &str, items: impl IntoIterator<Item = &'i [u8]>) {
        let items: Vec<&[u8]> = items.into_iter().collect();
        self.bytes(name.as_bytes());
        self.number(items.len());
        for item in items {
            self.bytes(item);
        }
    }

    /// An entry of items whose order says nothing, each of them once.
    pub(super) fn set(&mut self, name: &str, items: impl Iterator<Item = Vec<u8>>) {
        let mut items: Vec<Vec<u8>> = items.collect();
        items.sort_unstable();
        items.dedup();
        self.entry(name, items.iter().map(Vec::as_slice));
    }

    /// An entry of one item, if it is there.
    pub(super) fn optional(&mut self, name: &str, item: Option<impl AsRef<[u8]>>) {
        if let Some(item) = item {
            self.entry(name, [item.as_ref()]);
        }
    }

    /// An entry of an expected value. Where the expectation is written is no part of it.
    pub(super) fn expected<T: AsRef<[u8]>>(&mut self, name: &str, expected: Option<&Expected<T>>) {
        self.optional(name, expected.map(|Expected { value, origin: _ }| value));
    }

    /// A [`Encoding::set`] of expected values.
    pub(super) fn expected_set<T: AsRef<[u8]>>(&mut self, name: &str, expected: Option<&Expected<Vec<T>>>) {
        if let Some(Expected { value, origin: _ }) = expected {
            self.set(name, value.iter().map(|one| one.as_ref().to_vec()));
        }
    }

    /// An entry of the word of a value that is not the default.
    pub(super) fn mode<T: Display + Default + PartialEq>(&mut self, name: &str, mode: &T) {
        if *mode != T::default() {
            self.word(name, &mode.to_string());
        }
    }

    pub(super) fn word(&mut self, name: &str, word: &str) {
        self.entry(name, [word.as_bytes()]);
    }

    pub(super) fn number(&mut self, number: usize) {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// The members of an object are in the order of their names, whatever order the parser keeps.
    pub(super) fn json(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.bytes(value.to_string().as_bytes());
            }
            Value::Array(items) => {
                self.bytes(b"[");
                self.number(items.len());
                items.iter().for_each(|item| self.json(item));
            }
            Value::Object(members) => {
                self.bytes(b"{");
                self.number(members.len());
                let members: BTreeMap<&String, &Value> = members.iter().collect();
                for (name, member) in members {
                    self.bytes(name.as_bytes());
                    self.json(member);
                }
            }
        }
    }
}
