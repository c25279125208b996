//! How deeply a TOML text can nest, before it is parsed.
//!
//! The parser bounds inline nesting and the length of a dotted key at 80 each, but each inline table may have
//! dotted keys: their product is enough to overflow a stack when the tree is dropped.

/// How deeply a lock may nest: dotted keys and brackets together. Written ones reach about 20.
pub(super) const MAX_DEPTH: usize = 128;

/// The first byte at which a text nests too deeply. Where a text is malformed, this counts too much rather
/// than too little, because the parser goes on after an error.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    // For each open bracket: how it closes, and the dots of the key that is being read inside it.
    let mut open: Vec<(u8, usize)> = Vec::new();
    let mut dots_inside = 0;
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        let at = text.len() - rest.len();
        rest = tail;
        match byte {
            b'"' | b'\'' => rest = after_string(*byte, tail),
            b'#' => rest = from_newline(tail),
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
        if open.len() + dots_inside > MAX_DEPTH {
            return Some(at);
        }
    }
    None
}

/// What follows a string whose first quote was read. One on a single line ends with the line at the latest.
fn after_string(quote: u8, text: &[u8]) -> &[u8] {
    let (mut rest, is_long) = match text {
        [a, b, tail @ ..] if *a == quote && *b == quote => (tail, true),
        _ => (text, false),
    };
    while let [byte, tail @ ..] = rest {
        rest = match tail {
            [escaped, after @ ..] if *byte == b'\\' && quote == b'"' && *escaped != b'\n' => after,
            [a, b, after @ ..] if is_long && [*byte, *a, *b] == [quote; 3] => return after,
            _ if !is_long && *byte == quote => return tail,
            _ if !is_long && *byte == b'\n' => return rest,
            _ => tail,
        };
    }
    rest
}

fn from_newline(text: &[u8]) -> &[u8] {
    text.iter()
        .position(|byte| *byte == b'\n')
        .and_then(|end| text.get(end..))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

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
