//! The names of variables in a text that is not read as a script.

use std::collections::BTreeSet;

/// The names in an arithmetic expression, which need no dollar there.
pub(super) fn identifiers(expression: &str) -> BTreeSet<String> {
    let handed = names_in(expression);
    let words = expression.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
    // A number is one, unless it is what the script was handed.
    let is_name = |word: &&str| {
        let first = word.chars().next();
        first.is_some_and(|c| !c.is_ascii_digit()) || handed.contains(*word)
    };
    let words = words.filter(|word| !word.is_empty());
    words.filter(is_name).map(str::to_owned).collect()
}

/// Names after a dollar in a text that is not read as a script here.
pub(in crate::compose::docker_compose) fn names_in(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('$') {
        let braced = after
            .strip_prefix('{')
            .map(|after| after.trim_start_matches(['#', '!']));
        // `${@:2}`
        if let Some(all) = braced.and_then(|after| after.get(..1).filter(|first| matches!(*first, "@" | "*")))
        {
            names.insert(all.to_owned());
        }
        let after = after.trim_start_matches(['{', '#', '!']);
        let end = after
            .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
            .unwrap_or(after.len());
        let (name, more) = after.split_at(end);
        if !name.is_empty() {
            names.insert(name.to_owned());
        }
        rest = more;
    }
    names
}
