//! The rule for XML 1.0: JUnit files.

use super::terminal;

/// `text` as content of an element or, in either kind of quotes, of an attribute.
///
/// What could act or deceive becomes visible as on a [`terminal`]: what XML forbids is among it, and so are line ends,
/// which an attribute would lose. `]]>` cannot stay, for no `>` does.
#[must_use]
pub fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for c in terminal(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::hostile::hostile;
    use proptest::prelude::*;

    /// `Char` of XML 1.0, without the controls and the characters that it discourages.
    fn is_xml(c: char) -> bool {
        matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}')
            || (c >= '\u{10000}' && u32::from(c) & 0xfffe != 0xfffe)
    }

    #[test]
    fn markup_becomes_entities_and_controls_become_visible() {
        assert_eq!(
            xml("a<b a='1' b=\"2\">&]]>"),
            "a&lt;b a=&apos;1&apos; b=&quot;2&quot;&gt;&amp;]]&gt;"
        );
        assert_eq!(xml("a\0b\n\u{fffe}\u{ffff}"), "a\\u{0}b\\n\\u{fffe}\\u{ffff}");
    }

    proptest! {
        #[test]
        fn a_parser_reads_the_visible_text(text in hostile()) {
            let safe = xml(&text);
            prop_assert!(safe.chars().all(is_xml), "{safe:?}");
            prop_assert!(!safe.contains(['<', '>', '"', '\'']), "{safe:?}");
            let read = safe
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&apos;", "'")
                .replace("&amp;", "&");
            prop_assert_eq!(read, terminal(&text).into_owned());
        }

        #[test]
        fn any_character_is_allowed(c in any::<char>()) {
            prop_assert!(xml(&String::from(c)).chars().all(is_xml));
        }
    }
}
