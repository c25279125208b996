//! A lock for a release that is not deployed yet: what its compose document says takes the place of what the lock holds of the one
//! before, and everything else stays as it is, byte for byte.

use super::comments::{keep_comments, split_comment};
use super::write::in_target;
use super::{Change, Lock, LockError, LockFile, LockMistake, LockProblem, difference, places};
use crate::compose::UnprovenDocument;
use crate::toml_text::literal::key;

/// A lock file with the document of a release in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseLock {
    /// The text of the file.
    pub text: String,
    /// What changed in the lock of the deployment.
    pub changes: Vec<Change>,
    /// How many places of the document decide code and are not reviewed.
    pub unreviewed: usize,
    /// The compose hash that the lock expects, if it expects one.
    pub compose_hash: Option<[u8; 32]>,
}

/// Writes a document into the lock of a deployment: its hash, if the lock holds one, its images, its fields and its places. Reasons
/// of places that are the same stay, and so do comments of people. `target` names the deployment in a file of several.
///
/// `compose_hash` is that of the form of the document that will be deployed.
///
/// Nothing was observed, so no value says that it was.
///
/// # Errors
/// A [`LockError`]: the file is no lock, has no such target, or is not laid out as `pin` writes it.
pub fn with_document(
    before: &str,
    path: &str,
    target: Option<&str>,
    document: &UnprovenDocument,
    compose_hash: &[u8; 32],
) -> Result<ReleaseLock, LockError> {
    let file = Lock::parse_file(before, path)?;
    let old = file.of(target, path)?;
    let mut lock = Lock {
        compose_hash: old.compose_hash.map(|_| *compose_hash),
        images: document
            .file()
            .map(|file| file.images.clone())
            .unwrap_or_default(),
        compose_settings: document.compose_settings(),
        places: document.file().map(places::unreviewed).unwrap_or_default(),
        ..old.clone()
    };
    lock.keep_reasons(old);
    let changes = difference(old, &lock);
    let unreviewed = lock.places.iter().filter(|place| !place.is_reviewed()).count();
    let name = target.filter(|_| matches!(file, LockFile::Several(_)));
    let text = match changes.is_empty() {
        true => before.to_owned(),
        false => keep_comments(before, &spliced(before, name, &lock, document)),
    };
    let compose_hash = lock.compose_hash;
    let expected = match (file, name) {
        (LockFile::Several(mut targets), Some(name)) => {
            targets.insert(name.to_owned(), lock);
            LockFile::Several(targets)
        }
        _ => LockFile::One(Box::new(lock)),
    };
    // A text that people laid out in their own way may not be cut where it was cut here.
    match Lock::parse_file(&text, path) {
        Ok(read) if read == expected => Ok(ReleaseLock {
            text,
            changes,
            unreviewed,
            compose_hash,
        }),
        _ => Err(LockMistake::of_file(path, LockProblem::OtherLayout).into()),
    }
}

/// The text with the sections of the document exchanged, and the compose hash where there is one.
fn spliced(before: &str, target: Option<&str>, lock: &Lock, document: &UnprovenDocument) -> String {
    let remarks = document.file().map(places::remarks).unwrap_or_default();
    let sections = lock.document_sections("", &remarks);
    let (top, sections) = match target {
        None => (String::new(), sections),
        Some(name) => (format!("target.{}", key(name)), in_target(name, &sections)),
    };
    let is_of = |header: &str, names: &[&str]| {
        let section = match target {
            None => Some(header),
            Some(_) => header
                .strip_prefix(&top)
                .and_then(|section| section.strip_prefix('.')),
        };
        section.is_some_and(|section| names.contains(&section))
    };
    let blocks = blocks(before);
    // They go where the first of them is, or behind what `pin` writes in front of them.
    let first = blocks
        .iter()
        .position(|(header, _)| is_of(header, &["images", "compose", "places"]));
    let before_them = blocks
        .iter()
        .rposition(|(header, _)| *header == top || is_of(header, &["accepted"]));
    let place = first.or(before_them.map(|last| last + 1));
    let mut out = String::new();
    for (number, (header, text)) in blocks.iter().enumerate() {
        if Some(number) == place {
            out.push_str(&sections);
        }
        if *header == top {
            out.extend(text.split_inclusive('\n').map(|line| with_hash(line, lock)));
        } else if !is_of(header, &["images", "compose", "places"]) {
            out.push_str(text);
        }
    }
    if place.is_none_or(|place| place >= blocks.len()) {
        out.push_str(&sections);
    }
    out
}

/// A line above the sections, with the hash of the lock if it is that of the compose hash.
fn with_hash(line: &str, lock: &Lock) -> String {
    let is_hash = line
        .split_once('=')
        .is_some_and(|(key, _)| key.trim() == "compose_hash");
    match lock.compose_hash.filter(|_| is_hash) {
        Some(hash) => format!("compose_hash = \"{}\"\n", hex::encode(hash)),
        None => line.to_owned(),
    }
}

