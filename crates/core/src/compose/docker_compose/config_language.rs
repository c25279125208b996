//! In which language a config's text is read, if not as a script of a shell: by its `#!`, else by the names under which containers mount it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::shell::Language;

/// The paths at which containers mount a config, by its name. A path that is not known is empty.
pub(super) type ConfigTargets = BTreeMap<String, BTreeSet<String>>;

/// Reads where the containers of a file mount its configs.
pub(super) fn config_targets(root: &Map<String, Value>) -> ConfigTargets {
    let mut targets = ConfigTargets::new();
    for section in ["services", "jobs"] {
        let containers = root.get(section).and_then(Value::as_object).into_iter().flatten();
        for container in containers.filter_map(|(_, container)| container.as_object()) {
            read(container, &mut targets);
            let before = container
                .get("pre_start")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            for container in before.filter_map(Value::as_object) {
                read(container, &mut targets);
            }
        }
    }
    targets
}

fn read(container: &Map<String, Value>, targets: &mut ConfigTargets) {
    for mount in container
        .get("configs")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let text = |key: &str| mount.get(key).and_then(Value::as_str);
        let Some(source) = mount.as_str().or_else(|| text("source")) else {
            continue;
        };
        let target = text("target").unwrap_or(source);
        let target = if target.contains('$') { "" } else { target };
        targets
            .entry(source.to_owned())
            .or_default()
            .insert(target.to_owned());
    }
}

/// The language of a text; nothing where it is read as one of a shell.
pub(super) fn config_language(text: &str, targets: Option<&BTreeSet<String>>) -> Option<Language> {
    if let Some(line) = text.strip_prefix("#!").and_then(|text| text.lines().next()) {
        let mut words = line
            .split_whitespace()
            .map(|word| word.rsplit('/').next().unwrap_or_default());
        let program = match words.next()? {
            "env" => words.find(|word| !word.starts_with('-') && !word.contains('='))?,
            program => program,
        };
        return Language::of_interpreter(program);
    }
    let mut languages = targets?.iter().map(|target| Language::of_file(target));
    let first = languages.next()??;
    languages.all(|language| language == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_of_the_language_that_every_reader_takes_it_for() {
        let of = |text: &str, targets: &[&str]| {
            let targets = targets.iter().map(|target| (*target).to_owned()).collect();
            config_language(text, Some(&targets))
        };
        assert_eq!(of("x", &["/app/m.py"]), Some(Language::Python));
        assert_eq!(
            of("#!/usr/bin/env python3\nx", &["/app/m"]),
            Some(Language::Python)
        );
        assert_eq!(of("#!/usr/bin/env -S node\nx", &["/app/m"]), Some(Language::Node));
        for (text, targets) in [
            ("#!/bin/sh\nx", &["/app/m.py"][..]),
            ("#!/opt/odd\nx", &["/app/m.py"]),
            ("x", &["/app/m.py", "/app/m.sh"]),
            ("x", &["/app/m.py", ""]),
            ("x", &["/app/m"]),
            ("x", &[]),
        ] {
            assert_eq!(of(text, targets), None, "{text} {targets:?}");
        }
        assert_eq!(config_language("x", None), None);
    }
}
