//! From the bytes of a policy file to [`PolicyFile`], with every mistake on the way.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::keys::PolicyKey;
use super::shape::{MAX_LIST, ValueShape, shown};
use super::table::{Table, misplaced, unknown, unknown_at_the_root};
use super::{FileProblem, FileTarget, MAX_FILE_BYTES, PolicyFile, PolicyMistake};
use crate::config::{Settings, WrittenValue};
use crate::source::{ReachedBy, row_of};
use cvm_verify_core::policy::Origin;
use cvm_verify_core::toml_text::{self, FoundMistakes, TomlEntry, TomlTable};

/// What stands where the targets are not a list of tables.
const TARGET_FORM: &str = "[[target]] and its keys below";

impl PolicyFile {
    /// Reads a file's bytes. `path` is for messages, and for files that are named relative to it.
    ///
    /// What has a mistake is left out and noted as [flawed](Settings::is_flawed), so that what is left can be judged too and
    /// all mistakes be told at once. Nothing may be verified if there is any.
    #[must_use]
    pub fn read(file: &[u8], path: &str) -> (Self, Vec<PolicyMistake>) {
        let (read, found) = toml_text::read(file, path, MAX_FILE_BYTES, |root, mistakes| {
            let mut file = Self {
                path: path.to_owned(),
                ..Self::default()
            };
            FileReader { mistakes }.root(root, &mut file);
            file
        });
        let unread = || Self {
            path: path.to_owned(),
            ..Self::default()
        };
        (read.unwrap_or_else(unread), found.into())
    }
}

/// Whether it is what a lock begins with.
fn is_of_a_lock(schema: &TomlEntry<'_>) -> bool {
    let text = schema.value().as_str();
    text.is_some_and(|text| text.starts_with("cvm-verify/lock/"))
}

struct FileReader<'m> {
    mistakes: &'m mut FoundMistakes<FileProblem>,
}

