//! `[[places]]`: the places of the compose document that something outside it can fill with code, and why a person accepts
//! each.

use std::collections::BTreeMap;

use super::hex_value::hex;
use super::list::ListOf;
use super::{LockMistake, LockProblem};
use crate::compose::ComposeFile;
use crate::policy::LockedPlace;
use crate::toml_text::literal::{one_line, quoted};
use crate::toml_text::{FoundMistakes, TomlEntry, TomlTable};

/// How many places a lock holds. An app with more cannot be reviewed in a lock.
pub(crate) const MAX_LOCKED_PLACES: usize = 200;

/// Bytes of a reason.
const MAX_REASON_BYTES: usize = 1024;

const KEYS: [&str; 3] = ["path", "sha256", "reason"];

/// The places of a file that decide code, none of them reviewed.
pub(super) fn unreviewed(file: &ComposeFile) -> Vec<LockedPlace> {
    let mut places: Vec<LockedPlace> = file
        .deciding()
        .take(MAX_LOCKED_PLACES)
        .map(|place| LockedPlace {
            path: place.path.clone(),
            sha256: place.sha256,
            reason: String::new(),
            line: None,
        })
        .collect();
    sort(&mut places);
    places
}

/// What is said of each place, by path: for the comments of the file.
pub(super) fn remarks(file: &ComposeFile) -> BTreeMap<String, String> {
    file.deciding()
        .take(MAX_LOCKED_PLACES)
        .map(|place| (place.path.clone(), place.says.clone()))
        .collect()
}

/// Keeps the reasons of the places that are the same in path and text.
pub(super) fn keep_reasons(places: &mut [LockedPlace], before: &[LockedPlace]) {
    for place in places.iter_mut().filter(|place| !place.is_reviewed()) {
        let same = before
            .iter()
            .find(|old| old.path == place.path && old.sha256 == place.sha256);
        if let Some(old) = same {
            place.reason.clone_from(&old.reason);
        }
    }
}

pub(super) fn sort(places: &mut [LockedPlace]) {
    places.sort_by(|one, other| (&one.path, one.sha256).cmp(&(&other.path, other.sha256)));
}

/// Reads `[[places]]`.
pub(super) fn read(entry: TomlEntry<'_>, mistakes: &mut FoundMistakes<LockProblem>) -> Vec<LockedPlace> {
    let mut read = ListOf {
        expected: "a list of sections: [[places]]",
        most: MAX_LOCKED_PLACES,
        many: LockProblem::ManyPlaces,
        keys: &[&KEYS],
    }
    .read(entry, mistakes, place);
    sort(&mut read);
    read
}

fn place(section: &mut TomlTable<'_>) -> Result<LockedPlace, LockMistake> {
    let [path, sha256, reason] = KEYS.map(|key| section.need(key, LockProblem::IncompletePlace));
    let (path, sha256, reason) = (path?, sha256?, reason?);
    let text = reason.string()?;
    if text.len() > MAX_REASON_BYTES {
        return Err(reason.error(LockProblem::LongReason));
    }
    Ok(LockedPlace {
        path: path.string()?.to_owned(),
        sha256: hex(&sha256)?,
        reason: text.to_owned(),
        line: Some(reason.position().line),
    })
}

/// Above the first place.
pub(super) const COMMENT: &str = "
# Places of the compose document that something outside it can fill with code. Read each, and write down why it is
# acceptable: while a reason is empty, `verify` does not reach `code`. A reason holds while path and text stay the same.
";

/// The text of `[[places]]`, empty if there are none.
pub(super) fn write(places: &[LockedPlace], remarks: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    if !places.is_empty() {
        out.push_str(COMMENT);
    }
    for place in places {
        out.push_str(HEADER);
        out.push('\n');
        if let Some(remark) = remarks.get(&place.path) {
            // An ellipsis stays: remarks of this program hold it, and no terminal or runner interprets it.
            let remark: Vec<String> = remark.split('…').map(|part| one_line(part).to_string()).collect();
            out.push_str(&format!("# {}\n", remark.join("…")));
        }
        out.push_str(&format!(
            "path = {}\nsha256 = {}\nreason = {}\n",
            quoted(&place.path),
            quoted(&hex::encode(place.sha256)),
            quoted(&place.reason)
        ));
    }
    out
}

/// The line that begins a place.
pub(super) const HEADER: &str = "[[places]]";

#[cfg(test)]
mod tests {
    use super::super::Lock;
    use super::*;

    fn place(path: &str, byte: u8, reason: &str) -> LockedPlace {
        LockedPlace {
            path: path.to_owned(),
            sha256: [byte; 32],
            reason: reason.to_owned(),
            line: None,
        }
    }

    #[test]
    fn a_reason_survives_while_path_and_text_are_the_same() {
        let before = [
            place("a", 1, "read"),
            place("b", 1, "read"),
            place("c", 1, "read"),
        ];
        let mut places = [place("a", 1, ""), place("b", 2, ""), place("d", 1, "")];
        keep_reasons(&mut places, &before);
        assert_eq!(
            places,
            [place("a", 1, "read"), place("b", 2, ""), place("d", 1, "")]
        );
    }

    #[test]
    fn the_line_of_a_reason_is_known_and_a_blank_one_is_none() {
        let text = format!(
            "schema = \"cvm-verify/lock/v1\"\napp_id = \"{}\"\n[[places]]\npath = \"a\"\nsha256 = \"{}\"\nreason = \"  \"\n",
            "aa".repeat(20),
            "01".repeat(32)
        );
        let lock = Lock::parse(&text, "cvm.lock").unwrap();
        assert_eq!(lock.places, [place("a", 1, "  ")]);
        assert_eq!(lock.places[0].line, Some(6));
        assert!(!lock.places[0].is_reviewed());
    }

    #[test]
    fn a_place_that_lacks_something_or_has_more_is_refused() {
        let head = format!(
            "schema = \"cvm-verify/lock/v1\"\napp_id = \"{}\"\n",
            "aa".repeat(20)
        );
        let hash = "01".repeat(32);
        for places in [
            "places = 1\n".to_owned(),
            "places = [1]\n".to_owned(),
            format!("[[places]]\nsha256 = \"{hash}\"\nreason = \"\"\n"),
            "[[places]]\npath = \"a\"\nreason = \"\"\n".to_owned(),
            format!("[[places]]\npath = \"a\"\nsha256 = \"{hash}\"\n"),
            format!("[[places]]\npath = \"a\"\nsha256 = \"{hash}\"\nreason = \"\"\nreviewed = true\n"),
            "[[places]]\npath = \"a\"\nsha256 = \"01\"\nreason = \"\"\n".to_string(),
            format!(
                "[[places]]\npath = \"a\"\nsha256 = \"{hash}\"\nreason = \"{}\"\n",
                "x".repeat(2000)
            ),
            format!("[[places]]\npath = \"a\"\nsha256 = \"{hash}\"\nreason = true\n"),
        ] {
            assert!(
                Lock::parse(&format!("{head}{places}"), "cvm.lock").is_err(),
                "{places}"
            );
        }
    }
}
