//! Data that the host can choose although no file or variable of the document says so: what it sends in the place of a machine that nothing
//! authenticates, and what a container sees of the firmware and of its own name.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::risky_names::is_risky_in_script;
use super::own_variables::assignment;
use super::packages::fetches;
use super::paths::base_name;
use super::programs::FETCHERS;
use super::word::Word;

/// Among the names of variables: data that the host can choose.
pub(in crate::compose::docker_compose) const HOST_DATA: &str = "host data:";
/// The variable of a container that holds its host name.
pub(in crate::compose::docker_compose) const HOSTNAME: &str = "HOSTNAME";

/// Files that show a container what the firmware and the disks say.
const FIRMWARE: [&str; 6] = [
    "/proc/device-tree",
    "/sys/block/",
    "/sys/class/block/",
    "/sys/class/dmi",
    "/sys/devices/virtual/dmi",
    "/sys/firmware",
];
/// Files that hold the host name.
const NAMES: [&str; 2] = ["/etc/hostname", "/proc/sys/kernel/hostname"];
/// Programs that show or keep what an address answers.
const CLIENTS: [&str; 12] = [
    "aria2c", "curl", "fetch", "ftp", "http", "lftp", "links", "lynx", "tftp", "w3m", "wget", "xh",
];
/// Programs that show what another machine sends, whoever it is, or what the host's resolver answers.
const CONNECTIONS: [&str; 8] = [
    "dig", "drill", "kdig", "nc", "ncat", "netcat", "nslookup", "telnet",
];
/// Options by which a program does not look at who answers, or who signed what it brings; lower case.
const UNCHECKED: [&str; 17] = [
    "--allow-insecure-host",
    "--allow-insecure-repositories",
    "--allow-unauthenticated",
    "--allow-untrusted",
    "--check-certificate=false",
    "--insecure",
    "--no-check-certificate",
    "--no-gpg-checks",
    "--no-strict-ssl",
    "--nogpgcheck",
    "--strict-ssl=false",
    "--trusted-host",
    "--verify=no",
    "http.sslverify=0",
    "http.sslverify=false",
    "http.sslverify=no",
    "http.sslverify=off",
];
/// How many characters an abbreviated option has at least.
const ABBREVIATION: usize = 6;
/// Variables that say the same of some programs, and what they then do not hold: `NAME=1` is as harmless as no variable where a zero
/// turns the check off.
const UNCHECKED_VARIABLES: [(&str, &[&str], &[&str]); 4] = [
    ("GIT_SSL_NO_VERIFY", &["git"], &["", "0", "false"]),
    ("GOINSECURE", &["go"], &[""]),
    (
        "NODE_TLS_REJECT_UNAUTHORIZED",
        &["bun", "npm", "pnpm", "yarn"],
        &["", "1"],
    ),
    ("PYTHONHTTPSVERIFY", &["pip", "pip3", "pipx"], &["", "1"]),
];
/// Settings that say the same where `0`, `false`, `no` or `off` stands behind them; lower case, with the programs that read them.
const UNCHECKED_SETTINGS: [(&str, &[&str]); 4] = [
    ("--strict-ssl", &["npm", "pnpm", "yarn"]),
    ("http.sslverify", &["git"]),
    ("ssl_verify", &["conda", "mamba"]),
    ("strict-ssl", &["npm", "pnpm", "yarn"]),
];
/// Package managers that check who signed what they bring, whatever the address, unless an option says otherwise.
const CHECK_SIGNATURES: [&str; 6] = ["apk", "apt", "apt-get", "dnf", "dpkg", "yum"];
/// Letters of curl, and of wget, behind which a word stands that is no address.
const TAKE_A_WORD: [(&str, &str); 2] = [
    ("curl", "AbCcdDeEFhHKmoPQrtTuUwxXyYz"),
    ("wget", "aADeiIlBoOPQRtTUwX"),
];

/// Programs that work on other machines over SSH.
const OVER_SSH: [&str; 4] = ["rsync", "scp", "sftp", "ssh"];
/// Options of SSH by which the key of a machine is taken as it comes; lower case, without spaces.
const UNCHECKED_SSH: [&str; 4] = [
    "stricthostkeychecking=accept-new",
    "stricthostkeychecking=no",
    "stricthostkeychecking=off",
    "userknownhostsfile=/dev/null",
];

/// Whether a text is written as the settings of a package manager that say from where it fetches, and names an address without TLS there.
pub(in crate::compose::docker_compose) fn fetches_by_settings(path: &str, text: &str) -> bool {
    is_settings_file(path) && names_unprotected(text)
}

