//! "Did you mean": the known name that a mistyped one is nearest to.

/// The known name that differs in at most a third of its letters; none if nothing is near. Case does not count, and
/// neither does `-` for `_`.
#[must_use]
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // Longer ones are no slips of the finger, and the table grows with the square.
    if name.len() > 64 {
        return None;
    }
    let plain = |name: &str| name.to_lowercase().replace('_', "-");
    let name = plain(name);
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&name, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_other_words_are_not() {
        let known = ["app-id", "instance-id", "compose-hash", "lock"];
        assert_eq!(nearest("app_id", known), Some("app-id"));
        assert_eq!(nearest("Compose-Hsah", known), Some("compose-hash"));
        assert_eq!(nearest("lokc", known), Some("lock"));
        assert_eq!(nearest("loc", known), Some("lock"));
        assert_eq!(nearest("compose-hash", ["compose_hash"]), Some("compose_hash"));
        assert_eq!(nearest("banana", known), None);
        assert_eq!(nearest(&"a".repeat(100_000), known), None);
    }
}
