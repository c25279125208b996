//! Where a shell evaluates a text as an arithmetic expression: the names in it need no dollar, and bash executes what stands in an index in
//! the value of one.

use std::collections::{BTreeMap, BTreeSet};

use super::names::identifiers;
use super::own_variables::assignment;
use super::paths::base_name;
use super::programs::RESERVED;
use super::script::{Script, ShellCommand};
use super::started::StartedProgram;
use super::word::Word;

/// Words that set attributes of variables.
const DECLARE: [&str; 7] = [
    "declare", "export", "float", "integer", "local", "readonly", "typeset",
];
/// What a shell has built in that takes names of variables, which may have an index.
const TAKE_NAMES: [&str; 10] = [
    "[",
    "[[",
    "getopts",
    "mapfile",
    "printf",
    "read",
    "readarray",
    "test",
    "unset",
    "wait",
];
/// Comparisons of numbers.
const COMPARISONS: [&str; 6] = ["-eq", "-ge", "-gt", "-le", "-lt", "-ne"];

/// What stands in the index of `NAME[…]`, `NAME[…]=value` or `[…]=value`.
fn index(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c == '_' || c.is_ascii_alphanumeric());
    let inner = rest.strip_prefix('[')?;
    let end = inner
        .find("]=")
        .or_else(|| inner.find("]+="))
        .or_else(|| inner.rfind(']'))?;
    inner.get(..end)
}

/// The names that a command evaluates as numbers, beside those in `((…))` and in expansions.
pub(super) fn evaluated_names(command: &ShellCommand, programs: &[StartedProgram<'_>]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut names_of_lists = BTreeSet::new();
    let mut in_index = |word: &Word| names.extend(index(&word.text).map(identifiers).into_iter().flatten());
    // `a[E]=1`, `a=([E]=1)`, `declare "a[E]=1"`: before the program, or without one.
    let mut declares = false;
    for word in &command.words {
        let text = word.text.as_str();
        declares |= DECLARE.contains(&text);
        let is_assigned = text.contains("]=") || text.contains("]+=");
        // `declare -a "a=($E)"`: what stands in the list is expanded again.
        if declares && text.contains("=(") {
            names_of_lists.extend(word.held());
        }
        if is_assigned || declares {
            in_index(word);
        } else if !(assignment(text).is_some() || RESERVED.contains(&text)) {
            break;
        }
    }
    names.append(&mut names_of_lists);
    for program in programs {
        let arguments = program.arguments;
        match base_name(&program.word.text) {
            "let" => names.extend(arguments.iter().flat_map(|word| identifiers(&word.text))),
            name if TAKE_NAMES.contains(&name) => {
                let takes_names = !matches!(name, "[" | "[[" | "printf" | "test")
                    || arguments.iter().any(|word| word.text.starts_with("-v"));
                if takes_names {
                    let indices = arguments.iter().filter_map(|word| index(&word.text));
                    names.extend(indices.flat_map(identifiers));
                }
            }
            _ => {}
        }
    }
    // `[[ a -gt b ]]`, of which a part may stand behind `&&`.
    let is_comparison = |word: &Word| COMPARISONS.contains(&word.text.as_str());
    let is_test = |word: &Word| word.text == "[[";
    if command.words.iter().any(is_test) || command.words.get(1).is_some_and(is_comparison) {
        for triple in command.words.windows(3) {
            if let [left, operator, right] = triple
                && is_comparison(operator)
            {
                names.extend(identifiers(&left.text));
                names.extend(identifiers(&right.text));
            }
        }
    }
    names
}

impl Script {
    /// The variables that are declared to be numbers, or to stand for others: what is assigned to one is evaluated.
    pub(super) fn numbers(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for command in &self.commands {
            let Some(at) = command
                .words
                .iter()
                .position(|word| DECLARE.contains(&word.text.as_str()))
            else {
                continue;
            };
            let words = command.words.iter().skip(at).map(|word| word.text.as_str());
            // `export -n` is something else.
            if words.clone().next() == Some("export") {
                continue;
            }
            let is_number = |word: &str| {
                // What is assigned to a name that stands for another is evaluated, too.
                matches!(word, "float" | "integer")
                    || word.starts_with('-') && word.contains(['i', 'n', 'E', 'F'])
            };
            if words.clone().any(is_number) {
                let declared = words.skip(1).filter(|word| !word.starts_with(['-', '+']));
                names.extend(
                    declared.map(|word| word.split(['=', '+', '[']).next().unwrap_or_default().to_owned()),
                );
            }
        }
        names
    }
}

impl Script {
    /// The names that its commands evaluate as numbers.
    pub(super) fn evaluated(&self) -> BTreeSet<String> {
        let numbers = self.numbers();
        let mut names = BTreeSet::new();
        for command in &self.commands {
            let programs = command.programs(&mut BTreeSet::new());
            names.extend(evaluated_names(command, &programs));
            names.extend(command.assigned_to_numbers(&numbers));
            if command.is_number {
                names.extend(command.names().cloned());
            }
        }
        names
    }

    /// Names in fixed values of variables: what is evaluated as a number is so again, until it is one. Those that are reached from a set of
    /// names.
    pub(super) fn evaluated_again(&self, names: &BTreeSet<String>) -> BTreeSet<String> {
        let mut values: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for command in &self.commands {
            let variable = match command.words.as_slice() {
                [first, variable, ..] if matches!(first.text.as_str(), "for" | "select") => {
                    Some(&variable.text)
                }
                _ => None,
            };
            for word in &command.words {
                let assigned =
                    assignment(&word.text).or(variable.map(|name| (name.as_str(), word.text.as_str())));
                if let Some((name, value)) = assigned {
                    values.entry(name).or_default().extend(identifiers(value));
                }
            }
        }
        let mut reached = BTreeSet::new();
        let mut open: Vec<&String> = names.iter().collect();
        while let Some(name) = open.pop() {
            let next = values.get(name.as_str()).into_iter().flatten();
            open.extend(next.filter(|next| reached.insert((*next).clone())));
        }
        reached
    }
}

impl ShellCommand {
    /// The names in what it assigns to a variable that is declared to be a number.
    pub(super) fn assigned_to_numbers(&self, numbers: &BTreeSet<String>) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for word in &self.words {
            let assigned = assignment(&word.text).filter(|(name, _)| numbers.contains(*name));
            if let Some((_, value)) = assigned {
                names.extend(identifiers(value));
                names.extend(word.held());
            }
        }
        names
    }
}

