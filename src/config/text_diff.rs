//! What changed from one text to another, as a unified diff: bounded in lines, width and time, printable ASCII.

use std::collections::BTreeMap;

use super::lock::visible_part;

/// Lines of a diff that are shown.
pub const MAX_DIFF_LINES: usize = 40;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// Pairs of lines that are compared at most, once what both texts begin and end with is left out. Beyond it the rest
/// counts as replaced as a whole.
const MAX_PAIRS: usize = 1 << 20;

/// What changed from one text to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextDiff {
    /// The unified diff, printable ASCII: at most [`MAX_DIFF_LINES`] lines and one that says how many are left out.
    pub lines: Vec<String>,
    /// Lines of the old text that are not in the new one.
    pub removed: usize,
    /// Lines of the new text that are not in the old one.
    pub added: usize,
    /// What is the only difference, where it is one that nobody sees.
    pub only: Option<UnseenDifference>,
}

/// A difference of bytes that an editor does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnseenDifference {
    /// CRLF here, LF there.
    LineEnds,
    /// One ends with a line end, the other does not, or with more of them.
    FinalLineEnd,
    /// One begins with a byte order mark.
    ByteOrderMark,
}

impl TextDiff {
    /// Compares two texts. Takes time and memory in proportion to their length, and at most 2^20 comparisons of lines.
    #[must_use]
    pub fn of(old: &str, new: &str) -> Self {
        let (old_lines, new_lines): (Vec<&str>, Vec<&str>) = (
            old.split_inclusive('\n').collect(),
            new.split_inclusive('\n').collect(),
        );
        let edits = edits(&old_lines, &new_lines);
        let count = |wanted: fn(&Edit<'_>) -> bool| edits.iter().filter(|edit| wanted(edit)).count();
        let (removed, added) = (
            count(|edit| matches!(edit, Edit::Removed(_))),
            count(|edit| matches!(edit, Edit::Added(_))),
        );
        Self {
            lines: unified(&edits),
            removed,
            added,
            only: unseen(old, new),
        }
    }

    /// How many lines changed, as people count: a replaced line is one.
    #[must_use]
    pub fn changed_lines(&self) -> usize {
        self.removed.max(self.added)
    }
}

fn unseen(old: &str, new: &str) -> Option<UnseenDifference> {
    let unix = |text: &str| text.replace("\r\n", "\n");
    let end = |text: &str| text.trim_end_matches(['\r', '\n']).to_owned();
    let mark = |text: &str| text.trim_start_matches('\u{feff}').to_owned();
    if old == new {
        None
    } else if unix(old) == unix(new) {
        Some(UnseenDifference::LineEnds)
    } else if end(old) == end(new) {
        Some(UnseenDifference::FinalLineEnd)
    } else if mark(old) == mark(new) {
        Some(UnseenDifference::ByteOrderMark)
    } else {
        None
    }
}

#[derive(Debug, Clone, Copy)]
enum Edit<'a> {
    Kept(&'a str),
    Removed(&'a str),
    Added(&'a str),
}

/// The edits from one list of lines to another: removals before additions in each change.
fn edits<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Edit<'a>> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (
        old.get(start..).unwrap_or_default(),
        new.get(start..).unwrap_or_default(),
    );
    let end = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (old_middle, old_end) = old_rest.split_at(old_rest.len() - end);
    let (new_middle, _) = new_rest.split_at(new_rest.len() - end);
    let mut edits: Vec<Edit<'a>> = old.iter().take(start).copied().map(Edit::Kept).collect();
    if old_middle.len().saturating_mul(new_middle.len()) > MAX_PAIRS {
        edits.extend(old_middle.iter().copied().map(Edit::Removed));
        edits.extend(new_middle.iter().copied().map(Edit::Added));
    } else {
        align(old_middle, new_middle, &mut edits);
    }
    edits.extend(old_end.iter().copied().map(Edit::Kept));
    edits
}

/// A longest common subsequence, by the table of the lengths that are left from each pair on.
fn align<'a>(old: &[&'a str], new: &[&'a str], edits: &mut Vec<Edit<'a>>) {
    // Lines become numbers, so that comparing two does not read them again.
    let mut numbers = BTreeMap::new();
    let mut number = |line: &'a str| {
        let next = numbers.len();
        *numbers.entry(line).or_insert(next)
    };
    let old_numbers: Vec<usize> = old.iter().map(|line| number(line)).collect();
    let new_numbers: Vec<usize> = new.iter().map(|line| number(line)).collect();
    let width = new.len() + 1;
    let mut left = vec![0_u32; (old.len() + 1) * width];
    let of = |left: &[u32], i: usize, j: usize| left.get(i * width + j).copied().unwrap_or_default();
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let value = if old_numbers.get(i) == new_numbers.get(j) {
                of(&left, i + 1, j + 1) + 1
            } else {
                of(&left, i + 1, j).max(of(&left, i, j + 1))
            };
            if let Some(cell) = left.get_mut(i * width + j) {
                *cell = value;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pending = Vec::new();
    loop {
        match (old.get(i), new.get(j)) {
            (Some(line), Some(_)) if old_numbers.get(i) == new_numbers.get(j) => {
                edits.append(&mut pending);
                edits.push(Edit::Kept(line));
                (i, j) = (i + 1, j + 1);
            }
            (Some(line), other) if other.is_none() || of(&left, i + 1, j) >= of(&left, i, j + 1) => {
                edits.push(Edit::Removed(line));
                i += 1;
            }
            (_, Some(line)) => {
                pending.push(Edit::Added(line));
                j += 1;
            }
            (Some(_) | None, None) => break,
        }
    }
    edits.append(&mut pending);
}

