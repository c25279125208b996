//! Where each key of a TOML text stands.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::depth;
use super::position::{LineIndex, Position};

/// Where each key of a TOML text stands, by its path: `["os_image", "rtmr1"]`, and `["places", "0", "reason"]` for an item of
/// a list, counted from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPositions(BTreeMap<Vec<String>, Position>);

impl KeyPositions {
    /// Those of a text; none of a text that is not TOML.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut found = Self::default();
        if depth::too_deep(text).is_none()
            && let Ok(table) = DeTable::parse(text)
        {
            found.add_table(&mut Vec::new(), table.get_ref(), &LineIndex::of(text));
        }
        found
    }

    /// The position of a key, or else of the innermost table around it that is there.
    #[must_use]
    pub fn nearest(&self, path: &[&str]) -> Option<Position> {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        (1..=path.len())
            .rev()
            .find_map(|length| self.0.get(path.get(..length)?).copied())
    }

    fn add_table(&mut self, path: &mut Vec<String>, table: &DeTable<'_>, lines: &LineIndex<'_>) {
        for (key, value) in table {
            path.push(key.get_ref().to_string());
            self.0.insert(path.clone(), lines.position(key.span().start));
            self.add_below(path, value.get_ref(), lines);
            path.pop();
        }
    }

    fn add_below(&mut self, path: &mut Vec<String>, value: &DeValue<'_>, lines: &LineIndex<'_>) {
        match value {
            DeValue::Table(table) => self.add_table(path, table, lines),
            DeValue::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    if let DeValue::Table(table) = item.get_ref() {
                        path.push(number.to_string());
                        self.0.insert(path.clone(), lines.position(item.span().start));
                        self.add_table(path, table, lines);
                        path.pop();
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_key_has_its_line_and_what_is_absent_that_of_its_table() {
        let text = "a = 1\n\n[os_image]\nrtmr1 = \"x\"\n[target.\"w.1\".compose]\n\"b.c\" = 2\n[[places]]\npath = \"p\"\n\
                    [[places]]\nreason = \"r\"\n";
        let keys = KeyPositions::of(text);
        let line = |path: &[&str]| keys.nearest(path).map(|place| place.line);
        assert_eq!(line(&["a"]), Some(1));
        assert_eq!(line(&["os_image", "rtmr1"]), Some(4));
        assert_eq!(line(&["os_image", "rtmr2"]), Some(3));
        assert_eq!(line(&["target", "w.1", "compose", "b.c"]), Some(6));
        assert_eq!(line(&["target", "w.1", "compose", "absent"]), Some(5));
        assert_eq!(line(&["places", "1", "reason"]), Some(10));
        assert_eq!(line(&["absent"]), None);
        assert_eq!(KeyPositions::of("no = = toml"), KeyPositions::default());
    }

    proptest! {
        #[test]
        fn any_text_has_positions_within_it(text in "[a-c\\[\\]=.\"\n1 ]{0,60}") {
            let lines = text.split('\n').count();
            for place in KeyPositions::of(&text).0.values() {
                prop_assert!((1..=lines).contains(&place.line), "{text:?}: {place:?}");
            }
        }
    }
}
