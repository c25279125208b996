//! Which files curl, wget and aria2c write, and whether they keep nothing of what they get: then an address is data, whatever it leads to.

use super::asked_machines::CLIENTS;
use super::requests::takes_a_word;
use super::word::Word;

/// Whether curl writes no file and reads no settings: each of its options is known to do neither.
pub(super) fn curl_keeps_nothing(arguments: &[Word]) -> bool {
    const ALONE: [&str; 13] = [
        "--compressed",
        "--fail",
        "--fail-with-body",
        "--head",
        "--http1.1",
        "--http2",
        "--include",
        "--insecure",
        "--location",
        "--retry-connrefused",
        "--show-error",
        "--silent",
        "--verbose",
    ];
    const WITH_A_WORD: [&str; 8] = [
        "--connect-timeout",
        "--header",
        "--max-time",
        "--request",
        "--retry",
        "--retry-delay",
        "--user",
        "--user-agent",
    ];
    let mut words = arguments.iter().map(|word| word.text.as_str());
    while let Some(text) = words.next() {
        let is_known = match text.strip_prefix('-') {
            None => true,
            Some("-output") => words.next() == Some("/dev/null"),
            Some(long) if long.starts_with('-') => {
                ALONE.contains(&text)
                    || WITH_A_WORD.contains(&text) && words.next().is_some()
                    || text
                        .split_once('=')
                        .is_some_and(|(option, _)| WITH_A_WORD.contains(&option))
            }
            Some(letters) => {
                let rest = letters.trim_start_matches(|c| "fgikILsSv46".contains(c));
                match rest {
                    "" => true,
                    "o" => words.next() == Some("/dev/null"),
                    "A" | "H" | "X" | "m" | "u" => words.next().is_some(),
                    rest => rest.starts_with(['A', 'H', 'X', 'm', 'u']),
                }
            }
        };
        if !is_known {
            return false;
        }
    }
    true
}

/// The same of wget, which keeps what it gets unless it is told otherwise.
pub(super) fn wget_keeps_nothing(arguments: &[Word]) -> bool {
    const ALONE: [&str; 7] = [
        "--no-check-certificate",
        "--no-verbose",
        "--quiet",
        "--server-response",
        "-S",
        "-nv",
        "-q",
    ];
    const WITH_A_WORD: [&str; 5] = ["--header", "--timeout", "--tries", "-T", "-t"];
    let mut is_shown = false;
    let mut words = arguments.iter().map(|word| word.text.as_str());
    while let Some(text) = words.next() {
        match text {
            "--spider" | "-O-" | "-qO-" => is_shown = true,
            "-O" | "-qO" => match words.next() {
                Some("-" | "/dev/null") => is_shown = true,
                _ => return false,
            },
            text if !text.starts_with('-') || ALONE.contains(&text) => {}
            text if WITH_A_WORD.contains(&text) => {
                words.next();
            }
            text if text
                .split_once('=')
                .is_some_and(|(option, _)| WITH_A_WORD.contains(&option)) => {}
            _ => return false,
        }
    }
    is_shown
}

