//! Members of a bundle that are read into values or lists: only of a size that a recording has, so that a file of 32 MiB does not take
//! gigabytes of memory.

use std::fmt::{self, Formatter};
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::has_more_values_than;
use super::limits::MAX_JSON_VALUES;

/// Values of one member: those of two bodies that are kept as they came.
const MAX_VALUES: usize = 2 * MAX_JSON_VALUES;

/// Members of one list.
const MAX_LIST: usize = 1000;

/// A member that is refused with more than 500,000 values.
pub(super) fn within_budget<'de, T: DeserializeOwned, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let text = <&RawValue>::deserialize(from)?.get();
    if has_more_values_than(text.as_bytes(), MAX_VALUES) {
        let more =
            format!("a member of the bundle has more than {MAX_VALUES} values, which no recording has");
        return Err(Error::custom(more));
    }
    serde_json::from_str(text).map_err(Error::custom)
}

/// A list that is refused with more than 1,000 members, before they are read.
pub(super) fn short_list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    struct ShortList<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ShortList<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MAX_LIST} members")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(member) = members.next_element()? {
                if list.len() == MAX_LIST {
                    return Err(Error::invalid_length(MAX_LIST + 1, &self));
                }
                list.push(member);
            }
            Ok(list)
        }
    }

    from.deserialize_seq(ShortList(PhantomData))
}
