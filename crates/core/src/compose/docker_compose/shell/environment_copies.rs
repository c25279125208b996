//! Scripts of Python and Node in which a variable holds a copy of the environment: `settings = dict(os.environ)`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::language_words::{identifiers, is_part, statements};

/// How the whole environment is named, and what a statement may begin with that takes a copy of it.
const NAMES: [&str; 3] = ["os.environ", "environ", "process.env"];
const COPIES: [&str; 9] = [
    "copy(",
    "copy.copy(",
    "copy.deepcopy(",
    "dict(",
    "os.environ",
    "environ",
    "process.env",
    "Object.assign(",
    "{",
];

/// The script with the environment in the place of each variable that holds a copy of it.
pub(super) fn with_copies_named(script: &str) -> Cow<'_, str> {
    if !NAMES.iter().any(|name| script.contains(name)) {
        return Cow::Borrowed(script);
    }
    let copies: BTreeMap<&str, &str> = statements(script).into_iter().filter_map(copy).collect();
    if copies.is_empty() {
        return Cow::Borrowed(script);
    }
    let mut named = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(start) = rest.find(is_part) {
        let (between, word) = rest.split_at(start);
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (word, behind) = word.split_at(end);
        let is_member = between.ends_with('.') && !between.ends_with("...");
        let is_assigned = behind
            .trim_start()
            .strip_prefix('=')
            .is_some_and(|rest| !rest.starts_with('='));
        named.push_str(between);
        named.push_str(match copies.get(word) {
            Some(environment) if !is_member && !is_assigned => environment,
            _ => word,
        });
        rest = behind;
    }
    named.push_str(rest);
    Cow::Owned(named)
}

/// The variable to which a statement assigns the whole environment, and how that is called there.
fn copy(statement: &str) -> Option<(&str, &'static str)> {
    let (left, right) = statement.split_once('=')?;
    let name = identifiers(left).last().filter(|name| *name != "env")?;
    let right = right.trim();
    // A member of the environment, or an argument of another call.
    if left.trim_end().ends_with([']', ')', '}']) || !COPIES.iter().any(|start| right.starts_with(start)) {
        return None;
    }
    let (environment, after) = NAMES
        .iter()
        .find_map(|name| Some((*name, right.split_once(name)?.1)))?;
    let after = after.trim_start();
    let is_whole = after.is_empty() || after.starts_with([')', '}', ',']) || after.starts_with(".copy(");
    let is_spread = !right.starts_with('{') || right.contains("...process") || right.contains("**");
    (is_whole && is_spread).then_some((name, environment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_environment_is_the_environment() {
        for (script, named) in [
            (
                "d=dict(os.environ)\nos.system(d[\"A\"])",
                "d=dict(os.environ)\nos.system(os.environ[\"A\"])",
            ),
            (
                "s = os.environ.copy(); f(s['A'])",
                "s = os.environ.copy(); f(os.environ['A'])",
            ),
            (
                "const e={...process.env};exec(e.A)",
                "const e={...process.env};exec(process.env.A)",
            ),
            (
                "d = {**os.environ}\nx.d(d)",
                "d = {**os.environ}\nx.d(os.environ)",
            ),
        ] {
            assert_eq!(with_copies_named(script), named);
        }
        for script in [
            "env = os.environ.copy()\nrun(env['A'])",
            "x = os.environ['A']\nrun(x)",
            "p = Popen(['app'], env=os.environ)\np.wait()",
            "p = {'env': process.env}\np.x()",
            "x = os.environ.get('A', 'é')\nprint(x)",
        ] {
            assert_eq!(with_copies_named(script), script);
        }
    }
}
