//! Whether curl and wget keep nothing of what they get: then an address is data, whatever it leads to.

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