/// How a program of downloads names the files that it writes.
struct Outputs {
    /// Letters behind which a file stands, and options.
    files: (&'static str, &'static [&'static str]),
    /// The same of folders in which files get the names of their addresses.
    folders: (&'static str, &'static [&'static str]),
    /// Letters behind which something else stands.
    words: &'static str,
    /// The letter and the option that keep a file by the name of its address; nothing where that is usual.
    by_name: Option<(char, &'static str)>,
}

const CURL: Outputs = Outputs {
    files: (
        "ocD",
        &[
            "--output",
            "--cookie-jar",
            "--dump-header",
            "--trace",
            "--trace-ascii",
            "--stderr",
            "--etag-save",
            "--hsts",
            "--alt-svc",
        ],
    ),
    folders: ("", &["--output-dir"]),
    words: "AbCdeEFhHKmPQrtTuUwxXyYz",
    by_name: Some(('O', "--remote-name")),
};
const WGET: Outputs = Outputs {
    files: (
        "Ooa",
        &[
            "--output-document",
            "--output-file",
            "--append-output",
            "--save-cookies",
        ],
    ),
    folders: ("P", &["--directory-prefix"]),
    words: "eitTwQUlADRIXB",
    by_name: None,
};
const ARIA2: Outputs = Outputs {
    files: ("ol", &["--out", "--log"]),
    folders: ("d", &["--dir"]),
    words: "ijkmstxTU",
    by_name: None,
};

/// The files that a program of downloads writes. An empty path may be any.
pub(super) fn downloaded_files(name: &str, arguments: &[Word]) -> Vec<String> {
    let outputs = match name {
        "curl" => CURL,
        "wget" => WGET,
        _ => ARIA2,
    };
    let (mut files, mut folders, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
    let (mut is_named, mut keeps_by_name) = (false, outputs.by_name.is_none());
    let mut words = arguments.iter().map(|word| word.text.as_str());
    while let Some(text) = words.next() {
        // What a list names may get any name.
        if name == "wget" && (text.starts_with("--input-file") || text == "-i") {
            files.push(String::new());
        }
        if let Some(long) = text.strip_prefix("--") {
            let (option, value) = long.split_once('=').map_or((text, None), |(_, value)| {
                (text.split('=').next().unwrap_or_default(), Some(value))
            });
            let has_value = value.is_some();
            let mut value = || value.or_else(|| words.next()).unwrap_or_default().to_owned();
            // An option may be shortened.
            let is_one = |known: &[&str]| option.len() > 3 && known.iter().any(|one| one.starts_with(option));
            if outputs.folders.1.contains(&option) {
                folders.push(value());
            } else if is_one(outputs.files.1) {
                is_named |= outputs
                    .files
                    .1
                    .first()
                    .is_some_and(|first| first.starts_with(option));
                files.push(value());
            } else if is_one(outputs.folders.1) {
                folders.push(value());
            } else if !has_value && takes_a_word(name, text) {
                words.next();
            }
            keeps_by_name |= outputs.by_name.is_some_and(|(_, long)| option.starts_with(long));
        } else if let Some(letters) = text.strip_prefix('-') {
            for (at, letter) in letters.char_indices() {
                let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
                let is_file = outputs.files.0.contains(letter);
                if is_file || outputs.folders.0.contains(letter) {
                    let value = match rest {
                        "" => words.next().unwrap_or_default(),
                        rest => rest,
                    };
                    is_named |= is_file && outputs.files.0.starts_with(letter);
                    let list = if is_file { &mut files } else { &mut folders };
                    list.push(value.to_owned());
                    break;
                }
                if outputs.words.contains(letter) {
                    if rest.is_empty() {
                        words.next();
                    }
                    break;
                }
                keeps_by_name |= outputs.by_name.is_some_and(|(short, _)| short == letter);
            }
        } else if CLIENTS.contains(&name) || text.contains("://") || text.contains('$') {
            addresses.push(text);
        }
    }
    let is_shown = arguments.iter().any(|word| word.text == "--spider");
    if keeps_by_name && !is_named && !is_shown {
        files.extend(addresses.iter().map(|address| {
            let path = address.split(['?', '#']).next().unwrap_or_default();
            let path = path.split_once("://").map_or(path, |(_, rest)| rest);
            // A variable alone may hold a path.
            let name = match path.rsplit_once('/') {
                Some((_, name)) => name,
                None if path.contains('$') => path,
                None => "",
            };
            if name.is_empty() { "index.html" } else { name }.to_owned()
        }));
    }
    let inside: Vec<String> = folders
        .iter()
        .flat_map(|folder| files.iter().map(move |file| (folder, file)))
        .filter(|(_, file)| !file.starts_with('/'))
        .map(|(folder, file)| format!("{}/{file}", folder.trim_end_matches('/')))
        .collect();
    files.extend(inside);
    files.retain(|file| !matches!(file.as_str(), "-" | "/dev/null" | "/dev/stdout" | "/dev/stderr"));
    files
}
