//! The words of a text that Docker Compose splits, and which of them is a script.

use super::shell::MAX_SCRIPT_BYTES;

/// A text as words, by the rules of quotes that shells have.
pub(super) fn split(text: &str) -> Vec<String> {
    // Words of a text that is not read as a script would take many times its memory.
    if text.len() > MAX_SCRIPT_BYTES {
        return vec![text.to_owned()];
    }
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_word = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {
                if std::mem::take(&mut is_word) {
                    words.push(std::mem::take(&mut word));
                }
            }
            '\'' | '"' => {
                is_word = true;
                while let Some(inner) = chars.next().filter(|inner| *inner != c) {
                    if inner == '\\' && c == '"' {
                        word.extend(chars.next());
                    } else {
                        word.push(inner);
                    }
                }
            }
            '\\' => {
                is_word = true;
                word.extend(chars.next());
            }
            c => {
                is_word = true;
                word.push(c);
            }
        }
    }
    if is_word {
        words.push(word);
    }
    words
}

/// Whether a word is the script of a shell: the words before it are one and its `-c`.
pub(super) fn is_script<'w>(before: impl DoubleEndedIterator<Item = &'w str>) -> bool {
    let mut before = before.rev();
    let is_command = before
        .next()
        .is_some_and(|option| option.starts_with('-') && !option.starts_with("--") && option.contains('c'));
    let is_shell = |word: &str| {
        let name = word.rsplit('/').next().unwrap_or_default();
        matches!(name, "ash" | "bash" | "dash" | "sh" | "zsh")
    };
    is_command && before.any(is_shell)
}
