//! Comments that people wrote into a lock file, kept when the file is written again.
//!
//! A comment belongs to the line below it, or to the line at whose end it stands. Where that line is gone, the comment goes to
//! the end of the file. What the program itself writes as comments is written again and not kept.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lock, MAX_LOCK_BYTES, said, write};

/// In front of a comment whose line holds another value now.
const OF_THE_VALUE_BEFORE: &str = "# Of the value before this one: ";
/// Above comments whose line is gone.
const GONE: &str = "# Comments of lines that are gone:";

/// `after`, the text of a lock file, with the comments that people wrote into `before`, the text that it replaces.
///
/// Comments never change what the file says: if the result would read otherwise than `after`, or be too large, it is `after`.
#[must_use]
pub fn keep_comments(before: &str, after: &str) -> String {
    let kept = with_comments(before, after);
    let is_same = |text: &str| match (Lock::parse_file(text, ""), Lock::parse_file(after, "")) {
        (Ok(kept), Ok(wanted)) => kept == wanted,
        _ => false,
    };
    match kept.len() <= MAX_LOCK_BYTES && is_same(&kept) {
        true => kept,
        false => after.to_owned(),
    }
}

fn with_comments(before: &str, after: &str) -> String {
    let mut old: BTreeMap<String, Line<'_>> = BTreeMap::new();
    let (lines, end) = lines_of(before);
    for line in lines {
        old.insert(line.key.clone(), line);
    }
    let (new, end_of_new) = lines_of(after);
    // Byte of `after`, and what is put in front of it.
    let mut out = String::new();
    let mut copied = 0;
    for line in &new {
        let Some(before) = old.remove(&line.key) else {
            continue;
        };
        out.push_str(after.get(copied..line.start).unwrap_or_default());
        copied = line.start;
        let is_same = without_comments(before.value).eq(without_comments(line.value));
        for comment in before
            .above
            .iter()
            .filter(|comment| !line.above.contains(*comment))
        {
            // What was reviewed was the value before, above the line as at its end.
            match is_same || comment.starts_with(OF_THE_VALUE_BEFORE) {
                true => out.push_str(&format!("{comment}\n")),
                false => out.push_str(&format!(
                    "{OF_THE_VALUE_BEFORE}{}\n",
                    comment.trim_start_matches('#').trim()
                )),
            }
        }
        let own = before.trailing.filter(|comment| !is_generated(comment));
        match own.filter(|_| line.trailing != own) {
            Some(comment) if is_same => {
                out.push_str(after.get(copied..line.value_end).unwrap_or_default());
                out.push_str(&format!(" # {comment}"));
                copied = line.end;
            }
            Some(comment) => out.push_str(&format!("{OF_THE_VALUE_BEFORE}{comment}\n")),
            None => {}
        }
    }
    out.push_str(after.get(copied..).unwrap_or_default());
    let mut gone: Vec<String> = Vec::new();
    for line in old.into_values() {
        gone.extend(line.above.iter().map(|comment| (*comment).to_owned()));
        let own = line.trailing.filter(|comment| !is_generated(comment));
        gone.extend(own.map(|comment| format!("# {comment}")));
    }
    gone.extend(end.iter().map(|comment| (*comment).to_owned()));
    gone.retain(|comment| !end_of_new.contains(&comment.as_str()) && comment != GONE);
    if !gone.is_empty() {
        out.push_str(&format!("\n{GONE}\n{}\n", gone.join("\n")));
    }
    out
}

/// A line that holds a key, or begins a section.
pub(super) struct Line<'t> {
    /// The section and the key, as they are written.
    pub(super) key: String,
    /// Where it begins, in bytes.
    pub(super) start: usize,
    /// Where its value ends, and where the line ends, without the line end.
    value_end: usize,
    pub(super) end: usize,
    pub(super) value: &'t str,
    /// Comments above it that the program did not write.
    above: Vec<&'t str>,
    /// The comment at its end, without `#`.
    pub(super) trailing: Option<&'t str>,
}