/// Whether a file is the settings of a package manager that say from where it fetches.
pub(super) fn is_settings_file(path: &str) -> bool {
    const SETTINGS: [&str; 9] = [
        ".condarc",
        ".gemrc",
        ".npmrc",
        ".yarnrc",
        ".yarnrc.yml",
        "bunfig.toml",
        "npmrc",
        "pip.conf",
        "uv.toml",
    ];
    SETTINGS.contains(&base_name(path))
}

/// Whether a line of such settings names an address without TLS. A proxy only passes on what is authenticated by itself.
pub(super) fn names_unprotected(text: &str) -> bool {
    let counts = |line: &&str| {
        let line = line.trim_start();
        let key = line.split(['=', ':', ' ']).next().unwrap_or_default();
        !line.starts_with(['#', ';']) && !key.to_ascii_lowercase().contains("proxy")
    };
    let mut words = text.lines().filter(counts).flat_map(str::split_whitespace);
    words.any(is_unprotected)
}

/// Whether a script may take such data, as far as its words show.
pub(super) fn may_take(script: &str) -> bool {
    let is_one = |word: &str| {
        CLIENTS.contains(&word)
            || CONNECTIONS.contains(&word)
            || OVER_SSH.contains(&word)
            || word == "hostname"
    };
    script.contains(char::is_whitespace)
        && (script.contains("://") || script.split(|c: char| !c.is_ascii_alphanumeric()).any(is_one))
}

/// Whether a script that is too long to be read may bring something from where anyone may answer.
pub(super) fn may_bring(script: &str) -> bool {
    script.contains("http://") && ["curl ", "wget "].iter().any(|client| script.contains(client))
}

/// What a word names that the host, or the document's `hostname`, says.
pub(super) fn named(text: &str) -> Option<&'static str> {
    // A text with white space is a script, of which each word is looked at.
    let has =
        |files: &[&str]| !text.contains(char::is_whitespace) && files.iter().any(|file| text.contains(file));
    match (has(&FIRMWARE), has(&NAMES)) {
        (true, _) => Some(HOST_DATA),
        (_, true) => Some(HOSTNAME),
        _ => None,
    }
}

/// What the commands of a script that were read so far say of the addresses behind them.
#[derive(Debug, Default, Clone)]
pub(super) struct Addresses {
    /// Variables that hold an address at which anyone may answer.
    unprotected: BTreeSet<String>,
    /// Programs that do not look at who answers, since a variable or a setting says so.
    unchecked: BTreeSet<&'static str>,
    /// The same of the keys of machines for SSH, which `ssh-keyscan` takes as they come.
    takes_any_key: bool,
}

