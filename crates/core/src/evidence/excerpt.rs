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

/// What a JSON parser says of a document and where, as an excerpt: it repeats names that the document holds.
pub fn json_problem(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match said.strip_suffix(&place) {
        Some(what) => format!("{}{place}", excerpt(what)),
        None => excerpt(&said),
    }
}

/// Neither a control character nor one of Unicode's invisible or direction-changing format characters.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn line_ends_escapes_and_bidi_marks_do_not_survive() {
        assert_eq!(excerpt("a\n::error::\u{1b}[31m\u{202e}b"), "a?::error::?[31m?b");
    }

    #[test]
    fn what_a_parser_repeats_is_an_excerpt_and_the_place_stays() {
        #[derive(Debug, serde::Deserialize)]
        enum Known {
            #[serde(rename = "known")]
            Known,
        }
        let name = format!("\u{7f}\u{202e}\u{fe0f}{}", "x".repeat(1000));
        let error = serde_json::from_str::<Known>(&format!("\n\"{name}\"")).unwrap_err();
        let said = json_problem(&error);
        assert!(said.starts_with("unknown variant `???xxx"), "{said}");
        assert!(said.contains("x… at line 2 column "), "{said}");
        assert!(said.chars().count() < MAX_CHARS + 40, "{said}");
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