/// The lines that can have comments, and the comments behind the last one.
pub(super) fn lines_of(text: &str) -> (Vec<Line<'_>>, Vec<&str>) {
    let generated: BTreeSet<&str> = write::comments().collect();
    let mut lines = Vec::new();
    let mut above = Vec::new();
    let mut section = String::new();
    // The line of a value that goes on: its key and where it begins.
    let mut open: Option<(String, usize, usize)> = None;
    let mut is_below_place = false;
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let line = raw.trim_end_matches(['\n', '\r']);
        let end = start + line.len();
        let bare = line.trim();
        let (value, trailing) = split_comment(line);
        let value_end = start + value.trim_end().len();
        if let Some((key, begun, value_start)) = open.take() {
            if bare.starts_with(']') {
                lines.push(Line {
                    key,
                    start: begun,
                    value_end,
                    end,
                    value: text.get(value_start..value_end).unwrap_or_default(),
                    above: std::mem::take(&mut above),
                    trailing,
                });
            } else {
                above.extend(bare.starts_with('#').then_some(bare));
                open = Some((key, begun, value_start));
            }
        } else if bare.starts_with('#') {
            // The first line below [[places]] says why the place is one.
            if !std::mem::take(&mut is_below_place) && !generated.contains(bare) {
                above.push(bare);
            }
        } else if bare.starts_with('[') {
            section = value.trim().to_owned();
            if section.starts_with("[[") {
                section = format!("{section}{}", path_of_place(text.get(end..).unwrap_or_default()));
                is_below_place = true;
            }
            lines.push(Line {
                key: section.clone(),
                start,
                value_end,
                end,
                value: "",
                above: std::mem::take(&mut above),
                trailing,
            });
        } else if let Some((name, rest)) = value.split_once('=') {
            is_below_place = false;
            let key = format!("{section}\n{}", name.trim());
            let value_start = start + name.len() + 1;
            if rest.trim() == "[" {
                open = Some((key, start, value_start));
            } else {
                lines.push(Line {
                    key,
                    start,
                    value_end,
                    end,
                    value: rest.trim(),
                    above: std::mem::take(&mut above),
                    trailing,
                });
            }
        }
        start += raw.len();
    }
    (lines, above)
}

/// The `path` of the place that begins here, as it is written.
fn path_of_place(text: &str) -> &str {
    let lines = text.lines().map(str::trim);
    lines
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| line.strip_prefix("path"))
        .unwrap_or_default()
}

/// A line without its comment, and the comment without `#`.
pub(super) fn split_comment(line: &str) -> (&str, Option<&str>) {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some('"'), '\\') if !is_escaped => {
                is_escaped = true;
                continue;
            }
            (Some(open), _) if c == open && !is_escaped => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') => {
                let (value, comment) = line.split_at(at);
                return (value, Some(comment.trim_start_matches('#').trim()));
            }
            _ => {}
        }
        is_escaped = false;
    }
    (line, None)
}

/// The lines of a value without the comments in it: people write some between the entries of a list.
fn without_comments(value: &str) -> impl Iterator<Item = &str> {
    let lines = value.lines().map(|line| split_comment(line).0.trim());
    lines.filter(|line| !line.is_empty())
}

