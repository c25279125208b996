//! Scripts of Python, Node, Ruby, Perl and PHP: which variables of the environment they read, and which of them they execute.
//!
//! A value that such a script reads is data. It is executed where a statement hands it to what executes text or starts programs. A
//! variable that is assigned from it holds it; where the script defines functions, each such statement counts for all that the script
//! reads.

use std::collections::BTreeSet;

use super::super::work::may_read;
use super::environment_copies::with_copies_named;
use super::host_data::HOST_DATA;
use super::language::Language;
use super::language_calls::{names_script, sets_risky_variable, writes_file};
use super::language_words::{behind, identifiers, is_part, statements};
use super::named_calls::hands_over;
use super::names::names_in;
use super::reader::MAX_SCRIPT_BYTES;
use super::script_arguments::may_read_arguments;
use super::script_facts::ScriptFacts;
use super::variable_use::{EVERY_VARIABLE, Use};

/// Libraries of Python that fill settings from the environment by the names of fields.
const FILL_SETTINGS: [&str; 6] = [
    "BaseSettings",
    "auto_env_var_prefix",
    "dynaconf",
    "pydantic_settings",
    "starlette.config",
    "typed_settings",
];

/// How often a text is looked at, about.
const PASSES: usize = 16;

impl Language {
    /// Whether a script may execute an argument that it is handed: which one it is, is not followed.
    pub(in crate::compose::docker_compose) fn executes_its_arguments(self, script: &str) -> bool {
        let facts = ScriptFacts::of(script);
        // Perl reads them by a word alone, such as `pop`.
        (self == Self::Perl || may_read_arguments(script))
            && statements(script).iter().any(|statement| {
                !statement.trim_start().starts_with("import ")
                    && (self.executes(statement, &facts) || hands_over(statement, &|text| !is_fixed(text)))
            })
    }

    /// What a script does with the variables for which `is_settable` holds.
    pub(in crate::compose::docker_compose) fn uses(
        self,
        script: &str,
        is_settable: &dyn Fn(&str) -> bool,
    ) -> Vec<(String, Use)> {
        if !may_read(script.len().saturating_mul(PASSES)) {
            return Vec::new();
        }
        let script = script.replace("['env']", ".env").replace("[\"env\"]", ".env");
        let script = &with_copies_named(&script);
        let settable: BTreeSet<&str> = identifiers(script).filter(|name| is_settable(name)).collect();
        let executed = |names: BTreeSet<&str>| {
            names
                .into_iter()
                .map(|name| (name.to_owned(), Use::Executed))
                .collect()
        };
        if script.len() > MAX_SCRIPT_BYTES || is_one_variable(script) {
            return executed(settable);
        }
        // Settings that a library fills from the environment: their names in the script are its own.
        let names = |library: &&str| behind(script, library).next().is_some();
        let fills_settings = self == Self::Python && FILL_SETTINGS.iter().any(names);
        let reads_whole = fills_settings || reads_all(script);
        let statements = statements(script);
        let defines = ["def ", "function", "=>", "lambda", "sub ", "->", "fn ("]
            .iter()
            .any(|word| script.contains(word));
        // `$NAME` is what a shell that the script starts makes of it, or a variable of the language of that name.
        let mentions = |statement: &str| {
            names_in(statement)
                .iter()
                .any(|name| settable.contains(name.as_str()))
        };
        let reads =
            |statement: &str| settable.iter().any(|name| reads(statement, name)) || mentions(statement);
        let reads_some = settable.iter().any(|name| self::reads(script, name)) || mentions(script);
        let matches_all = matches_environment(&statements);
        let mut holders = match matches_all {
            true => taken_of_cases(&statements),
            false => BTreeSet::new(),
        };
        add_holders(&mut holders, &statements, &|statement| {
            reads(statement) || reads_all(statement)
        });
        let mut uses = Vec::new();
        if is_settable(HOST_DATA) && self.executes_answers(script, &statements, is_settable) {
            uses.push((HOST_DATA.to_owned(), Use::Executed));
        }
        let renames = self.renames(script);
        // What a function is handed may be what the script reads.
        let handed = if reads_some || reads_whole {
            parameters(script)
        } else {
            BTreeSet::new()
        };
        let facts = ScriptFacts::of(script);
        let starts_some = statements.iter().any(|statement| self.starts(statement, &facts));
        // A file of a script may be loaded by its name alone.
        let opens = |statement: &str| statement.contains("open(") || writes_file(statement);
        let opens_script = statements
            .iter()
            .any(|statement| opens(statement) && names_script(statement));
        for statement in &statements {
            let is_held = || reads(statement) || reads_all(statement) || holds(statement, &holders);
            let is_argument =
                |text: &str| reads(text) || reads_all(text) || holds(text, &holders) || holds(text, &handed);
            let is_handed_over = hands_over(statement, &is_argument);
            let writes = writes_file(statement) && (starts_some || opens_script);
            let executes = self.executes(statement, &facts)
                || is_handed_over
                || (renames || writes || starts_some && sets_risky_variable(statement)) && is_held();
            if !executes {
                continue;
            }
            let substituted = names_in(statement);
            if reads_all(statement)
                || holds(statement, &holders)
                || is_handed_over
                || fills_settings
                || defines && (reads_some || reads_whole)
            {
                // Which of them it is, is not followed.
                uses.extend(executed(
                    settable
                        .iter()
                        .copied()
                        .filter(|name| {
                            matches_all
                                || fills_settings
                                || self::reads(script, name)
                                || names_in(script).contains(*name)
                        })
                        .collect(),
                ));
                if reads_whole {
                    uses.push((EVERY_VARIABLE.to_owned(), Use::Executed));
                }
            }
            let named = settable.iter().copied();
            uses.extend(executed(
                named
                    .filter(|name| self::reads(statement, name) || substituted.contains(*name))
                    .collect(),
            ));
        }
        let named = names_in(script);
        let read = settable
            .iter()
            .filter(|name| self::reads(script, name) || named.contains(**name));
        uses.extend(read.map(|name| ((*name).to_owned(), Use::Argument)));
        uses
    }
}

