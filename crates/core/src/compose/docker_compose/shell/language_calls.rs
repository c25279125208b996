//! Which statements of Python, Node, Ruby, Perl and PHP hand something to what executes text, starts programs or loads code.

use super::super::risky_names::is_risky_in_script;
use super::executing_words::{Executing, SETTINGS};
use super::interpreters::is_interpreter;
use super::language::Language;
use super::language_words::{behind, has_word, identifiers, is_part, is_plain_text, positions};
use super::paths::base_name;
use super::programs::is_wrapper;
use super::programs::{DOWNLOADERS, EXECUTORS, FETCHERS, RUN_TOOLS, RUNNERS};
use super::script_facts::ScriptFacts;

impl Language {
    /// Whether a statement hands something to what executes text, starts a program or loads code.
    pub(super) fn executes(self, statement: &str, script: &ScriptFacts) -> bool {
        let Executing {
            calls: called,
            words,
            parts,
        } = Executing::of(self);
        called.iter().any(|name| calls_with_a_value(statement, name))
            || words.iter().any(|word| has_word(statement, word))
            || parts.iter().any(|part| statement.contains(part))
            || match self {
                Self::Python => executes_in_python(statement, script),
                Self::Node => executes_in_node(statement, script),
                Self::Ruby => behind(statement, "IO").any(|after| after.starts_with('.')),
                Self::Perl => script.evaluates_patterns,
                Self::Php => calls_a_variable(statement),
            }
    }

    /// Whether a statement starts a program, whatever it hands to it.
    pub(super) fn starts(self, statement: &str, script: &ScriptFacts) -> bool {
        const STARTERS: [&str; 12] = [
            "Popen",
            "call",
            "check_call",
            "check_output",
            "exec",
            "execFile",
            "execFileSync",
            "execSync",
            "fork",
            "run",
            "spawn",
            "spawnSync",
        ];
        self.executes(statement, script)
            || Executing::of(self)
                .calls
                .iter()
                .any(|name| calls(statement, name))
            || script.may_start && STARTERS.iter().any(|name| calls(statement, name))
    }

    /// Whether a script gives another name to what executes text or starts programs, so that no statement shows it:
    /// `from os import system as s`, `run = child_process.execSync`.
    pub(super) fn renames(self, script: &str) -> bool {
        const NAMES: [&str; 18] = [
            "Function",
            "Popen",
            "call_user_func",
            "check_call",
            "check_output",
            "eval",
            "exec",
            "execFile",
            "execFileSync",
            "execSync",
            "import_module",
            "passthru",
            "popen",
            "require",
            "shell_exec",
            "spawn",
            "spawnSync",
            "system",
        ];
        NAMES.iter().any(|name| {
            positions(script, name).any(|(before, after)| {
                let is_value = ["as ", ")", ",", "]", "}", ";", "\n"]
                    .iter()
                    .any(|end| after.starts_with(end));
                let path = before.trim_end_matches(|c: char| c == '.' || is_part(c));
                let is_given = before.ends_with('.')
                    || path.trim_end().ends_with(['=', '(', ',', '[']) && !path.ends_with("==");
                after.trim_start().starts_with("as ") || is_given && (is_value || after.trim().is_empty())
            })
        })
    }
}

fn executes_in_python(statement: &str, script: &ScriptFacts) -> bool {
    const STARTERS: [&str; 5] = ["Popen", "call", "check_call", "check_output", "run"];
    let has_subprocess = || statement.contains("subprocess") || script.names_subprocess;
    let is_shell = || statement.contains("shell") && STARTERS.iter().any(|name| calls(statement, name));
    statement.contains('(') && script.imports_executing
        || calls(statement, "chdir") && script.imports_behind_chdir
        || statement.split_once('=').is_some_and(|(name, value)| {
            SETTINGS.contains(&name.trim().rsplit('.').next().unwrap_or_default())
                && !is_plain_text(value.trim())
        })
        || has_subprocess() && (is_shell() || STARTERS.iter().any(|name| starts_a_variable(statement, name)))
}

fn executes_in_node(statement: &str, script: &ScriptFacts) -> bool {
    const SHELLS: [&str; 3] = ["exec", "execSync", "fork"];
    const STARTERS: [&str; 4] = ["execFile", "execFileSync", "spawn", "spawnSync"];
    let called = |names: &[&str]| names.iter().any(|name| calls_with_a_value(statement, name));
    let starts = |names: &[&str]| names.iter().any(|name| starts_a_variable(statement, name));
    statement.contains(['(', '`']) && script.quotes_executing
        // A template behind a name is a call of it.
        || calls_with_a_template(statement)
        || statement.contains("new Command") && script.has_deno
        || has_word(statement, "Worker") && script.has_threads
        || starts(&["import", "require", "Worker"])
        || script.has_child_process
            && (called(&SHELLS) || starts(&STARTERS) || statement.contains("shell") && called(&STARTERS))
}

