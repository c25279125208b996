//! In which language a config's text is read, if not as a script of a shell: by its `#!`, else by the names under which containers mount it.
//!
//! A name decides nothing: `sh /app/run.py` is a script of a shell. So a text is read in its language alone only where its interpreter is
//! what names its path in the docker compose file, and nothing else does.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::shell::{Language, NamedBy, NamedFile, is_started_in_list, is_started_in_script, names_in};
use super::words::split;
use super::work::may_read;

/// What the docker compose file says of its configs.
#[derive(Debug, Default)]
pub(super) struct ConfigReaders {
    /// The paths at which containers mount a config, by its name. A path that is not known is empty.
    targets: BTreeMap<String, BTreeSet<String>>,
    /// Words that containers are started with.
    lists: Vec<Vec<String>>,
    /// Scripts of shells: health checks, and other configs with their names.
    scripts: Vec<(Option<String>, String)>,
    /// By config: the lists of the containers that mount it. Each of them may start it, by whatever name.
    by_container: BTreeMap<String, BTreeSet<usize>>,
    /// Whether looking for every config in every text would take too long.
    is_too_much: bool,
    /// Values of environments.
    values: Vec<String>,
    /// By config: the images of the containers that mount it.
    images: BTreeMap<String, BTreeSet<String>>,
}

/// In which language a config is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConfigLanguage {
    /// A shell's.
    Shell,
    /// This one.
    Other(Language),
    /// This one, or a shell's.
    OtherOrShell(Language),
    /// One that is not read here.
    NotRead,
}

/// Bytes that are searched for the paths of configs, all texts for each path: beyond that every config is read as a shell's, too, and counts
/// as handed every variable.
const MAX_SEARCHED: usize = 2 * 1024 * 1024;

/// The configs that a container mounts, each with its path.
pub(super) fn mounted_configs(container: &Map<String, Value>) -> impl Iterator<Item = (&str, &str)> {
    let mounts = container.get("configs").and_then(Value::as_array);
    mounts.into_iter().flatten().filter_map(|mount| {
        let text = |key: &str| mount.get(key).and_then(Value::as_str);
        let source = mount.as_str().or_else(|| text("source"))?;
        Some((source, text("target").unwrap_or(source)))
    })
}

