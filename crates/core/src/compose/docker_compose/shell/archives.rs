//! Commands that unpack: what says which archive.

use super::word::Word;

/// The words of a command that unpacks which say what is unpacked; nothing where it does not unpack. What is unpacked from its input is
/// no word.
pub(super) fn archives<'w>(name: &str, arguments: &'w [Word]) -> Option<Vec<&'w Word>> {
    let text = |word: &'w Word| word.text.as_str();
    match name {
        "unzip" | "7z" | "7za" | "unrar" => {
            let is_verb = |text: &str| name != "unzip" && matches!(text, "x" | "e");
            let mut before = "";
            let archive = arguments.iter().find(|word| {
                let is_argument = before == "-d";
                before = text(word);
                !is_argument && !before.starts_with('-') && !is_verb(before)
            });
            Some(archive.into_iter().collect())
        }
        "tar" | "bsdtar" | "cpio" => {
            let first = arguments.first().map(text).unwrap_or_default();
            let is_cluster = |at: usize, word: &str| {
                word.starts_with('-') && !word.starts_with("--")
                    || at == 0 && name != "cpio" && !first.contains(['/', '.', '$'])
            };
            let mode = if name == "cpio" { 'i' } else { 'x' };
            let unpacks = arguments.iter().enumerate().any(|(at, word)| {
                let word = text(word);
                is_cluster(at, word) && word.contains(mode) || matches!(word, "--extract" | "--get")
            });
            let is_file = |at: usize, word: &str| {
                is_cluster(at, word) && word.contains(if name == "cpio" { 'I' } else { 'f' })
                    || matches!(word, "--file" | "-F" | "-I")
            };
            let named = arguments.iter().enumerate().filter(|(at, word)| {
                let before = at
                    .checked_sub(1)
                    .and_then(|before| arguments.get(before))
                    .map(text);
                before.is_some_and(|before| is_file(at - 1, before))
                    || is_file(*at, text(word))
                    || text(word).starts_with("--file=")
            });
            unpacks.then(|| named.map(|(_, word)| word).collect())
        }
        _ => None,
    }
}
