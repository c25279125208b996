//! From the bytes of a TOML file to its root table. What cannot be read, and each broken line, is a mistake among the others.

use std::collections::BTreeSet;

use toml::de::DeTable;

use super::literal::one_line;
use super::mistake::{FileMistake, FoundMistakes, Mistake};
use super::table::{TomlFile, TomlTable};
use super::{LineIndex, TomlProblem, depth};

/// Markers that git leaves at line starts where a merge was not finished.
const CONFLICT_MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// Reads a file of at most `limit` bytes. `path` is for messages only. `root` takes what the file holds from its root table and
/// notes what is wrong; a line that is not TOML hides no mistake in another line.
///
/// The value is absent where the file is not read at all. It counts for nothing if there is any mistake.
pub fn read<P: FileMistake, T>(
    file: &[u8],
    path: &str,
    limit: usize,
    root: impl for<'t> FnOnce(TomlTable<'t>, &mut FoundMistakes<P>) -> T,
) -> (Option<T>, FoundMistakes<P>) {
    let mut found = FoundMistakes::default();
    if file.len() > limit {
        let size = file.len();
        found.note(Mistake::of_file(
            path,
            TomlProblem::TooLarge { size, limit }.into(),
        ));
        return (None, found);
    }
    let Ok(text) = std::str::from_utf8(file) else {
        found.note(Mistake::of_file(path, TomlProblem::NotUtf8.into()));
        return (None, found);
    };
    let lines = LineIndex::of(text);
    let file = TomlFile::new(path, &lines);
    if let Some((at, problem)) = at_sight(text) {
        found.note(file.mistake_at(at, problem.into()));
        return (None, found);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if is_mostly_broken(text, &lines, &errors) {
        found.note(file.mistake_at(None, TomlProblem::OtherKind("other text").into()));
        return (None, found);
    }
    let value = root(TomlTable::root(file, table.into_inner()), &mut found);
    if !errors.is_empty() {
        put_syntax_first(file, &errors, &mut found);
    }
    (Some(value), found)
}

/// What need not be parsed: the byte, and what is wrong there.
fn at_sight(text: &str) -> Option<(Option<usize>, TomlProblem)> {
    if text.trim().is_empty() {
        return Some((None, TomlProblem::Empty));
    }
    if let Some((at, marker)) = merge_conflict(text) {
        return Some((Some(at), TomlProblem::MergeConflict(marker)));
    }
    if let Some(kind) = other_kind(text) {
        return Some((None, TomlProblem::OtherKind(kind)));
    }
    depth::too_deep(text).map(|at| (Some(at), TomlProblem::TooDeep))
}

/// Whether at least three lines, and half of all, are not TOML: then each of them says less than that the file is another one.
fn is_mostly_broken(text: &str, lines: &LineIndex<'_>, errors: &[toml::de::Error]) -> bool {
    let starts = errors.iter().filter_map(|error| error.span());
    let broken: BTreeSet<usize> = starts.map(|span| lines.position(span.start).line).collect();
    let all = text.lines().filter(|line| !line.trim().is_empty()).count();
    broken.len() >= 3 && 2 * broken.len() >= all
}

/// What a file is whose first characters no TOML file begins with.
fn other_kind(text: &str) -> Option<&'static str> {
    let text = text.trim_start();
    let in_list = text.strip_prefix('[').map(str::trim_start);
    let begins_json = text.starts_with('{') || in_list.is_some_and(|rest| rest.starts_with('{'));
    match text {
        _ if begins_json => Some("JSON"),
        _ if text.starts_with("-----BEGIN ") => Some("PEM, such as a certificate"),
        _ if text.starts_with('<') => Some("HTML or XML"),
        _ => None,
    }
}

/// The first marker of an unfinished merge, and the byte where it stands.
fn merge_conflict(text: &str) -> Option<(usize, &'static str)> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let begins = |marker: &&str| line.starts_with(marker);
        if let Some(marker) = CONFLICT_MARKERS.into_iter().find(begins) {
            return Some((start, marker));
        }
        start += line.len();
    }
    None
}

/// What follows from a broken line is not said: neither what is wrong in it otherwise, nor what seems to be missing.
fn put_syntax_first<P: FileMistake>(
    file: TomlFile<'_>,
    errors: &[toml::de::Error],
    found: &mut FoundMistakes<P>,
) {
    let line = |mistake: &Mistake<P>| mistake.place.map(|place| place.line);
    let mut broken = BTreeSet::new();
    let mut syntax = Vec::new();
    for error in errors {
        let message = error.message().lines().next().unwrap_or_default();
        let problem = TomlProblem::NotToml(one_line(message));
        let mistake = file.mistake_at(error.span().map(|span| span.start), problem.into());
        if broken.insert(line(&mistake)) {
            syntax.push(mistake);
        }
    }
    found.retain(|mistake| !mistake.problem.may_follow_from_another() && !broken.contains(&line(mistake)));
    found.add(syntax);
}
