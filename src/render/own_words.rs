//! Our own words, such as those of the checks, as Markdown.

/// Our own words as Markdown: outside code spans `<` would begin HTML. Not for text that a CVM sent.
pub(super) fn own(words: &str) -> String {
    let spans = words.split('`').enumerate().map(|(index, span)| {
        if index.is_multiple_of(2) {
            span.replace('<', "&lt;")
        } else {
            span.to_owned()
        }
    });
    spans.collect::<Vec<_>>().join("`")
}

/// The same in a cell of a table.
pub(super) fn cell(words: &str) -> String {
    own(words).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_do_not_become_html() {
        assert_eq!(own("at <id> or `<id>`"), "at &lt;id> or `<id>`");
    }
}