impl ConfigReaders {
    /// Reads where the containers of a file mount its configs, and what may read them.
    pub(super) fn of(root: &Map<String, Value>) -> Self {
        let mut readers = Self::default();
        if root.get("configs").is_none() {
            return readers;
        }
        for section in ["services", "jobs"] {
            let containers = root.get(section).and_then(Value::as_object).into_iter().flatten();
            for container in containers.filter_map(|(_, container)| container.as_object()) {
                readers.container(container);
                for container in objects(container.get("pre_start")) {
                    readers.container(container);
                }
            }
        }
        for (name, config) in root
            .get("configs")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if let Some(content) = config.get("content").and_then(Value::as_str) {
                readers.scripts.push((Some(name.clone()), literal(content)));
            }
        }
        let words = readers.lists.iter().flatten();
        let scripts = readers.scripts.iter().map(|(_, script)| script);
        let texts = words.chain(scripts).chain(&readers.values);
        let bytes: usize = texts.map(|text| text.len().saturating_add(1)).sum();
        let targets: usize = readers.targets.values().map(BTreeSet::len).sum();
        readers.is_too_much = bytes.saturating_mul(targets) > MAX_SEARCHED;
        readers
    }

    fn container(&mut self, container: &Map<String, Value>) {
        let mut sources = Vec::new();
        for (source, target) in mounted_configs(container) {
            let target = if target.contains('$') { "" } else { target };
            sources.push(source.to_owned());
            self.targets
                .entry(source.to_owned())
                .or_default()
                .insert(target.to_owned());
        }
        let entrypoint = container.get("entrypoint").map(words).unwrap_or_default();
        let command = container.get("command").map(words).unwrap_or_default();
        let first = self.lists.len();
        self.lists.push(entrypoint.into_iter().chain(command).collect());
        for hook in ["post_start", "pre_stop"] {
            for hook in objects(container.get(hook)) {
                self.lists.extend(hook.get("command").map(words));
                self.environment(hook.get("environment"));
            }
        }
        match container.get("healthcheck").and_then(|check| check.get("test")) {
            Some(Value::String(text)) => self.scripts.push((None, literal(text))),
            Some(list) => {
                let words = words(list);
                match words.first().map(String::as_str) {
                    Some("CMD-SHELL") => {
                        let scripts = words.into_iter().skip(1);
                        self.scripts.extend(scripts.map(|script| (None, script)));
                    }
                    first => {
                        let skip = usize::from(first == Some("CMD"));
                        self.lists.push(words.into_iter().skip(skip).collect());
                    }
                }
            }
            None => {}
        }
        let image = container.get("image").and_then(Value::as_str);
        for source in sources {
            let images = self.images.entry(source.clone()).or_default();
            images.extend(image.map(str::to_owned));
            let own = self.by_container.entry(source).or_default();
            own.extend(first..self.lists.len());
        }
        self.environment(container.get("environment"));
    }

    fn environment(&mut self, entries: Option<&Value>) {
        let values: Vec<&Value> = match entries {
            Some(Value::Object(members)) => members.values().collect(),
            Some(Value::Array(items)) => items.iter().collect(),
            _ => Vec::new(),
        };
        let texts = values.into_iter().filter_map(Value::as_str);
        self.values.extend(texts.map(literal));
    }

    /// The text of a config.
    pub(super) fn text(&self, config: &str) -> Option<&str> {
        let mut scripts = self.scripts.iter();
        let (_, text) = scripts.find(|(name, _)| name.as_deref() == Some(config))?;
        Some(text)
    }

    /// The language of the text of a config.
    pub(super) fn language(&self, config: Option<&str>, text: &str) -> ConfigLanguage {
        let targets = config.and_then(|config| self.targets.get(config));
        let Some(language) = language_by_name(text, targets) else {
            return match self.is_not_read(targets, text) {
                true => ConfigLanguage::NotRead,
                false => ConfigLanguage::Shell,
            };
        };
        if self.is_too_much {
            return ConfigLanguage::OtherOrShell(language);
        }
        let paths = targets.into_iter().flatten();
        let is_only = paths.clone().count() > 0
            && paths.into_iter().all(|path| {
                let file = NamedFile {
                    path,
                    language,
                    names_interpreter: text.starts_with("#!"),
                };
                self.named_by(config, &file) == NamedBy::Interpreter
            });
        match is_only {
            true => ConfigLanguage::Other(language),
            false => ConfigLanguage::OtherOrShell(language),
        }
    }

    /// Whether a text is a script of a shell by its first line, by the names of all its paths, or by what names it.
    pub(super) fn is_shell_script(&self, config: Option<&str>, text: &str) -> bool {
        const SHELLS: [&str; 6] = ["sh", "ash", "bash", "dash", "ksh", "zsh"];
        let is_shell = |word: &str| SHELLS.contains(&word.rsplit('/').next().unwrap_or_default());
        if let Some(line) = text.strip_prefix("#!").and_then(|text| text.lines().next()) {
            return line.split_whitespace().any(is_shell);
        }
        let mut paths = self.paths(config).peekable();
        let is_named = |path: &str| path.ends_with(".sh") || path.ends_with(".bash");
        paths.peek().is_some() && paths.all(is_named)
    }

    /// Whether a shell may read a config as a script, whatever its text is: by what names its paths.
    pub(super) fn may_be_started(&self, config: Option<&str>) -> bool {
        let mut paths = self.paths(config).peekable();
        if paths.peek().is_none() || self.is_too_much {
            return true;
        }
        let others = || {
            let scripts = self.scripts.iter();
            scripts.filter(|(name, _)| name.is_none() || name.as_deref() != config)
        };
        paths.any(|path| {
            path.is_empty()
                || self.lists.iter().any(|words| is_started_in_list(path, words))
                || others().any(|(_, script)| is_started_in_script(path, script))
                || self
                    .values
                    .iter()
                    // A path alone is what a program reads.
                    .any(|value| value.contains(char::is_whitespace) && is_started_in_script(path, value))
        })
    }

    /// Whether a text is a script of a language that is not read here: its first line, the names of its paths, or a program that is handed
    /// one of them say so.
    fn is_not_read(&self, targets: Option<&BTreeSet<String>>, text: &str) -> bool {
        let program = |word: &str| {
            let name = word.rsplit('/').next().unwrap_or_default();
            name == "execlineb" || Language::is_not_read(name)
        };
        let first = text.strip_prefix("#!").and_then(|text| text.lines().next());
        if first.is_some_and(|line| line.split_whitespace().any(program)) {
            return true;
        }
        let mut targets = targets.into_iter().flatten();
        targets.any(|target| {
            let name = target.rsplit('/').next().unwrap_or_default();
            let starts_it = |text: &str| {
                let words = text.split(|c: char| c.is_whitespace() || "\"';|&()".contains(c));
                // A config may have the name of a program, and a table of cron is read as one.
                let mut others = words.filter(|word| !names_file(word, target) && !word.ends_with("crontab"));
                !name.is_empty() && text.contains(name) && others.any(program)
            };
            let all = self.scripts.iter().map(|(_, script)| script.len());
            !may_read(all.sum::<usize>().saturating_add(text.len()))
                || Language::is_file_not_read(target, text)
                || self.lists.iter().any(|words| starts_it(&words.join(" ")))
                || self.scripts.iter().any(|(_, script)| starts_it(script))
        })
    }

    /// The paths at which containers mount a config.
    pub(super) fn paths(&self, config: Option<&str>) -> impl Iterator<Item = &str> {
        let targets = config.and_then(|config| self.targets.get(config));
        targets.into_iter().flatten().map(String::as_str)
    }

    /// The images of the containers that mount it.
    pub(super) fn images(&self, config: Option<&str>) -> impl Iterator<Item = &str> {
        let images = config.and_then(|config| self.images.get(config));
        images.into_iter().flatten().map(String::as_str)
    }

    /// The words of the lists that start those containers.
    pub(super) fn words_beside(&self, config: Option<&str>) -> impl Iterator<Item = &str> {
        let own = config.and_then(|config| self.by_container.get(config));
        let lists = own.into_iter().flatten().filter_map(|at| self.lists.get(*at));
        lists.flatten().map(String::as_str)
    }

    /// Whether something that names a config, and so may hand it arguments, holds a variable for which `is_set` holds.
    pub(super) fn is_handed(&self, config: Option<&str>, is_set: &dyn Fn(&str) -> bool) -> bool {
        let targets = config.and_then(|config| self.targets.get(config));
        let names_it = |text: &str| {
            let mut names = targets
                .into_iter()
                .flatten()
                .map(|path| path.rsplit('/').next().unwrap_or_default());
            names.any(|name| text.contains(name))
        };
        let holds = |text: &str| names_in(text).iter().any(|name| is_set(name));
        if self.is_too_much {
            return true;
        }
        let by_container = config
            .and_then(|config| self.by_container.get(config))
            .into_iter()
            .flatten();
        let mut words = by_container.filter_map(|at| self.lists.get(*at)).flatten();
        if words.any(|word| holds(word)) {
            return true;
        }
        let lists = self.lists.iter().map(|words| words.join(" "));
        let others = self
            .scripts
            .iter()
            .filter(|(name, _)| name.is_none() || name.as_deref() != config);
        let mut texts = lists.chain(others.map(|(_, script)| script.clone()));
        texts.any(|text| names_it(&text) && holds(&text))
    }

    /// Who names a file, a script of the config itself aside.
    fn named_by(&self, config: Option<&str>, file: &NamedFile<'_>) -> NamedBy {
        let lists = self.lists.iter().map(|words| file.named_in_list(words));
        let others = self.scripts.iter();
        let others = others.filter(|(name, _)| name.is_none() || name.as_deref() != config);
        let scripts = others.map(|(_, script)| file.named_in_script(script));
        let values = self.values.iter().map(|value| match file.named_in_script(value) {
            NamedBy::Nothing => NamedBy::Nothing,
            NamedBy::Interpreter | NamedBy::Other => NamedBy::Other,
        });
        lists
            .chain(scripts)
            .chain(values)
            .max()
            .unwrap_or(NamedBy::Nothing)
    }
}

