//! Folders of the guest that a script takes from its system: what `mktemp` makes, and below the home of root.

use std::collections::BTreeMap;

use super::own_variables::with_fixed_values;

/// Stands for what `mktemp` makes, which no path of the document is.
const TEMPORARY: &str = "/tmp/made-by-mktemp";

/// Fills the variables of a path: those of a fixed value, those that hold what `mktemp` made, and `HOME` in front of a folder.
pub(super) struct KnownFolders<'t> {
    values: BTreeMap<&'t str, &'t str>,
    /// Whether `mktemp` is the only command whose output the script takes.
    takes_temporary_alone: bool,
}

impl<'t> KnownFolders<'t> {
    /// Of a script's text, and its variables of a fixed value.
    pub(super) fn of(text: &'t str, mut values: BTreeMap<&'t str, &'t str>) -> Self {
        for (at, _) in text.match_indices("mktemp") {
            let (before, behind) = (
                text.get(..at).unwrap_or_default(),
                text.get(at..).unwrap_or_default(),
            );
            if let Some(name) =
                assigned(before).filter(|name| is_temporary(behind) && is_set_once(text, name))
            {
                values.insert(name, TEMPORARY);
            }
        }
        Self {
            values,
            takes_temporary_alone: !text.contains('`') && text.split("$(").skip(1).all(is_temporary),
        }
    }

    /// A path with what is known in the place of variables.
    pub(super) fn path(&self, path: &str) -> String {
        let path = with_fixed_values(path, &self.values);
        let path = match path.strip_prefix("$()") {
            Some(rest) if self.takes_temporary_alone => format!("{TEMPORARY}{rest}"),
            _ => path,
        };
        let home = path
            .strip_prefix("$HOME/")
            .or_else(|| path.strip_prefix("${HOME}/"));
        // Where `HOME` is `/`, these are the folders of the guest itself.
        let is_other =
            |rest: &&str| !rest.is_empty() && !rest.starts_with("dstack") && !rest.starts_with("tapp");
        match home.filter(|rest| is_other(rest) && !rest.contains(['$', '.'])) {
            Some(rest) => format!("/root/{rest}"),
            None => path,
        }
    }
}

/// Whether a variable is named once without a dollar before it: where it is assigned.
fn is_set_once(text: &str, name: &str) -> bool {
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let named = text.match_indices(name).filter(|(at, _)| {
        let before = text.get(..*at).unwrap_or_default();
        let behind = text.get(at + name.len()..).unwrap_or_default();
        let is_whole = !before.ends_with(is_part) && !behind.starts_with(is_part);
        is_whole && !before.ends_with('$') && !(before.ends_with("${") && behind.starts_with('}'))
    });
    named.count() == 1
}

/// The variable that is assigned the output of the command behind: `NAME=$(`, `NAME="$(` or `` NAME=` ``.
fn assigned(before: &str) -> Option<&str> {
    let before = before.strip_suffix("$(").or_else(|| before.strip_suffix('`'))?;
    let before = before.strip_suffix('"').unwrap_or(before).strip_suffix('=')?;
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let start = before.trim_end_matches(is_part).len();
    before.get(start..).filter(|name| !name.is_empty())
}

/// Whether a command is a `mktemp` that makes something below `/tmp`.
fn is_temporary(command: &str) -> bool {
    let Some(rest) = command.strip_prefix("mktemp") else {
        return false;
    };
    let rest = rest.split([')', '`']).next().unwrap_or_default();
    let mut words = rest.split_whitespace().map(|word| word.trim_matches('"'));
    words.all(|word| {
        matches!(word, "-d" | "-q" | "-u" | "--directory")
            || word.starts_with("/tmp/") && !word.contains(['.', '$'])
    })
}
