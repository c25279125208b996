//! A value of an untrusted party on one line.

use crate::toml_text::literal::one_line;

/// The longest value that is shown whole, characters.
const MAX_SHOWN: usize = 200;

/// How much is before the first difference of values that are not shown whole, characters.
const LEAD: usize = 40;

/// A value of an untrusted party on one line of printable ASCII. A long one is cut to the part where it begins to differ from
/// the other.
#[must_use]
pub fn visible_part(value: &str, other: &str) -> String {
    let length = value.chars().count();
    if length <= MAX_SHOWN {
        return one_line(value);
    }
    let common = value
        .chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let start = common.saturating_sub(LEAD).min(length - MAX_SHOWN);
    let part: String = value.chars().skip(start).take(MAX_SHOWN).collect();
    let before = if start > 0 { "..." } else { "" };
    let after = if start + MAX_SHOWN < length { "..." } else { "" };
    format!("{before}{}{after} ({length} characters)", one_line(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_show_where_they_begin_to_differ() {
        let (old, new) = (
            format!("{}a{}", "x".repeat(500), "y".repeat(500)),
            format!("{}b", "x".repeat(500)),
        );
        let shown = visible_part(&old, &new);
        assert!(
            shown.starts_with("...xxx") && shown.contains("xay") && shown.ends_with("y... (1001 characters)")
        );
        assert!(visible_part(&new, &old).contains("xb (501 characters)"));
    }
}
