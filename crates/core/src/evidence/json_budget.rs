//! How many values a JSON text holds, before anything is made of them.

/// Whether a JSON text holds more than `limit` values: members, items, objects and lists. Takes no memory. For a text that
/// is not JSON the answer means nothing, and its parser refuses it.
pub fn has_more_values_than(text: &[u8], limit: usize) -> bool {
    // Each value next to the document itself follows a byte of its own.
    if text.len() < limit {
        return false;
    }
    // The document itself is one.
    let Some(mut left) = limit.checked_sub(1) else {
        return true;
    };
    let mut in_string = false;
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                bytes.next();
            }
            b',' | b'[' | b'{' if !in_string => match left.checked_sub(1) {
                Some(fewer) => left = fewer,
                None => return true,
            },
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn values(value: &Value) -> usize {
        1 + match value {
            Value::Array(items) => items.iter().map(values).sum(),
            Value::Object(members) => members.values().map(values).sum(),
            _ => 0_usize,
        }
    }

    #[test]
    fn structure_counts_and_text_does_not() {
        for (text, count) in [
            ("0", 1),
            ("[1,2,3]", 4),
            (r#"{"a":1,"b":[2]}"#, 4),
            (r#"{"a,b[{":",,,[[["}"#, 2),
            (r#"["\\",",","\\\\",","]"#, 5),
        ] {
            assert!(!has_more_values_than(text.as_bytes(), count), "{text}");
            assert!(has_more_values_than(text.as_bytes(), count - 1), "{text}");
        }
    }

    proptest! {
        /// An empty list or object counts as if it held a value: never too few, at most twice as many.
        #[test]
        fn no_value_is_missed(text in r#"(\[|\{"a":|\]|\}|,|0|"[,\[a]{0,3}"){0,12}"#) {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let count = values(&value);
                prop_assert!(has_more_values_than(text.as_bytes(), count - 1));
                prop_assert!(!has_more_values_than(text.as_bytes(), 2 * count));
            }
        }
    }
}
