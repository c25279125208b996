//! Package managers and runners: which of their words name what they fetch or start.

use super::programs::{FETCHERS, FETCHING, FETCHING_OPTIONS, RUNNERS, STARTING};
use super::word::Word;

/// The words of a package manager before `--`: behind it stand the arguments of what it starts.
fn before_dashes(arguments: &[Word]) -> impl Iterator<Item = &Word> {
    arguments.iter().take_while(|word| word.text != "--")
}

/// Whether a package manager fetches what its arguments name.
pub(super) fn fetches(name: &str, arguments: &[Word]) -> bool {
    let mut words = before_dashes(arguments)
        .filter(|word| !word.text.starts_with('-'))
        .peekable();
    // These bring what a project needs by whatever they are told; `yarn` alone installs.
    let is_bare = match name {
        "mvn" | "mvnw" => true,
        "yarn" => words.peek().is_none(),
        "zypper" => arguments.iter().any(|word| word.text == "in"),
        _ => false,
    };
    let is_start = |word: &&Word| matches!(word.text.as_str(), "start" | "run" | "test" | "serve");
    let mut words = words.by_ref().take_while(|word| !is_start(word));
    is_bare || FETCHERS.contains(&name) && words.any(|word| FETCHING.contains(&word.text.as_str()))
}

/// The words of a package manager or runner that may name what it starts: its verb, what follows a verb that starts something, and
/// what options before it name.
pub(super) fn names_of_packages<'w>(name: &str, arguments: &'w [Word]) -> Vec<&'w Word> {
    let is_runner = RUNNERS.contains(&name);
    if !is_runner && !FETCHERS.contains(&name) {
        return Vec::new();
    }
    let mut named = Vec::new();
    let mut operands = 0_usize;
    let mut starts = false;
    let mut is_of_option = false;
    for word in before_dashes(arguments) {
        let text = word.text.as_str();
        let option = text.split('=').next().unwrap_or_default();
        let was_of_option = std::mem::replace(&mut is_of_option, FETCHING_OPTIONS.contains(&text));
        let is_short = !text.starts_with("--");
        let counts = !is_short || operands == 0 || starts;
        is_of_option &= counts;
        if was_of_option || counts && text.starts_with('-') && FETCHING_OPTIONS.contains(&option) {
            named.push(word);
        } else if !text.starts_with('-') {
            if operands == 0 || starts {
                named.push(word);
            }
            operands += 1;
            // An option's argument may stand before the verb.
            if is_runner || starts || operands > 2 {
                break;
            }
            starts = STARTING.contains(&text);
        } else if !word.names.is_empty() && operands == 0 {
            named.push(word);
        }
    }
    named
}
