//! Text that a stranger chose, made visible and short, whatever channel it goes to.

use crate::render::escape::is_plain;

/// What stands where text was cut.
pub(super) const CUT: char = '…';

/// At most `max` characters of `text` on one line, of which every one can be seen.
///
/// Control characters (line ends and escape sequences among them), marks that reorder or hide text, and blanks that
/// are no space become an escape such as `\u{202e}`, so that a reader sees that they were there; an escape is never
/// cut in two.
pub(super) fn sanitize(text: &str, max: usize) -> String {
    fit(text, max, |c, out| {
        if is_plain(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    })
}

/// As many characters of `text`, each written by `write`, as fit into `max` UTF-16 units; [`CUT`] where some did not.
///
/// UTF-16 because that is the longest way in which a receiver counts characters. What `write` makes of one character is
/// never split, so escaping can neither exceed the limit nor be cut in the middle.
pub(super) fn fit(text: &str, max: usize, write: impl Fn(char, &mut String)) -> String {
    let mut fitted = String::new();
    // How much of `fitted` leaves room for the mark.
    let (mut used, mut with_room) = (0, 0);
    let mut form = String::new();
    for c in text.chars() {
        form.clear();
        write(c, &mut form);
        used += units(&form);
        if used > max {
            fitted.truncate(with_room);
            if max > 0 {
                fitted.push(CUT);
            }
            return fitted;
        }
        fitted.push_str(&form);
        if used < max {
            with_room = fitted.len();
        }
    }
    fitted
}

/// Length in UTF-16 units.
pub(super) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Longest text of each kind, in UTF-16 units.
pub(super) const MAX_NAME: usize = 200;

pub(super) const MAX_SENTENCE: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_hides_or_reorders_becomes_visible() {
        for (raw, shown) in [
            ("a\r\nb", "a\\u{d}\\u{a}b"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("gpj\u{202e}exe", "gpj\\u{202e}exe"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("nbsp\u{a0}tab\t", "nbsp\\u{a0}tab\\u{9}"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            (
                "Zürich, 東京 <&> C:\\x \"q\" 🦀",
                "Zürich, 東京 <&> C:\\x \"q\" 🦀",
            ),
        ] {
            assert_eq!(sanitize(raw, 1000), shown);
        }
    }

    #[test]
    fn cut_text_says_so_and_an_escape_is_whole_or_absent() {
        assert_eq!(sanitize("12345", 5), "12345");
        assert_eq!(sanitize("123456", 5), "1234…");
        assert_eq!(sanitize("ab\u{202e}", 9), "ab…");
        assert_eq!(sanitize("ab\u{202e}", 10), "ab\\u{202e}");
        assert_eq!(sanitize("🦀🦀", 3), "🦀…");
        assert_eq!(sanitize("ab", 0), "");
        assert_eq!(sanitize("", 0), "");
    }

    /// What must never be shown, listed apart from the rule above: the two are each other's check.
    fn is_dangerous(c: char) -> bool {
        c.is_control()
            || matches!(c,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e01ef}')
    }

    proptest! {
        #[test]
        fn any_text_fits_and_is_plain(text in any::<String>(), max in 0usize..60) {
            let shown = sanitize(&text, max);
            prop_assert!(units(&shown) <= max);
            prop_assert!(shown.chars().all(|c| c == CUT || is_plain(c)));
            prop_assert!(!shown.chars().any(is_dangerous), "{shown:?}");
        }
    }
}