/// Whether a template stands behind `$`, outside of another one: a call of zx or Bun, which need no import where they start the script.
pub(super) fn calls_with_a_template(statement: &str) -> bool {
    // Where this stands, in one pass: a statement may have many templates.
    let mut is_inside = false;
    let mut is_behind_name = false;
    let mut is_behind_dollar = false;
    for c in statement.chars() {
        if c == '`' {
            if is_behind_dollar && !is_inside {
                return true;
            }
            is_inside = !is_inside;
        }
        is_behind_dollar = c == '$' && !is_behind_name;
        is_behind_name = is_part(c);
    }
    false
}

/// `$f(…)`, `new $class`: what a variable of PHP names.
fn calls_a_variable(statement: &str) -> bool {
    statement.contains("new $")
        || statement.split('$').skip(1).any(|after| {
            let rest = after.trim_start_matches(is_part);
            rest.len() < after.len() && rest.starts_with('(')
        })
}

/// Whether a program may execute one of its arguments, or fetch what it names.
pub(super) fn executes_its_arguments(program: &str) -> bool {
    is_interpreter(program)
        || is_wrapper(program)
        || DOWNLOADERS.contains(&program)
        || EXECUTORS.contains(&program)
        || FETCHERS.contains(&program)
        || RUN_TOOLS.contains(&program)
        || RUNNERS.contains(&program)
}

/// Whether a statement sets a variable of the environment by which programs load code, for the programs that the script starts.
pub(super) fn sets_risky_variable(statement: &str) -> bool {
    let Some((target, _)) = statement.split_once('=') else {
        return false;
    };
    ["env", "ENV"].iter().any(|part| target.contains(part)) && identifiers(target).any(is_risky_in_script)
}

/// Whether a statement writes a file.
pub(super) fn writes_file(statement: &str) -> bool {
    const WRITERS: [&str; 12] = [
        "appendFile",
        "appendFileSync",
        "copyfileobj",
        "createWriteStream",
        "file_put_contents",
        "fwrite",
        "urlretrieve",
        "write",
        "writeFile",
        "writeFileSync",
        "write_bytes",
        "write_text",
    ];
    WRITERS.iter().any(|name| has_word(statement, name))
}

/// Whether a statement names a file of a script, which may be loaded by its name.
pub(super) fn names_script(statement: &str) -> bool {
    let mut texts = statement.split(['"', '\'']);
    texts.any(|text| Language::of_file(text).is_some() || text.ends_with(".sh"))
}

/// Whether a function is called with something.
fn calls(statement: &str, name: &str) -> bool {
    behind(statement, name).any(is_call)
}

/// The same with something but fixed words.
fn calls_with_a_value(statement: &str, name: &str) -> bool {
    behind(statement, name).any(|after| is_call(after) && !is_handed_words(after))
}

fn is_call(after: &str) -> bool {
    let after = after.trim_start();
    after.starts_with('(') && !after.starts_with("()") || after.starts_with('`')
}

/// `("nginx -s reload")`: a fixed text of plain words, which names nothing that a shell or a language replaces.
fn is_handed_words(call: &str) -> bool {
    let text = call.trim_start().trim_start_matches('(').trim_start();
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    let parts = quote.and_then(|quote| text.get(1..)?.split_once(quote));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " _-./=,@+".contains(c);
    parts.is_some_and(|(words, rest)| words.chars().all(is_plain) && rest.trim_start().starts_with(')'))
}

/// Whether a list in brackets holds fixed texts alone. `list` begins behind the bracket.
fn is_fixed_list(list: &str) -> bool {
    let mut rest = list.trim_start();
    while let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let text = rest.get(1..).and_then(|rest| rest.split_once(quote));
        // A shell that is started so replaces `$NAME`.
        rest = match text {
            Some((text, behind)) if !text.contains('$') => behind.trim_start(),
            _ => return false,
        };
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    rest.starts_with(']')
}

/// Whether a function starts or loads what is no fixed text, or an interpreter.
fn starts_a_variable(statement: &str, name: &str) -> bool {
    behind(statement, name).any(|after| {
        let Some(first) = after.trim_start().strip_prefix('(') else {
            return false;
        };
        let first = first.trim_start();
        let has_fixed_list = first.strip_prefix('[').is_some_and(is_fixed_list);
        let first = first.trim_start_matches('[').trim_start();
        let Some(quote) = first.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return true;
        };
        let text = first.get(1..).and_then(|rest| rest.split_once(quote));
        let Some((program, rest)) = text else { return true };
        // A text that is put together, and a program that executes its arguments.
        let rest = rest.trim_start();
        let program = base_name(program);
        // What these take from the list alone is written in it. Others may read a script from their input.
        let is_fixed = has_fixed_list && (DOWNLOADERS.contains(&program) || FETCHERS.contains(&program));
        rest.starts_with(['+', '%', '.']) || executes_its_arguments(program) && !is_fixed
    })
}
