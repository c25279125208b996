//! Commands that say the values of all variables of their environment.

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
