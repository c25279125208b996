//! Values that count as absent.

use serde_json::Value;

/// Null, false, an empty text or collection.
pub(super) fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        // As Docker Compose reads a text where it expects a boolean.
        Value::String(text) => matches!(
            text.to_ascii_lowercase().as_str(),
            "" | "false" | "no" | "off" | "n"
        ),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}
