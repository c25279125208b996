//! Long hex in a line of the summary: a hash of 64 digits is one word, and a phone shows a table as wide as its longest word.

/// Digits of a word that are shown whole.
const MAX_DIGITS: usize = 24;
/// Digits that are kept at its beginning and at its end.
const KEPT: [usize; 2] = [12, 6];

/// The text with long hex cut in its middle. The whole values are in the lists below the table.
pub(super) fn shortened(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars() {
        if c.is_ascii_hexdigit() {
            word.push(c);
            continue;
        }
        push(&mut out, &word);
        word.clear();
        out.push(c);
    }
    push(&mut out, &word);
    out
}

fn push(out: &mut String, word: &str) {
    let [start, end] = KEPT;
    match (word.get(..start), word.get(word.len().saturating_sub(end)..)) {
        (Some(start), Some(end)) if word.len() > MAX_DIGITS => out.push_str(&format!("{start}…{end}")),
        _ => out.push_str(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_cut_in_its_middle_and_words_are_not() {
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(
            shortened(&format!("found {hash}, and \"{hash}\"")),
            "found 0123456789ab…abcdef, and \"0123456789ab…abcdef\""
        );
        for whole in ["", "decade facade", "b0c06f000000", "an app's é and 2026-10-01"] {
            assert_eq!(shortened(whole), whole);
        }
    }
}