impl Addresses {
    /// What a command takes that the host can choose. An address that says from where a package manager fetches counts as a variable.
    pub(super) fn taken_by(&mut self, words: &mut [Word]) -> Option<&'static str> {
        self.mark_addresses_of_packages(words);
        for (name, value) in words.iter().filter_map(|word| assignment(&word.text)) {
            let variable = UNCHECKED_VARIABLES.iter().find(|(known, ..)| *known == name);
            if let Some((_, programs, harmless)) = variable
                && !harmless.contains(&value)
            {
                self.unchecked.extend(*programs);
            }
            match is_unprotected(value) && !is_of_proxy(name) {
                true => self.unprotected.insert(name.to_owned()),
                false => self.unprotected.remove(name),
            };
        }
        for (setting, value) in words.iter().zip(words.iter().skip(1)) {
            let is_off = matches!(value.text.as_str(), "0" | "false" | "no" | "off");
            let setting = setting.text.to_ascii_lowercase();
            let known = UNCHECKED_SETTINGS.iter().find(|(known, _)| *known == setting);
            self.unchecked.extend(
                known
                    .filter(|_| is_off)
                    .into_iter()
                    .flat_map(|(_, programs)| *programs),
            );
        }
        self.takes_any_key |= words.iter().any(|word| {
            let text = word
                .text
                .to_ascii_lowercase()
                .replace(" = ", "=")
                .replace(' ', "=");
            base_name(&word.text) == "ssh-keyscan" || UNCHECKED_SSH.iter().any(|option| text.contains(option))
        });
        // The first place of a name has all the arguments of the others.
        let mut seen = BTreeSet::new();
        for (at, word) in words.iter().enumerate() {
            let name = base_name(&word.text);
            if !seen.insert(name) {
                continue;
            }
            let arguments = words.get(at + 1..).unwrap_or_default();
            if self.brings(name, arguments) {
                return Some(HOST_DATA);
            }
            // What follows are the names of packages.
            if fetches(name, arguments) {
                break;
            }
            let says_name = name == "hostname"
                || name == "uname"
                    && arguments
                        .iter()
                        .any(|word| matches!(word.text.as_str(), "-n" | "-a"));
            if says_name {
                return Some(HOSTNAME);
            }
        }
        None
    }

    /// Marks the words of a package manager that say from where it fetches, where anyone may answer there.
    fn mark_addresses_of_packages(&self, words: &mut [Word]) {
        let Some(at) = words
            .iter()
            .position(|word| FETCHERS.contains(&base_name(&word.text)))
        else {
            return;
        };
        let (before, arguments) = words.split_at_mut(at);
        let name = arguments.first().map(|word| base_name(&word.text).to_owned());
        let is_signed = name.as_deref().is_some_and(|name| {
            CHECK_SIGNATURES.contains(&name) && !is_unchecked(name, arguments.get(1..).unwrap_or_default())
        });
        if is_signed {
            return;
        }
        let mut of_proxy = false;
        let own = arguments.iter_mut().take_while(|word| word.text != "--");
        for word in before.iter_mut().chain(own) {
            let key = word.text.split('=').next().unwrap_or_default();
            let is_exempt = of_proxy || is_of_proxy(key) && !key.contains("://");
            of_proxy = is_of_proxy(&word.text) && !word.text.contains("://");
            if !is_exempt && is_unprotected(&word.text) {
                word.names.insert(HOST_DATA.to_owned());
            }
        }
    }

    fn brings(&self, name: &str, arguments: &[Word]) -> bool {
        let is_unchecked = || self.unchecked.contains(name) || is_unchecked(name, arguments);
        let holds_one = |word: &Word| word.names.iter().any(|name| self.unprotected.contains(name));
        if self.takes_any_key
            && (OVER_SSH.contains(&name) || name == "git")
            && arguments.iter().any(|word| is_over_ssh(name, &word.text))
        {
            return true;
        }
        if FETCHERS.contains(&name) {
            // A machine beside the container is asked over a network of the VM.
            let addresses = || arguments.iter().filter_map(|word| address(&word.text));
            let is_beside =
                || addresses().next().is_some() && !addresses().any(|(_, host)| is_machine_of_address(host));
            return is_unchecked() && !is_beside()
                || arguments.iter().any(holds_one)
                || fetches(name, arguments)
                    && !CHECK_SIGNATURES.contains(&name)
                    && self.unprotected.iter().any(|name| is_risky_in_script(name));
        }
        if CLIENTS.contains(&name) {
            let is_unchecked = is_unchecked();
            let addresses = addresses_of_client(name, arguments);
            return addresses.into_iter().any(|word| {
                let text = word.text.strip_prefix("--url=").unwrap_or(&word.text);
                is_unprotected(text)
                    || holds_one(word)
                    || is_unchecked && is_at_a_machine(text)
                    || is_machine_without_scheme(name, text)
            });
        }
        let only_looks = || {
            arguments
                .iter()
                .any(|word| word.text.starts_with('-') && word.text.contains('z'))
        };
        CONNECTIONS.contains(&name)
            && !only_looks()
            && arguments.iter().any(|word| {
                let listens =
                    word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('l');
                listens || is_machine(&word.text)
            })
    }
}

/// Whether a name is one of a proxy, which only passes on what is authenticated by itself. `GOPROXY` says from where Go loads code.
pub(in crate::compose::docker_compose) fn is_of_proxy(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("proxy") && name != "goproxy"
}

/// Whether an argument of `git` or of a program over SSH names another machine.
fn is_over_ssh(name: &str, text: &str) -> bool {
    let rest = text.split_once("ssh://").map(|(_, rest)| rest);
    if rest.is_none() && text.contains("://") || text.starts_with('-') {
        return false;
    }
    let rest = rest.unwrap_or(text);
    let names_place = rest.contains([':', '@']) || name == "ssh";
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    names_place && is_machine(host.rsplit('@').next().unwrap_or_default())
}

fn is_unchecked(name: &str, arguments: &[Word]) -> bool {
    arguments.iter().any(|word| {
        let lower = word.text.to_ascii_lowercase();
        let is_one = |option: &&str| {
            lower.starts_with(*option)
                || lower.len() >= ABBREVIATION
                    && lower.starts_with("--")
                    && !option.contains('=')
                    && option.starts_with(&lower)
        };
        let text = word.text.as_str();
        let takes_a_word = |letter: char| {
            let taking = TAKE_A_WORD.iter().find(|(program, _)| *program == name);
            taking.is_some_and(|(_, letters)| letters.contains(letter))
        };
        let is_cluster = name == "curl" && text.starts_with('-') && !text.starts_with("--");
        UNCHECKED.iter().any(is_one)
            || is_cluster && text.chars().take_while(|c| !takes_a_word(*c)).any(|c| c == 'k')
    })
}