/// The sections of a text, each with the name in its header, in front of which its comments stand. The first one has no header.
fn blocks(text: &str) -> Vec<(String, &str)> {
    let mut starts = vec![(String::new(), 0)];
    let (mut at, mut above) = (0, 0);
    for line in text.split_inclusive('\n') {
        let bare = split_comment(line).0.trim();
        if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let name = name.strip_prefix('[').unwrap_or(name);
            let name = name.strip_suffix(']').unwrap_or(name);
            starts.push((name.to_owned(), above));
        }
        at += line.len();
        if !bare.is_empty() {
            above = at;
        }
    }
    let ends: Vec<usize> = starts.iter().skip(1).map(|(_, start)| *start).collect();
    let ends = ends.into_iter().chain([text.len()]);
    let cut = |((name, start), end)| (name, text.get(start..end).unwrap_or_default());
    starts.into_iter().zip(ends).map(cut).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Notes, arbitrary, with_target};
    use super::*;

    fn document() -> UnprovenDocument {
        let image = format!("ghcr.io/example/web@sha256:{}", "11".repeat(32));
        let file = format!("services:\n  web:\n    image: {image}\n    command: run ${{NEW_KEY}}\n");
        let members = json!({
            "runner": "docker-compose", "docker_compose_file": file, "allowed_envs": ["API_KEY", "NEW_KEY"], "kms_enabled": true,
        });
        UnprovenDocument::read(&members.to_string()).unwrap()
    }

    fn hash() -> [u8; 32] {
        document().hashes()[0]
    }

    /// The text without the lines that hold something of the document.
    fn rest(lock: &Lock) -> Lock {
        Lock {
            compose_hash: None,
            images: Default::default(),
            compose_settings: Default::default(),
            places: Vec::new(),
            ..lock.clone()
        }
    }

    #[test]
    fn the_document_takes_the_place_of_the_one_before_and_the_rest_stays() {
        let old = arbitrary::example();
        let notes = Notes {
            simulated: true,
            ..Notes::default()
        };
        let before = old
            .to_toml(&notes)
            .replacen("[os_image]", "# Ours.\n[os_image]", 1);
        let before = before.replacen("app_id = ", "# Of the shop.\napp_id = ", 1);
        let written = with_document(&before, "cvm.lock", None, &document(), &hash()).unwrap();
        let new = Lock::parse(&written.text, "cvm.lock").unwrap();
        assert_eq!(new.compose_hash, document().hashes().first().copied());
        assert_eq!(new.compose_settings, document().compose_settings());
        assert_eq!(new.images, document().file().unwrap().images);
        assert_eq!((new.places.len(), written.unreviewed), (1, 1));
        assert_eq!(rest(&new), rest(&old));
        // Remarks on what was observed, and comments of people, stay.
        for kept in ["# SIMULATED", "# Ours.\n[os_image]", "# Of the shop.\napp_id"] {
            assert!(written.text.contains(kept), "{kept}\n{}", written.text);
        }
        // What was read from a file was not observed.
        let line = format!("compose_hash = \"{}\"\n", hex::encode(hash()));
        assert!(written.text.contains(&line), "{}", written.text);
        assert!(written.text.contains("kms_enabled = true\n"), "{}", written.text);
        // Once more changes nothing.
        let again = with_document(&written.text, "cvm.lock", None, &document(), &hash()).unwrap();
        assert_eq!((again.text, again.changes), (written.text, Vec::new()));
    }

    #[test]
    fn in_a_file_of_several_only_the_named_target_changes() {
        let old = arbitrary::example();
        let mut before: Option<String> = None;
        for name in ["a", "aimages", "b.c", "d"] {
            before = Some(with_target(before.as_deref(), "cvm.lock", name, &old, &Notes::default()).unwrap());
        }
        let before = before.unwrap();
        let written = with_document(&before, "cvm.lock", Some("b.c"), &document(), &hash()).unwrap();
        let file = Lock::parse_file(&written.text, "cvm.lock").unwrap();
        for (name, lock) in file.locks() {
            let is_new = lock.compose_hash == document().hashes().first().copied();
            assert_eq!(is_new, name == Some("b.c"), "{name:?}");
            assert_eq!(rest(lock), rest(&old));
        }
        assert!(with_document(&before, "cvm.lock", Some("a"), &document(), &hash()).is_ok());
        assert!(with_document(&before, "cvm.lock", None, &document(), &hash()).is_err());
        assert!(with_document(&before, "cvm.lock", Some("x"), &document(), &hash()).is_err());
    }

    /// A lock without a hash names no release, and gets none; one without sections gets them.
    #[test]
    fn what_a_lock_lacks_of_the_document_is_added_but_for_its_hash() {
        let old = rest(&arbitrary::example());
        let written = with_document(
            &old.to_toml(&Notes::default()),
            "cvm.lock",
            None,
            &document(),
            &hash(),
        )
        .unwrap();
        let new = Lock::parse(&written.text, "cvm.lock").unwrap();
        assert_eq!((new.compose_hash, rest(&new)), (None, rest(&old)));
        assert_eq!(new.compose_settings, document().compose_settings());
    }

    #[test]
    fn another_layout_is_refused_and_never_written_wrongly() {
        let text = format!(
            "schema = \"cvm-verify/lock/v1\"\ncompose_hash = \"{}\"\ncompose.public_logs = true\n",
            "aa".repeat(32)
        );
        assert!(Lock::parse(&text, "cvm.lock").is_ok());
        let error = with_document(&text, "cvm.lock", None, &document(), &hash()).unwrap_err();
        assert!(error.to_string().contains("laid out"), "{error}");
    }
}
