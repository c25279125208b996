//! Sections with one text under each key: `[kms]`, `[governance]` and `[tls]`.

use super::{LockMistake, LockProblem};
use crate::toml_text::TomlEntry;

/// The keys, with their section, in the order of the file, and what a change of each means.
pub(super) type Keys<const N: usize> = [(&'static str, &'static str); N];

/// The keys without their section.
pub(super) fn in_section<const N: usize>(keys: Keys<N>) -> [&'static str; N] {
    keys.map(|(key, _)| key.rsplit_once('.').map_or(key, |(_, key)| key))
}

/// The section, or nothing without values. `shown` is what stands behind a key, of its value.
pub(super) fn written<const N: usize>(
    header: &str,
    keys: Keys<N>,
    values: [Option<String>; N],
    shown: impl Fn(&str, String) -> String,
) -> String {
    let values = in_section(keys).into_iter().zip(values);
    let lines: String = values
        .filter_map(|(key, value)| Some(format!("{key} = {}\n", shown(key, value?))))
        .collect();
    match lines.is_empty() {
        true => lines,
        false => format!("{header}{lines}"),
    }
}

/// Values with commas between them, each once; `repeated` is the mistake otherwise.
pub(super) fn list<T: PartialEq>(
    entry: &TomlEntry<'_>,
    most: usize,
    repeated: fn(usize) -> LockProblem,
    read: impl Fn(&str) -> Result<T, LockProblem>,
) -> Result<Vec<T>, LockMistake> {
    let mut values = Vec::new();
    for text in entry.string()?.split(',') {
        let value = read(text.trim()).map_err(|problem| entry.error(problem))?;
        if values.contains(&value) || values.len() == most {
            return Err(entry.error(repeated(most)));
        }
        values.push(value);
    }
    Ok(values)
}
