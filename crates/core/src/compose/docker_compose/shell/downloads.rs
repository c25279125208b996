//! What a program brings from elsewhere into a file, and which variables decide from where.

use std::collections::BTreeSet;

use super::reader::Word;

/// The variables that say from where a program brings a file, or to where. Nothing where it brings none, or keeps none.
pub(super) fn names_of_what_it_brings(name: &str, arguments: &[Word], outputs: &[Word]) -> BTreeSet<String> {
    const BRINGING: [&str; 10] = [
        "copy", "cp", "download", "export", "get", "mirror", "move", "mv", "pull", "sync",
    ];
    let operands = || {
        arguments
            .iter()
            .filter(|word| !word.text.starts_with('-') || word.text == "-")
    };
    let target = operands()
        .next_back()
        .map(|word| word.text.as_str())
        .unwrap_or_default();
    let brings = match name {
        "curl" | "wget" => keeps_its_answer(name, arguments, outputs),
        "rsync" | "scp" => !target.contains(':'),
        "aria2c" | "mount" => true,
        _ => {
            operands().any(|word| BRINGING.iter().any(|verb| word.text.starts_with(verb)))
                && !target.contains(':')
        }
    };
    if !brings {
        return BTreeSet::new();
    }
    let is_of_request = matches!(name, "curl" | "wget");
    let mut before = "";
    let mut names = BTreeSet::new();
    for word in arguments {
        // What is sent says nothing of where the answer comes from.
        if !(is_of_request && is_sent(before, &word.text)) {
            names.extend(word.names.iter().cloned());
        }
        before = &word.text;
    }
    names.extend(outputs.iter().flat_map(|word| word.names.clone()));
    names
}

/// Whether a word of curl or wget is what is sent with a request, by itself or as the argument of the option before it.
fn is_sent(before: &str, word: &str) -> bool {
    const SENT: [&str; 18] = [
        "-A",
        "-F",
        "-H",
        "-T",
        "-X",
        "-d",
        "-e",
        "-m",
        "-u",
        "--data",
        "--form",
        "--header",
        "--max-time",
        "--password",
        "--post-data",
        "--upload-file",
        "--user",
        "--user-agent",
    ];
    let attached = word.starts_with('-') && SENT.iter().any(|option| word.starts_with(option));
    SENT.contains(&before) || before.starts_with("--data-") || attached
}

/// Whether the answer to a request of curl or wget stays in a file.
fn keeps_its_answer(name: &str, arguments: &[Word], outputs: &[Word]) -> bool {
    let has = |options: &[&str]| {
        let is = |word: &Word| {
            let text = word.text.as_str();
            let is_cluster = text.starts_with('-') && !text.starts_with("--") && text.contains('O');
            is_cluster || options.iter().any(|option| text.starts_with(option))
        };
        arguments.iter().any(is)
    };
    let is_kept = outputs.iter().any(|file| {
        !matches!(
            file.text.as_str(),
            "" | "1" | "2" | "/dev/null" | "/dev/stderr" | "/dev/stdout"
        )
    });
    let to_nowhere = |word: &Word| matches!(word.text.as_str(), "-" | "/dev/null" | "-O-" | "-qO-");
    match name {
        "curl" => {
            is_kept
                || has(&["-o", "--output", "--remote-name", "-K", "--config"])
                    && !arguments.iter().any(to_nowhere)
        }
        _ => is_kept || !arguments.iter().any(to_nowhere) && !has(&["--spider"]),
    }
}
