//! The JSON Schema of the policy file, for editors, made from the table of keys.

use serde_json::{Map, Value, json};

use super::keys::{PolicyKey, keys};
use super::page::explained;
use super::shape::{MAX_LIST, ValueShape};
use cvm_verify_core::evidence::MAX_KMS;

/// The keys of a block of `[[target.images]]`.
const RULE_KEYS: [&str; 16] = [
    "image",
    "repository",
    "repository-id",
    "workflow",
    "workflow-ref",
    "ref",
    "commit",
    "runner",
    "environment",
    "issuer",
    "accept",
    "attestation-repository",
    "from",
    "via",
    "provenance",
    "optional",
];

/// The file in the repository.
pub(super) const PATH: &str = "schemas/cvm-verify.toml.schema.json";

fn of_shape(shape: ValueShape) -> Value {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let hex = |least: usize, most: usize| text(&format!("^(0[xX])?([0-9a-fA-F]{{2}}){{{least},{most}}}$"));
    match shape {
        ValueShape::Name => text("^[A-Za-z0-9._-]{1,64}$"),
        ValueShape::Url => text("^\\s*(https://|http://(localhost|[^/?#]*\\.localhost|127\\.|\\[::1\\]))"),
        ValueShape::Images => images(),
        ValueShape::SourceRepository => text("^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$"),
        ValueShape::SourceWorkflow => text("\\.github/workflows/.+\\.ya?ml$"),
        ValueShape::SourceRefs => {
            json!({ "type": "array", "minItems": 1, "maxItems": MAX_LIST, "items": text("^refs/.+") })
        }
        ValueShape::SourceCommit => text("^[0-9a-fA-F]{40}$"),
        ValueShape::Paths => json!({
            "type": "array", "minItems": 1, "maxItems": MAX_LIST, "items": { "type": "string", "minLength": 1 },
        }),
        ValueShape::Path => json!({ "type": "string", "minLength": 1 }),
        ValueShape::Hex(bytes) => hex(bytes, bytes),
        ValueShape::HexUpTo(bytes) => hex(1, bytes),
        ValueShape::Choice(words) => json!({ "type": "string", "enum": words }),
        ValueShape::SecondHash => text("^(0[xX])?[0-9a-fA-F]{64}:until=[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
        ValueShape::OsImage => text("^(known|lock|unchecked|(0[xX])?[0-9a-fA-F]{64}|.*=.*)$"),
        ValueShape::KeyProvider => json!({ "type": "string", "minLength": 1 }),
        ValueShape::TcbExceptions => json!({
            "type": "array", "minItems": 1, "maxItems": MAX_LIST, "items": text("^[A-Za-z]+:until=[0-9]{4}-[0-9]{2}-[0-9]{2}(:advisories=.+)?$"),
        }),
        ValueShape::InstanceIds | ValueShape::Addresses => json!({
            "type": "array", "minItems": 1, "maxItems": MAX_LIST, "items": hex(20, 20),
        }),
        ValueShape::KmsHosts => json!({
            "type": "array", "minItems": 1, "maxItems": MAX_KMS, "items": text("^[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?$"),
        }),
        ValueShape::Hashes => json!({
            "type": "array", "minItems": 1, "maxItems": MAX_LIST, "items": hex(32, 32),
        }),
        ValueShape::PlatformIds => json!({
            "type": "array", "minItems": 1, "maxItems": MAX_LIST, "items": text("^([0-9a-fA-F]{64}|[0-9a-fA-F]{12})$"),
        }),
        ValueShape::GpuModels => json!({
            "type": "array", "minItems": 1, "maxItems": MAX_LIST, "items": text("^[A-Za-z0-9_]{1,16}$"),
        }),
        ValueShape::Key => text("^(0[xX])?([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$"),
        ValueShape::Domain => text("^[A-Za-z0-9.-]+$"),
        ValueShape::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        ValueShape::Assurance => text("^(hardware|code(\\+(endpoint(-replayable)?|source)){0,2})$"),
        ValueShape::Interval => text("^[0-9]+[smhd]$"),
        ValueShape::Endpoint => text("^/"),
        ValueShape::Variable => text("^(none|CVM_VERIFY_[A-Z0-9_]{1,64})$"),
    }
}

/// A block of `[[target.images]]`.
fn images() -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let member = |key: &&str| {
        let schema = match *key {
            "repository-id" => json!({ "type": "integer", "minimum": 0 }),
            "optional" => json!({ "type": "boolean" }),
            "ref" | "commit" | "accept" | "from" => json!({}),
            _ => text.clone(),
        };
        ((*key).to_owned(), schema)
    };
    let members: Map<String, Value> = RULE_KEYS.iter().map(member).collect();
    json!({
        "type": "array", "minItems": 1, "maxItems": MAX_LIST,
        "items": { "type": "object", "additionalProperties": false, "required": ["image"], "properties": members },
    })
}

