//! A block of `[[target.images]]` as the JSON of a [`WrittenRule`](cvm_verify_core::policy::WrittenRule).

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

/// The keys that may hold one text or a list of them.
const LISTS: [&str; 4] = ["ref", "commit", "accept", "from"];

/// The block, key by key. What is of another type stays so, and is refused by the reader of the rule.
pub(super) fn as_json(block: &DeTable<'_>) -> String {
    let members = block.iter().map(|(key, value)| {
        let value = match (value_of(value.get_ref()), key.get_ref().as_ref()) {
            (Value::String(text), name) if LISTS.contains(&name) => Value::from(vec![text]),
            (value, _) => value,
        };
        (key.get_ref().to_string(), value)
    });
    Value::Object(members.collect::<Map<_, _>>()).to_string()
}

fn value_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.trim()),
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::from(number.as_str()), Value::from),
        DeValue::Array(items) => items.iter().map(|item| value_of(item.get_ref())).collect(),
        DeValue::Boolean(value) => Value::Bool(*value),
        // No key takes one of these: whatever it says instead is refused by its type.
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => Value::Object(Map::new()),
    }
}
