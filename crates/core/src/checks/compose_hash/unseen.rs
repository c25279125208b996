//! A difference that nobody sees: the expected hash is that of the measured document with other line ends, as editors and Git write
//! them. Nobody deployed another release then.

use sha2::{Digest as _, Sha256};

/// U+FEFF, which some editors write at the beginning of a file.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How a document of this hash differs from the measured text, if nobody sees it: a phrase behind "only in".
pub(super) fn difference(measured: &str, expected: &[u8; 32]) -> Option<&'static str> {
    let body = measured.trim_start_matches(BYTE_ORDER_MARK).trim_end();
    let lf = body.replace("\r\n", "\n");
    let crlf = lf.replace('\n', "\r\n");
    let line_ends = "line ends: CRLF (Windows) or LF";
    for mark in ["", BYTE_ORDER_MARK] {
        for (how, text) in [
            ("the line ends at its very end", body),
            (line_ends, &lf),
            (line_ends, &crlf),
        ] {
            for end in ["", "\n", "\r\n"] {
                let hash = Sha256::new()
                    .chain_update(mark)
                    .chain_update(text)
                    .chain_update(end);
                if hash.finalize()[..] == expected[..] {
                    let is_marked = measured.starts_with(BYTE_ORDER_MARK);
                    return Some(match is_marked == mark.is_empty() {
                        true => "a byte order mark at its beginning",
                        false => how,
                    });
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_marks_are_told_from_another_document() {
        let document = "{\n  \"runner\": \"docker-compose\"\n}";
        let of = |text: &str| difference(document, &Sha256::digest(text).into());
        let crlf = document.replace('\n', "\r\n");
        for (text, words) in [
            (format!("{document}\n"), "very end"),
            (format!("{document}\r\n"), "very end"),
            (crlf.clone(), "CRLF"),
            (format!("{crlf}\r\n"), "CRLF"),
            (format!("\u{feff}{document}\n"), "byte order mark"),
            (format!("\u{feff}{crlf}"), "byte order mark"),
        ] {
            assert!(of(&text).unwrap().contains(words), "{text:?}: {:?}", of(&text));
            // In both directions.
            let back = difference(&text, &Sha256::digest(document).into()).unwrap();
            assert!(back.contains(words), "{text:?}: {back}");
        }
        for text in ["", "\n", "{\"runner\": \"docker-compose\"}"] {
            assert_eq!(of(text), None);
        }
    }
}
