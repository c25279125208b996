//! Edits as the lines of a unified diff: bounded in number and width, printable ASCII.

use super::edits::{CONTEXT, Edits, LineEdit, lines as lines_of};
use super::{MAX_DIFF_LINES, visible_part};

/// The lines of the diff: at most [`MAX_DIFF_LINES`] and one that says how many are left out.
pub(super) fn unified(all: &Edits<'_>) -> Vec<String> {
    let edits = all.listed.as_slice();
    let changed: Vec<usize> = (0..edits.len())
        .filter(|at| !matches!(edits.get(*at), Some(LineEdit::Kept(_)) | None))
        .collect();
    let mut lines = Vec::new();
    // What is not listed belongs to the only change.
    let mut left_out = all.more_removed + all.more_added;
    let mut rest = changed.as_slice();
    let first_line = 1 + lines_of(all.before).count();
    let (mut at, mut old_line, mut new_line) = (0, first_line, first_line);
    while let Some(first) = rest.first() {
        // A hunk goes on while the next change is near enough for their context to meet.
        let near = |pair: &&[usize]| matches!(pair, [a, b] if b - a <= 2 * CONTEXT);
        let length = 1 + rest.windows(2).take_while(near).count();
        let last = rest.get(length - 1).unwrap_or(first);
        let (from, to) = (
            first.saturating_sub(CONTEXT).max(at),
            (last + CONTEXT + 1).min(edits.len()),
        );
        for edit in edits.get(at..from).unwrap_or_default() {
            advance(edit, &mut old_line, &mut new_line);
        }
        let hunk = edits.get(from..to).unwrap_or_default();
        let header = header(hunk, all, old_line, new_line);
        for line in std::iter::once(header).chain(hunk_lines(hunk)) {
            if lines.len() < MAX_DIFF_LINES {
                lines.push(line);
            } else {
                left_out += 1;
            }
        }
        for edit in hunk {
            advance(edit, &mut old_line, &mut new_line);
        }
        at = to;
        rest = rest.get(length..).unwrap_or_default();
    }
    if left_out > 0 {
        lines.push(format!("({left_out} more lines)"));
    }
    lines
}

fn advance(edit: &LineEdit<'_>, old_line: &mut usize, new_line: &mut usize) {
    match edit {
        LineEdit::Kept(_) => (*old_line, *new_line) = (*old_line + 1, *new_line + 1),
        LineEdit::Removed(_) => *old_line += 1,
        LineEdit::Added(_) => *new_line += 1,
    }
}

fn header(hunk: &[LineEdit<'_>], all: &Edits<'_>, old_line: usize, new_line: usize) -> String {
    let old = hunk
        .iter()
        .filter(|edit| !matches!(edit, LineEdit::Added(_)))
        .count()
        + all.more_removed;
    let new = hunk
        .iter()
        .filter(|edit| !matches!(edit, LineEdit::Removed(_)))
        .count()
        + all.more_added;
    // An empty side is before its first line, as other tools count.
    let start = |line: usize, count: usize| if count == 0 { line - 1 } else { line };
    format!(
        "@@ -{},{old} +{},{new} @@",
        start(old_line, old),
        start(new_line, new)
    )
}

/// Each line with its sign. What is too long is cut to where it begins to differ from the line that replaces it.
fn hunk_lines<'a>(hunk: &'a [LineEdit<'a>]) -> impl Iterator<Item = String> + 'a {
    let mut lines = Vec::with_capacity(hunk.len());
    let mut rest = hunk;
    while let Some(first) = rest.first() {
        if let LineEdit::Kept(line) = first {
            lines.push(shown(' ', line, ""));
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let length = rest
            .iter()
            .take_while(|edit| !matches!(edit, LineEdit::Kept(_)))
            .count();
        let (change, after) = rest.split_at(length);
        let pick = |wanted: fn(&LineEdit<'a>) -> Option<&'a str>| {
            change.iter().filter_map(wanted).collect::<Vec<_>>()
        };
        let removed = pick(|edit| {
            if let LineEdit::Removed(line) = edit {
                Some(line)
            } else {
                None
            }
        });
        let added = pick(|edit| {
            if let LineEdit::Added(line) = edit {
                Some(line)
            } else {
                None
            }
        });
        for (sign, own, other) in [('-', &removed, &added), ('+', &added, &removed)] {
            for (index, line) in own.iter().enumerate() {
                lines.push(shown(sign, line, other.get(index).copied().unwrap_or_default()));
            }
        }
        rest = after;
    }
    lines.into_iter()
}

/// One line with its sign. Only a missing line end is said: every line has one.
fn shown(sign: char, line: &str, other: &str) -> String {
    match line.strip_suffix('\n') {
        Some(line) => format!("{sign}{}", visible_part(line, other)),
        None => format!("{sign}{} (no line end)", visible_part(line, other)),
    }
}
