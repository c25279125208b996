//! JSON that no two readers can understand in two ways: no member twice, `null` is absent, a budget of values.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::evidence::has_more_values_than;

/// Reads a document of at most `max_values` values. `None` if it is not JSON, nests more than 128 levels, has a member twice
/// or too many values.
pub(in crate::verify) fn read(text: &[u8], max_values: usize) -> Option<Value> {
    if has_more_values_than(text, max_values) {
        return None;
    }
    serde_json::from_slice::<Unique>(text).ok().map(|unique| unique.0)
}

/// A value whose objects have each member once, without those that are null.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Build).map(Self)
    }
}

struct Build;

impl<'de> Visitor<'de> for Build {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Unique(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Unique(value))) = map.next_entry::<String, Unique>()? {
            if members.insert(name, value).is_some() {
                return Err(de::Error::custom("a member occurs twice"));
            }
        }
        members.retain(|_, value| !value.is_null());
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_occurs_twice_is_refused_at_every_depth_and_under_every_spelling() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"b":[{"a":1,"a":null}]}"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            assert_eq!(read(text.as_bytes(), 100), None, "{text}");
        }
    }

    #[test]
    fn null_is_absent_and_numbers_keep_their_value() {
        assert_eq!(
            read(br#"{"a":null,"b":18446744073709551615,"c":-1}"#, 100),
            Some(serde_json::json!({"b": u64::MAX, "c": -1}))
        );
    }

    #[test]
    fn every_kind_of_value_is_read_as_it_is() {
        let text = r#"{"a":[true,false,1.5,-2,"b","\u0062\n",[],{}]}"#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(read(text.as_bytes(), 100), Some(expected));
    }

    #[test]
    fn floods_and_depth_are_refused() {
        assert_eq!(read(format!("[{}0]", "0,".repeat(100)).as_bytes(), 100), None);
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(read(deep.as_bytes(), usize::MAX), None);
    }
}
