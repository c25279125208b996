//! Which words of a program name the machine that it asks. That follows from what the program takes for an address, not from what the word
//! looks like: `curl files/start.sh` asks the machine `files`.

use super::machines::{
    is_label, is_machine, is_machine_of_address, is_name_of_a_machine, is_of_proxy, is_without_tls_by_default,
};
use super::programs::{CONNECTIONS, OTHER_CONNECTIONS, OVER_SSH};
use super::requests::{ends_in_one, names_a_list, takes_a_word};
use super::word::Word;

/// Programs that take the name of a machine for an address.
pub(super) const CLIENTS: [&str; 2] = ["curl", "wget"];
/// Programs that ask a name server. What it answers for the addresses of a container comes from Docker.
const ASK_FOR_NAMES: [&str; 7] = ["delv", "dig", "drill", "host", "kdig", "nslookup", "resolvectl"];
/// Words of theirs that are no names, and ask for nothing but addresses.
const OF_ADDRESSES: [&str; 4] = ["a", "aaaa", "in", "query"];
/// Letters of `nc` in any of its versions whose argument is the next word.
const OF_NC: &str = "cegGIimMoOpPqsTVwWxX";
/// Letters of `ssh` whose argument is the next word.
const OF_SSH: &str = "BbcDEeFIiJLlmOopPQRSWw";

/// How sure it is that a command starts the program that one of its words names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartCertainty {
    Starts,
    MayStart,
    /// It is an argument of a program that starts no other.
    Word,
}

/// The words of a program that may be addresses which it asks: not the arguments of options that are known to be none.
pub(super) fn addresses_of_client<'w>(name: &str, arguments: &'w [Word]) -> Vec<(&'w Word, &'w str)> {
    let is_client = CLIENTS.contains(&name);
    let mut found = Vec::new();
    let mut before = "";
    let mut only_operands = false;
    for word in arguments {
        let text = word.text.as_str();
        // A shell reads `eval curl https://… '|' sh` as two commands.
        if is_client && matches!(text, "|" | "||" | "&&" | ";") {
            break;
        }
        let option = std::mem::replace(&mut before, text);
        let is_option = option.starts_with('-') && !only_operands;
        if is_option && takes_a_word(name, option) {
            before = "";
            continue;
        }
        if !only_operands && text == "--" {
            only_operands = true;
            continue;
        }
        let (option, text) = match text.split_once('=') {
            Some((option, value)) if text.starts_with('-') && !only_operands => (option, value),
            _ if text.starts_with('-') && !only_operands => continue,
            _ => (option, text),
        };
        let is_known = takes_a_word(name, option) || is_of_proxy(option) && (is_option || !is_client);
        // A file of addresses has a name of its own.
        let is_file = is_option && names_a_list(name, option) && !text.contains("://") && !text.contains('$');
        if !is_known && !is_file {
            found.push((word, text));
        }
    }
    found
}

/// Whether curl or wget asks another machine without TLS for one of its addresses that has no scheme.
pub(super) fn is_asked_without_scheme(text: &str) -> bool {
    // `${URL:-files/start.sh}`
    let default = text.strip_prefix("${").and_then(|rest| {
        let (_, default) = rest.split_once(['-', '='])?;
        default.strip_suffix('}')
    });
    let text = default.unwrap_or(text);
    if text.contains("://") {
        return false;
    }
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(host) => host.split(']').next(),
        None => host.split(':').next(),
    };
    host.is_some_and(|host| !host.contains(['$', '%', '{', '*']) && is_machine_of_address(host))
}

/// The same of a word of which it is not known whether the client starts: a name with a path or a port behind it.
pub(super) fn looks_asked(text: &str) -> bool {
    let is_path = |(_, path): (&str, &str)| !path.is_empty() && !path.starts_with('/');
    let host = text.split('/').next().unwrap_or_default();
    let has_port = host.split_once(':').is_some_and(|(_, port)| is_number(port));
    (text.split_once('/').is_some_and(is_path) || has_port)
        && host.split(':').next().is_some_and(is_label)
        && is_asked_without_scheme(text)
}

/// Whether `--proto-default` says that an address without a scheme is one with TLS.
pub(super) fn has_tls_by_default(arguments: &[Word]) -> bool {
    let mut words = arguments.iter().zip(arguments.iter().skip(1));
    let option = words.find(|(option, _)| option.text == "--proto-default");
    option.is_some_and(|(_, scheme)| !is_without_tls_by_default(&scheme.text))
}

/// Whether a program that a command starts names another machine by a name without a dot, or by a number.
pub(super) fn asks_by_a_name(name: &str, arguments: &[Word]) -> bool {
    if ASK_FOR_NAMES.contains(&name) {
        let mut names = names_in_words(arguments);
        return names.any(|name| {
            !OF_ADDRESSES.contains(&name.to_ascii_lowercase().as_str()) && is_name_of_a_machine(name)
        });
    }
    if OTHER_CONNECTIONS.contains(&name) {
        let mut names = names_in_words(arguments).peekable();
        return names.peek().is_some() && names.all(is_name_of_a_machine);
    }
    match name {
        "nc" | "ncat" | "netcat" | "telnet" => is_called_by_nc(arguments, true),
        "openssl" => is_called_by_openssl(arguments),
        "websocat" => arguments.iter().any(|word| is_called_by_websocat(&word.text)),
        _ => false,
    }
}

/// The same of words that may be those of such a program.
pub(super) fn may_ask_by_a_name(name: &str, arguments: &[Word]) -> bool {
    CONNECTIONS.contains(&name)
        && match name {
            "nc" | "ncat" | "netcat" | "telnet" => is_called_by_nc(arguments, false),
            "openssl" => is_called_by_openssl(arguments),
            _ => false,
        }
}