fn properties(belongs: impl Fn(&PolicyKey) -> bool) -> Map<String, Value> {
    let property = |key: &PolicyKey| {
        let mut property = of_shape(key.shape);
        let default = match key.default {
            "" => String::new(),
            default => format!(" Default: {default}."),
        };
        property["description"] = json!(format!("{}{default}", explained(key)));
        (key.name.to_owned(), property)
    };
    keys().filter(|key| belongs(key)).map(property).collect()
}

/// The schema.
pub(super) fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "cvm-verify.toml",
        "description": "What cvm-verify verifies: targets, what each must be, and defaults for all.",
        "type": "object",
        "additionalProperties": false,
        "required": ["target"],
        "properties": {
            "defaults": {
                "description": "What holds for every target that does not say otherwise.",
                "type": "object",
                "additionalProperties": false,
                "properties": properties(PolicyKey::in_defaults),
            },
            "target": {
                "description": "The deployments to verify.",
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["name"],
                    "properties": properties(PolicyKey::in_target),
                },
            },
        },
    })
}

/// The first thing in which a value is not as a schema says. Knows the words that [`schema`] uses, and no others.
pub(super) fn violation(schema: &Value, value: &Value, at: &str) -> Option<String> {
    let object = schema.as_object().unwrap();
    object.iter().find_map(|(word, wants)| {
        let broken = || Some(format!("{at}: {word} {wants}: {value}"));
        let fine =
            match word.as_str() {
                "$schema" | "title" | "description" => true,
                "type" => match wants.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    other => panic!("no such type: {other}"),
                },
                "pattern" => regex::Regex::new(wants.as_str().unwrap())
                    .unwrap()
                    .is_match(value.as_str().unwrap_or_default()),
                "enum" => wants.as_array().unwrap().contains(value),
                "minLength" => value
                    .as_str()
                    .is_none_or(|text| text.len() as u64 >= wants.as_u64().unwrap()),
                "minItems" => value
                    .as_array()
                    .is_none_or(|items| items.len() as u64 >= wants.as_u64().unwrap()),
                "maxItems" => value
                    .as_array()
                    .is_none_or(|items| items.len() as u64 <= wants.as_u64().unwrap()),
                "minimum" => value
                    .as_i64()
                    .is_none_or(|number| number >= wants.as_i64().unwrap()),
                "maximum" => value
                    .as_i64()
                    .is_none_or(|number| number <= wants.as_i64().unwrap()),
                "required" => wants
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|key| !value[key.as_str().unwrap()].is_null()),
                "additionalProperties" => value
                    .as_object()
                    .is_none_or(|members| members.keys().all(|key| !schema["properties"][key].is_null())),
                "properties" => {
                    return value.as_object().into_iter().flatten().find_map(|(key, member)| {
                        violation(wants.get(key)?, member, &format!("{at}.{key}"))
                    });
                }
                "items" => {
                    return value
                        .as_array()
                        .into_iter()
                        .flatten()
                        .enumerate()
                        .find_map(|(index, item)| violation(wants, item, &format!("{at}[{index}]")));
                }
                other => panic!("the schema uses {other}, which this test does not know"),
            };
        if fine { None } else { broken() }
    })
}
