//! Words in statements of Python, Node, Ruby, Perl and PHP.

pub(super) fn is_part(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

/// Whether a value is one text in quotes, and no more.
pub(super) fn is_plain_text(value: &str) -> bool {
    let mut chars = value.chars();
    let (Some(first), Some(last)) = (chars.next(), chars.next_back()) else {
        return false;
    };
    first == last && matches!(first, '"' | '\'') && !chars.as_str().contains([first, '$'])
}

pub(super) fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_part(c))
        .filter(|word| word.starts_with(|c: char| !c.is_ascii_digit()))
}

pub(super) fn has_word(text: &str, word: &str) -> bool {
    identifiers(text).any(|each| each == word)
}

/// The texts before and behind each place where a word stands as a whole.
pub(super) fn positions<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    text.match_indices(word).filter_map(move |(at, _)| {
        let before = text.get(..at)?;
        let after = text.get(at + word.len()..)?;
        (!before.ends_with(is_part) && !after.starts_with(is_part)).then_some((before, after))
    })
}

/// The text behind each of them.
pub(super) fn behind<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = &'t str> {
    positions(text, word).map(|(_, after)| after)
}

/// Statements: lines and what `;` separates, joined while a bracket is open.
pub(super) fn statements(script: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut open = 0_usize;
    for (at, c) in script.char_indices() {
        match c {
            '(' | '[' => open += 1,
            ')' | ']' => open = open.saturating_sub(1),
            ';' | '\n' if open == 0 => {
                statements.push(script.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    statements.push(script.get(start..).unwrap_or_default());
    statements
}
