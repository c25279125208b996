//! A lock file as a whole: one deployment, or several by name.
//!
//! Several stand as `[target.NAME]`, each with the keys and sections that a lock of one has. Each is pinned alone, and the
//! text of the others stays as it is.

use std::collections::BTreeMap;

use super::{Lock, LockError, LockMistake, LockProblem, MAX_LOCK_BYTES, Notes, SCHEMA};
use crate::report::is_name;

/// What a lock file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum LockFile {
    /// One deployment without a name.
    One(Box<Lock>),
    /// Deployments by name; at least one.
    Several(BTreeMap<String, Lock>),
}

const HEADER: &str = "\
# The expected values of these deployments, each in its own block. Written by `cvm-verify pin --target NAME`, read by
# `cvm-verify verify`.
# known:    the value is in cvm-verify's own tables.
# observed: the value was taken from the deployment as it ran. Review each of these lines.
";

impl LockFile {
    /// The lock of a target. A lock of one deployment is any target's.
    ///
    /// # Errors
    /// [`LockProblem::NoTarget`]: the file holds several, and none of this name. `path` is for messages.
    pub fn of(&self, name: Option<&str>, path: &str) -> Result<&Lock, LockError> {
        let several = match self {
            Self::One(lock) => return Ok(lock),
            Self::Several(several) => several,
        };
        name.and_then(|name| several.get(name)).ok_or_else(|| {
            let problem = LockProblem::NoTarget {
                wanted: name.map(str::to_owned),
                names: several.keys().cloned().collect(),
            };
            LockMistake::of_file(path, problem).into()
        })
    }

    /// The lock of each deployment, with its name where it has one.
    pub fn locks(&self) -> Vec<(Option<&str>, &Lock)> {
        match self {
            Self::One(lock) => vec![(None, lock)],
            Self::Several(several) => several
                .iter()
                .map(|(name, lock)| (Some(name.as_str()), lock))
                .collect(),
        }
    }
}

/// The text of a lock file of several targets in which `name` is `lock`. `before` is the text that is there, if any: the
/// blocks of the other targets stay as they are, byte for byte.
///
/// # Errors
/// A [`LockError`] where the text that is there is no lock file of several targets.
pub fn with_target(
    before: Option<&str>,
    path: &str,
    name: &str,
    lock: &Lock,
    notes: &Notes,
) -> Result<String, LockError> {
    let block = format!("\n{}", lock.block(name, notes));
    let Some(before) = before else {
        return Ok(format!("{HEADER}\nschema = \"{SCHEMA}\"\n{block}"));
    };
    let text = added(before, path, (name, &block), lock, notes)?;
    if text.len() > MAX_LOCK_BYTES {
        return Err(LockMistake::of_file(path, LockProblem::TooManyTargets { size: text.len() }).into());
    }
    Ok(text)
}

fn added(
    before: &str,
    path: &str,
    (name, block): (&str, &str),
    lock: &Lock,
    notes: &Notes,
) -> Result<String, LockError> {
    let mut targets = match Lock::parse_file(before, path)? {
        LockFile::Several(targets) => targets,
        LockFile::One(_) => return Err(LockMistake::of_file(path, LockProblem::OneWithoutName).into()),
    };
    targets.insert(name.to_owned(), lock.clone());
    let after = spliced(before, name, block);
    // A text that people laid out in their own way may not be cut where we cut it.
    if Lock::parse_file(&after, path) == Ok(LockFile::Several(targets.clone())) {
        return Ok(after);
    }
    let rewritten: String = targets
        .iter()
        .map(|(other, each)| {
            let notes = if other == name { notes } else { &Notes::default() };
            format!("\n{}", each.block(other, notes))
        })
        .collect();
    Ok(format!("{HEADER}\nschema = \"{SCHEMA}\"\n{rewritten}"))
}

/// The text with the block of a target exchanged, or put where it belongs by name.
fn spliced(before: &str, name: &str, block: &str) -> String {
    let (head, blocks) = blocks(before);
    let mut out = head.to_owned();
    let mut block = Some(block);
    for (other, text) in blocks {
        if other.as_str() >= name {
            out.extend(block.take());
        }
        if other != name {
            out.push_str(text);
        }
    }
    out.extend(block);
    out
}

/// What is before the first block, and each block with its name. A block begins with the blank lines and comments
/// directly above its `[target.NAME]`.
fn blocks(text: &str) -> (&str, Vec<(String, &str)>) {
    let mut starts: Vec<(String, usize)> = Vec::new();
    let (mut at, mut above) = (0, 0);
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        if let Some(name) = bare
            .strip_prefix("[target.")
            .and_then(|rest| rest.split_once(']'))
            .map(|(name, _)| name.trim_matches('"'))
            .filter(|name| is_header(bare, name))
        {
            starts.push((name.to_owned(), above));
        }
        at += line.len();
        if !bare.is_empty() && !bare.starts_with('#') {
            above = at;
        }
    }
    let ends = starts.iter().skip(1).map(|(_, start)| *start).chain([text.len()]);
    let head = text
        .get(..starts.first().map_or(text.len(), |(_, start)| *start))
        .unwrap_or(text);
    let cut = |((name, start), end): ((String, usize), usize)| {
        let text = text.get(start..end).unwrap_or_default();
        (name, text)
    };
    (head, starts.clone().into_iter().zip(ends).map(cut).collect())
}

/// Whether a line opens a target and not one of its sections. The dot is part of names too, so a section is told by its
/// own name.
fn is_header(line: &str, name: &str) -> bool {
    let quoted = line.starts_with("[target.\"");
    is_name(name) && (quoted || !name.contains('.'))
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