/// The index of `${NAME[INDEX]…}` or the offset and length of `${NAME:OFFSET:LENGTH}`.
pub(super) fn arithmetic_part(expansion: &str) -> Option<&str> {
    let inner = expansion.strip_prefix("${")?;
    let inner = inner.trim_start_matches(['#', '!']);
    let name = |c: char| c == '_' || c.is_ascii_alphanumeric() || matches!(c, '@' | '*');
    let rest = inner.trim_start_matches(name);
    match rest.strip_prefix(':') {
        // `${env:NAME}` is how settings of programs that are not shells name a variable.
        Some(_) if matches!(inner.split(':').next(), Some("env" | "ENV")) => None,
        Some(rest) => (!rest.starts_with(['-', '+', '=', '?'])).then_some(rest),
        None => rest.starts_with('[').then_some(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_an_index_need_no_dollar() {
        for (text, inner) in [
            ("a[E]=1", "E"),
            ("[E]=1", "E"),
            ("a[E]+=1", "E"),
            ("a[b[E]]", "b[E]"),
        ] {
            assert_eq!(index(text), Some(inner), "{text}");
        }
        for text in ["a", "a=1", "$a[E]", "["] {
            assert_eq!(index(text), None, "{text}");
        }
        assert_eq!(
            identifiers("x+1*$2"),
            BTreeSet::from(["2".to_owned(), "x".to_owned()])
        );
    }
}
