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
    /// Long ones whose argument is neither sent nor an address.
    others: &'static [&'static str],
    /// Letters, and long options, whose argument is a file of addresses or the start of each.
    lists: (&'static str, &'static [&'static str]),
}

const NONE: WithAWord = WithAWord {
    letters: "",
    sent: "",
    long: &[],
    others: &[],
    lists: ("", &[]),
};
/// curl, docs/cmdline-opts: every option with an argument, `--url` excepted. Behind one that is not here stands an address.
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
    #[rustfmt::skip]
    others: &[
        "--abstract-unix-socket", "--alt-svc", "--aws-sigv4", "--cacert", "--capath", "--cert", "--cert-type",
        "--ciphers", "--config", "--connect-to", "--continue-at", "--cookie-jar", "--create-file-mode",
        "--crlfile", "--curves", "--delegation", "--dns-interface", "--dns-ipv4-addr", "--dns-ipv6-addr",
        "--dns-servers", "--doh-url", "--dump-header", "--ech", "--egd-file", "--engine", "--etag-compare",
        "--etag-save", "--expect100-timeout", "--ftp-account", "--ftp-alternative-to-user", "--ftp-method",
        "--ftp-port", "--ftp-ssl-ccc-mode", "--happy-eyeballs-timeout-ms", "--haproxy-clientip", "--hostpubmd5",
        "--hostpubsha256", "--hsts", "--interface", "--ip-tos", "--keepalive-cnt",
        "--keepalive-time", "--key", "--key-type", "--knownhosts", "--krb", "--libcurl", "--limit-rate",
        "--local-port", "--login-options", "--mail-auth", "--mail-from", "--mail-rcpt", "--max-filesize",
        "--max-redirs", "--netrc-file", "--noproxy", "--output", "--output-dir", "--parallel-max",
        "--parallel-max-host", "--pass", "--pinnedpubkey", "--preproxy", "--proto", "--proto-default",
        "--proto-redir", "--proxy", "--proxy-cacert", "--proxy-capath", "--proxy-cert", "--proxy-cert-type",
        "--proxy-ciphers", "--proxy-crlfile", "--proxy-header", "--proxy-key", "--proxy-key-type",
        "--proxy-pass", "--proxy-pinnedpubkey", "--proxy-service-name", "--proxy-tls13-ciphers",
        "--proxy-tlsauthtype", "--proxy-tlspassword", "--proxy-tlsuser", "--proxy-user", "--proxy1.0",
        "--pubkey", "--quote", "--random-file", "--range", "--rate", "--request-target", "--resolve",
        "--retry-delay", "--retry-max-time", "--sasl-authzid", "--service-name", "--sigalgs", "--socks4",
        "--socks4a", "--socks5", "--socks5-gssapi-service", "--socks5-hostname", "--speed-limit",
        "--speed-time", "--stderr", "--telnet-option", "--tftp-blksize", "--time-cond", "--tls-max",
        "--tls13-ciphers", "--tlsauthtype", "--tlspassword", "--tlsuser", "--trace", "--trace-ascii",
        "--trace-config", "--unix-socket", "--upload-flags", "--url-query", "--vlan-priority",
    ],
    lists: ("", &[]),
};
/// GNU Wget, doc/wget.texi, and BusyBox (`-Y on`): every option with an argument.
const WGET: WithAWord = WithAWord {
    letters: "aotOTwQPUlADRIXY",
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
    #[rustfmt::skip]
    others: &[
        "--accept", "--accept-regex", "--append-output", "--bind-address", "--body-file",
        "--ca-certificate", "--ca-directory", "--certificate", "--certificate-type", "--ciphers",
        "--compression", "--config", "--connect-timeout", "--crl-file", "--cut-dirs", "--default-page",
        "--directory-prefix", "--dns-servers", "--dns-timeout", "--domains", "--exclude-directories",
        "--exclude-domains", "--follow-tags", "--ftp-password", "--ftp-user", "--hsts-file",
        "--ignore-tags", "--include-directories", "--level", "--limit-rate", "--load-cookies",
        "--local-encoding", "--max-redirect", "--output-document", "--output-file", "--pinnedpubkey",
        "--prefer-family", "--preferred-location", "--private-key", "--private-key-type", "--progress",
        "--proxy-password", "--proxy-user", "--quota", "--read-timeout", "--regex-type", "--reject",
        "--reject-regex", "--rejected-log", "--remote-encoding", "--report-speed", "--restrict-file-names",
        "--retry-on-http-error", "--save-cookies", "--secure-protocol", "--start-pos", "--use-askpass",
        "--waitretry", "--warc-dedup", "--warc-file", "--warc-header", "--warc-max-size", "--warc-tempdir",
    ],
    lists: ("iB", &["--base", "--input-file"]),
};

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

/// Whether an option of a client takes the next word, and this word is not an address. Programs of which no options are known here are taken to
/// have those of curl and wget.
pub(super) fn takes_a_word(client: &str, option: &str) -> bool {
    let of = with_a_word(client);
    let is_long = |of: &WithAWord| of.long.contains(&option) || of.others.contains(&option);
    match option.strip_prefix('-') {
        Some(long) if long.starts_with('-') => match client {
            "curl" | "wget" => is_long(of),
            _ => is_long(&CURL) || is_long(&WGET),
        },
        Some(cluster) => ends_in_one(cluster, of.letters),
        None => false,
    }
}

/// Whether the argument of an option is a file of addresses, or the start of each in it.
pub(super) fn names_a_list(client: &str, option: &str) -> bool {
    let (letters, long) = with_a_word(client).lists;
    match option.strip_prefix('-') {
        Some(rest) if rest.starts_with('-') => long.contains(&option),
        Some(cluster) => ends_in_one(cluster, letters),
        None => false,
    }
}

impl RequestOption {
    pub(super) fn of(name: &str, word: &str) -> Self {
        let WithAWord {
            letters: takes,
            sent,
            long,
            ..
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
/// the argument of another option does not count as one.
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

/// Whether the first letter of a cluster that takes a word is its last one, so that the word follows.
pub(super) fn ends_in_one(cluster: &str, letters: &str) -> bool {
    cluster
        .find(|letter| letters.contains(letter))
        .is_some_and(|at| at + 1 == cluster.len())
}
