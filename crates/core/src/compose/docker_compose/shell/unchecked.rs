//! Options by which a program does not look at who answers it.

use super::requests::letters_with_a_word;
use super::word::Word;

/// Parts of the names of options by which a program does not look at who answers, or who signed what it brings.
const UNCHECKED: [&str; 5] = [
    "allowall",
    "insecure",
    "nogpgcheck",
    "unauthenticated",
    "untrusted",
];
/// Parts that say the same behind one of `NOT`, or where the value of the option is one of `OFF`.
const CHECKS: [&str; 8] = [
    "certificate",
    "certs",
    "gpg",
    "gpgchecks",
    "http",
    "ssl",
    "tls",
    "verify",
];
const NOT: [&str; 5] = ["disable", "ignore", "no", "plain", "skip"];
/// Options that a program also takes abbreviated, and how many characters of them at least.
const ABBREVIATED: [&str; 5] = [
    "--allow-untrusted",
    "--insecure",
    "--no-check-certificate",
    "--nogpgcheck",
    "--trusted-host",
];
/// Parts by which an option says something else: of the proxy, of connections that stay open (`--no-http-keep-alive`), of hashes beside TLS.
const OF_OTHERS: [&str; 4] = ["alive", "hashes", "proxy", "store"];
const ABBREVIATION: usize = 6;
/// Options of SSH by which the key of a machine is taken as it comes; lower case, without spaces.
const UNCHECKED_SSH: [&str; 4] = [
    "stricthostkeychecking=accept-new",
    "stricthostkeychecking=no",
    "stricthostkeychecking=off",
    "userknownhostsfile=/dev/null",
];
/// How a setting is off.
pub(super) const OFF: [&str; 5] = ["", "0", "false", "no", "off"];

/// Whether an option says that a program does not look at who answers, or who signed what it brings.
pub(super) fn is_unchecked(name: &str, arguments: &[Word]) -> bool {
    let next = arguments
        .iter()
        .skip(1)
        .map(|word| word.text.as_str())
        .chain([""]);
    arguments.iter().zip(next).any(|(word, next)| {
        let takes_a_word = |letter: char| letters_with_a_word(name).contains(letter);
        let text = word.text.as_str();
        let is_cluster = name == "curl" && text.starts_with('-') && !text.starts_with("--");
        // `git pull --no-verify` starts no hook.
        let is_of_hooks = name == "git" && text == "--no-verify";
        says_unchecked(text, next) && !is_of_hooks
            || is_cluster && text.chars().take_while(|c| !takes_a_word(*c)).any(|c| c == 'k')
    })
}

/// Whether an option says that nobody looks at who answers: `--no-check-certificate`, `--tls-verify=false`, `--strict-ssl false`.
fn says_unchecked(option: &str, next: &str) -> bool {
    let lower = option.to_ascii_lowercase();
    let Some(long) = lower.strip_prefix("--") else {
        // `-Dmaven.wagon.http.ssl.insecure=true`
        let property = option.strip_prefix("-D").map(str::to_ascii_lowercase);
        return property.is_some_and(|property| {
            let (name, value) = property.split_once('=').unwrap_or((&property, ""));
            name.split(['.', '-']).any(|part| UNCHECKED.contains(&part))
                && (value.is_empty() || !OFF.contains(&value))
        });
    };
    let (name, value) = long.split_once('=').unwrap_or((long, ""));
    let parts: Vec<&str> = name.split('-').collect();
    let has = |parts: &[&str], words: &[&str]| parts.iter().any(|part| words.contains(part));
    let is_off = |value: &str| !value.is_empty() && OFF.contains(&value);
    // `--ssl-no-revoke` does not say it.
    let mut denied = parts.iter().skip_while(|part| !NOT.contains(part));
    let is_abbreviated =
        lower.len() >= ABBREVIATION && ABBREVIATED.iter().any(|option| option.starts_with(&lower));
    is_abbreviated
        || name == "trusted-host"
        || !has(&parts, &OF_OTHERS)
            && (has(&parts, &UNCHECKED) && !is_off(value)
                || denied.any(|part| CHECKS.contains(part))
                || has(&parts, &CHECKS) && (is_off(value) || value.is_empty() && is_off(next)))
}

/// Whether a text has SSH take the key of a machine as it comes.
pub(super) fn takes_any_key(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace(" = ", "=").replace(' ', "=");
    UNCHECKED_SSH.iter().any(|option| text.contains(option))
}
