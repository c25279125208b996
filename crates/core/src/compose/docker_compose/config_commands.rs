//! Commands in the settings of programs that are no shells: `command=app ${NAME}`, `exec: ["${NAME}"]`, `command => "#{ENV['NAME']}"`.
//!
//! Who fills in the value is not known: a shell that has quotes, or the program, before it reads the text as a command. So a variable in
//! such a text decides code wherever no script of a shell has that form; in a list it may be what is data in a list of arguments.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::config_settings::{Separator, Setting, SettingValue, settings, words_of};
use super::risky_names::is_risky_in_script;
use super::shell::{self, ItemUse, ListItem, Use, uses_of_list};

/// Last words of the names of settings whose value a program starts.
const OF_COMMANDS: [&str; 14] = [
    "cmd",
    "command",
    "entrypoint",
    "exec",
    "execstart",
    "hook",
    "init",
    "interpreter",
    "program",
    "run",
    "script",
    "shell",
    "shell_command",
    "spawn",
];

/// Those of lists of commands.
const OF_SEVERAL: [&str; 7] = [
    "cmds", "commands", "exec_map", "hooks", "programs", "scripts", "tasks",
];

/// Those of arguments.
const OF_ARGUMENTS: [&str; 2] = ["args", "arguments"];

/// Names of settings, or their last words, whose value names code that a program loads, or is code.
#[rustfmt::skip]
const OF_CODE: [&str; 50] = [
    "attach-daemon", "attach-daemon2", "auto_append_file", "auto_prepend_file", "callbacks", "code",
    "exec-as-root", "exec-as-user", "exec-asap", "exec-in-jail", "exec-post-app", "exec-post-jail",
    "exec-pre-app", "exec-pre-jail", "extension", "extfilterdefine", "failure_callback", "import",
    "include", "include_path", "includeoptional", "legion-attach-daemon", "loadfile", "loadmodule",
    "logging.config", "lua-load", "lua-load-per-thread", "lua-prepend-path", "lua_package_cpath",
    "lua_package_path", "luamaphandler", "luaquickhandler", "luaroot", "module", "perlmodule",
    "perlrequire", "plugin", "preload", "require", "scriptalias", "scriptaliasmatch", "sendmail_path",
    "smart-attach-daemon", "ssl_engine", "success_callback", "wsgi-file", "wsgiimportscript",
    "wsgipythonpath", "wsgiscriptalias", "wsgiscriptaliasmatch",
];

/// Beginnings of such names: `hook-pre-app` of uWSGI, `LuaHookAccessChecker` of httpd.
const OF_CODE_BEGINNINGS: [&str; 2] = ["hook-", "luahook"];

/// Settings of httpd whose value is a program where it begins with `|`.
const OF_PIPES: [&str; 5] = ["customlog", "errorlog", "forensiclog", "globallog", "transferlog"];

/// What is known of who reads a config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SettingsOf {
    /// Some program, or a shell.
    Any,
    /// What loads a text of its language. There, a text behind a word is not the value of a setting.
    Loader,
    /// The interpreter of its language: the text is a program, and an assignment in it sets a variable.
    Program,
}

/// The variables that settings start or load, each with the name of such a setting.
pub(super) fn executed_by_settings(
    text: &str,
    of: SettingsOf,
    is_outside: &dyn Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    let mut executed = BTreeMap::new();
    let takes_host_data = of != SettingsOf::Program && is_outside(shell::HOST_DATA) && shell::may_take(text);
    if !takes_host_data && !words(text).any(|(_, word)| is_outside(word)) {
        return executed;
    }
    let counts = |name: &str| {
        let setting = Setting {
            name: name.to_ascii_lowercase(),
            words: words_of(name),
            separator: Separator::OfShells,
            value: SettingValue::Text(""),
        };
        let all: [&[&str]; 4] = [&OF_COMMANDS, &OF_SEVERAL, &OF_ARGUMENTS, &OF_PIPES];
        is_of_code(&setting) || setting.name == LOGGING || all.iter().any(|names| setting.is_named(names))
    };
    let Some(settings) = settings(text, &counts) else {
        let named = referenced(text, is_outside).into_iter();
        return named.map(|name| (name, "command".to_owned())).collect();
    };
    for (line, setting) in lines_of_code(text) {
        let named = referenced(line, is_outside).into_iter();
        executed.extend(named.map(|name| (name, setting.to_owned())));
    }
    for setting in settings {
        if takes_host_data && setting.is_named(&OF_COMMANDS) && executes_host_data(&setting.value, is_outside)
        {
            executed.insert(shell::HOST_DATA.to_owned(), setting.name.clone());
        }
        for name in executed_by(&setting, of, is_outside) {
            executed.entry(name).or_insert_with(|| setting.name.clone());
        }
    }
    executed
}

