//! From the text of a lock file to [`Lock`].

use crate::report::is_name;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use toml::de::{DeTable, DeValue};

use super::mistakes::Mistakes;
use super::section::{Entry, Section, Source};
use super::{
    Lock, LockError, LockFile, LockProblem, LockedGovernance, LockedKms, LockedOs, LockedTls, MAX_LOCK_BYTES,
    SCHEMA, compose_settings,
};
use crate::policy::tcb::end_of;
use crate::toml_text::literal::{one_line, quoted};
use crate::toml_text::{LineIndex, depth};

/// Markers that git leaves at line starts where a merge was not finished.
const CONFLICT_MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

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
        let source = Source::without_text(path);
        if file.len() > MAX_LOCK_BYTES {
            return Err(source.error(LockProblem::TooLarge { size: file.len() }));
        }
        match std::str::from_utf8(file) {
            Ok(text) => Self::parse_file(text, path),
            Err(_) => Err(source.error(LockProblem::NotUtf8)),
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
        let lines = LineIndex::of(text);
        let source = Source::new(path, &lines);
        refuse_at_sight(source)?;
        let table = DeTable::parse(text).map_err(|error| {
            let message = error.message().lines().next().unwrap_or_default();
            let problem = LockProblem::NotToml(one_line(message));
            match error.span() {
                Some(span) => source.error_at(span.start, None, problem),
                None => source.error(problem),
            }
        })?;
        let mut root = Section::root(source, table.into_inner());
        check_schema(source, root.take("schema"))?;
        let mut mistakes = Mistakes::default();
        if let Some(targets) = root.take("target") {
            let targets = mistakes.keep(targets.section());
            let targets = targets
                .map(|targets| several(targets, &mut mistakes))
                .unwrap_or_default();
            mistakes.add(root.finish(&SEVERAL_KEYS));
            mistakes.refuse()?;
            if targets.is_empty() {
                return Err(source.error(LockProblem::ExpectsNothing));
            }
            return Ok(LockFile::Several(targets));
        }
        let lock = Self::of_section(&mut root, &mut mistakes);
        mistakes.add(root.finish(&ROOT_KEYS));
        mistakes.refuse()?;
        if lock.is_empty() {
            return Err(source.error(LockProblem::ExpectsNothing));
        }
        Ok(LockFile::One(Box::new(lock)))
    }

    /// Takes everything that a lock of one target holds.
    fn of_section(root: &mut Section<'_>, mistakes: &mut Mistakes) -> Self {
        let accepted = root.take("accepted");
        let before = mistakes.count();
        let tool = root.take("tool").map(|entry| entry.string().map(str::to_owned));
        let origin_text = root.take("origin");
        let mut lock = Self {
            tool: tool.and_then(|tool| mistakes.keep(tool)),
            origin: origin_text.and_then(|entry| mistakes.keep(origin(&entry))),
            compose_hash: mistakes.keep(root.take_hex("compose_hash")).flatten(),
            app_id: mistakes.keep(root.take_hex("app_id")).flatten(),
            key_provider: root
                .take("key_provider")
                .and_then(|entry| mistakes.keep(key_provider(&entry))),
            images: mistakes
                .keep(root.take_section("images"))
                .flatten()
                .map(|section| entries(section, mistakes, |entry| entry.string().map(str::to_owned)))
                .unwrap_or_default(),
            envelope: mistakes
                .keep(root.take_section("compose"))
                .flatten()
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
            os_image: mistakes
                .keep(root.take_section("os_image"))
                .flatten()
                .and_then(|section| os_image(section, mistakes)),
            gpus: root
                .take("gpus")
                .map(|entry| super::gpus::read(entry, mistakes))
                .unwrap_or_default(),
            ..Self::default()
        };
        if let Some(mut platform) = mistakes.keep(root.take_section("platform")).flatten() {
            lock.td_attributes = mistakes.keep(platform.take_hex("td_attributes")).flatten();
            lock.mr_seam = mistakes.keep(platform.take_hex("mr_seam")).flatten();
            lock.fmspc = mistakes.keep(platform.take_hex("fmspc")).flatten();
            mistakes.add(platform.finish(&PLATFORM_KEYS));
        }
        if let Some(section) = mistakes.keep(root.take_section("kms")).flatten() {
            lock.kms = LockedKms::read(section, mistakes);
        }
        if let Some(section) = mistakes.keep(root.take_section("governance")).flatten() {
            lock.governance = LockedGovernance::read(section, mistakes);
        }
        if let Some(section) = mistakes.keep(root.take_section("tls")).flatten() {
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

    /// Refuses a lock that accepts a vulnerable image until a day too far ahead of the time that is judged at,
    /// Unix seconds.
    ///
    /// # Errors
    /// [`LockProblem::TooFar`].
    pub fn check_end(&self, path: &str, at: u64) -> Result<(), LockError> {
        let until = self.os_image.as_ref().and_then(|os| os.vulnerable_until);
        match until.and_then(end_of) {
            Some(ends) if crate::policy::tcb::is_too_far(ends, at) => Err(LockError {
                path: path.to_owned(),
                place: None,
                key: Some("os_image.vulnerable_until".to_owned()),
                problem: LockProblem::TooFar,
                others: Vec::new(),
                unnamed: 0,
            }),
            _ => Ok(()),
        }
    }
}

/// The first marker of an unfinished merge, and the byte where it stands.
pub fn merge_conflict(text: &str) -> Option<(usize, &'static str)> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(marker) = CONFLICT_MARKERS
            .into_iter()
            .find(|marker| line.starts_with(marker))
        {
            return Some((start, marker));
        }
        start += line.len();
    }
    None
}

