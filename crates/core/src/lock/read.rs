//! From the text of a lock file to [`Lock`].

use crate::report::is_name;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use toml::de::DeValue;

use super::hex_value::hex;
use super::{
    Lock, LockError, LockFile, LockMistake, LockProblem, LockedGovernance, LockedKms, LockedOs, LockedTls,
    MAX_LOCK_BYTES, SCHEMA, compose_settings,
};
use crate::policy::tcb::end_of;
use crate::policy::{KeyProviders, KeyProvidersError, KnownBy, KnownByError};
use crate::toml_text::literal::quoted;
use crate::toml_text::{self, FoundMistakes, LineIndex, TomlEntry, TomlTable};

const ROOT_KEYS: [&str; 17] = [
    "schema",
    "tool",
    "origin",
    "compose_hash",
    "app_id",
    "key_provider",
    "accepted",
    "images",
    "compose",
    "places",
    "sources",
    "os_image",
    "platform",
    "gpus",
    "kms",
    "governance",
    "tls",
];
/// What a block of a file of several targets holds: all of them but `schema`, which is the file's.
const TARGET_KEYS: &[&str] = ROOT_KEYS.split_at(1).1;
const SEVERAL_KEYS: [&str; 2] = ["schema", "target"];
const OS_IMAGE_KEYS: [&str; 6] = ["mrtd", "rtmr0", "rtmr1", "rtmr2", "known_by", "vulnerable_until"];
const PLATFORM_KEYS: [&str; 3] = ["td_attributes", "mr_seam", "fmspc"];

impl Lock {
    /// Reads a file's bytes. `path` is for messages only.
    ///
    /// # Errors
    /// As [`Lock::parse`], and where the bytes are not UTF-8.
    pub fn read(file: &[u8], path: &str) -> Result<Self, LockError> {
        Self::read_file(file, path).and_then(|file| file.of(None, path).cloned())
    }

    /// Reads the bytes of a file of one target or of several. `path` is for messages only.
    ///
    /// # Errors
    /// As [`Lock::parse_file`], and where the bytes are not UTF-8.
    pub fn read_file(file: &[u8], path: &str) -> Result<LockFile, LockError> {
        let (read, mut found) = toml_text::read(file, path, MAX_LOCK_BYTES, Self::of_root);
        if let (0, Ok(text)) = (found.count(), std::str::from_utf8(file)) {
            let index = LineIndex::of(text);
            let remarks = super::unfounded_remarks(text).into_iter();
            for remark in remarks.filter(|remark| remark.of_version.is_none()) {
                let mut mistake = LockMistake::of_file(path, LockProblem::UnfoundedRemark(remark.remark));
                mistake.place = Some(index.position(remark.at));
                found.note(match remark.key.as_str() {
                    "" => mistake,
                    key => mistake.about(key),
                });
            }
        }
        match (found.error(), read.flatten()) {
            (Some(error), _) => Err(error),
            (None, Some(file)) => Ok(file),
            (None, None) => Err(LockMistake::of_file(path, LockProblem::ExpectsNothing).into()),
        }
    }

    /// Reads the text of a lock file of at most [`MAX_LOCK_BYTES`]. `path` is for messages only.
    ///
    /// Hex may be upper case or carry `0x`. Unknown keys, empty sections and a lock that expects nothing are
    /// refused: a typing error must not switch an expectation off.
    ///
    /// # Errors
    /// A [`LockError`] that names file, line, key and what to do, for each mistake; also where the file holds several targets.
    pub fn parse(text: &str, path: &str) -> Result<Self, LockError> {
        Self::parse_file(text, path).and_then(|file| file.of(None, path).cloned())
    }

    /// Reads the text of a lock file of one target or of several, as [`Lock::parse`] reads that of one.
    ///
    /// # Errors
    /// A [`LockError`] that names file, line, key and what to do.
    pub fn parse_file(text: &str, path: &str) -> Result<LockFile, LockError> {
        Self::read_file(text.as_bytes(), path)
    }