/// Words that may be names: no options, numbers or paths.
fn names_in_words(arguments: &[Word]) -> impl Iterator<Item = &str> {
    let texts = arguments.iter().map(|word| word.text.as_str());
    texts.filter(|text| is_label(text) && !is_number(text))
}

/// `nc HOST PORT`: what stands before the last operand is the host. Where an option is not known its argument may be an operand.
fn is_called_by_nc(arguments: &[Word], is_started: bool) -> bool {
    let operands = operands(arguments, OF_NC);
    let is_socket =
        |word: &Word| word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('U');
    if arguments.iter().any(is_socket) {
        return false;
    }
    let (hosts, port) = match operands.as_slice() {
        [hosts @ .., port] if !hosts.is_empty() => (hosts, Some(*port)),
        hosts => (hosts, None),
    };
    let Some((host, others)) = hosts.split_last() else {
        return false;
    };
    if !is_started {
        let has_port = port.is_some_and(|port| is_number(port) || port.starts_with('$'));
        return has_port && others.is_empty() && is_name_of_a_machine(host);
    }
    is_machine_of_address(host)
        || others
            .iter()
            .any(|host| !is_number(host) && is_name_of_a_machine(host))
}

/// `openssl s_client -connect HOST:PORT`
fn is_called_by_openssl(arguments: &[Word]) -> bool {
    let mut hosts = arguments.iter().filter_map(|word| {
        let (host, port) = word.text.rsplit_once(':')?;
        (is_number(port) || port.starts_with('$')).then_some(host)
    });
    arguments.iter().any(|word| word.text == "s_client") && hosts.any(is_machine_of_address)
}

/// `websocat tcp:HOST:PORT`
fn is_called_by_websocat(text: &str) -> bool {
    let Some((kind, rest)) = text.split_once(':').filter(|(_, rest)| !rest.starts_with("//")) else {
        return false;
    };
    let calls = matches!(
        kind.trim_end_matches("-connect"),
        "tcp" | "udp" | "tcp-c" | "udp-c"
    );
    let host = rest.split(':').next().unwrap_or_default();
    calls && is_machine_of_address(host)
}

/// Whether a program works on a machine over SSH that it names without a dot.
pub(super) fn asks_over_ssh_by_a_name(name: &str, arguments: &[Word]) -> bool {
    if name != "git" && !OVER_SSH.contains(&name) {
        return false;
    }
    // `[USER@]HOST:PATH`
    let of_place = |text: &str, needs_user: bool| {
        let (place, _) = text.split_once(':')?;
        let host = place.rsplit('@').next()?;
        let is_one = !place.contains('/') && (!needs_user || place.contains('@'));
        is_one.then(|| is_name_of_a_machine(host))
    };
    let of_address = |text: &str| {
        let authority = text.split_once("ssh://")?.1.split('/').next()?;
        let host = authority.rsplit('@').next()?.split(':').next()?;
        Some(is_name_of_a_machine(host))
    };
    let is_clone = arguments.iter().any(|word| word.text == "clone");
    let places = arguments.iter().map(|word| word.text.as_str());
    let mut places = places.filter(|text| !text.starts_with('-'));
    let operands = operands(arguments, OF_SSH);
    match (name, operands.first()) {
        ("ssh" | "sftp", Some(operand)) if !operand.contains("://") => {
            let host = operand.split(':').next().unwrap_or_default();
            is_name_of_a_machine(host.rsplit('@').next().unwrap_or_default())
        }
        _ => places.any(|text| match text.contains("://") {
            true => of_address(text) == Some(true),
            false => of_place(text, name == "git" && !is_clone) == Some(true),
        }),
    }
}

/// The words that are neither options nor the arguments of these letters.
fn operands<'w>(arguments: &'w [Word], letters: &str) -> Vec<&'w str> {
    let mut found = Vec::new();
    let mut is_argument = false;
    for word in arguments {
        let text = word.text.as_str();
        if std::mem::take(&mut is_argument) {
            continue;
        }
        match text.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            Some(long) if long.starts_with('-') => {}
            Some(cluster) => is_argument = ends_in_one(cluster, letters),
            None => found.push(text),
        }
    }
    found
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a script connects by this text: `HOST`, `HOST:PORT`.
pub(super) fn is_host_of_a_socket(text: &str) -> bool {
    let host = text.rsplit_once(':').filter(|(_, port)| is_number(port));
    let host = host.map_or(text, |(host, _)| host);
    is_label(host) && !is_number(host) && is_name_of_a_machine(host)
}

/// Whether an argument of `git` or of a program over SSH names another machine.
pub(super) fn is_over_ssh(name: &str, text: &str) -> bool {
    let rest = text.split_once("ssh://").map(|(_, rest)| rest);
    if rest.is_none() && text.contains("://") || text.starts_with('-') {
        return false;
    }
    let rest = rest.unwrap_or(text);
    let names_place = rest.contains([':', '@']) || name == "ssh";
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    names_place && is_machine(host.rsplit('@').next().unwrap_or_default())
}

/// Whether `nc` sends nothing and shows nothing: `-z`.
pub(super) fn only_looks(name: &str, arguments: &[Word]) -> bool {
    let looks = |word: &Word| word.text.starts_with('-') && word.text.contains('z');
    matches!(name, "nc" | "ncat" | "netcat") && arguments.iter().any(looks)
}

#[cfg(test)]
#[path = "asked_machines_tests.rs"]
pub(super) mod tests;