/// Refuses what need not be parsed.
fn refuse_at_sight(source: Source<'_>) -> Result<(), LockError> {
    let text = source.text();
    if text.len() > MAX_LOCK_BYTES {
        return Err(source.error(LockProblem::TooLarge { size: text.len() }));
    }
    if text.trim().is_empty() {
        return Err(source.error(LockProblem::Empty));
    }
    if let Some((at, marker)) = merge_conflict(text) {
        return Err(source.error_at(at, None, LockProblem::MergeConflict(marker)));
    }
    if let Some(at) = depth::too_deep(text) {
        return Err(source.error_at(at, None, LockProblem::TooDeep));
    }
    Ok(())
}

fn check_schema(source: Source<'_>, schema: Option<Entry<'_>>) -> Result<(), LockError> {
    let Some(schema) = schema else {
        return Err(LockError {
            key: Some("schema".to_owned()),
            ..source.error(LockProblem::NoSchema)
        });
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
fn origin(entry: &Entry<'_>) -> Result<String, LockError> {
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

fn key_provider(entry: &Entry<'_>) -> Result<crate::policy::KeyProviders, LockError> {
    entry
        .string()?
        .parse()
        .map_err(|problem: crate::policy::KeyProvidersError| entry.error(problem.into()))
}

/// Every entry of a section by its name.
fn entries<T>(
    section: Section<'_>,
    mistakes: &mut Mistakes,
    read: impl Fn(&Entry<'_>) -> Result<T, LockError>,
) -> BTreeMap<String, T> {
    let entries = section.into_entries().into_iter();
    entries
        .filter_map(|(name, entry)| Some((name, mistakes.keep(read(&entry))?)))
        .collect()
}

fn os_image(mut section: Section<'_>, mistakes: &mut Mistakes) -> Option<LockedOs> {
    let [mrtd, rtmr1, rtmr2] =
        ["mrtd", "rtmr1", "rtmr2"].map(|register| mistakes.keep(section.need_hex(register)));
    let rtmr0 = mistakes.keep(section.take_hex("rtmr0"));
    let known_by = section.take("known_by").and_then(|entry| {
        let parsed = entry.string().and_then(|text| {
            text.parse()
                .map_err(|problem: crate::policy::KnownByError| entry.error(problem.into()))
        });
        mistakes.keep(parsed)
    });
    let vulnerable_until = section
        .take("vulnerable_until")
        .and_then(|entry| mistakes.keep(day(&entry)));
    mistakes.add(section.finish(&OS_IMAGE_KEYS));
    Some(LockedOs {
        mrtd: mrtd?,
        rtmr0: rtmr0?,
        rtmr1: rtmr1?,
        rtmr2: rtmr2?,
        known_by,
        vulnerable_until,
    })
}

/// A TOML date, or the same as a string. Days before 1970 have no Unix time.
fn day(entry: &Entry<'_>) -> Result<NaiveDate, LockError> {
    let text = match &entry.value {
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
fn several(section: Section<'_>, mistakes: &mut Mistakes) -> BTreeMap<String, Lock> {
    let mut targets = BTreeMap::new();
    for (name, entry) in section.into_entries() {
        if !is_name(&name) {
            mistakes.add([entry.error(LockProblem::TargetName)]);
            continue;
        }
        let expects_nothing = LockError {
            key: None,
            ..entry.error(LockProblem::ExpectsNothing)
        };
        let before = mistakes.count();
        let Some(mut section) = mistakes.keep(entry.section()) else {
            continue;
        };
        let lock = Lock::of_section(&mut section, mistakes);
        mistakes.add(section.finish(TARGET_KEYS));
        if lock.is_empty() && mistakes.count() == before {
            mistakes.add([expects_nothing]);
        }
        targets.insert(name, lock);
    }
    targets
}
