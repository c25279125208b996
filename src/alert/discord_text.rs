//! What may be in the Markdown of Discord.
//!
//! `<@…>`, `<#…>` and `@everyone` mention, `[text](url)` hides where a link leads, and a bare URL becomes a link. A
//! backslash before any mark of ASCII makes it a plain character there. Nothing of it notifies anybody: the payload
//! forbids every mention besides.

use super::sanitize::fit;

/// `text` for a place that takes Markdown, of at most `max` UTF-16 units, escapes counted.
pub(super) fn plain(text: &str, max: usize) -> String {
    fit(text, max, |c, out| {
        if is_mark(c) {
            out.push('\\');
        }
        out.push(c);
    })
}

fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\\' | '*'
            | '_'
            | '~'
            | '`'
            | '|'
            | '<'
            | '>'
            | '['
            | ']'
            | '('
            | ')'
            | '#'
            | '@'
            | ':'
            | '-'
            | '&'
            | '/'
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::alert::sanitize::{CUT, units};
    use crate::alert::slack_text::tests::hostile;
    use proptest::prelude::*;

    /// Whether every mark in `text` has a backslash of its own before it.
    pub(crate) fn is_escaped(text: &str) -> bool {
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c == '\\' {
                if !chars.next().is_some_and(is_mark) {
                    return false;
                }
            } else if is_mark(c) {
                return false;
            }
        }
        true
    }

    #[test]
    fn mentions_and_links_are_text() {
        for (raw, escaped) in [
            ("@everyone", "\\@everyone"),
            ("<@123>", "\\<\\@123\\>"),
            ("[a](https://e.example)", "\\[a\\]\\(https\\:\\/\\/e.example\\)"),
            ("\\*", "\\\\\\*"),
        ] {
            assert_eq!(plain(raw, 100), escaped);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_escaped_and_fits(text in hostile(), max in 1usize..300) {
            let safe = plain(&text, max);
            prop_assert!(units(&safe) <= max);
            prop_assert!(is_escaped(&safe), "{safe:?}");
            let shown: String = safe.strip_suffix(CUT).unwrap_or(&safe).to_owned();
            prop_assert!(text.starts_with(&unescaped(&shown)) || text.contains(CUT));
        }
    }

    fn unescaped(text: &str) -> String {
        let mut shown = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            shown.push(if c == '\\' {
                chars.next().unwrap_or('\\')
            } else {
                c
            });
        }
        shown
    }
}