    /// Takes everything that a file holds. None if it is not a lock that this version reads.
    fn of_root(mut root: TomlTable<'_>, mistakes: &mut FoundMistakes<LockProblem>) -> Option<LockFile> {
        let schema = root.take("schema");
        mistakes.keep(check_schema(&root, schema))?;
        let nothing = root.file().mistake_at(None, LockProblem::ExpectsNothing);
        let Some(targets) = root.take("target") else {
            let lock = Self::of_section(&mut root, mistakes);
            mistakes.add(root.finish(&ROOT_KEYS));
            if lock.is_empty() && mistakes.count() == 0 {
                mistakes.note(nothing);
            }
            return Some(LockFile::One(Box::new(lock)));
        };
        let targets = mistakes
            .keep(targets.section())
            .map(|targets| several(targets, mistakes))
            .unwrap_or_default();
        mistakes.add(root.finish(&SEVERAL_KEYS));
        if targets.is_empty() && mistakes.count() == 0 {
            mistakes.note(nothing);
        }
        Some(LockFile::Several(targets))
    }

    /// Takes everything that a lock of one target holds.
    fn of_section(root: &mut TomlTable<'_>, mistakes: &mut FoundMistakes<LockProblem>) -> Self {
        let accepted = root.take("accepted");
        let before = mistakes.count();
        let text = |entry: &TomlEntry<'_>| entry.string().map(str::to_owned);
        let images = root.section("images", mistakes);
        let settings = root.section("compose", mistakes);
        let mut lock = Self {
            tool: root.read("tool", mistakes, text),
            origin: root.read("origin", mistakes, origin),
            compose_hash: root.read("compose_hash", mistakes, hex),
            app_id: root.read("app_id", mistakes, hex),
            key_provider: root.read("key_provider", mistakes, key_provider),
            images: images
                .map(|section| entries(section, mistakes, text))
                .unwrap_or_default(),
            compose_settings: settings
                .map(|section| entries(section, mistakes, compose_settings::from_toml))
                .unwrap_or_default(),
            places: root
                .take("places")
                .map(|entry| super::places::read(entry, mistakes))
                .unwrap_or_default(),
            sources: root
                .take("sources")
                .map(|entry| super::sources::read(entry, mistakes))
                .unwrap_or_default(),
            os_image: root
                .section("os_image", mistakes)
                .and_then(|section| os_image(section, mistakes)),
            gpus: root
                .take("gpus")
                .map(|entry| super::gpus::read(entry, mistakes))
                .unwrap_or_default(),
            ..Self::default()
        };
        if let Some(mut platform) = root.section("platform", mistakes) {
            lock.td_attributes = platform.read("td_attributes", mistakes, hex);
            lock.mr_seam = platform.read("mr_seam", mistakes, hex);
            lock.fmspc = platform.read("fmspc", mistakes, hex);
            mistakes.add(platform.finish(&PLATFORM_KEYS));
        }
        if let Some(section) = root.section("kms", mistakes) {
            lock.kms = LockedKms::read(section, mistakes);
        }
        if let Some(section) = root.section("governance", mistakes) {
            lock.governance = LockedGovernance::read(section, mistakes);
        }
        if let Some(section) = root.section("tls", mistakes) {
            lock.tls = LockedTls::read(section, mistakes);
        }
        // What is accepted is compared with what the lock holds: with a mistake in that, it would be accused of the same.
        if let Some(section) = accepted.and_then(|entry| mistakes.keep(entry.section()))
            && mistakes.count() == before
        {
            lock.accepted = super::accepted::read(section, &lock, mistakes);
        }
        lock
    }
}

fn check_schema(root: &TomlTable<'_>, schema: Option<TomlEntry<'_>>) -> Result<(), LockMistake> {
    let Some(schema) = schema else {
        let mistake = root.file().mistake_at(None, LockProblem::NoSchema);
        return Err(mistake.about("schema"));
    };
    let found = schema.string()?;
    if found == SCHEMA {
        return Ok(());
    }
    let is_newer = found
        .strip_prefix("cvm-verify/lock/v")
        .and_then(|version| version.parse::<u32>().ok())
        .is_some_and(|version| version > 1);
    let shown = quoted(&found.chars().take(80).collect::<String>());
    Err(schema.error(if is_newer {
        LockProblem::NewerSchema(shown)
    } else {
        LockProblem::OtherSchema(shown)
    }))
}

