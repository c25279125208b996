//! What a script of Python, Node or another language says as a whole. It is read once, and each statement is judged by it.

use super::executing_words::{EXECUTING_MODULES, EXECUTING_PACKAGES};
use super::language_words::{has_word, identifiers};

/// What a script says as a whole.
pub(super) struct ScriptFacts {
    /// Python: whether it imports a module that executes.
    pub(super) imports_executing: bool,
    /// Python: whether it imports something behind `chdir`.
    pub(super) imports_behind_chdir: bool,
    /// Python: whether names of `subprocess` stand alone in it.
    pub(super) names_subprocess: bool,
    /// Node: whether it names a package that executes.
    pub(super) quotes_executing: bool,
    /// Node: whether it names Deno, threads, or the module that starts programs.
    pub(super) has_deno: bool,
    pub(super) has_threads: bool,
    pub(super) has_child_process: bool,
    /// Whether it has a module that starts programs.
    pub(super) may_start: bool,
    /// Perl: whether its patterns may execute.
    pub(super) evaluates_patterns: bool,
}

impl ScriptFacts {
    pub(super) fn of(script: &str) -> Self {
        let has = |part: &str| script.contains(part);
        Self {
            imports_executing: imports_one(script, &EXECUTING_MODULES),
            imports_behind_chdir: imports_behind(script, "chdir"),
            names_subprocess: has("from subprocess") || has("subprocess as"),
            quotes_executing: quotes_one(script, &EXECUTING_PACKAGES),
            has_deno: has("Deno"),
            has_threads: has("worker_threads"),
            has_child_process: has("child_process"),
            may_start: has("subprocess") || has("child_process"),
            evaluates_patterns: has("re 'eval'") || has("re \"eval\""),
        }
    }
}

/// Whether a script of Python imports one of these modules.
fn imports_one(script: &str, modules: &[&str]) -> bool {
    script.split([';', '\n']).any(|statement| {
        let statement = statement.trim_start();
        let is_import = ["import ", "from "]
            .iter()
            .any(|word| statement.starts_with(word));
        let named = statement.split(" import ").next().unwrap_or_default();
        is_import && identifiers(named).any(|name| modules.contains(&name))
    })
}

/// Whether a script of Python imports something behind a word: Python looks for it in the folder that the script stands in.
fn imports_behind(script: &str, word: &str) -> bool {
    let after = script.split_once(word).map_or("", |(_, after)| after);
    has_word(after, "import") || has_word(after, "__import__")
}

/// Whether a script of Node names one of these packages.
fn quotes_one(script: &str, packages: &[&str]) -> bool {
    let mut texts = script.split(['"', '\'', '`']);
    texts.any(|text| packages.contains(&text.strip_prefix("node:").unwrap_or(text)))
}