/// Whether a word is an address at which nobody shows who answers: no TLS, and a machine that is not this one or a container beside it.
pub(in crate::compose::docker_compose) fn is_unprotected(word: &str) -> bool {
    const SCHEMES: [&str; 9] = [
        "dict", "ftp", "git", "gopher", "http", "rsync", "svn", "tftp", "ws",
    ];
    address(word)
        .is_some_and(|(scheme, host)| SCHEMES.contains(&scheme.as_str()) && is_machine_of_address(host))
}

/// Whether a word is an address of another machine, whatever its scheme.
fn is_at_a_machine(word: &str) -> bool {
    address(word).is_some_and(|(_, host)| is_machine_of_address(host))
}

/// The scheme, in lower case, and the host of the first address in a word.
fn address(word: &str) -> Option<(String, &str)> {
    let (before, rest) = word.split_once("://")?;
    let start = before
        .rfind(|c: char| !c.is_ascii_alphanumeric())
        .map_or(0, |at| at + 1);
    let scheme = before.get(start..)?.to_ascii_lowercase();
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(host) => host.split(']').next()?,
        None => host.split(':').next()?,
    };
    Some((scheme, host))
}

/// The words of a client that may be addresses: not the arguments of its options.
fn addresses_of_client<'w>(name: &str, arguments: &'w [Word]) -> Vec<&'w Word> {
    const TAKE_ONE: [&str; 40] = [
        "--cacert",
        "--cert",
        "--config",
        "--connect-timeout",
        "--connect-to",
        "--cookie",
        "--cookie-jar",
        "--data",
        "--data-binary",
        "--data-raw",
        "--data-urlencode",
        "--directory-prefix",
        "--dump-header",
        "--form",
        "--header",
        "--interface",
        "--json",
        "--key",
        "--limit-rate",
        "--max-time",
        "--noproxy",
        "--output",
        "--output-dir",
        "--output-document",
        "--password",
        "--post-data",
        "--preproxy",
        "--proxy",
        "--proxy-user",
        "--range",
        "--referer",
        "--request",
        "--resolve",
        "--retry",
        "--retry-delay",
        "--timeout",
        "--tries",
        "--user",
        "--user-agent",
        "--write-out",
    ];
    let letters = TAKE_A_WORD.iter().find(|(program, _)| *program == name);
    let letters = letters.map_or("", |(_, letters)| *letters);
    let takes_one = |option: &str| match option.strip_prefix('-') {
        Some(long) if long.starts_with('-') => TAKE_ONE.contains(&option),
        Some(cluster) => cluster.ends_with(|c| letters.contains(c)),
        None => false,
    };
    let before = std::iter::once("").chain(arguments.iter().map(|word| word.text.as_str()));
    let is_address = |(word, before): &(&Word, &str)| {
        !takes_one(before) && (!word.text.starts_with('-') || word.text.starts_with("--url="))
    };
    let words = arguments.iter().zip(before).filter(is_address);
    words.map(|(word, _)| word).collect()
}

/// `curl example.com/x`: without a scheme it is `http`.
fn is_machine_without_scheme(name: &str, text: &str) -> bool {
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    let host = host.split([':', '?']).next().unwrap_or_default();
    let ends_as_a_name = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let has_options = TAKE_A_WORD.iter().any(|(program, _)| *program == name);
    has_options
        && !path.starts_with('/')
        && (ends_as_a_name || host.parse::<Ipv4Addr>().is_ok())
        && is_machine(host)
}

/// Whether a host is another machine than the VM and its containers: a name with a dot, or an address that is neither of this machine nor
/// of a network of containers. A name without a dot is one of Docker's network. What a variable holds may be any.
fn is_machine(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host.ends_with(".localhost") || host == "host.docker.internal" {
        return false;
    }
    if host.contains('$') {
        return true;
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        // 10.0.2.0/24 is the network in which QEMU itself answers.
        let is_of_qemu = address.octets().starts_with(&[10, 0, 2]);
        return is_of_qemu || !(address.is_loopback() || address.is_private() || address.is_unspecified());
    }
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        return !(address.is_loopback() || address.is_unspecified() || address.is_unique_local());
    }
    host.contains('.') && !host.starts_with('.') && !host.contains("..")
}

/// The same of a host in an address, where one number is an address, too.
fn is_machine_of_address(host: &str) -> bool {
    let is_number =
        host.starts_with("0x") || !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit());
    is_number || is_machine(host)
}

#[cfg(test)]
#[path = "host_data_tests.rs"]
mod tests;