/// Whether a script is one variable and nothing else, so that whoever sets it writes the script.
fn is_one_variable(script: &str) -> bool {
    let whole = script.trim().trim_matches(['"', '\'']);
    whole.starts_with('$') && names_in(whole).len() == 1 && !whole.contains(['(', ';', '=', ' '])
}

/// `match os.environ:` with `case {"NAME": value}:`
fn matches_environment(statements: &[&str]) -> bool {
    let is_one =
        |statement: &&str| statement.trim_start().starts_with("match ") && statement.contains("environ");
    statements.iter().any(is_one)
}

/// The variables in its cases.
fn taken_of_cases<'t>(statements: &[&'t str]) -> BTreeSet<&'t str> {
    let cases = statements
        .iter()
        .filter(|statement| statement.trim_start().starts_with("case "));
    let patterns = cases.map(|statement| statement.split(':').rev().nth(1).unwrap_or_default());
    patterns.flat_map(identifiers).collect()
}

/// Adds the variables that hold what a statement reads, or what another one of them holds. Each round reaches one step further.
pub(super) fn add_holders<'t>(
    holders: &mut BTreeSet<&'t str>,
    statements: &[&'t str],
    reads: &dyn Fn(&str) -> bool,
) {
    for _ in 0..8 {
        let before = holders.len();
        for statement in statements {
            if reads(statement) || holds(statement, holders) {
                holders.extend(assigned(statement));
            }
        }
        if holders.len() == before {
            break;
        }
    }
}

/// Whether a statement reads a variable of the environment by its name.
fn reads(statement: &str, name: &str) -> bool {
    statement.match_indices(name).any(|(at, _)| {
        let (Some(before), Some(after)) = (statement.get(..at), statement.get(at + name.len()..)) else {
            return false;
        };
        let is_whole = !before.chars().next_back().is_some_and(is_part) && !after.starts_with(is_part);
        let start = before.char_indices().rev().nth(20).map_or(0, |(at, _)| at);
        let near = before.get(start..).unwrap_or_default();
        // `config("NAME")` of decouple.
        let is_config = before.ends_with("config(\"") || before.ends_with("config('");
        is_whole && (is_config || ["env", "ENV", "_SERVER"].iter().any(|part| near.contains(part)))
    })
}

