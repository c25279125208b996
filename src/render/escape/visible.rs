//! What every rule begins with: a character is what it looks like, or it becomes a visible escape.

use std::borrow::Cow;

/// At most `max` characters of `text`; where it was longer, the last of them is `…`. Shorten first, then escape: an
/// escape is never cut in two.
#[must_use]
pub fn shorten(text: &str, max: usize) -> Cow<'_, str> {
    if text.chars().nth(max).is_none() {
        return Cow::Borrowed(text);
    }
    let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
    short.push('…');
    Cow::Owned(short)
}

/// A character that is what it looks like: no control, no format character, no blank but the space, nothing that
/// changes its neighbours.
pub(crate) fn is_plain(c: char) -> bool {
    match c {
        ' '..='~' => true,
        // Letters and symbols by Unicode's categories, and yet invisible: fillers of Hangul, the empty braille cell.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' => false,
        // The standard library escapes controls, formats, blanks, unassigned and private characters, and those
        // that combine with the one before.
        _ => c.escape_debug().len() == 1,
    }
}

/// Adds `c`, or what can be seen instead of it: `\n`, `\u{1b}`. A tab becomes a space.
pub(super) fn push(safe: &mut String, c: char) {
    match c {
        '\t' => safe.push(' '),
        '\n' => safe.push_str("\\n"),
        '\r' => safe.push_str("\\r"),
        _ if is_plain(c) => safe.push(c),
        _ => safe.extend(c.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shortened_text_says_so() {
        assert_eq!(shorten("12345", 5), "12345");
        assert_eq!(shorten("123456", 5), "1234…");
        assert_eq!(shorten("äöüß", 3), "äö…");
        assert_eq!(shorten("ab", 0), "…");
    }

    proptest! {
        #[test]
        fn shortened_text_is_short(text in ".{0,40}", max in 1_usize..20) {
            prop_assert!(shorten(&text, max).chars().count() <= max);
        }
    }
}
