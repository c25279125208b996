use serde_json::{Map, Value};

use super::*;
use crate::render::generated::{assert_generated_schema, schema_of};
use crate::render::samples;
use cvm_verify_core::report::{AlertRecord, Mode, Report, SCHEMA};

fn sample() -> Report {
    let targets = vec![samples::pass(), samples::fail(), samples::unreachable()];
    let mut report = samples::report(Mode::Live, targets);
    report.alerts = vec![AlertRecord {
        channel: "slack".to_owned(),
        event: "failed".to_owned(),
        delivered: true,
        detail: "200".to_owned(),
    }];
    report
}

fn schema() -> Value {
    schema_of::<Report>(SCHEMA)
}

#[test]
fn the_schema_in_the_repository_is_that_of_the_types() {
    assert_generated_schema::<Report>("schemas/report-v1.json", SCHEMA);
}

#[test]
fn a_report_is_what_the_schema_says() {
    let schema = schema();
    let report = serde_json::from_str(&json(&sample())).unwrap();
    let problems = problems(&schema, &schema, &report, "report");
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn the_schema_requires_every_field() {
    let schema = schema();
    let report: Value = serde_json::from_str(&json(&sample())).unwrap();
    for name in report.as_object().unwrap().keys() {
        let mut short = report.clone();
        short.as_object_mut().unwrap().remove(name);
        assert_eq!(
            problems(&schema, &schema, &short, "report"),
            [format!("report.{name} is missing")]
        );
    }
    let mut short = report;
    short["targets"][0]["checks"][0]
        .as_object_mut()
        .unwrap()
        .remove("fix");
    let missing = "report.targets[0].checks[0].fix is missing";
    assert_eq!(problems(&schema, &schema, &short, "report"), [missing]);
}

#[test]
fn json_ends_with_one_newline_and_reads_back() {
    let text = json(&sample());
    assert!(text.ends_with("}\n"));
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), sample());
}

#[test]
fn what_acts_on_a_terminal_or_a_runner_is_written_as_an_escape() {
    let mut report = sample();
    let hostile = "\u{1b}\u{7f}\u{9b}\u{202e}\u{e0041} ##[error] ##vso[x] \\##[ é \u{1f980}\n::error::";
    report.targets[0].name = hostile.to_owned();
    report.targets[0].tcb.advisory_ids = vec!["::error::".to_owned()];
    let text = json(&report);
    assert!(!text.chars().any(|c| c != '\n' && !is_plain(c)), "{text}");
    assert!(!text.contains("##[") && !text.contains("##vso["), "{text}");
    assert!(
        !text.lines().any(|line| line.trim_start().starts_with("::")),
        "{text}"
    );
    assert!(text.contains("é \u{1f980}"), "ordinary text stays readable");
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

/// What of a value contradicts a schema, as far as the report's schema goes: references, types, listed values,
/// required and unknown fields.
fn problems(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return problems(root, root.pointer(&reference[1..]).unwrap(), value, at);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(options) = schema[choice].as_array() {
            let fits = options
                .iter()
                .any(|option| problems(root, option, value, at).is_empty());
            return if fits {
                Vec::new()
            } else {
                vec![format!("{at}: {value} is no {choice}")]
            };
        }
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    let listed = schema["enum"]
        .as_array()
        .is_none_or(|values| values.contains(value));
    let constant = schema.get("const").is_none_or(|constant| constant == value);
    if !types.contains(&Value::from(type_of(value))) || !listed || !constant {
        return vec![format!("{at}: {value} is not of {schema}")];
    }
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, item)| problems(root, &schema["items"], item, &format!("{at}[{index}]")))
            .collect(),
        Value::Object(fields) => object_problems(root, schema, fields, at),
        _ => Vec::new(),
    }
}

fn object_problems(root: &Value, schema: &Value, fields: &Map<String, Value>, at: &str) -> Vec<String> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let missing = required
        .iter()
        .filter_map(Value::as_str)
        .filter(|name| !fields.contains_key(*name))
        .map(|name| format!("{at}.{name} is missing"));
    let inner = fields.iter().flat_map(|(name, value)| {
        let at = format!("{at}.{name}");
        match schema["properties"].get(name) {
            Some(schema) => problems(root, schema, value, &at),
            None => vec![format!("{at} is unknown")],
        }
    });
    missing.chain(inner).collect()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