/// The mapping of Spring Boot in which `config` names a file of Logback, which loads classes.
const LOGGING: &str = "logging";

fn is_of_code(setting: &Setting<'_>) -> bool {
    let begins = |start: &&str| setting.name.starts_with(*start);
    setting.is_named(&OF_CODE) || OF_CODE_BEGINNINGS.iter().any(begins)
}

/// Lines that say what is started or loaded in a form that no other setting has, each with the name of its setting.
fn lines_of_code(text: &str) -> impl Iterator<Item = (&str, &'static str)> {
    // `import.string "x" { content = sys.env("NAME") }` of Alloy.
    let has_imports = ["import.file", "import.git", "import.http", "import.string"]
        .iter()
        .any(|block| text.contains(block));
    text.lines().filter_map(move |line| {
        let start = line.trim_start();
        let is_import = ["content", "filename", "repository", "url"]
            .iter()
            .any(|name| start.starts_with(name) || line.contains(&format!("{{ {name}")));
        // A map of httpd whose values a program gives.
        if line.contains("prg:") {
            Some((line, "rewritemap"))
        } else if start.to_ascii_lowercase().starts_with("check program") {
            Some((line, "check program"))
        } else {
            (has_imports && is_import).then_some((line, "import"))
        }
    })
}

/// Whether a command executes what the host can send.
fn executes_host_data(command: &SettingValue<'_>, is_outside: &dyn Fn(&str) -> bool) -> bool {
    let uses = match command {
        SettingValue::Text(text) => shell::uses(text.trim().trim_matches('"'), is_outside),
        SettingValue::List(items) => {
            let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
            shell::uses_of_arguments(&items, is_outside)
        }
        SettingValue::Mapping(_) => return false,
    };
    uses.get(shell::HOST_DATA) == Some(&Use::Executed)
}

/// The variables in members of a document of JSON whose names are those of variables by which programs load code: `"NODE_OPTIONS": "${NAME}"` in
/// the environment of what a program starts.
pub(super) fn under_risky_names(document: &Value, is_outside: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![document];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => {
                for (name, member) in members {
                    let is_name = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
                        && !name.contains(|c: char| c.is_ascii_lowercase());
                    if let Some(text) = member.as_str()
                        && is_name
                    {
                        let named = referenced(text, is_outside);
                        if !named.is_empty() && is_risky_in_script(name) {
                            found.extend(named);
                        }
                    }
                    open.push(member);
                }
            }
            _ => {}
        }
    }
    found
}

