//! How deeply a TOML text can nest, before it is parsed.
//!
//! The parser bounds inline nesting and the length of a dotted key at 80 each, but each inline table may have
//! dotted keys: their product is enough to overflow a stack when the tree is dropped.

/// How deeply a lock or a policy file may nest: dotted keys and brackets together. Written ones reach about 20.
pub const MAX_DEPTH: usize = 128;

/// The first byte at which a text nests too deeply. Where a text is malformed, this counts too much rather
/// than too little, because the parser goes on after an error.
pub fn too_deep(text: &str) -> Option<usize> {
    deeper_than(text, MAX_DEPTH)
}

fn deeper_than(text: &str, limit: usize) -> Option<usize> {
    // For each open bracket: how it closes, and the dots of the key that is being read inside it.
    let mut open: Vec<(u8, usize)> = Vec::new();
    let mut dots_inside = 0;
    let mut rest = text.as_bytes();
    while let Some(byte) = rest.first() {
        let at = text.len() - rest.len();
        rest = rest.get(token_length(rest)..).unwrap_or_default();
        match byte {
            b'{' => open.push((b'}', 0)),
            b'[' => open.push((b']', 0)),
            b'.' => {
                if let Some((_, dots)) = open.last_mut() {
                    *dots += 1;
                    dots_inside += 1;
                }
            }
            b',' => {
                if let Some((_, dots)) = open.last_mut() {
                    dots_inside -= std::mem::take(dots);
                }
            }
            closes if open.last().is_some_and(|(closing, _)| closing == closes) => {
                dots_inside -= open.pop().map_or(0, |(_, dots)| dots);
            }
            _ => {}
        }
        if open.len() + dots_inside > limit {
            return Some(at);
        }
    }
    None
}

/// The length of the token at the beginning of a text, as the parser cuts it. A quote begins a string only
/// where a token may begin; a string on a single line ends with the line at the latest.
fn token_length(text: &[u8]) -> usize {
    let until = |ends: &[u8]| {
        let end = text.iter().position(|byte| ends.contains(byte));
        end.unwrap_or(text.len())
    };
    match text {
        [b'"', b'"', b'"', ..] | [b'\'', b'\'', b'\'', ..] => long_string(text),
        [b'"' | b'\'', ..] => short_string(text),
        [b'#', ..] => until(b"\r\n"),
        [byte, ..] if SINGLE.contains(byte) => 1,
        _ => until(SINGLE),
    }
}

/// Tokens of one byte, and those that end a bare word. Blanks and `#` begin longer ones, which changes nothing.
const SINGLE: &[u8] = b".=,[]{} \t#\r\n";

fn short_string(text: &[u8]) -> usize {
    let (quote, mut at) = (text.first(), 1);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' if quote == Some(&b'"') => at += escape_length(text, at),
            _ if Some(byte) == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Up to two quotes before the three that close belong to the string.
fn long_string(text: &[u8]) -> usize {
    let (open, mut at) = (text.get(..3), 3);
    let quote = text.first();
    while let Some(byte) = text.get(at) {
        if text.get(at..at + 3) == open {
            let extra = text.get(at + 3..).unwrap_or_default();
            return at
                + 3
                + extra
                    .iter()
                    .take(2)
                    .take_while(|byte| Some(*byte) == quote)
                    .count();
        }
        at += if *byte == b'\\' && quote == Some(&b'"') {
            escape_length(text, at)
        } else {
            1
        };
    }
    text.len()
}

fn escape_length(text: &[u8], at: usize) -> usize {
    match text.get(at + 1) {
        Some(b'\\' | b'"') => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toml::de::{DeTable, DeValue};

    use super::*;

    const TOKENS: [&str; 22] = [
        "\r",
        "\r\n",
        "\"\"",
        "''",
        "{",
        "{",
        "[",
        "a.b = ",
        "a.b.c.d = ",
        "}",
        "]",
        ",",
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "\\",
        "#",
        "\n",
        "1",
        "\"s\"",
        "=",
    ];

    /// What stands outside of brackets is not counted: here, a key and a header of at most 4 parts each.
    const OUTSIDE: usize = 10;

    fn depth(value: &DeValue<'_>) -> usize {
        let inside = match value {
            DeValue::Array(items) => items.iter().map(|item| depth(item.get_ref())).max(),
            DeValue::Table(members) => return depth_of(members),
            _ => return 0,
        };
        1 + inside.unwrap_or(0)
    }

    fn depth_of(members: &DeTable<'_>) -> usize {
        let inside = members.values().map(|member| depth(member.get_ref())).max();
        1 + inside.unwrap_or(0)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn what_the_parser_builds_even_of_malformed_text_is_within_the_count(
            tokens in proptest::collection::vec(prop::sample::select(&TOKENS[..]), 0..80),
        ) {
            let text = format!("x = {}", tokens.concat());
            let count = (0..).find(|limit| deeper_than(&text, *limit).is_none()).unwrap();
            let (table, _) = DeTable::parse_recoverable(&text);
            let real = depth_of(table.get_ref());
            prop_assert!(real <= count + OUTSIDE, "{} > {}: {:?}", real, count, text);
        }
    }

    #[test]
    fn brackets_and_dotted_keys_count_together_but_not_in_strings_and_comments() {
        let brackets = |count: usize| format!("x = {}", "[".repeat(count));
        assert_eq!(too_deep(&brackets(MAX_DEPTH)), None);
        assert_eq!(too_deep(&brackets(MAX_DEPTH + 1)), Some(4 + MAX_DEPTH));
        assert!(too_deep(&format!("x = {{ {}", "a.".repeat(MAX_DEPTH))).is_some());
        assert!(too_deep(&format!("x = {{ {} = {{", "a.a,".repeat(MAX_DEPTH))).is_none());
        assert!(too_deep(&"{a.a = ".repeat(MAX_DEPTH / 2 + 1)).is_some());
        for quiet in [
            "# QUIET\n",
            "\"QUIET\\\"QUIET\"",
            "'QUIET\\'",
            "\"\"\"a\"\nQUIET\\\"\"\"\"\"\"",
            "'''\nQUIET'''",
        ] {
            let text = format!("x = {}[1.5]\n", quiet.replace("QUIET", &"[{.".repeat(200)));
            assert_eq!(too_deep(&text), None, "{quiet}");
        }
        // A closing bracket in a string closes nothing; one of another kind neither.
        assert!(too_deep(&"{ \"}\" = ".repeat(MAX_DEPTH + 1)).is_some());
        assert!(too_deep(&"[ } ".repeat(MAX_DEPTH + 1)).is_some());
    }
}
