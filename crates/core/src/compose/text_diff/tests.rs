use proptest::prelude::*;

use super::edits::Edits;
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
    assert_eq!(diff.lines[0], "@@ -1,40000 +1,131072 @@");
    assert_eq!(diff.lines[MAX_DIFF_LINES], "(171033 more lines)");
}

/// Applies the edits, and so proves them.
fn sides(edits: &Edits<'_>) -> (String, String) {
    let (mut old, mut new) = (edits.before.to_owned(), edits.before.to_owned());
    for edit in &edits.listed {
        match edit {
            LineEdit::Kept(line) => {
                old.push_str(line);
                new.push_str(line);
            }
            LineEdit::Removed(line) => old.push_str(line),
            LineEdit::Added(line) => new.push_str(line),
        }
    }
    (old + edits.after, new + edits.after)
}

proptest! {
    #[test]
    fn the_edits_turn_one_text_into_the_other(old in "[ab\n]{0,40}", new in "[ab\n\r]{0,40}") {
        let (back, forth) = sides(&edits(&old, &new));
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
