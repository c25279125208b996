//! The rule for everything that is printed: terminals and CI logs.

use std::borrow::Cow;

use super::visible::push;

/// The openings of commands that CI runners look for anywhere in a line: GitHub's legacy form `##[`, Azure's
/// `##vso[`, TeamCity's `##teamcity[`. What is between is letters.
const COMMAND: &str = "##";

/// `text` on one line, safe to print raw on a terminal or in a CI log.
///
/// What could act or deceive becomes a visible escape such as `\u{1b}` (threat T51): control characters, and with
/// them every ANSI sequence and line end; marks that reorder text or that nobody sees; blanks other than the space,
/// which a tab becomes. Openings of workflow commands are broken with a backslash: `::` where a word begins, so that
/// no wrapping can bring it to the start of a line, and `##[`, `##vso[` and their like anywhere. Ordinary text,
/// `sha256::x` included, stays as it is.
#[must_use]
pub fn terminal(text: &str) -> Cow<'_, str> {
    let opens_word = text.starts_with("::") || text.contains(" ::");
    if !opens_word && !text.contains(COMMAND) && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut at_word_start = true;
    for (position, c) in text.char_indices() {
        let rest = text.get(position..).unwrap_or_default();
        if at_word_start && rest.starts_with("::") {
            safe.push('\\');
        }
        if opens_command(rest) {
            safe.push_str("#\\");
        } else {
            push(&mut safe, c);
        }
        at_word_start = matches!(c, ' ' | '\t');
    }
    Cow::Owned(safe)
}

/// Lines of our own, each by the rule of [`terminal`] behind its indent.
#[must_use]
pub fn terminal_lines(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let rest = line.trim_start_matches(' ');
        let (indent, _) = line.split_at(line.len() - rest.len());
        format!("{indent}{}", terminal(rest))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a runner's command could begin here.
pub(crate) fn opens_command(text: &str) -> bool {
    text.strip_prefix(COMMAND).is_some_and(|rest| {
        rest.trim_start_matches(|c: char| c.is_ascii_alphabetic())
            .starts_with('[')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::hostile::{hostile, is_dangerous};
    use proptest::prelude::*;

    #[test]
    fn what_acts_or_hides_becomes_visible() {
        for (raw, shown) in [
            ("a\n::error::x", "a\\n::error::x"),
            ("::add-mask::x", "\\::add-mask::x"),
            ("a ::stop-commands::x", "a \\::stop-commands::x"),
            ("\t::error::x", " \\::error::x"),
            ("a##[error]x", "a#\\#[error]x"),
            ("###[group]", "##\\#[group]"),
            ("##vso[task.setvariable]", "#\\#vso[task.setvariable]"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("cr\rlf", "cr\\rlf"),
            ("gpj\u{202e}exe", "gpj\\u{202e}exe"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            (
                "blank\u{a0}\u{3000}\u{2800}\u{3164}",
                "blank\\u{a0}\\u{3000}\\u{2800}\\u{3164}",
            ),
            ("del\u{7f}nul\0", "del\\u{7f}nul\\u{0}"),
        ] {
            assert_eq!(terminal(raw), shown);
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "",
            "sha256::x and std::fmt",
            "# title",
            "a ## b",
            "café, 東京, Привет, 🦀",
            "it's \"quoted\" C:\\path",
            "image@sha256:0123",
            "a : b",
        ] {
            assert_eq!(terminal(text), text);
        }
    }

    #[test]
    fn lines_of_our_own_stay_lines() {
        assert_eq!(
            terminal_lines("A:\n  - ::error::x\n\n  ::error::y\t##[z]\n"),
            "A:\n  - \\::error::x\n\n  \\::error::y #\\#[z]\n"
        );
    }

    proptest! {
        #[test]
        fn a_text_that_is_escaped_already_stays_as_it_is(text in hostile()) {
            let safe = terminal(&text);
            prop_assert_eq!(terminal(&safe), safe.as_ref());
            let lines = terminal_lines(&safe);
            prop_assert_eq!(lines.trim_start(), safe.trim_start());
        }

        #[test]
        fn printed_text_neither_acts_nor_hides(text in hostile()) {
            let safe = terminal(&text);
            prop_assert!(!safe.chars().any(is_dangerous), "{safe:?}");
            prop_assert!(!safe.contains("##["), "{safe:?}");
            prop_assert!(!safe.contains("##vso["), "{safe:?}");
            prop_assert!(safe.split(' ').all(|word| !word.starts_with("::")), "{safe:?}");
            prop_assert!(!safe.trim_start().starts_with("::"), "{safe:?}");
        }

        #[test]
        fn any_character_is_harmless_once_printed(c in any::<char>()) {
            let text = String::from(c);
            let safe = terminal(&text);
            prop_assert!(!safe.chars().any(is_dangerous));
            prop_assert!(safe.trim_start() == safe.trim_start_matches(' '));
        }

        #[test]
        fn plain_words_are_unchanged(text in "[a-zA-Z0-9_./@=,;()`'\"\\\\-]{1,12}( [a-zA-Z0-9:_-]{0,1}[a-z]{1,8}){0,6}") {
            prop_assert_eq!(terminal(&text), text.as_str());
        }
    }
}
