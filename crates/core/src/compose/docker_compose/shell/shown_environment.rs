//! Commands that say the values of all variables of their environment.

use super::interpreters::is_interpreter;
use super::paths::base_name;
use super::word::Word;

/// Among the names of variables: all that the environment holds, where a substitution shows it.
pub(super) const WHOLE_ENVIRONMENT: &str = "environment:";

/// Whether a script shows its whole environment inside a substitution. For the lines of a here-document, which are not read as commands.
pub(super) fn substitutes_environment(text: &str) -> bool {
    const SHOWS: [&str; 6] = ["env", "printenv", "set", "export", "export-p", "declare-p"];
    let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let opens = ["$(", "<(", "`"];
    SHOWS.iter().any(|shows| {
        let begins = |open: &&str| {
            let start = format!("{open}{shows}");
            [")", "|", "`"]
                .iter()
                .any(|end| dense.contains(&format!("{start}{end}")))
        };
        opens.iter().any(begins)
    })
}

/// Whether a path is the file of a process that holds its whole environment: `/proc/1/environ`.
pub(super) fn is_environment_file(path: &str) -> bool {
    let Some((folder, name)) = path.strip_prefix("/proc/").and_then(|path| path.rsplit_once('/')) else {
        return false;
    };
    let is_pattern = || {
        let start = name.split(['*', '?', '[']).next().unwrap_or_default();
        start != name && "environ".starts_with(start)
    };
    let is_process = !folder.contains('/') || folder.contains("/task/");
    is_process && (name == "environ" || is_pattern())
}

/// Whether a word names such a file, by itself or in a text of a script.
pub(super) fn names_environment_file(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || "=\"'`(),;|<>&".contains(c))
        .any(is_environment_file)
}

/// Whether a command says all variables of its environment.
pub(super) fn shows_all(name: &str, arguments: &[Word]) -> bool {
    let has_operand = arguments.iter().any(|word| !word.text.starts_with('-'));
    match name {
        // Its options change how the shell runs.
        "set" => arguments.is_empty(),
        "env" | "printenv" | "export" | "declare" | "typeset" | "readonly" => !has_operand,
        "envsubst" | "compgen" => true,
        _ => false,
    }
}

/// Whether words are those of a language that says a variable by a name that no shell replaces: `python -c "print(os.environ['A'])"`.
pub(super) fn says_variables(words: &[Word]) -> bool {
    const NAMES: [&str; 5] = ["ENVIRON", "environ", "environb", "getenv", "get_env"];
    const PARTS: [&str; 5] = ["$ENV.", "Deno.env", "ENV[", "ENV{", "process.env"];
    let is_jq = |name: &str| matches!(name, "gojq" | "jaq" | "jq" | "yq");
    let says = |word: &Word, is_jq: bool| {
        let mut names = word.text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
        names.any(|name| NAMES.contains(&name) || is_jq && matches!(name, "ENV" | "env"))
            || PARTS.iter().any(|part| word.text.contains(part))
    };
    let mut programs = words.iter().map(|word| base_name(&word.text));
    let Some(program) = programs.find(|name| is_interpreter(name) || is_jq(name)) else {
        return false;
    };
    words.iter().any(|word| says(word, is_jq(program)))
}
