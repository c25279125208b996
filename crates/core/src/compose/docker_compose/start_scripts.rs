//! Scripts of the compose document that run as root before Docker Compose: what in them something outside the document decides.
//!
//! A known script is Phala's own and is judged by its row in the table of scripts. Of any other this reads what variables, files of the
//! host and images without a digest decide; what its fixed text does is the author's.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::ComposeFile;
use super::images::is_pinned;
use super::judge::{Judge, text_of};
use super::place::{ComposePlace, item, shown, step};
use super::settable::{LaunchScript, Settable};
use super::shell::{EVERY_VARIABLE, GuestScript};

/// Judges the start scripts of a document's members.
pub(super) fn judge(
    members: &Map<String, Value>,
    script: LaunchScript,
    settable: &Settable,
    file: &mut ComposeFile,
) {
    if let (LaunchScript::Unknown, Some(value)) = (script, members.get("pre_launch_script")) {
        judge_value("pre_launch_script", value, settable, file);
    }
    match members.get("init_script") {
        Some(Value::Array(items)) => {
            for (index, each) in items.iter().enumerate() {
                judge_value(&item("init_script", index), each, settable, file);
            }
        }
        Some(value) => judge_value("init_script", value, settable, file),
        None => {}
    }
}

fn judge_value(path: &str, value: &Value, settable: &Settable, file: &mut ComposeFile) {
    let text = match value {
        Value::String(text) if text.trim().is_empty() => return,
        Value::String(text) => text,
        Value::Null => return,
        other => {
            let says = "is a script and is not text: write text, or remove it";
            return file
                .unmeasured
                .add(ComposePlace::new(path, &other.to_string(), says));
        }
    };
    let read = GuestScript::read(text, &|name| settable.is_handed_in(name), &is_pinned);
    let says = sentences(&read);
    let place = |says: &str| ComposePlace::new(path, text, says);
    match (says.is_empty(), read.images.is_empty() && read.engine.is_empty()) {
        (true, _) => file.start_scripts.add(place("")),
        (false, true) => file.unmeasured.add(place(&says)),
        (false, false) => file.unpinned.add(place(&says)),
    }
}

fn list(names: &BTreeSet<String>) -> String {
    let shown: Vec<String> = names.iter().map(|name| format!("`{}`", shown(name))).collect();
    shown.join(", ")
}

/// What a script has a container engine do, each with what to write instead.
fn sentences_of_engine(read: &GuestScript) -> Vec<String> {
    let mut says = Vec::new();
    if !read.images.is_empty() {
        says.push(format!(
            "it starts or fetches {} without a digest: write name@sha256:…",
            list(&read.images)
        ));
    }
    if !read.engine.is_empty() {
        says.push(format!(
            "it builds, loads or starts what is not pinned in the docker compose file ({}): start it there, with a digest",
            list(&read.engine)
        ));
    }
    says
}

impl Judge<'_> {
    /// Images that a container starts by the socket of the engine.
    pub(super) fn engine_of_container(&mut self, path: &str, container: &Map<String, Value>) {
        let member = |key: &str| container.get(key);
        let mut words = Vec::new();
        for key in ["entrypoint", "command"] {
            words.extend(member(key).map(|value| self.words(value)).unwrap_or_default());
        }
        let key = match member("command") {
            Some(_) => "command",
            None => "entrypoint",
        };
        self.engine_of_words(&step(path, key), member(key).unwrap_or(&Value::Null), &words);
        let health = member("healthcheck").and_then(|health| health.get("test"));
        if let Some(test) = health {
            let words = match test {
                Value::String(text) => vec!["sh".to_owned(), "-c".to_owned(), self.evaluated(text)],
                list => self.words(list).into_iter().skip(1).collect(),
            };
            let is_script = test.get(0).and_then(Value::as_str) == Some("CMD-SHELL");
            let shell = ["sh", "-c"].map(str::to_owned).into_iter().filter(|_| is_script);
            let words: Vec<String> = shell.chain(words).collect();
            self.engine_of_words(&step(&step(path, "healthcheck"), "test"), test, &words);
        }
        for key in ["post_start", "pre_stop"] {
            let hooks = member(key).and_then(Value::as_array).into_iter().flatten();
            for (at, hook) in hooks.enumerate() {
                if let Some(command) = hook.get("command") {
                    let words = self.words(command);
                    let path = step(&item(&step(path, key), at), "command");
                    self.engine_of_words(&path, command, &words);
                }
            }
        }
    }

    fn engine_of_words(&mut self, path: &str, value: &Value, words: &[String]) {
        let read = GuestScript::read_engine_of_container(words, &is_pinned);
        let says = sentences_of_engine(&read);
        if !says.is_empty() {
            let says = format!("has the Docker socket, and {}", says.join("; "));
            self.file
                .unpinned
                .add(ComposePlace::new(path, &text_of(value), says));
        }
    }
}

/// What a script takes from outside, each with what to write instead.
fn sentences(read: &GuestScript) -> String {
    let mut says = Vec::new();
    if read.is_too_long {
        says.push("it is too long or too deep to be read".to_owned());
    }
    if read.executed.contains(EVERY_VARIABLE) {
        says.push(
            "it may execute what it reads of its whole environment, which `allowed_envs` fills".to_owned(),
        );
    } else if !read.executed.is_empty() {
        says.push(format!(
            "it may execute what {} hold{}, from `allowed_envs` or the host: write the value, or hand it to a program as an argument \
             in quotes",
            list(&read.executed),
            if read.executed.len() == 1 { "s" } else { "" },
        ));
    }
    if read.executes_host_files {
        says.push(
            "it may execute data from the host (user_config, .host-shared, .decrypted-env, tables of the firmware, a disk, a share, an answer over plain HTTP): \
             write that text into the script, or use `https://`"
                .to_owned(),
        );
    }
    says.extend(sentences_of_engine(read));
    if !read.replaces.is_empty() {
        says.push(format!(
            "it may write {}, which is judged as it stands in the document: write the change into the docker compose file",
            list(&read.replaces)
        ));
    }
    says.join("; ")
}
