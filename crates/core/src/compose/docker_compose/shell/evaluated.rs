//! Programs and words of a shell that evaluate or execute one of their arguments.

use super::reader::Word;

/// Whether a program, or what a shell has built in, evaluates or executes one of its arguments.
pub(super) fn evaluates(name: &str, arguments: &[Word]) -> bool {
    let has = |options: &[&str]| {
        let is = |word: &Word| options.iter().any(|option| word.text.starts_with(option));
        arguments.iter().any(is)
    };
    match name {
        // Bash evaluates what it compares as numbers.
        "[[" => has(&["-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v"]),
        // An index in the name of a variable.
        "test" | "[" | "printf" => has(&["-v"]),
        "read" | "unset" | "mapfile" | "readarray" | "getopts" | "wait" => {
            arguments.iter().any(|word| !word.names.is_empty())
        }
        // Commands in a script of GNU sed.
        "sed" => {
            let mut words = arguments.iter();
            let mut has_script = false;
            while let Some(word) = words.next() {
                let is_option = word.text.starts_with('-');
                let is_script = matches!(word.text.as_str(), "-e" | "-f" | "--expression" | "--file");
                let script = if is_script { words.next() } else { Some(word) };
                let is_read = is_script || !is_option && !has_script;
                has_script |= is_read;
                if (is_read || is_option) && script.is_some_and(|word| !word.names.is_empty()) {
                    return true;
                }
            }
            false
        }
        "hash" | "enable" | "dotnet" | "mono" | "wasmtime" | "wasmer" | "kubectl" | "helm" | "crond"
        | "s6-svscan" => arguments.iter().any(|word| !word.names.is_empty()),
        "rsync" => names_code(arguments, &["-e", "--rsh", "--rsync-path"], false),
        "nginx" => names_code(arguments, &["-g", "-c", "-p"], false),
        "celery" => names_code(arguments, &["-A", "--app", "--config", "--workdir"], false),
        "flask" => names_code(arguments, &["-A", "--app"], false),
        "gunicorn" | "hypercorn" | "uvicorn" => names_code(
            arguments,
            &[
                "-c",
                "--config",
                "-k",
                "--worker-class",
                "--pythonpath",
                "--chdir",
                "--app-dir",
            ],
            true,
        ),
        "supervisord" => names_code(arguments, &["-c", "--configuration"], false),
        "tar" => has(&[
            "-F",
            "-I",
            "--checkpoint-action",
            "--info-script",
            "--new-volume-script",
            "--rmt-command",
            "--rsh-command",
            "--to-command",
            "--use-compress-program",
        ]),
        "psql" | "mysql" | "mariadb" | "mongosh" | "mongo" => {
            let mut words = arguments.iter();
            let is_script = |word: &Word| {
                let text = word.text.as_str();
                text.starts_with("-c")
                    || text.starts_with("-e")
                    || text.starts_with("--command")
                    || text.starts_with("--e")
            };
            while let Some(word) = words.next() {
                if is_script(word)
                    && (!word.names.is_empty() || words.next().is_some_and(|word| !word.names.is_empty()))
                {
                    return true;
                }
            }
            false
        }
        // Of a program that is not known here, what these options are named for.
        _ => {
            let starts = ["--exec", "--command", "--eval"];
            let is_starting = |word: &Word| starts.iter().any(|start| word.text.starts_with(start));
            let handed = arguments
                .iter()
                .zip(arguments.iter().skip(1).map(Some).chain([None]));
            handed.filter(|(word, _)| is_starting(word)).any(|(word, next)| {
                let next = next.filter(|_| !word.text.contains('='));
                !word.names.is_empty() || next.is_some_and(|word| !word.names.is_empty())
            })
        }
    }
}

/// Whether a variable stands in the argument of one of these options, or in the first operand.
fn names_code(arguments: &[Word], options: &[&str], operand: bool) -> bool {
    let mut before = "";
    let mut has_operand = false;
    for word in arguments {
        let text = word.text.as_str();
        let is_option = text.starts_with('-');
        let of_option =
            options.contains(&before) || is_option && options.iter().any(|option| text.starts_with(option));
        let is_operand = !is_option && !has_operand && (!before.starts_with('-') || before.contains('='));
        has_operand |= is_operand;
        if !word.names.is_empty() && (of_option || operand && is_operand) {
            return true;
        }
        before = text;
    }
    false
}
