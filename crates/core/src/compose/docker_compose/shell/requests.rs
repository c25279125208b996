//! Requests of curl and wget: what is sent, and whether the answer stays in a file.

use super::word::Word;

/// What a word of curl or wget says of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestOption {
    /// It is sent, or says nothing of where the answer comes from.
    Sends,
    /// The next word is such an argument.
    SendsNext,
    /// Anything else.
    Other,
}

impl RequestOption {
    pub(super) fn of(name: &str, word: &str) -> Self {
        // Options with an argument by their letter, and those of them whose argument is sent.
        let (takes, sent, long): (&str, &str, &[&str]) = match name {
            "curl" => (
                "AbcCdDeEFhHKmnoPQrtTuUwxXyYz",
                "AbdeFHmTuwX",
                &[
                    "--connect-timeout",
                    "--cookie",
                    "--data",
                    "--data-ascii",
                    "--data-binary",
                    "--data-raw",
                    "--data-urlencode",
                    "--form",
                    "--form-string",
                    "--header",
                    "--json",
                    "--max-time",
                    "--oauth2-bearer",
                    "--referer",
                    "--request",
                    "--retry",
                    "--upload-file",
                    "--user",
                    "--user-agent",
                    "--write-out",
                ],
            ),
            "wget" => (
                "aoeiBtOTwQPUlADRIX",
                "tTwU",
                &[
                    "--body-data",
                    "--header",
                    "--http-password",
                    "--http-user",
                    "--method",
                    "--password",
                    "--post-data",
                    "--post-file",
                    "--referer",
                    "--timeout",
                    "--tries",
                    "--user",
                    "--user-agent",
                    "--wait",
                ],
            ),
            _ => return Self::Other,
        };
        if word.starts_with("--") {
            return match word.split_once('=') {
                Some((option, _)) if long.contains(&option) => Self::Sends,
                None if long.contains(&word) => Self::SendsNext,
                _ => Self::Other,
            };
        }
        let Some(cluster) = word.strip_prefix('-') else {
            return Self::Other;
        };
        match cluster.find(|letter| takes.contains(letter)) {
            Some(at)
                if cluster
                    .chars()
                    .nth(at)
                    .is_some_and(|letter| sent.contains(letter)) =>
            {
                if at + 1 == cluster.len() {
                    Self::SendsNext
                } else {
                    Self::Sends
                }
            }
            _ => Self::Other,
        }
    }
}

/// Whether the answer to a request of curl or wget stays in a file.
pub(super) fn keeps_its_answer(name: &str, arguments: &[Word], outputs: &[Word]) -> bool {
    let has = |options: &[&str]| {
        let is = |word: &Word| options.iter().any(|option| word.text.starts_with(option));
        arguments.iter().any(is)
    };
    let is_cluster = |word: &Word| {
        let text = word.text.as_str();
        text.starts_with('-') && !text.starts_with("--") && text.contains(['O', 'o'])
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
                || (arguments.iter().any(is_cluster) || has(&["--output", "--remote-name", "-K", "--config"]))
                    && !arguments.iter().any(to_nowhere)
        }
        _ => is_kept || !arguments.iter().any(to_nowhere) && !has(&["--spider"]),
    }
}
