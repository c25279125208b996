//! The texts that tools make of one compose document, and their hashes: a compose hash is over bytes, and each tool
//! writes the same fields as other bytes (dstack, `sdk/js/src/get-compose-hash.ts`).

use serde_json::{Map, Number, Value};

use crate::evidence::EvidenceError;
use crate::verify::digest::sha256;
use crate::verify::members_of;

/// One text that a tool makes of a document, and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComposeForm {
    /// Its name, kebab-case.
    pub name: &'static str,
    /// Which tool writes it, and when it applies; a sentence or more.
    pub applies: &'static str,
    /// SHA-256 of the text.
    pub hash: [u8; 32],
}

/// The forms of a compose document and their hashes: first that of the text as it is, which is certain where this very
/// text is deployed; the others are predictions. Also says what makes a prediction uncertain.
///
/// # Errors
/// The text is not a JSON object, nests too deeply, or names something twice: then tools differ in what they read.
pub fn compose_forms(text: &str) -> Result<(Vec<ComposeForm>, Vec<&'static str>), EvidenceError> {
    let members = members_of(text)?;
    let document = Value::Object(members.clone());
    let normalized = Value::Object(normalize(members));
    let form = |name, applies, text: &str| ComposeForm {
        name,
        applies,
        hash: sha256(text.as_bytes()),
    };
    let forms = vec![
        form(
            "verbatim",
            "The file as it is. Right where exactly this file is what the VM was given, as self-hosted dstack (vmm-cli) does.",
            text,
        ),
        form(
            "sdk",
            "Keys sorted, no blanks. What Phala Cloud writes, and getComposeHash of dstack's SDKs. Right where the document \
             holds every field that the platform adds.",
            &write(&document, Style::Compact),
        ),
        form(
            "sdk-normalized",
            "As `sdk`, after what the runner does not use is left out: getComposeHash with normalize.",
            &write(&normalized, Style::Compact),
        ),
        form(
            "phala-cloud-js",
            "As `sdk-normalized`, but indented by four: getComposeHash of @phala/cloud of 2025.",
            &write(&normalized, Style::Indented).replace("\": ", "\":"),
        ),
        form(
            "go-html",
            "As `sdk`, but with <, > and & escaped: dstack's Go SDK before 0.6.0.",
            &go_escaped(&write(&document, Style::Compact)),
        ),
    ];
    Ok((forms, doubts(&document)))
}

/// The text that the SDKs write of a document.
pub(super) fn compact(members: &Map<String, Value>) -> String {
    write(&Value::Object(members.clone()), Style::Compact)
}

/// Fields that the runner does not use, and an empty pre-launch script.
fn normalize(mut members: Map<String, Value>) -> Map<String, Value> {
    match members.get("runner").and_then(Value::as_str) {
        Some("bash") => members.remove("docker_compose_file"),
        Some("docker-compose" | "nerdctl-compose") => members.remove("bash_script"),
        _ => None,
    };
    let is_empty = |script: &Value| script.is_null() || script.as_str() == Some("");
    if members.get("pre_launch_script").is_some_and(is_empty) {
        members.remove("pre_launch_script");
    }
    members
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Compact,
    Indented,
}

/// The value as JavaScript's `JSON.stringify` writes it, keys sorted as JavaScript sorts and keeps them.
fn write(value: &Value, style: Style) -> String {
    let mut text = String::new();
    write_value(value, style, 0, &mut text);
    text
}

