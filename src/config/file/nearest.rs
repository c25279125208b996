//! "Did you mean": the known name that a mistyped one is nearest to.

/// The known name that differs in at most a third of its letters; none where nothing is near.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // Longer ones are no slips of the finger, and the table grows with the square.
    if name.len() > 64 {
        return None;
    }
    let name = name.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|candidate| (distance(&name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance: letters to add, remove or exchange.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, from) in a.chars().enumerate() {
        let mut next = vec![index + 1];
        let mut left = index + 1;
        for ((to, diagonal), above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(from != *to)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshteins() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("abc", "abc", 0),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn slips_are_understood_and_other_words_are_not() {
        let known = ["app-id", "instance-id", "compose-hash", "lock"];
        assert_eq!(nearest("app_id", known), Some("app-id"));
        assert_eq!(nearest("Compose-Hsah", known), Some("compose-hash"));
        assert_eq!(nearest("lokc", known), None);
        assert_eq!(nearest("loc", known), Some("lock"));
        assert_eq!(nearest("banana", known), None);
        assert_eq!(nearest(&"a".repeat(100_000), known), None);
    }
}
