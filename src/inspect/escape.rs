//! The one place where text becomes safe to print.

use std::borrow::Cow;

/// `text` on one line, safe for a terminal or a CI log: controls (and with them every ANSI sequence and line end),
/// marks that reorder text and characters that nobody sees become visible escapes, and the openings of workflow
/// commands (`::` where a word begins, `##[`, `##vso[`) are broken by a backslash.
pub(super) fn terminal(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !text.contains("::") && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    for (position, c) in text.char_indices() {
        let rest = text.get(position..).unwrap_or_default();
        if before == ' ' && rest.starts_with("::") {
            safe.push('\\');
        }
        match c {
            '#' if before == '#' => safe.push_str("\\#"),
            _ if is_plain(c) => safe.push(c),
            _ => safe.extend(c.escape_default()),
        }
        before = c;
    }
    Cow::Owned(safe)
}

/// A character that is what it looks like. `escape_debug` escapes controls, format characters, blanks other than the
/// space, unassigned and private characters, and those that combine with the one before.
fn is_plain(c: char) -> bool {
    match c {
        ' '..='~' => true,
        // Letters by category, and yet invisible.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' => false,
        _ => c.escape_debug().len() == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_or_deceives_becomes_visible_and_the_rest_stays() {
        assert_eq!(terminal("a\x1b[31m\nb"), "a\\u{1b}[31m\\nb");
        assert_eq!(terminal("a\u{202e}b\u{200b}"), "a\\u{202e}b\\u{200b}");
        assert_eq!(terminal("::error::x y ::z a::b"), "\\::error::x y \\::z a::b");
        assert_eq!(terminal("##[group]x"), "#\\#[group]x");
        assert_eq!(terminal("Müller … 日本"), "Müller … 日本");
    }
}
