//! Files that a script names: whether one can be executed.

use super::word::Word;

/// Whether a mode of chmod can let a file be executed: an octal one with an odd digit, a symbolic one with `x`, or one that is not
/// read here. The mode is the first operand, the others are files.
pub(super) fn makes_executable(arguments: &[Word]) -> bool {
    let is_mode = |word: &&Word| !word.text.starts_with('-') || word.text.starts_with("--reference");
    let Some(mode) = arguments.iter().find(is_mode) else {
        return false;
    };
    let text = mode.text.as_str();
    if !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return text.bytes().any(|byte| byte % 2 == 1);
    }
    text.contains(['x', 'X', 's', '$']) || text.starts_with("--reference")
}

/// Whether a path ends like one of a file that no program executes, whatever stands before.
pub(in crate::compose::docker_compose) fn is_data(path: &str) -> bool {
    const ENDS: [&str; 9] = [
        ".crt", ".csv", ".err", ".json", ".key", ".log", ".out", ".pem", ".txt",
    ];
    ENDS.iter().any(|end| path.ends_with(end))
}

/// Whether a word names a file in the folder where the script stands.
pub(super) fn is_relative_file(word: &Word) -> bool {
    !word.text.starts_with(['/', '-', '$']) && word.text.contains('.')
}
