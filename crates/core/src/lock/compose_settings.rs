//! JSON values of a compose document as TOML, and back to equal values.
//!
//! Objects become dotted keys, one line a leaf, which reads best in a diff; all else has its native form. What
//! TOML does not have (null, integers above 2^63 - 1) is `{ json = "TEXT" }`, with the value as JSON text. An
//! object whose only key is `json` is `{ json = { json = VALUE } }`, so there is no ambiguity.

use serde_json::{Map, Number, Value};
use toml::de::{DeInteger, DeTable, DeValue};

use super::{LockMistake, LockProblem};
use crate::toml_text::TomlEntry;
use crate::toml_text::literal::{key, quoted};

/// The key of what is written as JSON text.
const JSON: &str = "json";

/// How deeply values are written natively; what nests deeper is written as JSON text. More than a compose
/// document may nest (32), less than half of what TOML parsers accept (80): escaped objects nest twice.
const MAX_NATIVE_DEPTH: usize = 36;

/// The assignments that stand for a field: dotted key and TOML value, sorted by key.
pub(super) fn assignments(name: &str, value: &Value) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    assign(&key(name), value, 0, &mut lines);
    lines
}

fn assign(path: &str, value: &Value, depth: usize, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) if !members.is_empty() && depth < MAX_NATIVE_DEPTH && !is_escape(members) => {
            for (name, member) in sorted(members) {
                assign(&format!("{path}.{}", key(name)), member, depth + 1, lines);
            }
        }
        Value::Array(items) if items.len() > 1 && depth < MAX_NATIVE_DEPTH => {
            let items: String = items
                .iter()
                .map(|item| format!("  {},\n", inline(item, depth + 1)))
                .collect();
            lines.push((path.to_owned(), format!("[\n{items}]")));
        }
        _ => lines.push((path.to_owned(), inline(value, depth))),
    }
}

fn inline(value: &Value, depth: usize) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::Number(number) => native_number(number).unwrap_or_else(|| escape(value)),
        Value::Array(items) if depth < MAX_NATIVE_DEPTH => {
            let items: Vec<String> = items.iter().map(|item| inline(item, depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) if depth < MAX_NATIVE_DEPTH => {
            let written: Vec<String> = sorted(members)
                .into_iter()
                .map(|(name, member)| format!("{} = {}", key(name), inline(member, depth + 1)))
                .collect();
            let object = format!("{{ {} }}", written.join(", "));
            if is_escape(members) {
                format!("{{ {JSON} = {object} }}")
            } else {
                object
            }
        }
        Value::Null | Value::Array(_) | Value::Object(_) => escape(value),
    }
}

/// An integer that TOML has, or a float, which always carries a point or an exponent.
fn native_number(number: &Number) -> Option<String> {
    match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) => Some(integer.to_string()),
        (None, Some(float)) if number.is_f64() && float.is_finite() => Some(format!("{float:?}")),
        _ => None,
    }
}

fn escape(value: &Value) -> String {
    format!("{{ {JSON} = {} }}", quoted(&compact(value)))
}

fn is_escape(members: &Map<String, Value>) -> bool {
    members.len() == 1 && members.contains_key(JSON)
}

// serde_json keeps or sorts members depending on what else is in the build; a lock is always sorted.
fn sorted(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    members
}

/// The value as JSON on one line, members sorted.
pub(super) fn compact(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    value.to_string()
}

/// Reads what [`assignments`] wrote.
pub(super) fn from_toml(entry: &TomlEntry<'_>) -> Result<Value, LockMistake> {
    value_of(entry.value()).map_err(|wrong| match wrong {
        Wrong::Problem(problem) => entry.error(problem),
        Wrong::Datetime => entry.type_error("a value that a compose document can hold"),
    })
}

enum Wrong {
    Problem(LockProblem),
    Datetime,
}

