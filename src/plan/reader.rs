//! Reads settings one by one. A mistake is noted, and the next one is read.

use std::fmt::Display;

use super::setting_problem::SettingProblem;
use crate::config::{Settings, WrittenValue};
use cvm_verify_core::evidence::parse_user_hex;
use cvm_verify_core::policy::Expected;

/// Reads settings, and goes on after a mistake.
pub(super) struct SettingsReader<'s> {
    pub(super) settings: &'s Settings,
    pub(super) problems: Vec<SettingProblem>,
}

impl SettingsReader<'_> {
    /// What was read of a value; otherwise the problem is noted.
    pub(super) fn kept<T, E: Display>(
        &mut self,
        key: &str,
        value: &WrittenValue,
        read: Result<T, E>,
    ) -> Option<T> {
        read.map_err(|error| self.problems.push(SettingProblem::of(key, value, error)))
            .ok()
    }

    /// As [`SettingsReader::kept`], for the file that a value names.
    pub(super) fn kept_of_file<T, E: Display>(
        &mut self,
        key: &str,
        value: &WrittenValue,
        read: Result<T, E>,
    ) -> Option<T> {
        let problem = |error| SettingProblem::of_named_file(key, value, error);
        read.map_err(|error| self.problems.push(problem(error))).ok()
    }

    pub(super) fn is(&self, key: &str, word: &str) -> bool {
        self.settings.one(key).is_some_and(|value| value.text == word)
    }

    /// The value of a key that is one of a few words, which its row lists: the default if it is not given.
    pub(super) fn word<T: Default>(&self, key: &str, of_word: fn(&str) -> Option<T>) -> T {
        word(self.settings, key, of_word)
    }

    pub(super) fn parsed<T, E: Display>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.settings.one(key)?;
        self.kept(key, value, parse(&value.text))
    }

    pub(super) fn expected<T, E: Display>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Expected<T>> {
        let origin = self.settings.one(key)?.origin.clone();
        let value = self.parsed(key, parse)?;
        Some(Expected { value, origin })
    }

    pub(super) fn hex<const N: usize>(&mut self, key: &str) -> Option<Expected<[u8; N]>> {
        self.expected(key, |text| {
            // As the hash of a file is often written.
            let text = text.trim();
            let bare = text.strip_prefix("sha256:").filter(|_| N == 32).unwrap_or(text);
            parse_user_hex(bare).map_err(|error| format!("the value {error}"))
        })
    }

    /// An app id, also as Phala Cloud shows it: `app_` and the hex digits.
    pub(super) fn app_id(&mut self) -> Option<Expected<[u8; 20]>> {
        self.expected("app-id", |text| {
            let text = text.trim();
            parse_user_hex(text.strip_prefix("app_").unwrap_or(text))
                .map_err(|error| format!("the value {error}"))
        })
    }

    /// All values of a list; none where one of them is wrong.
    pub(super) fn list<T, E: Display>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Expected<Vec<T>>> {
        let values = self.settings.all(key);
        let origin = values.first()?.origin.clone();
        let mut parsed = Vec::new();
        for value in values {
            parsed.extend(self.kept(key, value, parse(&value.text)));
        }
        (parsed.len() == values.len()).then_some(Expected {
            value: parsed,
            origin,
        })
    }
}

/// See [`SettingsReader::word`].
pub(super) fn word<T: Default>(settings: &Settings, key: &str, of_word: fn(&str) -> Option<T>) -> T {
    let value = settings.one(key);
    value.and_then(|value| of_word(&value.text)).unwrap_or_default()
}
