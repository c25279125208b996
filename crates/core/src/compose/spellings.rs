//! The ways in which tools write the JSON of one compose document. A compose hash is over bytes, so that the same document written with
//! other blanks has another hash.

use super::hash_forms::compact;
use crate::evidence::MAX_COMPOSE_BYTES;
use crate::verify::digest::sha256;
use crate::verify::members_of;

/// The blanks between the values.
#[derive(Debug, Clone, Copy)]
struct Blanks {
    /// A phrase behind "written".
    how: &'static str,
    /// What each level is indented by; `None` for one line.
    indent: Option<&'static str>,
    /// Behind a colon.
    colon: &'static str,
    /// Behind a comma, on one line.
    comma: &'static str,
}

/// What the JSON writers of common languages and editors do.
const BLANKS: [Blanks; 6] = [
    on_one_line("without blanks", ""),
    on_one_line("with a blank behind each colon and comma", " "),
    indented("with an indent of 2 blanks", "  "),
    indented("with an indent of 4 blanks", "    "),
    indented("with an indent of 8 blanks", "        "),
    indented("with an indent of a tab", "\t"),
];

const fn on_one_line(how: &'static str, blank: &'static str) -> Blanks {
    Blanks {
        how,
        indent: None,
        colon: blank,
        comma: blank,
    }
}

const fn indented(how: &'static str, indent: &'static str) -> Blanks {
    Blanks {
        how,
        indent: Some(indent),
        colon: " ",
        comma: "",
    }
}

/// A text that is longer is not written in other ways: 256 KiB. Real documents have below 100 KB.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// How a document of this hash is written, if it has the same fields with the same values as this text: a phrase behind "written". `None`
/// says nothing of a document of that hash: there are more ways than are tried.
pub(crate) fn spelling_of(text: &str, hash: &[u8; 32]) -> Option<String> {
    if text.len() > MAX_TEXT_BYTES {
        return None;
    }
    let members = members_of(text).ok()?;
    let sorted = compact(&members);
    let escaped = ascii(&sorted);
    let sources = [
        (text.to_owned(), ""),
        (sorted, " and sorted keys"),
        (ascii(text), " and escaped characters"),
        (escaped, " and sorted keys and escaped characters"),
    ];
    // A form that writes a number in another way can be another document.
    let sources = sources
        .iter()
        .filter(|(source, _)| members_of(source).is_ok_and(|read| read == members));
    for (source, and) in sources {
        for blanks in BLANKS {
            let Some(mut written) = respaced(source, blanks) else {
                continue;
            };
            let is_whole = sha256(written.as_bytes()) == *hash;
            written.push('\n');
            if is_whole || sha256(written.as_bytes()) == *hash {
                return Some(format!("{}{and}", blanks.how));
            }
        }
    }
    None
}

/// A JSON text with other blanks between its values. `None` if it gets longer than any compose document that is read from a CVM.
fn respaced(json: &str, blanks: Blanks) -> Option<String> {
    let mut out = String::with_capacity(json.len());
    let (mut depth, mut is_opened, mut is_string, mut is_escaped) = (0_usize, false, false, false);
    let new_line = |depth: usize, out: &mut String| {
        if let Some(indent) = blanks.indent {
            out.push('\n');
            (0..depth).for_each(|_| out.push_str(indent));
        }
    };
    for c in json.chars() {
        if out.len() > MAX_COMPOSE_BYTES {
            return None;
        }
        if is_string {
            out.push(c);
            is_string = is_escaped || c != '"';
            is_escaped = c == '\\' && !is_escaped;
            continue;
        }
        if c.is_ascii_whitespace() {
            continue;
        }
        let is_end = matches!(c, '}' | ']');
        depth = depth.saturating_sub(usize::from(is_end));
        // An empty list stays on its line.
        if is_opened != is_end {
            new_line(depth, &mut out);
        }
        is_opened = matches!(c, '{' | '[');
        depth = depth.saturating_add(usize::from(is_opened));
        out.push(c);
        match c {
            '"' => is_string = true,
            ':' => out.push_str(blanks.colon),
            ',' => {
                out.push_str(blanks.comma);
                new_line(depth, &mut out);
            }
            _ => {}
        }
    }
    Some(out)
}

