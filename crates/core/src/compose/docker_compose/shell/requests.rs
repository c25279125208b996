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

/// Options of curl and wget with an argument.
struct WithAWord {
    letters: &'static str,
    /// Those of them whose argument is sent.
    sent: &'static str,
    /// Long ones whose argument is sent.
    long: &'static [&'static str],
}

const NONE: WithAWord = WithAWord {
    letters: "",
    sent: "",
    long: &[],
};
const CURL: WithAWord = WithAWord {
    letters: "AbcCdDeEFhHKmoPQrtTuUwxXyYz",
    sent: "AbdeFHmTuwX",
    long: &[
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
};
const WGET: WithAWord = WithAWord {
    letters: "aoetOTwQPUlADRIX",
    sent: "tTwU",
    long: &[
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
};
/// Long options of these and of other clients whose argument is neither an address nor sent.
#[rustfmt::skip]
const OTHERS_WITH_A_WORD: [&str; 20] = [
    "--cacert", "--cert", "--config", "--connect-to", "--cookie-jar", "--directory-prefix", "--dump-header",
    "--interface", "--key", "--limit-rate", "--noproxy", "--output", "--output-dir", "--output-document",
    "--preproxy", "--proxy", "--proxy-user", "--range", "--resolve", "--retry-delay",
];

fn with_a_word(client: &str) -> &'static WithAWord {
    match client {
        "curl" => &CURL,
        "wget" => &WGET,
        _ => &NONE,
    }
}

/// The letters of a client that take a word other than an address.
pub(super) fn letters_with_a_word(client: &str) -> &'static str {
    with_a_word(client).letters
}

/// Whether an option of a client takes a word other than an address.
pub(super) fn takes_a_word(client: &str, option: &str) -> bool {
    let is_long = |of: &WithAWord| of.long.contains(&option);
    match option.strip_prefix('-') {
        Some(long) if long.starts_with('-') => {
            OTHERS_WITH_A_WORD.contains(&option) || is_long(&CURL) || is_long(&WGET)
        }
        Some(cluster) => cluster.ends_with(|c| with_a_word(client).letters.contains(c)),
        None => false,
    }
}

impl RequestOption {
    pub(super) fn of(name: &str, word: &str) -> Self {
        let WithAWord {
            letters: takes,
            sent,
            long,
        } = with_a_word(name);
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

/// Whether curl connects to a socket of the container, whatever its addresses name. Behind `--next` a request has options of its own, and
/// the argument of another option is no option.
pub(super) fn asks_at_a_socket(arguments: &[Word]) -> bool {
    let texts = || arguments.iter().map(|word| word.text.as_str());
    let is_socket = |(word, before): (&str, &str)| {
        let option = word.split('=').next();
        matches!(option, Some("--unix-socket" | "--abstract-unix-socket")) && !takes_a_word("curl", before)
    };
    // `--next` may be shortened, and `-:` may stand among other letters.
    let begins_another = |word: &str| {
        word.starts_with("--ne") || word.starts_with('-') && !word.starts_with("--") && word.contains(':')
    };
    texts().zip(std::iter::once("").chain(texts())).any(is_socket) && !texts().any(begins_another)
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