fn executed_by(setting: &Setting<'_>, of: SettingsOf, is_outside: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let all = |text: &str| referenced(text, is_outside);
    let is_code = is_of_code(setting);
    if setting.name == LOGGING {
        let SettingValue::Mapping(text) = setting.value else {
            return BTreeSet::new();
        };
        let own = text
            .lines()
            .filter(|line| line.trim_start().starts_with("config:"));
        return own.flat_map(all).collect();
    }
    if setting.is_named(&OF_PIPES) {
        let SettingValue::Text(text) = setting.value else {
            return BTreeSet::new();
        };
        let first = text.trim_start_matches(['"', '\'']);
        return match first.starts_with(['$', '|']) && setting.separator == Separator::OfShells {
            true => all(first),
            false => BTreeSet::new(),
        };
    }
    if of == SettingsOf::Program {
        // In a program a variable of a name like these is its own.
        return match &setting.value {
            SettingValue::Text(text) => in_shell(text, is_code, is_outside),
            SettingValue::List(items) => in_shell(&items.join(" "), is_code, is_outside),
            SettingValue::Mapping(_) => BTreeSet::new(),
        };
    }
    let is_of_arguments = setting.is_named(&OF_ARGUMENTS);
    match &setting.value {
        SettingValue::Text(text) if setting.separator == Separator::OfShells => {
            // A shell has `NAME=$VALUE` with other names as well.
            match is_of_arguments {
                true => BTreeSet::new(),
                false => {
                    let mut names = in_shell(text, is_code, is_outside);
                    if of == SettingsOf::Any {
                        names.extend(referenced_otherwise(text, is_outside));
                    }
                    names
                }
            }
        }
        // Arguments by their names are judged as what these names say.
        SettingValue::Mapping(text) if is_of_arguments && has_names(text) => BTreeSet::new(),
        SettingValue::Text(text) | SettingValue::Mapping(text) => all(text),
        SettingValue::List(items) if is_code || setting.is_named(&OF_SEVERAL) => {
            items.iter().flat_map(|item| all(item)).collect()
        }
        SettingValue::List(items) => {
            let mut list = Vec::new();
            list.extend(is_of_arguments.then(ListItem::default));
            let open = items.iter().map(|item| (item, all(item)));
            let open: Vec<(&&str, BTreeSet<String>)> = open.collect();
            let before = list.len();
            list.extend(open.iter().map(|(item, names)| ListItem {
                // References of all forms count as one of a list.
                text: match names.is_empty() {
                    true => (**item).to_owned(),
                    false => marked(item, names),
                },
                is_open: !names.is_empty(),
            }));
            if let (true, Some(program)) = (is_of_arguments, list.first_mut()) {
                program.text = "app".to_owned();
            }
            let uses = uses_of_list(&list, false).into_iter().skip(before);
            let refused = uses.zip(open).filter(|(how, _)| *how != ItemUse::Argument);
            refused.flat_map(|(_, (_, names))| names).collect()
        }
    }
}

/// An item with `${NAME}` where a variable stands.
fn marked(item: &str, names: &BTreeSet<String>) -> String {
    let Some(name) = names.first() else {
        return item.to_owned();
    };
    match item.find(['$', '%', '{', '#', '<']) {
        Some(at) => format!("{}${{{name}}}", item.get(..at).unwrap_or_default()),
        None => format!("${{{name}}}"),
    }
}

/// What a shell executes of a text, or all that it names where the text is code.
fn in_shell(text: &str, is_code: bool, is_outside: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let text = text.replace("${env:", "${").replace("{$", "${");
    let text = match is_code {
        true => format!("eval \"{}\"", text.replace('"', "")),
        false => text,
    };
    let uses = shell::uses(&text, is_outside).into_iter();
    uses.filter(|(name, how)| {
        *how == Use::Executed && !matches!(name.as_str(), shell::EVERY_VARIABLE | shell::HOST_DATA)
    })
    .map(|(name, _)| name)
    .collect()
}

/// The variables that a text refers to, in whatever form.
pub(super) fn referenced(text: &str, is_outside: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    references(text, is_outside, &['$', '%', '{', '@'])
}

/// Those that it refers to in another form than that of shells.
fn referenced_otherwise(text: &str, is_outside: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    references(text, is_outside, &['%', '{', '@'])
}

/// `$NAME`, `${NAME}`, `{{ NAME }}`, `%NAME%`; beside a word for the environment the name alone: `ENV['NAME']`, `{{ env "NAME" }}`.
fn references(text: &str, is_outside: &dyn Fn(&str) -> bool, signs: &[char]) -> BTreeSet<String> {
    let names_environment = || text.to_ascii_lowercase().contains("env");
    let names_environment = std::cell::LazyCell::new(names_environment);
    let mut names = BTreeSet::new();
    for (at, word) in words(text) {
        let name = word
            .strip_prefix("ENV_")
            .filter(|name| is_outside(name))
            .unwrap_or(word);
        if !is_outside(name) {
            continue;
        }
        let before = text.get(..at).unwrap_or_default();
        let is_of_shell = before.ends_with("${") || before.ends_with('$');
        // `$(NAME)` of uWSGI: for a shell it is the output of a program of that name.
        let behind = text.get(at + word.len()..).unwrap_or_default();
        let is_in_parentheses = before.ends_with("$(") && behind.starts_with(')');
        let is_marked = match is_of_shell {
            true => signs.contains(&'$'),
            false => before.trim_end_matches(['.', ' ']).ends_with(signs) || before.ends_with("%("),
        } || is_in_parentheses;
        if is_marked || !is_of_shell && *names_environment {
            names.insert(name.to_owned());
        }
    }
    names
}

