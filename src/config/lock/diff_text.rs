//! What changed between two locks, as text.

use super::Change;
use super::text::one_line;

/// The longest value that is shown whole, characters.
const MAX_SHOWN: usize = 200;

/// How much stands before the first difference of values that are not shown whole, characters.
const LEAD: usize = 40;

/// The changes as text for people: two lines or three each, printable ASCII. Empty where nothing changed.
#[must_use]
pub fn difference_text(changes: &[Change]) -> String {
    let width = changes
        .iter()
        .map(|change| change.key.len())
        .max()
        .unwrap_or_default()
        .min(32);
    let shown = |change: &Change| {
        // Printable already: it is written as in the file.
        let key = &change.key;
        let values = [('-', &change.old, &change.new), ('+', &change.new, &change.old)];
        let values: String = values
            .into_iter()
            .filter_map(|(sign, value, other)| Some((sign, value.as_deref()?, other.as_deref())))
            .map(|(sign, value, other)| {
                format!("  {sign} {}\n", visible_part(value, other.unwrap_or_default()))
            })
            .collect();
        format!("{key:width$}  {}\n{values}", one_line(&change.means))
    };
    changes.iter().map(shown).collect()
}

/// A value of a stranger on one line of printable ASCII. A long one is cut to the part where it begins to differ from
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
    use proptest::prelude::*;

    use super::super::{Lock, arbitrary, difference};
    use super::*;

    #[test]
    fn the_text_says_what_each_change_means() {
        let old = arbitrary::example();
        let new = arbitrary::all_changed(&old);
        insta::assert_snapshot!(difference_text(&difference(&old, &new)));
        insta::assert_snapshot!(
            "partial_locks_differ_by_what_they_lock",
            difference_text(&difference(
                &Lock {
                    app_id: old.app_id,
                    fmspc: old.fmspc,
                    ..Lock::default()
                },
                &Lock {
                    images: old.images.clone(),
                    fmspc: new.fmspc,
                    ..Lock::default()
                }
            ))
        );
    }

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

    proptest! {
        #[test]
        fn the_text_is_printable_whatever_changed(old in arbitrary::lock(), new in arbitrary::lock()) {
            let changes = difference(&old, &new);
            let text = difference_text(&changes);
            prop_assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
        }
    }
}