fn write_value(value: &Value, style: Style, depth: usize, text: &mut String) {
    match value {
        Value::Number(number) => text.push_str(&javascript_number(number)),
        Value::Array(items) => {
            let items = items.iter().map(|item| (None, item));
            write_list(('[', ']'), items, style, depth, text);
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_cached_key(|(name, _)| javascript_order(name));
            let members = members.into_iter().map(|(name, value)| (Some(name), value));
            write_list(('{', '}'), members, style, depth, text);
        }
        // Strings escape alike: control characters, quotes and backslashes alone.
        Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}

fn write_list<'a>(
    (open, close): (char, char),
    items: impl Iterator<Item = (Option<&'a String>, &'a Value)>,
    style: Style,
    depth: usize,
    text: &mut String,
) {
    let new_line = |depth: usize, text: &mut String| {
        if style == Style::Indented {
            text.push('\n');
            text.push_str(&"    ".repeat(depth));
        }
    };
    text.push(open);
    let mut is_empty = true;
    for (name, value) in items {
        if !is_empty {
            text.push(',');
        }
        is_empty = false;
        new_line(depth + 1, text);
        if let Some(name) = name {
            text.push_str(&Value::from(name.as_str()).to_string());
            text.push_str(if style == Style::Indented { ": " } else { ":" });
        }
        write_value(value, style, depth + 1, text);
    }
    if !is_empty {
        new_line(depth, text);
    }
    text.push(close);
}

/// Keys that are array indices come first, by number; the others by their UTF-16 units.
fn javascript_order(name: &str) -> (bool, u32, Vec<u16>) {
    let index: Option<u32> = name
        .parse()
        .ok()
        .filter(|index: &u32| *index != u32::MAX && index.to_string() == name);
    (
        index.is_none(),
        index.unwrap_or_default(),
        name.encode_utf16().collect(),
    )
}

/// A number as JavaScript prints it: all are 64-bit floats there.
fn javascript_number(number: &Number) -> String {
    let Some(float) = number.as_f64() else {
        return number.to_string();
    };
    let size = float.abs();
    if float == 0.0 {
        "0".to_owned()
    } else if (1e-6..1e21).contains(&size) {
        float.to_string()
    } else {
        let text = format!("{float:e}");
        if text.contains("e-") {
            text
        } else {
            text.replace('e', "e+")
        }
    }
}

/// As Go's `encoding/json` writes it: these characters occur in strings only.
fn go_escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text
}

/// What tools do not agree on, where the document has it.
fn doubts(document: &Value) -> Vec<&'static str> {
    let mut doubts = Vec::new();
    if any(document, &|_, value| {
        value.as_number().is_some_and(Number::is_f64)
    }) {
        doubts.push(
            "It holds a number with a point or an exponent, or a huge one, which SDKs of other languages print in another way \
             than JavaScript.",
        );
    }
    let beyond = |name: &str| name.chars().any(|c| u32::from(c) > 0xffff);
    if any(document, &|name, _| beyond(name)) {
        doubts.push("It has a key with a character beyond U+FFFF, which SDKs sort in different ways.");
    }
    let null = document
        .as_object()
        .is_some_and(|members| members.values().any(Value::is_null));
    if null {
        doubts.push("It has a field that is null, which the Python SDK leaves out.");
    }
    doubts
}