/// Whether a statement reads the environment as a whole, or a variable of it whose name is not written out.
fn reads_all(statement: &str) -> bool {
    ["ENV", "_ENV", "env", "environ", "environb", "getenv"]
        .iter()
        .any(|word| {
            let alone = *word != "env" || statement.contains("process.env");
            alone && behind(statement, word).any(|after| reads_all_behind(word, statement, after))
        })
}

/// `after` is what stands behind the word by which a language names the environment.
fn reads_all_behind(word: &str, statement: &str, after: &str) -> bool {
    let after = after.trim_start();
    let member = after
        .strip_prefix('.')
        .map(|rest| identifiers(rest).next().unwrap_or_default());
    let after = match member {
        Some("get" | "fetch" | "getenv" | "key") => {
            after.trim_start_matches(|c: char| c == '.' || is_part(c))
        }
        Some("copy" | "setdefault" | "update" | "pop" | "clear") => return false,
        // `process.env.NAME`
        Some(_) => return word != "env",
        None => after,
    };
    match after.chars().next() {
        Some('(' | '[' | '{') => {
            let key = after.get(1..).unwrap_or_default().trim_start();
            let is_named_bare = after.starts_with('{') && key.starts_with(|c: char| c.is_ascii_uppercase());
            !(is_named_bare || key.starts_with(['"', '\'', ')']))
        }
        // A program is handed all of it, which executes nothing.
        Some(',' | ')' | '}' | '=') => statement.contains("Object."),
        Some(_) => true,
        None => !statement.contains("import"),
    }
}

/// Whether one of these variables stands in a statement.
pub(super) fn holds(statement: &str, holders: &BTreeSet<&str>) -> bool {
    identifiers(statement).any(|word| holders.contains(word))
}

/// The variables that a statement assigns.
fn assigned(statement: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _) in statement.match_indices('=') {
        let left = statement.get(..at).unwrap_or_default();
        let right = statement.get(at + 1..).unwrap_or_default();
        if left.ends_with(['=', '!', '<', '>']) || right.starts_with(['=', '>']) {
            continue;
        }
        // What stands before the name in the same statement is of another one.
        let is_in_call = left.matches('(').count() > left.matches(')').count();
        let left = left.rsplit([';', '\n', '(']).next().unwrap_or_default();
        let left = match is_in_call {
            // The name of an argument.
            true => left.rsplit(',').next().unwrap_or_default(),
            false => left,
        };
        names.extend(identifiers(left));
        break;
    }
    for word in ["for", "as", "foreach"] {
        for after in behind(statement, word) {
            let target = after.split(" in ").next().unwrap_or_default();
            let target = target.split([':', ')', '{', '\n']).next().unwrap_or_default();
            names.extend(identifiers(target));
        }
    }
    names.retain(|name| !matches!(*name, "const" | "let" | "var" | "my" | "our" | "in" | "of"));
    names
}

/// Names of what functions are handed: `def f(a, b)`, `function f(a)`, `(a) =>`, `lambda a:`.
fn parameters(script: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for word in ["def", "function", "fn"] {
        for after in behind(script, word) {
            let list = after.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
            names.extend(list.into_iter().flat_map(|(list, _)| identifiers(list)));
        }
    }
    for after in behind(script, "lambda") {
        names.extend(identifiers(after.split(':').next().unwrap_or_default()));
    }
    for (at, _) in script.match_indices("=>") {
        let before = script.get(..at).unwrap_or_default().trim_end();
        let start = before.trim_end_matches(')').rfind(['(', ',', '=', ';', '\n']);
        names.extend(identifiers(before.get(start.unwrap_or(0)..).unwrap_or_default()));
    }
    names
}

/// Whether an argument is a text of the script, or a number.
fn is_fixed(text: &str) -> bool {
    text.is_empty() || text.starts_with(['"', '\'']) || text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
#[path = "other_language_tests.rs"]
mod tests;