fn value_of(value: &DeValue<'_>) -> Result<Value, Wrong> {
    const NO_NUMBER: Wrong = Wrong::Problem(LockProblem::Number);
    match value {
        DeValue::String(text) => Ok(Value::String(text.to_string())),
        DeValue::Boolean(value) => Ok(Value::Bool(*value)),
        DeValue::Integer(integer) => integer_of(integer).map(Value::Number).ok_or(NO_NUMBER),
        DeValue::Float(float) => float
            .as_str()
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map(Value::Number)
            .ok_or(NO_NUMBER),
        DeValue::Datetime(_) => Err(Wrong::Datetime),
        DeValue::Array(items) => items.iter().map(|item| value_of(item.get_ref())).collect(),
        DeValue::Table(members) => object_of(members),
    }
}

fn integer_of(integer: &DeInteger<'_>) -> Option<Number> {
    let (digits, radix) = (integer.as_str(), integer.radix());
    i64::from_str_radix(digits, radix)
        .map(Number::from)
        .or_else(|_| u64::from_str_radix(digits, radix).map(Number::from))
        .ok()
}

fn object_of(members: &DeTable<'_>) -> Result<Value, Wrong> {
    if let (1, Some(text)) = (members.len(), members.get(JSON)) {
        return escaped(text.get_ref());
    }
    literal(members)
}

/// The value of a sole key `json`: a JSON text, or an object that has just that key itself.
fn escaped(value: &DeValue<'_>) -> Result<Value, Wrong> {
    let read = match value {
        DeValue::String(text) => serde_json::from_str(text).ok(),
        DeValue::Table(members) if members.len() == 1 && members.contains_key(JSON) => {
            Some(literal(members)?)
        }
        _ => None,
    };
    read.ok_or(Wrong::Problem(LockProblem::NotJson))
}

fn literal(members: &DeTable<'_>) -> Result<Value, Wrong> {
    members
        .iter()
        .map(|(name, member)| Ok((name.get_ref().to_string(), value_of(member.get_ref())?)))
        .collect::<Result<Map<_, _>, _>>()
        .map(Value::Object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Lock, Notes};
    use super::*;

    #[test]
    fn each_kind_of_value_has_one_form() {
        let form = |value: &Value| match &assignments("x", value)[..] {
            [(_, text)] => text.clone(),
            several => panic!("{several:?}"),
        };
        assert_eq!(form(&json!(null)), "{ json = \"null\" }");
        assert_eq!(form(&json!(u64::MAX)), "{ json = \"18446744073709551615\" }");
        assert_eq!(form(&json!(1)), "1");
        assert_eq!(form(&json!(1.0)), "1.0");
        assert_eq!(form(&json!(1e300)), "1e300");
        assert_eq!(form(&json!([])), "[]");
        assert_eq!(form(&json!({})), "{}");
        assert_eq!(form(&json!(["a"])), "[\"a\"]");
        assert_eq!(
            form(&json!(["a", null])),
            "[\n  \"a\",\n  { json = \"null\" },\n]"
        );
        assert_eq!(form(&json!({"json": "null"})), "{ json = { json = \"null\" } }");
    }

    #[test]
    fn objects_become_dotted_keys_in_sorted_order() {
        let value = json!({"b": {"d": 1, "c": [{"z": 1, "y": {}}]}, "a.b": true});
        let lines: Vec<String> = assignments("r", &value)
            .into_iter()
            .map(|(key, value)| format!("{key} = {value}"))
            .collect();
        assert_eq!(
            lines,
            ["r.\"a.b\" = true", "r.b.c = [{ y = {}, z = 1 }]", "r.b.d = 1"]
        );
    }

    #[test]
    fn deep_values_survive() {
        for step in [json!(["json"]), json!({"json": 1}), json!({"a": 1})] {
            let mut value = json!(null);
            for _ in 0..100 {
                value = match &step {
                    Value::Object(members) => {
                        members.keys().map(|key| (key.clone(), value.clone())).collect()
                    }
                    _ => json!([value, step]),
                };
            }
            let lock = Lock {
                compose_settings: [("x".to_owned(), value)].into(),
                ..Lock::default()
            };
            let text = lock.to_toml(&Notes::default());
            assert_eq!(Lock::parse(&text, "cvm.lock").unwrap(), lock, "{text}");
        }
    }
}
