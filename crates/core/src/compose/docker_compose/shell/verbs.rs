//! What a program brings or lets in by a verb or an option, whatever program that is: `X plugin install "$NAME"`, `X clone "$NAME"`,
//! `X register --token "$NAME"`. There are too many such programs to list; they share few verbs.

use super::data_options::{AGENTS, OF_LISTENERS};
use super::paths::base_name;
use super::programs::{COREUTILS, HARMLESS};
use super::word::Word;

/// Words before `install` and `add` that say that code is brought: `plugin install`, `archive.install`, `app:install`.
#[rustfmt::skip]
const OF_CODE: [&str; 23] = [
    "addon", "addons", "app", "apps", "archive", "component", "components", "escript", "extension",
    "extensions", "module", "modules", "package", "packages", "pkg", "plugin", "plugins", "skill", "skills",
    "theme", "themes", "tool", "tools",
];
/// Options of such programs that take no word.
#[rustfmt::skip]
const ALONE: [&str; 15] = [
    "--activate", "--allow-root", "--batch", "--classic", "--dev", "--devmode",
    "--force", "--global", "--no-deps", "--no-input", "--non-interactive", "--quiet", "--system", "--user",
    "--yes",
];
/// Last parts of the names of options by which an agent is told who sends it what to run.
#[rustfmt::skip]
const OF_SENDERS: [&str; 16] = [
    "address", "authkey", "endpoint", "host", "instance", "join", "key", "master", "pool", "secret",
    "server", "servers", "token", "uri", "url", "websocket",
];
/// Options that name a file or a folder into which a program puts what it brings or makes.
#[rustfmt::skip]
const TARGETS: [&str; 14] = [
    "--dest", "--destination", "--download-dir", "--local-dir", "--local_dir", "--out", "--outfile", "--output",
    "--output-dir", "--output-directory", "--output-document", "--output-file", "-O", "-o",
];
/// Verbs of clients that bring files.
const BRINGING: [&str; 8] = [
    "checkout", "clone", "download", "fetch", "get", "import", "pull", "restore",
];
/// Verbs of those that copy them one way or the other: the last word is the target.
const COPYING: [&str; 6] = ["copy", "cp", "mirror", "move", "mv", "sync"];

/// Whether a program brings code by a name from outside, or runs what a machine sends that a variable names.
pub(super) fn brings_code(name: &str, arguments: &[Word]) -> bool {
    if COREUTILS.contains(&name) || HARMLESS.contains(&name) {
        return false;
    }
    installs(arguments) || names_plugins(arguments) || clones(name, arguments) || is_told_by(name, arguments)
}

/// Whether a variable stands behind `install`, as the first word or behind one of `OF_CODE`.
fn installs(arguments: &[Word]) -> bool {
    let (mut before, mut verb_before, mut has_verb) = ("", "", false);
    let mut operands = 0_usize;
    for word in arguments {
        let text = word.text.as_str();
        let previous = std::mem::replace(&mut before, text);
        if text.starts_with('-') {
            continue;
        }
        // The argument of an option that is not known to stand alone.
        let is_argument = previous.starts_with("--") && !previous.contains('=') && !ALONE.contains(&previous);
        if has_verb && !is_argument && (!word.names.is_empty() || word.is_split) {
            return true;
        }
        let (group, verb) = text.rsplit_once([':', '.']).unwrap_or((verb_before, text));
        let of_code = OF_CODE.contains(&base_name(group));
        has_verb |=
            verb == "install" && (operands == 0 && group.is_empty() || of_code) || verb == "add" && of_code;
        verb_before = text;
        operands += 1;
    }
    false
}

/// Whether a variable stands in an option that is named for plugins or extensions, or begins with `--install-`.
fn names_plugins(arguments: &[Word]) -> bool {
    let next = arguments.iter().skip(1).map(Some).chain([None]);
    arguments.iter().zip(next).any(|(word, next)| {
        let Some(option) = word.text.strip_prefix("--") else {
            return false;
        };
        let (option, has_value) = match option.split_once('=') {
            Some((option, _)) => (option, true),
            None => (option, false),
        };
        let option = option.to_ascii_lowercase();
        let mut parts = option.split(['-', '.', '_']);
        let first = parts.clone().next().unwrap_or_default();
        let is_switch = matches!(first, "disable" | "enable" | "list" | "no");
        let of_code = parts.any(|part| matches!(part, "extension" | "extensions" | "plugin" | "plugins"));
        let installs = first == "install" && !option.contains("cert");
        let value = if has_value { Some(word) } else { next };
        !is_switch && (of_code || installs) && value.is_some_and(|value| !value.names.is_empty())
    })
}