fn any(value: &Value, wanted: &impl Fn(&str, &Value) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| wanted("", item) || any(item, wanted)),
        Value::Object(members) => members
            .iter()
            .any(|(name, member)| wanted(name, member) || any(member, wanted)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hash_of(text: &str, name: &str) -> String {
        let (forms, _) = compose_forms(text).unwrap();
        hex::encode(forms.iter().find(|form| form.name == name).unwrap().hash)
    }

    fn sha(text: &str) -> String {
        hex::encode(sha256(text.as_bytes()))
    }

    const DOCUMENT: &str = "{ \"runner\": \"docker-compose\", \"bash_script\": \"x\", \"b\": [1, {\"d\": 1.0, \"c\": \"é\\u0041\\n\"}], \
                            \"pre_launch_script\": \"\", \"a\": {}, \"docker_compose_file\": \"a: <b> &c\\nk\\\": v\" }\n";

    #[test]
    fn p6_each_form_is_the_text_that_its_tool_writes() {
        let sdk = "{\"a\":{},\"b\":[1,{\"c\":\"éA\\n\",\"d\":1}],\"bash_script\":\"x\",\
                   \"docker_compose_file\":\"a: <b> &c\\nk\\\": v\",\"pre_launch_script\":\"\",\"runner\":\"docker-compose\"}";
        let normalized = "{\"a\":{},\"b\":[1,{\"c\":\"éA\\n\",\"d\":1}],\
                          \"docker_compose_file\":\"a: <b> &c\\nk\\\": v\",\"runner\":\"docker-compose\"}";
        let go = sdk
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026");
        // The old package also ate blanks inside strings.
        let indented = "{\n    \"a\":{},\n    \"b\":[\n        1,\n        {\n            \"c\":\"éA\\n\",\n            \"d\":1\n        }\n    ],\n    \
                        \"docker_compose_file\":\"a: <b> &c\\nk\\\":v\",\n    \"runner\":\"docker-compose\"\n}";
        for (name, text) in [
            ("verbatim", DOCUMENT),
            ("sdk", sdk),
            ("sdk-normalized", normalized),
            ("phala-cloud-js", indented),
            ("go-html", &go),
        ] {
            assert_eq!(hash_of(DOCUMENT, name), sha(text), "{name}: {text}");
        }
    }

    #[test]
    fn what_phala_cloud_writes_is_its_own_form() {
        let document = "{\"allowed_envs\":[],\"docker_compose_file\":\"a\",\"manifest_version\":2,\"runner\":\"docker-compose\"}";
        assert_eq!(hash_of(document, "verbatim"), hash_of(document, "sdk"));
        assert_eq!(compose_forms(document).unwrap().1, [""; 0]);
    }

    #[test]
    fn numbers_and_keys_are_written_as_javascript_does() {
        let text = |json: &str| write(&serde_json::from_str(json).unwrap(), Style::Compact);
        for (json, expected) in [
            (
                "[1.0,-0.0,1e20,1e21,1.5e300]",
                "[1,0,100000000000000000000,1e+21,1.5e+300]",
            ),
            ("[0.000001,1e-7,0.1]", "[0.000001,1e-7,0.1]"),
            ("[9007199254740993]", "[9007199254740992]"),
            (
                r#"{"b":1,"10":1,"9":1,"01":1,"a":1}"#,
                r#"{"9":1,"10":1,"01":1,"a":1,"b":1}"#,
            ),
            (
                "{\"\u{ff5e}\":1,\"\u{1f600}\":2}",
                "{\"\u{1f600}\":2,\"\u{ff5e}\":1}",
            ),
        ] {
            assert_eq!(text(json), expected);
        }
    }

    #[test]
    fn what_tools_do_not_agree_on_is_said() {
        let doubts = |text: &str| compose_forms(text).unwrap().1.len();
        assert_eq!(doubts("{\"a\":[{\"b\":1}]}"), 0);
        assert_eq!(doubts("{\"a\":[{\"b\":1.5}]}"), 1);
        assert_eq!(doubts("{\"a\":null,\"b\":{\"\u{1f600}\":1.0}}"), 3);
    }

    #[test]
    fn p16_a_document_that_names_a_field_twice_has_no_one_hash() {
        for text in ["{\"a\":1,\"a\":2}", "{\"a\":{\"b\":1,\"\\u0062\":2}}"] {
            let error = compose_forms(text).unwrap_err();
            assert!(matches!(error, EvidenceError::Duplicate { .. }), "{error}");
        }
        let error = compose_forms("services:\n  a: 1\n").unwrap_err();
        assert!(matches!(error, EvidenceError::NotJson { .. }), "{error}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = compose_forms(&text);
        }

        #[test]
        fn the_order_of_fields_and_blanks_change_the_verbatim_hash_alone(
            fields in prop::collection::btree_map("[a-z]{1,4}", 0_u32..9, 2..6),
        ) {
            let written: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
            let forwards = format!("{{{}}}", written.join(", "));
            let backwards = format!("{{{}}}", written.into_iter().rev().collect::<Vec<_>>().join(",\n"));
            let (forwards, _) = compose_forms(&forwards).unwrap();
            let (backwards, _) = compose_forms(&backwards).unwrap();
            prop_assert_ne!(forwards[0].hash, backwards[0].hash);
            prop_assert_eq!(&forwards[1..], &backwards[1..]);
        }
    }
}
