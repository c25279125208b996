//! From the text of a lock file to [`Lock`].

use crate::report::is_name;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use toml::de::{DeTable, DeValue};

use super::section::{Entry, Section, Source};
use super::{Lock, LockError, LockFile, LockProblem, LockedOs, MAX_LOCK_BYTES, SCHEMA, compose_settings};
use crate::policy::tcb::end_of;
use crate::toml_text::depth;
use crate::toml_text::literal::{one_line, quoted};

/// Markers that git leaves at line starts where a merge was not finished.
const CONFLICT_MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

const ROOT_KEYS: [&str; 11] = [
    "schema",
    "tool",
    "compose_hash",
    "app_id",
    "key_provider",
    "accepted",
    "images",
    "compose",
    "places",
    "os_image",
    "platform",
];
/// What a block of a file of several targets holds.
pub(super) const TARGET_KEYS: [&str; 10] = [
    "tool",
    "compose_hash",
    "app_id",
    "key_provider",
    "accepted",
    "images",
    "compose",
    "places",
    "os_image",
    "platform",
];
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
        let source = Source { path, text: "" };
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
    /// A [`LockError`] that names file, line, key and what to do; also where the file holds several targets.
    pub fn parse(text: &str, path: &str) -> Result<Self, LockError> {
        Self::parse_file(text, path).and_then(|file| file.of(None, path).cloned())
    }

    /// Reads the text of a lock file of one target or of several, as [`Lock::parse`] reads that of one.
    ///
    /// # Errors
    /// A [`LockError`] that names file, line, key and what to do.
    pub fn parse_file(text: &str, path: &str) -> Result<LockFile, LockError> {
        let source = Source { path, text };
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
        if let Some(targets) = root.take_section("target")? {
            let targets = self::several(targets, source)?;
            root.finish(&SEVERAL_KEYS)?;
            return Ok(LockFile::Several(targets));
        }
        let lock = Self::of_section(&mut root)?;
        root.finish(&ROOT_KEYS)?;
        if lock.is_empty() {
            return Err(source.error(LockProblem::ExpectsNothing));
        }
        Ok(LockFile::One(Box::new(lock)))
    }

    /// Takes everything that a lock of one target holds.
    pub(super) fn of_section(root: &mut Section<'_>) -> Result<Self, LockError> {
        let accepted = root.take("accepted");
        let mut lock = Self {
            tool: root
                .take("tool")
                .map(|entry| entry.string().map(str::to_owned))
                .transpose()?,
            compose_hash: root.take_hex("compose_hash")?,
            app_id: root.take_hex("app_id")?,
            key_provider: root
                .take("key_provider")
                .map(|entry| key_provider(&entry))
                .transpose()?,
            images: root
                .take_section("images")?
                .map(images)
                .transpose()?
                .unwrap_or_default(),
            envelope: root
                .take_section("compose")?
                .map(fields)
                .transpose()?
                .unwrap_or_default(),
            places: root
                .take("places")
                .map(super::places::read)
                .transpose()?
                .unwrap_or_default(),
            os_image: root.take_section("os_image")?.map(os_image).transpose()?,
            ..Self::default()
        };
        if let Some(mut platform) = root.take_section("platform")? {
            lock.td_attributes = platform.take_hex("td_attributes")?;
            lock.mr_seam = platform.take_hex("mr_seam")?;
            lock.fmspc = platform.take_hex("fmspc")?;
            platform.finish(&PLATFORM_KEYS)?;
        }
        if let Some(accepted) = accepted {
            lock.accepted = super::accepted::read(accepted.section()?, &lock)?;
        }
        Ok(lock)
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
    let text = source.text;
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

fn key_provider(entry: &Entry<'_>) -> Result<crate::policy::KeyProviders, LockError> {
    entry
        .string()?
        .parse()
        .map_err(|problem: crate::policy::KeyProvidersError| entry.error(problem.into()))
}

fn images(section: Section<'_>) -> Result<BTreeMap<String, String>, LockError> {
    section
        .into_entries()
        .into_iter()
        .map(|(service, entry)| Ok((service, entry.string()?.to_owned())))
        .collect()
}

fn fields(section: Section<'_>) -> Result<BTreeMap<String, serde_json::Value>, LockError> {
    section
        .into_entries()
        .into_iter()
        .map(|(name, entry)| Ok((name, compose_settings::from_toml(&entry)?)))
        .collect()
}

fn os_image(mut section: Section<'_>) -> Result<LockedOs, LockError> {
    let os = LockedOs {
        mrtd: section.need_hex("mrtd")?,
        rtmr0: section.take_hex("rtmr0")?,
        rtmr1: section.need_hex("rtmr1")?,
        rtmr2: section.need_hex("rtmr2")?,
        known_by: section
            .take("known_by")
            .map(|entry| {
                let text = entry.string()?;
                text.parse()
                    .map_err(|problem: crate::policy::KnownByError| entry.error(problem.into()))
            })
            .transpose()?,
        vulnerable_until: section
            .take("vulnerable_until")
            .map(|entry| day(&entry))
            .transpose()?,
    };
    section.finish(&OS_IMAGE_KEYS)?;
    Ok(os)
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
pub(super) fn several(section: Section<'_>, source: Source<'_>) -> Result<BTreeMap<String, Lock>, LockError> {
    let mut targets = BTreeMap::new();
    for (name, entry) in section.into_entries() {
        if !is_name(&name) {
            return Err(entry.error(LockProblem::TargetName));
        }
        let place = entry.error(LockProblem::ExpectsNothing);
        let mut section = entry.section()?;
        let lock = Lock::of_section(&mut section)?;
        section.finish(&super::read::TARGET_KEYS)?;
        if lock.is_empty() {
            return Err(LockError { key: None, ..place });
        }
        targets.insert(name, lock);
    }
    if targets.is_empty() {
        return Err(source.error(LockProblem::ExpectsNothing));
    }
    Ok(targets)
}
