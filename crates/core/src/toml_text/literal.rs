//! Text that a reviewer can trust: one line, printable ASCII.
//!
//! Letters that look like others, marks that reverse the reading direction and control characters all come
//! from the deployment that is reviewed, so none of them is written as it is. Neither is what opens a command of a CI runner:
//! `pin` shows these texts in its log.

/// A TOML basic string with its quotes. Everything but printable ASCII is escaped.
pub fn quoted(text: &str) -> String {
    let escaped: String = acting(text)
        .map(|(c, acts)| match c {
            _ if acts => "\\u0023".to_owned(),
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            ' '..='~' => c.to_string(),
            _ if u32::from(c) <= 0xffff => format!("\\u{:04X}", u32::from(c)),
            _ => format!("\\U{:08X}", u32::from(c)),
        })
        .collect();
    format!("\"{escaped}\"")
}

/// A TOML key: bare where it may be.
pub fn key(name: &str) -> String {
    let is_bare = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// A text for people: printable ASCII but the backslash as it is, all else as Rust escapes it.
pub fn one_line(text: &str) -> String {
    acting(text)
        .map(|(c, acts)| match c {
            _ if acts => "\\u{23}".to_owned(),
            '\\' => "\\\\".to_owned(),
            ' '..='~' => c.to_string(),
            _ => c.escape_default().to_string(),
        })
        .collect()
}

/// Each character, and whether it is the second `#` of what a CI runner takes for the opening of a command, anywhere in a line:
/// `##[` (GitHub), `##vso[` (Azure), `##teamcity[`.
fn acting(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut follows = false;
    text.char_indices().map(move |(at, c)| {
        let is_second = std::mem::replace(&mut follows, c == '#') && c == '#';
        let rest = text.get(at + 1..).filter(|_| is_second).unwrap_or_default();
        let opens = rest
            .trim_start_matches(|c: char| c.is_ascii_alphabetic())
            .starts_with('[');
        (c, opens)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_fool_a_reviewer_is_escaped() {
        assert_eq!(quoted("a\"\\\n\u{202e}\u{1F600}"), r#""a\"\\\n\u202E\U0001F600""#);
        assert_eq!(
            quoted("###vso[a] ##[b] ## c"),
            r###""##\u0023vso[a] #\u0023[b] ## c""###
        );
        assert_eq!(one_line("##teamcity[a"), "#\\u{23}teamcity[a");
        assert_eq!(key("web-1"), "web-1");
        assert_eq!(key(""), "\"\"");
        assert_eq!(key("a.b"), "\"a.b\"");
        assert_eq!(one_line("g\u{4bb}cr\n\"\\n"), "g\\u{4bb}cr\\n\"\\\\n");
    }
}