/// `gh repo clone "$NAME"`: a repository by its name.
fn clones(name: &str, arguments: &[Word]) -> bool {
    let mut operands = arguments.iter().filter(|word| !word.text.starts_with('-'));
    let is_verb = |word: &Word| word.text == "clone";
    let has_verb = operands.by_ref().take(2).any(is_verb);
    has_verb && !matches!(name, "btrfs" | "zfs") && operands.any(|word| !word.names.is_empty())
}

/// Whether a variable says which machine sends an agent what it runs, or lets others of a network log in.
fn is_told_by(name: &str, arguments: &[Word]) -> bool {
    let is_open = |word: Option<&Word>| word.is_some_and(|word| !word.names.is_empty());
    if matches!(name, "tailscale" | "tailscaled") {
        let lets_in = |word: &Word| matches!(word.text.as_str(), "--ssh" | "--ssh=true");
        return arguments.iter().any(lets_in) && arguments.iter().any(|word| is_open(Some(word)));
    }
    let next = arguments.iter().skip(1).map(Some).chain([None]);
    AGENTS.contains(&name)
        && arguments.iter().zip(next).any(|(word, next)| {
            let Some(option) = word.text.strip_prefix('-') else {
                return false;
            };
            let (option, value) = match option.split_once('=') {
                Some((option, _)) => (option, Some(word)),
                None => (option, next),
            };
            let option = option.to_ascii_lowercase();
            let mut parts = option.split(['-', '_', '.']);
            // `--node-ip-address` is its own.
            let is_own = parts
                .clone()
                .any(|part| OF_LISTENERS.contains(&part) || matches!(part, "dashboard" | "node"));
            let is_of_sender = parts.next_back().is_some_and(|last| OF_SENDERS.contains(&last));
            is_of_sender && !is_own && is_open(value)
        })
}

/// The files and folders into which a program puts what a variable names: behind an option for that, and of a client with verbs. Whatever
/// program it is, what stands there and is started later is what the variable names.
pub(super) fn targets_of_unknown<'w>(name: &str, arguments: &'w [Word]) -> Vec<&'w str> {
    let is_open = |word: &Word| !word.names.is_empty();
    if COREUTILS.contains(&name) || HARMLESS.contains(&name) || !arguments.iter().any(is_open) {
        return Vec::new();
    }
    let is_path = |text: &str| text.starts_with(['/', '.', '~']) && text.len() > 1;
    let mut found = Vec::new();
    let mut before = "";
    for word in arguments {
        let text = word.text.as_str();
        let previous = std::mem::replace(&mut before, text);
        match text.split_once('=') {
            Some((option, path)) if TARGETS.contains(&option) => found.push(path),
            _ if TARGETS.contains(&previous) && !text.starts_with('-') => found.push(text),
            _ => {}
        }
    }
    let mut operands = arguments.iter().filter(|word| !word.text.starts_with('-'));
    let verb = operands
        .by_ref()
        .take(3)
        .find(|word| BRINGING.contains(&word.text.as_str()) || COPYING.contains(&word.text.as_str()));
    let mut rest = operands.map(|word| word.text.as_str());
    match verb.map(|word| word.text.as_str()) {
        Some(verb) if COPYING.contains(&verb) => {
            let target = rest
                .next_back()
                .or_else(|| arguments.last().map(|word| word.text.as_str()));
            found.extend(target.filter(|text| is_path(text)));
        }
        // `--root=/app` beside such a verb.
        Some(_) => {
            let values = arguments.iter().filter_map(|word| word.text.split_once('='));
            found.extend(rest.filter(|text| is_path(text)));
            found.extend(values.map(|(_, value)| value).filter(|text| is_path(text)));
        }
        None => {}
    }
    found
}
