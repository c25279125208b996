//! What changed between two locks, as text.

use super::Change;
use crate::compose::visible_part;
use crate::toml_text::literal::one_line;

/// The changes as text for people: two lines or three each, printable ASCII. Empty if nothing changed.
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

    proptest! {
        #[test]
        fn the_text_is_printable_whatever_changed(old in arbitrary::lock(), new in arbitrary::lock()) {
            let changes = difference(&old, &new);
            let text = difference_text(&changes);
            prop_assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
        }
    }
}
