//! A short, printable form of text that the other side chose.

use serde_json::error::Category;

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

/// What is wrong with a document in JSON and where, in words for people, as an excerpt: it repeats names that the document holds.
pub fn json_problem(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match said.strip_suffix(&place) {
        Some(what) => format!("{}{place}", excerpt(&in_words(what, error.classify()))),
        None => excerpt(&in_words(&said, error.classify())),
    }
}

/// What a parser says, without the words of the program that it was made for.
fn in_words(said: &str, category: Category) -> String {
    match category {
        Category::Eof => return "it ends too early".to_owned(),
        Category::Syntax if said == "recursion limit exceeded" => return "it nests too deeply".to_owned(),
        Category::Syntax => return "it is not JSON".to_owned(),
        Category::Data | Category::Io => {}
    }
    if let Some(field) = said.strip_prefix("missing field ") {
        return format!("{field} is missing");
    }
    if let Some(field) = said.strip_prefix("duplicate field ") {
        return format!("{field} occurs twice");
    }
    let invalid = ["invalid type: ", "invalid value: ", "invalid length "];
    let found = invalid.into_iter().find_map(|start| said.strip_prefix(start));
    match found.and_then(|found| found.rsplit_once(", expected ")) {
        Some((found, expected)) => format!("expected {}, found {}", kind(expected), kind(found)),
        None => said.to_owned(),
    }
}

/// The kind of a value as JSON calls it. A parser calls it by the type that it would become.
fn kind(said: &str) -> &str {
    match said {
        "map" | "a map" => "an object",
        "sequence" | "a sequence" => "a list",
        "any valid JSON value" => "a value",
        _ if said.starts_with("struct ") => "an object",
        _ if said.starts_with("tuple ") => "a list",
        _ => said,
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
    fn a_parsers_words_are_put_into_those_of_json() {
        #[derive(Debug, serde::Deserialize)]
        struct Body {
            #[serde(rename = "tcbInfo")]
            _document: Vec<String>,
        }
        for (text, says) in [
            ("", "it ends too early at line 1"),
            ("{\"tcbInfo\":[", "it ends too early at line 1"),
            ("\n<html>", "it is not JSON at line 2"),
            ("{} {}", "`tcbInfo` is missing at line 1"),
            ("{\"tcbInfo\":[]} 1", "it is not JSON at line 1"),
            (
                "{\"tcbInfo\":[],\"tcbInfo\":[]}",
                "`tcbInfo` occurs twice at line 1",
            ),
            ("{\"tcbInfo\":{}}", "expected a list, found an object at line 1"),
            (
                "{\"tcbInfo\":[1]}",
                "expected a string, found integer `1` at line 1",
            ),
            ("1", "expected an object, found integer `1` at line 1"),
        ] {
            let error = serde_json::from_str::<Body>(text).unwrap_err();
            let said = json_problem(&error);
            let (words, _) = said.rsplit_once(" column ").unwrap();
            assert_eq!(words, says, "{text}");
        }
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