/// Whether the program writes this behind a value: where the value comes from.
fn is_generated(comment: &str) -> bool {
    matches!(comment, "observed" | "a waiver" | "accepted" | said::SAID) || comment.starts_with(write::KNOWN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Notes, arbitrary};
    use super::*;

    fn text(lock: &Lock) -> String {
        let place = |path: &str| (path.to_owned(), "a variable decides it".to_owned());
        lock.to_toml(&Notes {
            places: [place("services.web.command"), place("services.\"a b\".image")].into(),
            ..Notes::default()
        })
    }

    fn commented() -> String {
        text(&arbitrary::example())
            .replacen("[images]\n", "# Ours:\n[images]\n", 1)
            .replacen("web = ", "# Signed by the release job.\nweb = ", 1)
            .replacen("\n  \"MODEL\",", "\n  # Which model answers.\n  \"MODEL\",", 1)
            .replacen("reason = \"\"", "# To do: ask Ben.\nreason = \"\"", 1)
            .replacen(
                "manifest_version = 2 # observed",
                "manifest_version = 2 # as ever",
                1,
            )
            .replacen(
                "fmspc = \"b0c06f000000\" # observed",
                "fmspc = \"b0c06f000000\" # rack 7",
                1,
            )
            + "# Reviewed by Anna.\n"
    }

    #[test]
    fn what_people_wrote_stays_where_it_was() {
        let lock = arbitrary::example();
        let before = commented();
        assert_eq!(Lock::parse(&before, "").as_ref(), Ok(&lock));
        let after = keep_comments(&before, &text(&lock));
        for kept in [
            "# Ours:\n[images]\n",
            "# Signed by the release job.\nweb = ",
            "# Which model answers.\nallowed_envs = [\n",
            "# To do: ask Ben.\nreason = \"\"",
            " # as ever\n",
            " # rack 7\n",
            "\n# Reviewed by Anna.\n",
        ] {
            assert!(after.contains(kept), "{kept:?} is not in\n{after}");
        }
        assert_eq!(after.matches("a variable decides it").count(), 2, "{after}");
        assert_eq!(
            keep_comments(&after, &text(&lock)),
            after,
            "a second time changes nothing"
        );
        let plain = text(&lock);
        assert_eq!(
            keep_comments(&plain, &plain),
            plain,
            "its own comments are not doubled"
        );
    }

    #[test]
    fn a_comment_on_another_value_says_so_and_one_on_a_line_that_is_gone_is_kept_at_the_end() {
        let changed = arbitrary::all_changed(&arbitrary::example());
        let after = keep_comments(&commented(), &text(&changed));
        assert!(
            after.contains("# Of the value before this one: rack 7\nfmspc = \"000000000000\" # observed"),
            "{after}"
        );
        // A comment above a section is about no value.
        assert!(after.contains("# Ours:\n[images]\n"), "{after}");
        assert_eq!(Lock::parse(&after, "").as_ref(), Ok(&changed));
        let mut without = arbitrary::example();
        without.images.clear();
        let after = keep_comments(&commented(), &text(&without));
        let (_, end) = after.split_once("# Comments of lines that are gone:").unwrap();
        assert!(
            end.contains("# Ours:") && end.contains("# Signed by the release job."),
            "{after}"
        );
    }

    #[test]
    fn a_comment_above_a_value_that_changed_says_that_it_is_of_the_one_before() {
        let before = text(&arbitrary::example()).replacen(
            "compose_hash = ",
            "# Reviewed by Anna on 1 Nov: this is our release 1.2\n##   Approved.\ncompose_hash = ",
            1,
        );
        let mut other = arbitrary::example();
        other.compose_hash = [0xee; 32].into();
        let after = keep_comments(&before, &text(&other));
        let marked = "# Of the value before this one: Reviewed by Anna on 1 Nov: this is our release 1.2\n\
                      # Of the value before this one: Approved.\ncompose_hash = \"eeee";
        assert!(after.contains(marked), "{after}");
        // Marked once, whatever else changes.
        let mut third = arbitrary::example();
        third.compose_hash = [0xdd; 32].into();
        let again = keep_comments(&after, &text(&third));
        assert_eq!(
            again.matches("# Of the value before this one: ").count(),
            2,
            "{again}"
        );
        // A value that stays keeps its comment as it is.
        let same = keep_comments(&before, &text(&arbitrary::example()));
        assert!(
            same.contains(
                "# Reviewed by Anna on 1 Nov: this is our release 1.2\n##   Approved.\ncompose_hash = "
            ),
            "{same}"
        );
    }

    proptest! {
        #[test]
        fn comments_change_no_value(
            old in arbitrary::lock(), new in arbitrary::lock(), at in 0usize..200, comment in "#[ -~]{0,40}",
        ) {
            let mut before: Vec<String> = text(&old).lines().map(str::to_owned).collect();
            before.insert(at.min(before.len()), comment);
            let (before, after) = (before.join("\n"), text(&new));
            let kept = keep_comments(&before, &after);
            prop_assert_eq!(Lock::parse_file(&kept, ""), Lock::parse_file(&after, ""));
        }

        #[test]
        fn no_text_panics(before in any::<String>(), after in any::<String>()) {
            let _ = keep_comments(&before, &after);
        }
    }
}