/// The lines of the diff.
fn unified(edits: &[Edit<'_>]) -> Vec<String> {
    let changed: Vec<usize> = (0..edits.len())
        .filter(|at| !matches!(edits.get(*at), Some(Edit::Kept(_)) | None))
        .collect();
    let mut lines = Vec::new();
    let mut left_out = 0;
    let mut rest = changed.as_slice();
    let (mut at, mut old_line, mut new_line) = (0, 1, 1);
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
        let header = header(hunk, old_line, new_line);
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

fn advance(edit: &Edit<'_>, old_line: &mut usize, new_line: &mut usize) {
    match edit {
        Edit::Kept(_) => (*old_line, *new_line) = (*old_line + 1, *new_line + 1),
        Edit::Removed(_) => *old_line += 1,
        Edit::Added(_) => *new_line += 1,
    }
}

fn header(hunk: &[Edit<'_>], old_line: usize, new_line: usize) -> String {
    let old = hunk.iter().filter(|edit| !matches!(edit, Edit::Added(_))).count();
    let new = hunk
        .iter()
        .filter(|edit| !matches!(edit, Edit::Removed(_)))
        .count();
    // An empty side stands before its first line, as other tools count.
    let start = |line: usize, count: usize| if count == 0 { line - 1 } else { line };
    format!(
        "@@ -{},{old} +{},{new} @@",
        start(old_line, old),
        start(new_line, new)
    )
}

/// Each line with its sign. What is too long is cut to where it begins to differ from the line that replaces it.
fn hunk_lines<'a>(hunk: &'a [Edit<'a>]) -> impl Iterator<Item = String> + 'a {
    let mut lines = Vec::with_capacity(hunk.len());
    let mut rest = hunk;
    while let Some(first) = rest.first() {
        if let Edit::Kept(line) = first {
            lines.push(shown(' ', line, ""));
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let length = rest
            .iter()
            .take_while(|edit| !matches!(edit, Edit::Kept(_)))
            .count();
        let (change, after) = rest.split_at(length);
        let pick =
            |wanted: fn(&Edit<'a>) -> Option<&'a str>| change.iter().filter_map(wanted).collect::<Vec<_>>();
        let removed = pick(|edit| {
            if let Edit::Removed(line) = edit {
                Some(line)
            } else {
                None
            }
        });
        let added = pick(|edit| {
            if let Edit::Added(line) = edit {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_changed_line_stands_in_its_context() {
        let old: String = (1..=12).map(|line| format!("line {line}\n")).collect();
        let new = old.replace("line 6\n", "line six\n");
        let diff = TextDiff::of(&old, &new);
        assert_eq!(
            diff.lines,
            [
                "@@ -3,7 +3,7 @@",
                " line 3",
                " line 4",
                " line 5",
                "-line 6",
                "+line six",
                " line 7",
                " line 8",
                " line 9"
            ]
        );
        assert_eq!((diff.changed_lines(), diff.only), (1, None));
    }

    #[test]
    fn distant_changes_are_hunks_of_their_own_with_their_own_numbers() {
        let old: String = (1..=40).map(|line| format!("{line}\n")).collect();
        let new = old.replacen("1\n", "1\nadded\n", 1).replace("\n30\n", "\n");
        let headers: Vec<String> = TextDiff::of(&old, &new)
            .lines
            .into_iter()
            .filter(|line| line.starts_with("@@"))
            .collect();
        assert_eq!(headers, ["@@ -1,4 +1,5 @@", "@@ -27,7 +28,6 @@"]);
        assert_eq!(TextDiff::of("", "a\n").lines, ["@@ -0,0 +1,1 @@", "+a"]);
    }

    #[test]
    fn what_nobody_sees_is_said() {
        let only = |old: &str, new: &str| TextDiff::of(old, new).only;
        assert_eq!(only("a\r\nb\r\n", "a\nb\n"), Some(UnseenDifference::LineEnds));
        assert_eq!(only("a\nb", "a\nb\n"), Some(UnseenDifference::FinalLineEnd));
        assert_eq!(only("a\nb\n\n", "a\nb\n"), Some(UnseenDifference::FinalLineEnd));
        assert_eq!(only("\u{feff}a", "a"), Some(UnseenDifference::ByteOrderMark));
        assert_eq!(only("a\r\nb", "a\nc"), None);
        assert_eq!(only("a", "a"), None);
        assert_eq!(
            TextDiff::of("a\nb", "a\nb\n").lines,
            ["@@ -1,2 +1,2 @@", " a", "-b (no line end)", "+b"]
        );
        assert_eq!(
            TextDiff::of("a\r\n", "a\n").lines,
            ["@@ -1,1 +1,1 @@", "-a\\r", "+a"]
        );
    }

    #[test]
    fn look_alikes_and_controls_are_told_apart() {
        let diff = TextDiff::of("image: nginx\n", "image: ng\u{456}nx\u{1b}[2J\n");
        assert_eq!(diff.lines[2], "+image: ng\\u{456}nx\\u{1b}[2J");
    }

    #[test]
    fn long_lines_show_where_they_differ() {
        let old = format!("{}a\n", "x".repeat(5_000));
        let diff = TextDiff::of(&old, &old.replace('a', "b"));
        assert!(
            diff.lines[1].contains("xa") && diff.lines[2].contains("xb"),
            "{diff:?}"
        );
        assert!(diff.lines.iter().all(|line| line.len() < 300));
    }

    #[test]
    fn a_hostile_text_costs_little_and_shows_little() {
        let old: String = (0..40_000).map(|line| format!("{line}\n")).collect();
        let new: String = (0..131_072).map(|_| "\n").collect();
        let diff = TextDiff::of(&old, &new);
        assert_eq!(diff.lines.len(), MAX_DIFF_LINES + 1);
        assert_eq!((diff.removed, diff.added), (40_000, 131_072));
        assert!(diff.lines[MAX_DIFF_LINES].ends_with("more lines)"));
    }

    /// Applies the edits, and so proves them.
    fn sides(edits: &[Edit<'_>]) -> (String, String) {
        let (mut old, mut new) = (String::new(), String::new());
        for edit in edits {
            match edit {
                Edit::Kept(line) => {
                    old.push_str(line);
                    new.push_str(line);
                }
                Edit::Removed(line) => old.push_str(line),
                Edit::Added(line) => new.push_str(line),
            }
        }
        (old, new)
    }

    proptest! {
        #[test]
        fn the_edits_turn_one_text_into_the_other(old in "[ab\n]{0,40}", new in "[ab\n\r]{0,40}") {
            let lines = |text: &'_ str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
            let (old_lines, new_lines) = (lines(&old), lines(&new));
            let old_lines: Vec<&str> = old_lines.iter().map(String::as_str).collect();
            let new_lines: Vec<&str> = new_lines.iter().map(String::as_str).collect();
            let (back, forth) = sides(&edits(&old_lines, &new_lines));
            prop_assert_eq!(back, old.clone());
            prop_assert_eq!(forth, new.clone());
            prop_assert_eq!(TextDiff::of(&old, &new).lines.is_empty(), old == new);
        }

        #[test]
        fn any_diff_is_bounded_and_printable(old in "(?s).{0,300}", new in "(?s).{0,300}") {
            let diff = TextDiff::of(&old, &new);
            prop_assert!(diff.lines.len() <= MAX_DIFF_LINES + 1);
            for line in &diff.lines {
                prop_assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
            }
        }
    }
}