/// The words that may be names of variables, with where they begin.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let mut start = 0;
    text.split(move |c| !is_part(c)).map(move |word| {
        let at = start;
        // What separates words may take several bytes.
        start += word.len()
            + text
                .get(at + word.len()..)
                .and_then(|rest| rest.chars().next())
                .map_or(0, char::len_utf8);
        (at, word)
    })
}

/// Whether the keys of a mapping are names: no option (`-c`), no position and no single letter, and no list among them.
fn has_names(mapping: &str) -> bool {
    let is_name = |key: &str| {
        let key = key.trim().trim_matches(['"', '\'']);
        key.len() > 1 && key.starts_with(|first: char| first.is_ascii_alphabetic())
    };
    mapping
        .split(['{', '}', ',', '\n'])
        .all(|piece| match piece.split_once(':') {
            Some((key, _)) => is_name(key),
            None => !piece.trim_start().starts_with(['-', '[', '?']),
        })
}

/// Whether a text may read a variable: its name stands there, or a word for the environment.
pub(super) fn may_read(text: &str, name: &str) -> bool {
    let mut words = text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
    words.any(|word| word == name || word.to_ascii_lowercase().contains("env"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> bool {
        !executed_by_settings(text, SettingsOf::Any, &|name| name == "E").is_empty()
    }

    #[test]
    fn what_settings_start_or_load_is_executed() {
        for text in [
            "commands = [\"${E}\"]",
            "  command: [\"sh\", \"-c\", \"${env:E}\"]",
            "  external-check command \"${E}\"",
            "exec:\n  - ${E}\n  - x",
            "\"command\": \"${E}\",",
            "command: app --port ${E}",
            "command: [app, \"${E}\"]",
            "extension=${E}",
            "load_module $E;",
            "LoadModule x ${E}",
            "auto_prepend_file = \"${E}\"",
            "plugin: $E",
            "run: '{{ .Env.E }}'",
            "run: '{{E}}'",
            "run: é%E%",
            "ErrorLog ${E}/log",
            "hook-pre-app = exec:$(E)",
            "module = $(E)",
            "wsgi-file=$(E)",
            "attach-daemon = $(E)",
            "sendmail_path = ${E}",
            "include_path = ${E}",
            "ExtFilterDefine x cmd=\"${E}\"",
            "WSGIScriptAlias / ${E}",
            "ScriptAlias /x ${E}",
            "LuaHookAccessChecker ${E} x",
            "logging.config: ${E}",
            "logging:\n  level:\n    root: INFO\n  config: ${E}",
            "import.string \"x\" {\n  content = sys.env(\"E\")\n}",
            "check program x with path \"/bin/sh -c $E\"",
        ] {
            assert!(of(text), "{text}");
        }
        for text in [
            "# command=$E",
            "url=http://$E",
            "listen $E;",
            "level: $E",
            "command: [app, --port, \"${E}\"]",
            "args: [\"--token=${E}\"]",
            "http-socket = 0.0.0.0:$(E)",
            "fastrouter_keys = $(E)",
            "logging:\n  level:\n    root: ${E}\n  config: /logback.xml",
            "loki.write \"x\" {\n  url = sys.env(\"E\")\n}",
            "check process x with pidfile /x.pid\n  set mailserver $E",
            "command: E",
            "command: app\ntoken: ${E}",
            "ErrorLog /dev/stderr ${E}",
            "export RUN=\"1\"; exec app --port \"$E\"",
            "exec app --port \"$E\"",
        ] {
            assert!(!of(text), "{text}");
        }
        let of_program = |text: &str| executed_by_settings(text, SettingsOf::Program, &|name| name == "E");
        assert!(of_program("command = os.environ[\"E\"]").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(command|exec|args|[-=: \\[\\]\"'${}%()\nE,é]){0,40}") {
            let _ = of(&text);
        }
    }
}
