//! A part of the targets: `2/5` is the second of five runs that share them.

use super::word_enum::text_serde;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// Which part of the targets a run verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    index: NonZeroU32,
    count: NonZeroU32,
}

/// A text that is not a shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a shard; write i/n, from 1/n to n/n, such as 2/5 for the second of five")]
pub struct ShardError {
    /// What was given.
    text: String,
}

/// Most shards: more than any CI has jobs for.
const MOST: u32 = 10_000;

impl Shard {
    /// Which one, from 1.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index.get()
    }

    /// Of how many.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count.get()
    }

    /// Every shard of the same number.
    pub fn all(self) -> impl Iterator<Item = Self> {
        (1..=self.count()).filter_map(move |index| {
            Some(Self {
                index: NonZeroU32::new(index)?,
                count: self.count,
            })
        })
    }

    /// The items of this shard. They are dealt out in the order of their names, so that the order in which they are
    /// given does not matter and no shard has over one more than another.
    #[must_use]
    pub fn of<T>(self, items: Vec<T>, name: impl Fn(&T) -> &str) -> Vec<T> {
        let mut order: Vec<usize> = (0..items.len()).collect();
        let names: Vec<String> = items.iter().map(|item| name(item).to_owned()).collect();
        order.sort_by(|a, b| names.get(*a).cmp(&names.get(*b)));
        let mine: std::collections::HashSet<usize> = order
            .into_iter()
            .skip(self.index() as usize - 1)
            .step_by(self.count() as usize)
            .collect();
        items
            .into_iter()
            .enumerate()
            .filter_map(|(place, item)| mine.contains(&place).then_some(item))
            .collect()
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let error = || ShardError {
            text: text.to_owned(),
        };
        let (index, count) = text.trim().split_once('/').ok_or_else(error)?;
        let number = |text: &str| -> Option<NonZeroU32> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        let (index, count) = number(index).zip(number(count)).ok_or_else(error)?;
        if index > count || count.get() > MOST {
            return Err(error());
        }
        Ok(Self { index, count })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

text_serde!(Shard);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shards_are_counted_from_one() {
        for (text, shown) in [
            ("1/1", "1/1"),
            (" 2/5 ", "2/5"),
            ("05/5", "5/5"),
            ("10000/10000", "10000/10000"),
        ] {
            assert_eq!(text.parse::<Shard>().expect(text).to_string(), shown);
        }
        for text in [
            "",
            "1",
            "/",
            "0/0",
            "0/3",
            "5/4",
            "1/0",
            "-1/2",
            "+1/2",
            "1/2/3",
            "1.0/2",
            "a/b",
            "1/10001",
            "1/99999999999",
        ] {
            let error = text.parse::<Shard>().expect_err(text).to_string();
            assert!(error.contains("write i/n, from 1/n to n/n"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_item_is_in_exactly_one_shard_whatever_the_order(
            names in proptest::collection::hash_set("[a-z]{1,6}", 0..40),
            count in 1_u32..12,
            seed in any::<u64>(),
        ) {
            let names: Vec<String> = names.into_iter().collect();
            let mut other = names.clone();
            other.sort_by_key(|name| name.bytes().fold(seed, |hash, byte| hash.rotate_left(7) ^ u64::from(byte)));
            let first: Shard = format!("1/{count}").parse().expect("a shard");
            let mut seen = Vec::new();
            for shard in first.all() {
                let mut one = shard.of(names.clone(), |name| name);
                let mut same = shard.of(other.clone(), |name| name);
                one.sort();
                same.sort();
                prop_assert_eq!(&one, &same);
                prop_assert!(one.len().abs_diff(names.len() / count as usize) <= 1);
                seen.extend(one);
            }
            seen.sort();
            let mut all = names;
            all.sort();
            prop_assert_eq!(seen, all);
        }
    }
}
