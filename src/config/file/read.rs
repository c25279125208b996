//! From the bytes of a policy file to [`PolicyFile`], with every mistake on the way.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::PolicyKey;
use super::shape::{MAX_LIST, Shape, shown};
use super::table::{Table, misplaced, unknown, unknown_at_the_root};
use super::{FileProblem, FileTarget, MAX_FILE_BYTES, Mistake, PolicyFile};
use crate::config::{Settings, WrittenValue};
use cvm_verify_core::lock::merge_conflict;
use cvm_verify_core::policy::Origin;
use cvm_verify_core::toml_text::LineIndex;
use cvm_verify_core::toml_text::depth;
use cvm_verify_core::toml_text::literal::one_line;

/// Most mistakes that are collected.
const MAX_MISTAKES: usize = 200;

impl PolicyFile {
    /// Reads a file's bytes. `path` is for messages, and for files that are named relative to it.
    ///
    /// What has a mistake is left out and noted as [flawed](Settings::is_flawed), so that what is left can be judged too and
    /// all mistakes be told at once. Nothing may be verified where there is any.
    #[must_use]
    pub fn read(file: &[u8], path: &str) -> (Self, Vec<Mistake>) {
        let refused = |problem| {
            let mistake = Mistake {
                path: path.to_owned(),
                place: None,
                problem,
            };
            let file = Self {
                path: path.to_owned(),
                ..Self::default()
            };
            (file, vec![mistake])
        };
        if file.len() > MAX_FILE_BYTES {
            return refused(FileProblem::TooLarge { size: file.len() });
        }
        match std::str::from_utf8(file) {
            Ok(text) => Reader::new(text, path).read(),
            Err(_) => refused(FileProblem::NotUtf8),
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    path: &'t str,
    places: LineIndex<'t>,
    /// By byte of the file.
    mistakes: Vec<(Option<usize>, FileProblem)>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, path: &'t str) -> Self {
        Self {
            text,
            path,
            places: LineIndex::of(text),
            mistakes: Vec::new(),
        }
    }

    fn read(mut self) -> (PolicyFile, Vec<Mistake>) {
        let mut file = PolicyFile {
            path: self.path.to_owned(),
            ..PolicyFile::default()
        };
        if let Some((at, problem)) = at_sight(self.text) {
            self.mistakes.push((at, problem));
            return (file, self.finish());
        }
        let (table, errors) = DeTable::parse_recoverable(self.text);
        self.root(table.into_inner(), &mut file);
        if !errors.is_empty() {
            self.put_syntax_first(&errors);
        }
        (file, self.finish())
    }

    /// What follows from a broken line is not told: neither what is wrong in it otherwise, nor what seems to be missing.
    fn put_syntax_first(&mut self, errors: &[toml::de::Error]) {
        let line_of = |places: &LineIndex<'_>, at: Option<usize>| at.map(|at| places.position(at).line);
        let mut broken = BTreeSet::new();
        let mut syntax = Vec::new();
        for error in errors.iter().take(MAX_MISTAKES) {
            let at = error.span().map(|span| span.start);
            if broken.insert(line_of(&self.places, at)) {
                let message = error.message().lines().next().unwrap_or_default();
                syntax.push((at, FileProblem::NotToml(one_line(message))));
            }
        }
        let places = &self.places;
        self.mistakes.retain(|(at, problem)| {
            let follows = matches!(
                problem,
                FileProblem::Empty | FileProblem::NoTarget | FileProblem::Missing { .. }
            );
            !follows && !broken.contains(&line_of(places, *at))
        });
        self.mistakes.extend(syntax);
    }

    fn finish(mut self) -> Vec<Mistake> {
        self.mistakes.sort_by_key(|(at, _)| *at);
        self.mistakes.truncate(MAX_MISTAKES);
        let mistake = |(at, problem): (Option<usize>, FileProblem)| Mistake {
            path: self.path.to_owned(),
            place: at.map(|at| self.places.position(at)),
            problem,
        };
        std::mem::take(&mut self.mistakes)
            .into_iter()
            .map(mistake)
            .collect()
    }

    fn mistake(&mut self, at: usize, problem: FileProblem) {
        self.mistakes.push((Some(at), problem));
    }

    fn root(&mut self, entries: DeTable<'t>, file: &mut PolicyFile) {
        if entries.is_empty() {
            self.mistakes.push((None, FileProblem::Empty));
            return;
        }
        let mut targets = None;
        for (key, value) in entries {
            let at = value.span().start;
            match (key.get_ref().as_ref(), value.into_inner()) {
                ("defaults", DeValue::Table(entries)) => {
                    file.defaults = self.table(Table::Defaults, entries);
                }
                ("defaults", other) => self.mistake(
                    at,
                    FileProblem::NotATable {
                        key: "defaults",
                        found: other.type_str(),
                        form: "[defaults] and its keys below",
                    },
                ),
                ("target", DeValue::Array(items)) => targets = Some((at, items)),
                ("target", other) => {
                    targets = Some((at, toml::de::DeArray::default()));
                    self.mistake(
                        at,
                        FileProblem::NotATable {
                            key: "target",
                            found: other.type_str(),
                            form: "[[target]] and its keys below",
                        },
                    );
                }
                (name, _) => {
                    let problem = unknown_at_the_root(name);
                    self.mistake(key.span().start, problem);
                }
            }
        }
        match targets {
            None => self.mistakes.push((None, FileProblem::NoTarget)),
            Some((at, items))
                if items.is_empty() && self.mistakes.iter().all(|(other, _)| *other != Some(at)) =>
            {
                self.mistake(at, FileProblem::NoTarget);
            }
            Some((_, items)) => self.targets(items, file),
        }
    }

    fn targets(&mut self, items: toml::de::DeArray<'t>, file: &mut PolicyFile) {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for item in items {
            let at = item.span().start;
            let entries = match item.into_inner() {
                DeValue::Table(entries) => entries,
                other => {
                    let problem = FileProblem::NotATable {
                        key: "target",
                        found: other.type_str(),
                        form: "[[target]] and its keys below",
                    };
                    self.mistake(at, problem);
                    continue;
                }
            };
            let settings = self.table(Table::Target, entries);
            self.need("name", at, &settings);
            if !reached_by_id(&settings.over(&file.defaults)) {
                self.need("url", at, &settings);
            }
            let place = self.places.position(at);
            let Some(name) = settings.one("name") else {
                continue;
            };
            let line = match &name.origin {
                Origin::File { place, .. } => place.line,
                _ => place.line,
            };
            if let Some(first) = names.get(&name.text) {
                let problem = FileProblem::SameName {
                    name: shown(&name.text),
                    line: *first,
                };
                self.mistake(at, problem);
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

    /// Every target has a name, and an address or an id.
    fn need(&mut self, name: &str, at: usize, settings: &Settings) {
        if let Some(key) = PolicyKey::named(name)
            && settings.all(name).is_empty()
            && !settings.is_flawed(name)
        {
            let problem = FileProblem::Missing {
                key: key.name,
                example: key.example,
            };
            self.mistake(at, problem);
        }
    }

    fn table(&mut self, table: Table, entries: DeTable<'t>) -> Settings {
        let mut settings = Settings::default();
        for (name, value) in entries {
            let at = name.span().start;
            let key = match PolicyKey::named(name.get_ref()) {
                Some(key) if table.takes(key) => key,
                Some(key) => {
                    self.mistake(at, misplaced(key, table));
                    continue;
                }
                None => {
                    self.mistake(at, unknown(name.get_ref(), table));
                    continue;
                }
            };
            match self.values(key, value) {
                Some(values) => settings.set(key.name, values),
                None => settings.set_flawed(key.name),
            }
        }
        settings
    }

    /// The values of a key; none where there was a mistake.
    fn values(&mut self, key: &'static PolicyKey, value: Spanned<DeValue<'t>>) -> Option<Vec<WrittenValue>> {
        let at = value.span().start;
        match (value.into_inner(), key.shape.is_list()) {
            (DeValue::Array(items), true) if items.is_empty() => {
                let problem = FileProblem::EmptyList {
                    key: key.name,
                    form: key.shape.form(),
                };
                self.mistake(at, problem);
                None
            }
            (DeValue::Array(items), true) if items.len() > MAX_LIST => {
                let problem = FileProblem::TooMany {
                    key: key.name,
                    count: items.len(),
                    limit: MAX_LIST,
                };
                self.mistake(at, problem);
                None
            }
            (DeValue::Array(items), true) => {
                let read: Vec<Option<WrittenValue>> = items
                    .into_iter()
                    .map(|item| {
                        let at = item.span().start;
                        self.value(key, at, item.into_inner())
                    })
                    .collect();
                read.into_iter().collect()
            }
            (other, true) => self.wrong_type(key, at, &other),
            (value, false) => self.value(key, at, value).map(|value| vec![value]),
        }
    }

    fn value(&mut self, key: &'static PolicyKey, at: usize, value: DeValue<'t>) -> Option<WrittenValue> {
        let text = match (&value, key.shape) {
            (DeValue::Integer(number), Shape::Number) => u32::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| number.as_str().to_owned(), |number| number.to_string()),
            (DeValue::Table(block), Shape::Images) => super::images::as_json(block),
            (DeValue::String(text), shape) if !matches!(shape, Shape::Number | Shape::Images) => {
                text.trim().to_owned()
            }
            _ => return self.wrong_type(key, at, &value),
        };
        match key.shape.check(&text) {
            Ok(()) => Some(WrittenValue {
                text,
                origin: Origin::File {
                    path: self.path.to_owned(),
                    key: key.name,
                    place: self.places.position(at),
                },
            }),
            Err(problem) => {
                let problem = FileProblem::Value {
                    key: key.name,
                    problem,
                    form: key.shape.form(),
                };
                self.mistake(at, problem);
                None
            }
        }
    }

    fn wrong_type<T>(&mut self, key: &'static PolicyKey, at: usize, value: &DeValue<'_>) -> Option<T> {
        let problem = FileProblem::Type {
            key: key.name,
            found: value.type_str(),
            form: key.shape.form(),
        };
        self.mistake(at, problem);
        None
    }
}

/// What need not be parsed.
fn at_sight(text: &str) -> Option<(Option<usize>, FileProblem)> {
    if text.trim().is_empty() {
        return Some((None, FileProblem::Empty));
    }
    if let Some((at, marker)) = merge_conflict(text) {
        return Some((Some(at), FileProblem::MergeConflict(marker)));
    }
    depth::too_deep(text).map(|at| (Some(at), FileProblem::TooDeep))
}

/// Whether a target without an address can be reached all the same: its source finds it by an id.
fn reached_by_id(settings: &Settings) -> bool {
    let given = |key| !settings.all(key).is_empty() || settings.is_flawed(key);
    match settings.one("source").map(|value| value.text.as_str()) {
        Some("guest-agent") => given("app-id") || given("instance-id"),
        Some("phala-cloud") => given("app-id"),
        _ => settings.is_flawed("source"),
    }
}