/// With an escape for each character beyond ASCII, as Python's `json` writes it.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Phala Cloud writes it.
    const DOCUMENT: &str =
        r#"{"a":[],"b":{"c":[1,{"d":"x: {, \"y\\"}],"e":{}},"docker_compose_file":"größe: 1\n","z":null}"#;

    fn is_written(text: &str, by: &str) -> Option<String> {
        spelling_of(text, &sha256(by.as_bytes()))
    }

    #[test]
    fn the_same_document_is_found_by_its_hash_however_tools_write_it() {
        let value: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let says = |by: &str| is_written(DOCUMENT, by).unwrap();
        assert_eq!(says(&pretty), "with an indent of 2 blanks");
        assert_eq!(says(&format!("{pretty}\n")), "with an indent of 2 blanks");
        assert_eq!(says(&pretty.replace("  ", "\t")), "with an indent of a tab");
        assert_eq!(
            says(&ascii(&pretty)),
            "with an indent of 2 blanks and escaped characters"
        );
        let python = r#"{"a": [], "b": {"c": [1, {"d": "x: {, \"y\\"}], "e": {}}, "docker_compose_file": "größe: 1\n", "z": null}"#;
        assert_eq!(says(python), "with a blank behind each colon and comma");
        // From the readable one to that of the SDKs, with keys in an order of its own.
        let own = "{ \"b\": 1,\n \"a\": 2 }";
        assert_eq!(is_written(own, r#"{"b":1,"a":2}"#).unwrap(), "without blanks");
        assert_eq!(
            is_written(own, r#"{"a":2,"b":1}"#).unwrap(),
            "without blanks and sorted keys"
        );
    }

    #[test]
    fn another_document_is_never_the_same() {
        for other in [
            DOCUMENT.replace("größe", "größer"),
            DOCUMENT.replace("x: {", "x:{"),
            DOCUMENT.replace(",\"z\":null", ""),
        ] {
            assert_eq!(is_written(DOCUMENT, &other), None, "{other}");
        }
        // The form of the SDKs rounds this number: that is another document.
        let number = "{\"a\": 9007199254740993}";
        assert_eq!(is_written(number, "{\"a\":9007199254740992}"), None);
        assert_eq!(is_written("{\"a\":1,\"a\":1}", "{\"a\":1}"), None);
    }

    #[test]
    fn a_text_that_would_grow_beyond_any_document_is_not_written() {
        let deep = format!(
            "{}{}{}",
            "[".repeat(100),
            "0,".repeat(200_000),
            "0".to_owned() + &"]".repeat(100)
        );
        assert_eq!(respaced(&deep, BLANKS[4]), None);
    }

    #[test]
    fn a_long_text_is_not_written_in_other_ways() {
        let of = |length: usize| {
            let text = format!("{{\"a\":\"{}\"}}", "x".repeat(length - r#"{"a":""}"#.len()));
            assert_eq!(text.len(), length);
            is_written(&text, &format!("{text}\n"))
        };
        assert_eq!(of(MAX_TEXT_BYTES).unwrap(), "without blanks");
        assert_eq!(of(MAX_TEXT_BYTES + 1), None);
    }

    proptest! {
        #[test]
        fn blanks_change_no_value(text in ".{0,200}") {
            let _ = spelling_of(&text, &[0; 32]);
            let json = serde_json::json!({ "a": [text.as_str(), {}], &text: text.len() });
            for blanks in BLANKS {
                let written = respaced(&json.to_string(), blanks).unwrap();
                prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&written).unwrap(), &json);
            }
        }
    }
}