/// Scheme, host and port of an address: https, or http, as a simulator on loopback has it.
fn origin(entry: &TomlEntry<'_>) -> Result<String, LockMistake> {
    let text = entry.string()?.trim().trim_end_matches('/');
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_bare = |host: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
        !host.is_empty() && host.len() <= 300 && host.chars().all(is_plain)
    };
    match host.is_some_and(is_bare) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(entry.error(LockProblem::Origin)),
    }
}

fn key_provider(entry: &TomlEntry<'_>) -> Result<KeyProviders, LockMistake> {
    let parsed: Result<KeyProviders, KeyProvidersError> = entry.string()?.parse();
    parsed.map_err(|problem| entry.error(problem.into()))
}

/// Every entry of a section by its name.
fn entries<T>(
    section: TomlTable<'_>,
    mistakes: &mut FoundMistakes<LockProblem>,
    read: impl Fn(&TomlEntry<'_>) -> Result<T, LockMistake>,
) -> BTreeMap<String, T> {
    let entries = section.into_entries().into_iter();
    entries
        .filter_map(|(name, entry)| Some((name, mistakes.keep(read(&entry))?)))
        .collect()
}

fn os_image(mut section: TomlTable<'_>, mistakes: &mut FoundMistakes<LockProblem>) -> Option<LockedOs> {
    let [mrtd, rtmr1, rtmr2] = ["mrtd", "rtmr1", "rtmr2"].map(|register| {
        let entry = mistakes.keep(section.need(register, LockProblem::Missing))?;
        mistakes.keep(hex(&entry))
    });
    let rtmr0 = section.read("rtmr0", mistakes, hex);
    let known_by = section.read("known_by", mistakes, |entry| {
        let parsed: Result<KnownBy, KnownByError> = entry.string()?.parse();
        parsed.map_err(|problem| entry.error(problem.into()))
    });
    let vulnerable_until = section.read("vulnerable_until", mistakes, day);
    mistakes.add(section.finish(&OS_IMAGE_KEYS));
    Some(LockedOs {
        mrtd: mrtd?,
        rtmr0,
        rtmr1: rtmr1?,
        rtmr2: rtmr2?,
        known_by,
        vulnerable_until,
    })
}

/// A TOML date, or the same as a string. Days before 1970 have no Unix time.
fn day(entry: &TomlEntry<'_>) -> Result<NaiveDate, LockMistake> {
    let text = match entry.value() {
        DeValue::String(text) => text.trim().to_owned(),
        DeValue::Datetime(day) => day.to_string(),
        _ => return Err(entry.error(LockProblem::Day)),
    };
    NaiveDate::parse_from_str(&text, "%Y-%m-%d")
        .ok()
        .filter(|day| end_of(*day).is_some())
        .ok_or_else(|| entry.error(LockProblem::Day))
}

/// Reads the blocks of a file of several targets.
fn several(section: TomlTable<'_>, mistakes: &mut FoundMistakes<LockProblem>) -> BTreeMap<String, Lock> {
    let mut targets = BTreeMap::new();
    for (name, entry) in section.into_entries() {
        if !is_name(&name) {
            mistakes.note(entry.error(LockProblem::TargetName));
            continue;
        }
        let expects_nothing = entry.unnamed_error(LockProblem::ExpectsNothing);
        let before = mistakes.count();
        let Some(mut section) = mistakes.keep(entry.section()) else {
            continue;
        };
        let lock = Lock::of_section(&mut section, mistakes);
        mistakes.add(section.finish(TARGET_KEYS));
        if lock.is_empty() && mistakes.count() == before {
            mistakes.note(expects_nothing);
        }
        targets.insert(name, lock);
    }
    targets
}
