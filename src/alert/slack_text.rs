//! What may be in a text object of Slack (T58).
//!
//! Slack gives `&`, `<` and `>` a meaning in every text: `<!channel>` wakes everybody, `<@U…>` a person, `<url|text>`
//! hides where a link leads. Strangers' text goes into `plain_text` objects, in which nothing but those three is read;
//! `text` at the top of a message is the exception, which other receivers than Slack show as Markdown.

use super::sanitize::fit;

/// `text` for a `plain_text` object of at most `max` UTF-16 units, escapes counted.
///
/// An `@` at the start of a word is set apart from it. Slack itself would want more to notify anybody; receivers that
/// only speak Slack's format (Mattermost, Rocket.Chat) would not.
pub(super) fn plain(text: &str, max: usize) -> String {
    fit(&apart(text), max, escape)
}

/// `text` for the `text` of a message: as [`plain`], and what Markdown reads as a mark becomes a character that looks
/// like it. An underscore within a word, which marks nothing, stays.
pub(super) fn unmarked(text: &str, max: usize) -> String {
    let mut unmarked = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_word = false;
    while let Some(c) = chars.next() {
        let word_goes_on = in_word && chars.peek().is_some_and(|next| next.is_alphanumeric());
        unmarked.push(match c {
            '*' => '∗',
            '~' => '∼',
            '`' => 'ˋ',
            '[' => '［',
            ']' => '］',
            '_' if !word_goes_on => '＿',
            other => other,
        });
        in_word = c.is_alphanumeric();
    }
    plain(&unmarked, max)
}

/// `url` as the target of `<url|text>`: none of the characters that end it or have a meaning in it.
pub(super) fn link_target(url: &url::Url) -> String {
    let ended: String = url
        .as_str()
        .chars()
        .map(|c| match c {
            '|' => "%7C".to_owned(),
            '<' => "%3C".to_owned(),
            '>' => "%3E".to_owned(),
            other => other.to_string(),
        })
        .collect();
    ended.replace('&', "&amp;")
}

fn escape(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        other => out.push(other),
    }
}

fn apart(text: &str) -> String {
    let mut apart = String::with_capacity(text.len() + 8);
    let mut in_word = false;
    for c in text.chars() {
        apart.push(c);
        if c == '@' && !in_word {
            apart.push(' ');
        }
        in_word = c.is_alphanumeric();
    }
    apart
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::alert::sanitize::units;
    use proptest::prelude::*;

    /// Pieces of attacks, mixed with anything.
    pub(crate) fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("<!channel>".to_owned()),
            Just("<!here|here>".to_owned()),
            Just("<@U0123456789>".to_owned()),
            Just("<https://evil.example|https://good.example>".to_owned()),
            Just("@here".to_owned()),
            Just("@channel ".to_owned()),
            Just("&lt;!channel&gt;".to_owned()),
            Just("&".to_owned()),
            Just("<".to_owned()),
            Just(">".to_owned()),
            Just("*b*_i_~s~`c`".to_owned()),
            Just("[text](https://evil.example)".to_owned()),
            Just("\"\\".to_owned()),
            Just("\n".to_owned()),
            Just("\u{202e}".to_owned()),
            Just("\u{1b}[2J".to_owned()),
            Just("\u{e0041}".to_owned()),
            Just("🦀".repeat(50)),
            Just("a&".repeat(600)),
            any::<char>().prop_map(String::from),
            "[a-z_@]{1,9}",
        ];
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    /// Whether no `<`, `>` is left, and no `&` but as the start of one of the three escapes.
    pub(crate) fn is_escaped(text: &str) -> bool {
        let rest = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
        !rest.contains(['&', '<', '>'])
    }

    /// Whether a word begins with `@`.
    fn mentions(text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        chars.windows(2).enumerate().any(|(at, pair)| {
            let after_word = at > 0 && chars[at - 1].is_alphanumeric();
            pair[0] == '@' && pair[1].is_alphanumeric() && !after_word
        })
    }

    /// What Slack shows of `text`.
    fn shown(text: &str) -> String {
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    }

    #[test]
    fn t58_mentions_and_links_are_text() {
        for (raw, escaped) in [
            ("<!channel>", "&lt;!channel&gt;"),
            ("<@U0123>", "&lt;@ U0123&gt;"),
            ("<https://evil.example|good>", "&lt;https://evil.example|good&gt;"),
            ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
            ("@here (@channel)", "@ here (@ channel)"),
            ("nginx@sha256:ab", "nginx@sha256:ab"),
        ] {
            assert_eq!(plain(raw, 100), escaped);
        }
    }

    #[test]
    fn t58_marks_are_look_alikes_where_markdown_is_read() {
        assert_eq!(
            unmarked("*b* _i_ ~s~ `c` [t](u) app_id", 100),
            "∗b∗ ＿i＿ ∼s∼ ˋcˋ ［t］(u) app_id"
        );
    }

    #[test]
    fn t58_a_link_ends_where_it_should() {
        let url = "https://h.example/a|b?x=<!channel>&y=1#z|".parse().unwrap();
        let target = link_target(&url);
        assert!(is_escaped(&target) && !target.contains('|'), "{target}");
        assert!(target.starts_with("https://h.example/a%7Cb?x=") && target.ends_with("&amp;y=1#z%7C"));
    }

    #[test]
    fn an_escape_is_never_cut_in_two() {
        assert_eq!(plain("ab<cd", 7), "ab&lt;…");
        assert_eq!(plain("ab<cd", 6), "ab…");
        assert_eq!(plain("ab<", 6), "ab&lt;");
    }

    proptest! {
        #[test]
        fn t58_any_text_is_escaped_and_fits(text in hostile(), max in 1usize..400) {
            for safe in [plain(&text, max), unmarked(&text, max)] {
                prop_assert!(is_escaped(&safe), "{safe:?}");
                prop_assert!(units(&safe) <= max);
                prop_assert!(!mentions(&safe), "{safe:?}");
            }
            prop_assert!(!unmarked(&text, max).contains(['*', '~', '`', '[', ']']));
        }

        #[test]
        fn escaping_loses_nothing_where_there_is_room(text in "[^@]{0,80}") {
            prop_assert_eq!(shown(&plain(&text, 1000)), text);
        }
    }
}
