//! Parser, schema, documentation and examples agree.

use std::path::Path;

use serde_json::Value;

use super::keys::keys;
use super::*;

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn assert_generated(path: &str, text: &str) {
    simulator::generated::assert_generated(&repository(path), text, "--lib config::file");
}

fn problem_of_schema(text: &str) -> Option<String> {
    let value: Value = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    schema::violation(&schema::schema(), &value, "file")
}

/// Every TOML text that a reader may copy: the example, and the blocks of the page.
fn examples() -> Vec<String> {
    let page = read(page::PATH);
    let blocks = page
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.chain([read("examples/cvm-verify.toml")]).collect()
}

#[test]
fn the_schema_and_the_page_are_made_from_the_table_of_keys() {
    let schema = serde_json::to_string_pretty(&schema::schema()).unwrap() + "\n";
    assert_generated(schema::PATH, &schema);
    assert_generated(page::PATH, &page::renewed(&read(page::PATH)));
}

#[test]
fn every_key_is_in_the_schema_the_page_and_the_parser() {
    let schema: Value = serde_json::from_str(&read(schema::PATH)).unwrap();
    let page = read(page::PATH);
    for key in keys() {
        let name = key.name;
        assert_eq!(
            !schema["properties"]["defaults"]["properties"][name].is_null(),
            key.in_defaults(),
            "{name}"
        );
        let of_target = &schema["properties"]["target"]["items"]["properties"];
        assert_eq!(!of_target[name].is_null(), key.in_target(), "{name}");
        assert!(page.contains(&format!("\n| `{name}` |")), "{name}");
        let needed = "[[target]]\nname = \"a\"\nurl = \"https://a.example\"\n";
        let line = format!("{name} = {}\n", key.example);
        let text = match (key.in_target(), name) {
            (_, "name" | "url") => needed.replace(&format!("{name} ="), "#") + &line,
            (true, _) => format!("{needed}{line}"),
            (false, _) => format!("[defaults]\n{line}{needed}"),
        };
        let (file, mistakes) = PolicyFile::read(text.as_bytes(), "f");
        assert_eq!(mistakes, [], "{text}");
        let settings = if key.in_target() {
            &file.targets[0].settings
        } else {
            &file.defaults
        };
        assert!(settings.one(name).is_some(), "{name}");
        assert_eq!(problem_of_schema(&text), None, "{text}");
    }
}

#[test]
fn every_example_is_right_for_parser_and_schema() {
    let examples = examples();
    assert!(examples.len() >= 2);
    for text in examples {
        let (_, mistakes) = PolicyFile::read(text.as_bytes(), "f");
        assert_eq!(mistakes, [], "{text}");
        assert_eq!(problem_of_schema(&text), None, "{text}");
    }
}

#[test]
fn what_the_schema_refuses_the_parser_refuses_too() {
    let target = "[[target]]\nname = \"a\"\nurl = \"https://a.example\"\n";
    for text in [
        "target = []\n".to_owned(),
        "[[target]]\nurl = \"https://a.example\"\n".to_owned(),
        format!("{target}nonsense = 1\n"),
        format!("{target}app-id = \"a0\"\n"),
        format!("{target}freshness = \"maybe\"\n"),
        format!("{target}accept-tcb = []\n"),
        format!("{target}accept-tcb = \"OutOfDate\"\n"),
        format!("{target}min-tcb-eval-data-number = -1\n"),
        format!("{target}slack-webhook-url-env = \"https://hooks.example\"\n"),
        format!("lock = \"x\"\n{target}"),
    ] {
        assert!(problem_of_schema(&text).is_some(), "{text}");
        assert!(!PolicyFile::read(text.as_bytes(), "f").1.is_empty(), "{text}");
    }
}

#[test]
fn every_key_is_an_option_or_names_a_variable_or_is_about_contracts() {
    let help = read("docs/options.md");
    let only_here = |name: &str| {
        ["name", "url", "images"].contains(&name)
            || name.starts_with("governance-")
            || name.starts_with("kms-")
    };
    for key in keys().filter(|key| !only_here(key.name)) {
        let typed = key.option.as_ref().map(|option| option.flag);
        let switch = SWITCHES.iter().find(|switch| switch.key == key.name);
        let flag = typed.or(switch.map(|switch| switch.flag));
        assert_ne!(flag.is_some(), key.name.ends_with("-env"), "{}", key.name);
        assert!(
            flag.is_none_or(|flag| help.contains(&format!(" {flag}"))),
            "{}",
            key.name
        );
    }
}

#[test]
fn every_switch_stands_for_a_word_of_its_key() {
    for switch in SWITCHES {
        let key = keys().find(|key| key.name == switch.key);
        let words = match key.map(|key| key.shape) {
            Some(ValueShape::Choice(words)) => words,
            other => panic!("{}: {other:?}", switch.flag),
        };
        assert!(words.contains(&switch.word), "{}", switch.flag);
        assert!(
            switch.flag.starts_with("--") && !switch.help.ends_with('.'),
            "{}",
            switch.flag
        );
    }
}

#[test]
fn every_row_of_an_option_is_whole() {
    for key in keys() {
        let Some(option) = &key.option else { continue };
        assert_eq!(option.flag, format!("--{}", key.name));
        assert!(
            key.says.ends_with('.') && !key.says.contains("]("),
            "{}",
            key.name
        );
        match key.shape {
            ValueShape::Choice(words) => {
                assert!([0, words.len()].contains(&option.values.len()), "{}", key.name);
            }
            _ => assert!(option.values.is_empty(), "{}", key.name),
        }
        assert!(!option.value.is_empty(), "{}", key.name);
    }
}