/// Whether a word is the path of a file, or ends as it does: `/app/awk`, `./awk`. The name alone is that of a program.
fn names_file(word: &str, path: &str) -> bool {
    let word = word.trim_start_matches("./");
    word.contains('/') && path.ends_with(word)
        || word.rsplit_once('=').is_some_and(|(_, value)| value == path)
}

/// The text that a container has: a doubled dollar is one.
fn literal(text: &str) -> String {
    text.replace("$$", "$")
}

fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => split(&literal(text)),
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(literal).collect(),
        _ => Vec::new(),
    }
}

fn objects(value: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_object)
}

/// The language that the first line or the names say; nothing where that is a shell's.
fn language_by_name(text: &str, targets: Option<&BTreeSet<String>>) -> Option<Language> {
    if let Some(line) = text.strip_prefix("#!").and_then(|text| text.lines().next()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let program = match words.as_slice() {
            [env, "-S", program, ..] | [env, program] if env.ends_with("/env") => program,
            [env, ..] if env.ends_with("/env") => return None,
            [program, ..] => program,
            [] => return None,
        };
        return Language::of_interpreter(program.rsplit('/').next().unwrap_or_default());
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
            language_by_name(text, Some(&targets))
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
            ("#!/usr/bin/env -u python3 sh\nx", &["/app/m.py"]),
            ("#!/usr/bin/env -S A=python3 sh\nx", &["/app/m.py"]),
            ("x", &["/app/m.py", "/app/m.sh"]),
            ("x", &["/app/m.py", ""]),
            ("x", &["/app/m"]),
            ("x", &[]),
        ] {
            assert_eq!(of(text, targets), None, "{text} {targets:?}");
        }
        assert_eq!(language_by_name("x", None), None);
    }

    #[test]
    fn a_text_is_of_its_language_alone_where_its_interpreter_alone_names_it() {
        let of = |service: Value| {
            let mut service = service;
            service["configs"] = serde_json::json!([{ "source": "main", "target": "/app/main.py" }]);
            let root = serde_json::json!({
                "services": { "app": service },
                "configs": { "main": { "content": "x" }, "other": { "content": "#!/bin/sh\nexec app" } },
            });
            ConfigReaders::of(root.as_object().unwrap()).language(Some("main"), "x")
        };
        for service in [
            serde_json::json!({ "command": ["python", "/app/main.py"] }),
            serde_json::json!({ "command": "python /app/main.py" }),
            serde_json::json!({ "entrypoint": ["python"], "command": ["/app/main.py"] }),
            serde_json::json!({ "command": ["sh", "-c", "exec python /app/main.py"] }),
        ] {
            assert_eq!(
                of(service.clone()),
                ConfigLanguage::Other(Language::Python),
                "{service}"
            );
        }
        for service in [
            serde_json::json!({}),
            serde_json::json!({ "command": ["sh", "/app/main.py"] }),
            serde_json::json!({ "command": ["python", "/app/main.py"], "healthcheck": { "test": "sh /app/main.py" } }),
            serde_json::json!({ "command": ["python", "/app/main.py"], "healthcheck": { "test": ["CMD", "sh", "/app/main.py"] } }),
            serde_json::json!({ "command": ["python", "/app/main.py"], "post_start": [{ "command": "sh /app/main.py" }] }),
            serde_json::json!({ "command": ["python", "/app/main.py"], "pre_start": [{ "command": ["sh", "/app/main.py"] }] }),
            serde_json::json!({ "command": ["python", "/app/main.py"], "environment": { "BASH_ENV": "/app/main.py" } }),
            serde_json::json!({ "command": ["python", "/app/main.py"], "environment": ["RUN=python /app/main.py"] }),
            serde_json::json!({ "command": ["sh", "-c", "python /app/main.py; . /app/main.py"] }),
            serde_json::json!({ "command": ["/app/main.py"] }),
        ] {
            let expected = ConfigLanguage::OtherOrShell(Language::Python);
            assert_eq!(of(service.clone()), expected, "{service}");
        }
    }
}
