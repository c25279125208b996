//! A short, printable form of text that the other side chose.

/// Longest excerpt, in characters.
const MAX_CHARS: usize = 200;

/// At most 200 printable characters of `text`, for an error message.
///
/// Control characters (line ends, escape sequences) and the marks that reorder or hide text become `?`. This is no
/// escaping for an output format: each renderer still applies its own.
pub fn excerpt(text: &str) -> String {
    let mut chars = text.chars();
    let mut short: String = chars
        .by_ref()
        .take(MAX_CHARS)
        .map(|c| if is_plain(c) { c } else { '?' })
        .collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// Neither a control character nor one of Unicode's invisible or direction-changing format characters.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn line_ends_escapes_and_bidi_marks_do_not_survive() {
        assert_eq!(excerpt("a\n::error::\u{1b}[31m\u{202e}b"), "a?::error::?[31m?b");
    }

    proptest! {
        #[test]
        fn an_excerpt_is_short_and_free_of_controls(text in ".{0,400}") {
            let short = excerpt(&text);
            prop_assert!(short.chars().count() <= MAX_CHARS + 1);
            prop_assert!(!short.chars().any(char::is_control));
        }
    }
}
