//! Commands in the settings of programs that are no shells: `command=app %(ENV_NAME)s`, `exec: ["${NAME}"]`.

/// Last words of the names of settings whose value a program starts.
const OF_COMMANDS: [&str; 12] = [
    "cmd",
    "command",
    "commands",
    "entrypoint",
    "exec",
    "execstart",
    "hook",
    "program",
    "programs",
    "run",
    "script",
    "shell",
];

/// Names of settings, or their last words, whose value names code that a program loads.
const OF_CODE: [&str; 12] = [
    "auto_append_file",
    "auto_prepend_file",
    "extension",
    "import",
    "include",
    "loadmodule",
    "lua_package_cpath",
    "lua_package_path",
    "module",
    "plugin",
    "preload",
    "ssl_engine",
];

/// The values of the settings that name commands, with each variable as a shell has it.
pub(super) fn commands_of_settings(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        // Any variable in it decides code.
        commands.extend(
            value_of(line, &OF_CODE).map(|value| format!("eval \"{}\"", as_words(value).replace('"', ""))),
        );
        let Some(value) = value_of(line, &OF_COMMANDS) else {
            continue;
        };
        let mut words = vec![value];
        // The items of a list stand below.
        if value.is_empty() {
            let is_item = |line: &&str| line.trim_start().starts_with("- ");
            while let Some(item) = lines.next_if(is_item) {
                words.push(item.trim_start().trim_start_matches("- "));
            }
        }
        commands.push(as_words(words.join(" ").trim()));
    }
    commands
}

/// What stands behind `command =`, `command:` or `external-check command`.
fn value_of<'l>(line: &'l str, names: &[&str]) -> Option<&'l str> {
    let is_named = |name: &str| is_named(name, names);
    let line = line.trim().trim_start_matches("- ");
    let (name, value) = match line.find(['=', ':']) {
        Some(at) if is_named(line.get(..at)?) => line.split_at(at),
        _ => {
            let mut ends = line.match_indices(' ').map(|(at, _)| at).take(2);
            let at = ends.find(|at| line.get(..*at).is_some_and(is_named))?;
            line.split_at(at)
        }
    };
    (!name.starts_with(['#', ';', '/', '['])).then(|| value.trim_start_matches(['=', ':', '?', ' ']).trim())
}

fn is_named(name: &str, names: &[&str]) -> bool {
    let name = name.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let last = name
        .rsplit(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    names.contains(&last) || names.contains(&name.as_str())
}

/// `["a", "${b}"]` as words, and the variables of other settings as those of a shell: `%(ENV_NAME)s`, `${env:NAME}`.
fn as_words(value: &str) -> String {
    let value = match value.trim().strip_prefix('[') {
        Some(list) => list
            .trim_end_matches([',', ']'])
            .replace("\",", "\" ")
            .replace("',", "' "),
        None => value.to_owned(),
    };
    value
        .replace("%(ENV_", "${")
        .replace(")s", "}")
        .replace("${env:", "${")
        .replace("{$", "${")
}

/// Whether a text may read a variable: its name stands there, or a word for the environment.
pub(super) fn may_read(text: &str, name: &str) -> bool {
    let mut words = text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
    words.any(|word| word == name || word.to_ascii_lowercase().contains("env"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_settings_start_is_a_command() {
        for (text, command) in [
            ("[program:a]\ncommand=sh -c \"%(ENV_E)s\"", "sh -c \"${E}\""),
            ("commands = [\"${E}\"]", "\"${E}\""),
            (
                "  command: [\"sh\", \"-c\", \"${env:E}\"]",
                "\"sh\"  \"-c\"  \"${E}\"",
            ),
            ("  external-check command \"${E}\"", "\"${E}\""),
            ("exec:\n  - ${E}\n  - x", "${E} x"),
            ("\"command\": \"${E}\",", "\"${E}\","),
        ] {
            assert_eq!(commands_of_settings(text), [command], "{text}");
        }
        for text in [
            "extension=${E}",
            "load_module $E;",
            "LoadModule x ${E}",
            "auto_prepend_file = \"${E}\"",
            "plugin: $E",
        ] {
            let commands = commands_of_settings(text);
            assert!(
                commands.iter().any(|command| command.starts_with("eval")),
                "{text}"
            );
        }
        for text in ["# command=$E", "url=http://x", "listen 80;", "level: $E"] {
            assert_eq!(commands_of_settings(text), Vec::<String>::new(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(command|exec|[-=: \\[\\]\"'${}%()\nE,é]){0,40}") {
            let _ = commands_of_settings(&text);
        }
    }
}