impl FileReader<'_> {
    fn root(&mut self, root: TomlTable<'_>, file: &mut PolicyFile) {
        let whole = root.file();
        if root.is_empty() {
            self.mistakes.note(whole.mistake_at(None, FileProblem::Empty));
            return;
        }
        let mut targets = None;
        for (name, entry) in root.into_entries() {
            match name.as_str() {
                "defaults" => match entry.into_table() {
                    Ok(table) => file.defaults = self.table(Table::Defaults, table),
                    Err(entry) => self.not_a_table("defaults", "[defaults] and its keys below", &entry),
                },
                "target" => {
                    let empty = entry.unnamed_error(FileProblem::NoTarget);
                    targets = Some(match entry.into_items() {
                        Ok(items) if items.is_empty() => {
                            self.mistakes.note(empty);
                            Vec::new()
                        }
                        Ok(items) => items,
                        Err(entry) => {
                            self.not_a_table("target", TARGET_FORM, &entry);
                            Vec::new()
                        }
                    });
                }
                "schema" if is_of_a_lock(&entry) => {
                    self.mistakes.retain(|_| false);
                    self.mistakes.note(whole.mistake_at(None, FileProblem::IsALock));
                    return;
                }
                _ => self.mistakes.note(entry.key_error(unknown_at_the_root(&name))),
            }
        }
        match targets {
            None => self.mistakes.note(whole.mistake_at(None, FileProblem::NoTarget)),
            Some(items) => self.targets(items, file),
        }
    }

    fn not_a_table(&mut self, key: &'static str, form: &'static str, entry: &TomlEntry<'_>) {
        let found = entry.value().type_str();
        let problem = FileProblem::NotATable { key, found, form };
        self.mistakes.note(entry.unnamed_error(problem));
    }

    fn targets(&mut self, items: Vec<TomlEntry<'_>>, file: &mut PolicyFile) {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for item in items {
            let place = item.position();
            let here = |problem| PolicyMistake {
                place: Some(place),
                ..PolicyMistake::of_file(&file.path, problem)
            };
            let table = match item.into_table() {
                Ok(table) => table,
                Err(item) => {
                    self.not_a_table("target", TARGET_FORM, &item);
                    continue;
                }
            };
            let settings = self.table(Table::Target, table);
            let by_id = reached_by_id(&settings.over(&file.defaults));
            for key in ["name", "url"] {
                if let Some(problem) = missing(key, &settings)
                    && !(key == "url" && by_id)
                {
                    self.mistakes.note(here(problem));
                }
            }
            let Some(name) = settings.one("name") else {
                continue;
            };
            let line = match &name.origin {
                Origin::File { place, .. } => place.line,
                _ => place.line,
            };
            if let Some(first) = names.get(&name.text) {
                self.mistakes.note(here(FileProblem::SameName {
                    name: shown(&name.text),
                    line: *first,
                }));
                continue;
            }
            names.insert(name.text.clone(), line);
            file.targets.push(FileTarget {
                name: name.text.clone(),
                place,
                settings,
            });
        }
    }

    fn table(&mut self, table: Table, entries: TomlTable<'_>) -> Settings {
        let mut settings = Settings::default();
        for (name, entry) in entries.into_entries() {
            let key = match PolicyKey::named(&name) {
                Some(key) if table.takes(key) => key,
                Some(key) => {
                    self.mistakes.note(entry.key_error(misplaced(key, table)));
                    continue;
                }
                None => {
                    self.mistakes.note(entry.key_error(unknown(&name, table)));
                    continue;
                }
            };
            match self.values(table, key, entry) {
                Some(values) => settings.set(key.name, values),
                None => settings.set_flawed(key.name),
            }
        }
        settings
    }

    /// The values of a key; none if there was a mistake.
    fn values(
        &mut self,
        table: Table,
        key: &'static PolicyKey,
        entry: TomlEntry<'_>,
    ) -> Option<Vec<WrittenValue>> {
        if !key.shape.is_list() {
            return self.value(table, key, &entry).map(|value| vec![value]);
        }
        let refused = |problem| entry.unnamed_error(problem);
        let empty = refused(FileProblem::EmptyList {
            key: key.name,
            form: key.shape.form(),
        });
        let place = entry.position();
        match entry.into_items() {
            Ok(items) if items.is_empty() => {
                self.mistakes.note(empty);
                None
            }
            Ok(items) if items.len() > MAX_LIST => {
                let problem = FileProblem::TooMany {
                    key: key.name,
                    count: items.len(),
                    limit: MAX_LIST,
                };
                self.mistakes.note(PolicyMistake {
                    place: Some(place),
                    ..PolicyMistake::of_file(&empty.path, problem)
                });
                None
            }
            Ok(items) => {
                let read: Vec<Option<WrittenValue>> =
                    items.iter().map(|item| self.value(table, key, item)).collect();
                read.into_iter().collect()
            }
            Err(entry) => self.wrong_type(key, &entry),
        }
    }

    fn value(
        &mut self,
        table: Table,
        key: &'static PolicyKey,
        entry: &TomlEntry<'_>,
    ) -> Option<WrittenValue> {
        let text = match (entry.value(), key.shape) {
            (DeValue::Integer(number), ValueShape::Number(..)) => {
                u64::from_str_radix(number.as_str(), number.radix())
                    .map_or_else(|_| number.as_str().to_owned(), |number| number.to_string())
            }
            (DeValue::Table(block), ValueShape::Images) => super::images::as_json(block),
            (DeValue::String(text), shape)
                if !matches!(shape, ValueShape::Number(..) | ValueShape::Images) =>
            {
                text.trim().to_owned()
            }
            _ => return self.wrong_type(key, entry),
        };
        match key.shape.check(&text) {
            Ok(()) => Some(WrittenValue {
                text,
                origin: Origin::File {
                    path: entry.file().path().to_owned(),
                    key: key.name,
                    place: entry.position(),
                },
                level: table.level(),
            }),
            Err(problem) => {
                self.mistakes.note(entry.unnamed_error(FileProblem::Value {
                    key: key.name,
                    problem,
                    form: key.shape.form(),
                }));
                None
            }
        }
    }

    fn wrong_type<T>(&mut self, key: &'static PolicyKey, entry: &TomlEntry<'_>) -> Option<T> {
        self.mistakes.note(entry.unnamed_error(FileProblem::Type {
            key: key.name,
            found: entry.value().type_str(),
            form: key.shape.form(),
        }));
        None
    }
}

/// Every target has a name, and an address or an id.
fn missing(name: &str, settings: &Settings) -> Option<FileProblem> {
    let key = PolicyKey::named(name)?;
    let is_given = !settings.all(name).is_empty() || settings.is_flawed(name);
    (!is_given).then_some(FileProblem::Missing {
        key: key.name,
        example: key.example,
    })
}

/// Whether a target without an address can still be reached: its source finds it by an id.
fn reached_by_id(settings: &Settings) -> bool {
    let given = |key| !settings.all(key).is_empty() || settings.is_flawed(key);
    let source = settings.one("source").and_then(|value| row_of(&value.text));
    match source.map(|row| row.reached_by) {
        Some(ReachedBy::InstanceOrAppId) => given("app-id") || given("instance-id"),
        Some(ReachedBy::AppId) => given("app-id"),
        Some(ReachedBy::Address) | None => settings.is_flawed("source"),
    }
}
