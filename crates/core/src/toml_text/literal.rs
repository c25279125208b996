//! Text that a reviewer can trust: one line, printable ASCII.
//!
//! Letters that look like others, marks that reverse the reading direction and control characters all come
//! from the deployment that is reviewed, so none of them is written as it is.

/// A TOML basic string with its quotes. Everything but printable ASCII is escaped.
pub fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
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
    text.chars()
        .map(|c| match c {
            '\\' => "\\\\".to_owned(),
            ' '..='~' => c.to_string(),
            _ => c.escape_default().to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_fool_a_reviewer_is_escaped() {
        assert_eq!(quoted("a\"\\\n\u{202e}\u{1F600}"), r#""a\"\\\n\u202E\U0001F600""#);
        assert_eq!(key("web-1"), "web-1");
        assert_eq!(key(""), "\"\"");
        assert_eq!(key("a.b"), "\"a.b\"");
        assert_eq!(one_line("g\u{4bb}cr\n\"\\n"), "g\\u{4bb}cr\\n\"\\\\n");
    }
}
