//! The lines of a unified diff, in every format for people. They come from strangers as much as anything else.

use super::escape::{markdown, shorten, terminal, xml};
use super::page::{Ink, TextPage};

/// Lines that are shown: as many as the diff has at most, and the one that counts the rest.
const MAX_LINES: usize = cvm_verify_core::compose::MAX_DIFF_LINES + 1;
/// Longest line, in characters.
const MAX_LINE: usize = 300;

/// On a page, a line each, indented by `indent`: no line of an untrusted party's begins where a verdict or a check stands.
pub(super) fn on_page(page: &mut TextPage, indent: usize, lines: &[String]) {
    for line in lines.iter().take(MAX_LINES) {
        let ink = match line.as_bytes().first() {
            Some(b'-') => Ink::Red,
            Some(b'+') => Ink::Green,
            _ => Ink::Dim,
        };
        let line = page.ink(ink, &terminal(&shorten(line, MAX_LINE)));
        page.line(Ink::Plain, &format!("{}{line}", " ".repeat(indent)));
    }
}

/// As a block of Markdown that ends with an empty line; nothing if there are no lines.
pub(super) fn in_markdown(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = lines.iter().take(MAX_LINES).map(|line| markdown(line)).collect();
    format!("<pre>{}</pre>\n\n", lines.join("\n"))
}

/// As the content of an XML element, each behind a line end.
pub(super) fn in_xml(lines: &[String]) -> String {
    lines
        .iter()
        .take(MAX_LINES)
        .map(|line| format!("\n{}", xml(&shorten(line, MAX_LINE))))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::hostile::{hostile, is_dangerous};

    proptest! {
        #[test]
        fn t53_a_hostile_line_stays_a_line_of_its_block(line in hostile()) {
            let lines = vec![line; 100];
            let mut page = TextPage::new(100, false);
            on_page(&mut page, 9, &lines);
            let text = page.into_text();
            prop_assert_eq!(text.lines().count(), MAX_LINES);
            for shown in text.lines() {
                prop_assert!(shown.trim().is_empty() || shown.starts_with("         "), "{shown:?}");
                prop_assert!(!shown.chars().any(is_dangerous), "{shown:?}");
                prop_assert!(!shown.trim_start().starts_with("::"), "{shown:?}");
            }
            let block = in_markdown(&lines);
            prop_assert_eq!(block.matches("</pre>").count(), 1);
            prop_assert_eq!(block.trim_end().lines().count(), MAX_LINES);
            let acts = in_xml(&lines).contains(['<', '\u{1b}']);
            prop_assert!(!acts);
        }
    }
}
