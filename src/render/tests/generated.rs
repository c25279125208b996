//! Files in the repository that are made from the program's own types and words.

use std::path::Path;

use schemars::JsonSchema;
use serde_json::Value;

/// Asserts that a file of the repository holds exactly `text`. With `UPDATE_GENERATED=1` it is written instead.
pub(super) fn assert_generated(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    simulator::generated::assert_generated(&file, text, "--lib render");
}

/// The same for the JSON Schema of a type.
pub(super) fn assert_generated_schema<T: JsonSchema>(path: &str, name: &str) {
    let schema = schema_of::<T>(name);
    assert_generated(
        path,
        &format!("{}\n", serde_json::to_string_pretty(&schema).unwrap()),
    );
}

/// The schema of what is written, whose field `schema` holds `name`: every field is always there, null if nothing was
/// proven.
pub(super) fn schema_of<T: JsonSchema>(name: &str) -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = serde_json::to_value(schema).unwrap();
    without_links(&mut schema);
    schema["properties"]["schema"] = serde_json::json!({
        "description": "The name of this format.",
        "type": "string",
        "const": name,
    });
    schema
}

/// The descriptions are the types' doc comments: links to Rust items become their names.
fn without_links(schema: &mut Value) {
    match schema {
        Value::String(text) => *text = text.replace("[`", "`").replace("`]", "`"),
        Value::Array(items) => items.iter_mut().for_each(without_links),
        Value::Object(fields) => fields.values_mut().for_each(without_links),
        _ => {}
    }
}
