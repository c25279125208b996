//! Data that the host can choose although no file or variable of the document says so: what it sends in the place of a machine that nothing
//! authenticates, and what a container sees of the firmware and of its own name.

use std::collections::BTreeSet;

use super::super::risky_names::is_risky_in_script;
use super::addresses::{Addresses, MACHINE};
use super::asked_machines::{
    CLIENTS, StartCertainty, addresses_of_client, asks_by_a_name, asks_over_ssh_by_a_name,
    has_tls_by_default, is_asked_without_scheme, is_over_ssh, looks_asked, may_ask_by_a_name, only_looks,
};
use super::connections::receives;
use super::downloads::endpoints_of;
use super::machines::{
    address, is_at_a_machine, is_machine, is_machine_of_address, is_machine_without_scheme, is_of_proxy,
    is_unprotected,
};
use super::names::identifiers;
use super::own_variables::assignment;
use super::package_settings::{is_settings_file, unsigned_repositories, writes_settings_of_dnf};
use super::packages::fetches;
use super::paths::base_name;
use super::programs::{
    BRINGING, CONNECTIONS, COREUTILS, DOWNLOADERS, FETCHERS, OTHER_CONNECTIONS, OVER_SSH, RUNNERS,
};
use super::requests::asks_at_a_socket;
use super::script::ShellCommand;
use super::unchecked::{OFF, is_unchecked, takes_any_key};
use super::unsigned::{CHECK_SIGNATURES, mounts_a_share, sets_check_of_named_packages};
use super::word::Word;
use super::written_files::has_option;

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
/// Among the programs that do not look at who answers: curl, where it reads the file that `-K` names.
const CURL_CONFIG: &str = "curl --config";
/// Programs that ask no machine, whatever addresses stand among their words, beside those of `COREUTILS`.
const ASK_NOBODY: [&str; 11] = [
    "alias", "awk", "cd", "envsubst", "gawk", "logger", "perl", "sed", "set", "trap", "yq",
];
/// Settings and variables that say the same of some programs where they are on or, after those, where they are off; lower case, with `-`
/// for `_`. `https.example.strict-ssl` is one that ends so.
const UNCHECKED_WHERE_ON: [(&str, &[&str]); 6] = [
    ("git-ssl-no-verify", &["git"]),
    ("goinsecure", &["go"]),
    ("pip-trusted-host", &["pip", "pip3", "pipx"]),
    ("rclone-no-check-certificate", &["rclone"]),
    ("trusted-host", &["pip", "pip3", "pipx"]),
    ("uv-insecure-host", &["uv", "uvx"]),
];
const UNCHECKED_WHERE_OFF: [(&str, &[&str]); 9] = [
    ("check-certificate", &["wget"]),
    ("node-tls-reject-unauthorized", &OF_NODE),
    ("pythonhttpsverify", &["pip", "pip3", "pipx"]),
    ("secure-http", &["composer"]),
    ("ssl-verify", &["conda", "mamba"]),
    ("ssl-verify-mode", &["bundle", "gem"]),
    ("sslverify", &["git"]),
    ("strict-ssl", &OF_NODE),
    ("strictssl", &OF_NODE),
];
/// Package managers of Node.
const OF_NODE: [&str; 6] = ["bun", "bunx", "npm", "npx", "pnpm", "yarn"];
/// The variable by which Git starts SSH.
const GIT_SSH: &str = "GIT_SSH_COMMAND";

/// Whether a script may take such data, as far as its words show.
pub(in crate::compose::docker_compose) fn may_take(script: &str) -> bool {
    script.contains(char::is_whitespace) && names_a_way(script)
}

/// Whether a text holds an address, or the name of a program by which such data comes.
pub(super) fn names_a_way(text: &str) -> bool {
    text.contains("://")
        || text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| BRINGING.contains(word))
}

/// Whether a text names a file that shows such data.
pub(super) fn names_a_file(text: &str) -> bool {
    FIRMWARE.iter().chain(&NAMES).any(|file| text.contains(file))
}

/// Whether a script that is too long to be read as a whole may bring something from where anyone may answer.
pub(super) fn may_bring(script: &str) -> bool {
    script.contains("http://") && ["curl ", "wget "].iter().any(|client| script.contains(client))
}

/// What a word names that the host, or the document's `hostname`, says.
pub(super) fn named(text: &str) -> Option<&'static str> {
    // A text with white space is a script, of which each word is looked at.
    let has =
        |files: &[&str]| !text.contains(char::is_whitespace) && files.iter().any(|file| text.contains(file));
    let machine = text
        .strip_prefix("/dev/")
        .and_then(|rest| rest.strip_prefix("tcp/").or_else(|| rest.strip_prefix("udp/")));
    let is_sent =
        machine.is_some_and(|rest| is_machine_of_address(rest.split('/').next().unwrap_or_default()));
    match (is_sent || has(&FIRMWARE), has(&NAMES)) {
        (true, _) => Some(HOST_DATA),
        (_, true) => Some(HOSTNAME),
        _ => None,
    }
}

impl Addresses {
    /// Those of which `is_from_outside` says that a fixed entry of the environment says them (see [`said_by_entry`]); a variable counts
    /// that stands in one of the texts.
    pub(super) fn add_entries<'t>(
        &mut self,
        texts: impl IntoIterator<Item = &'t str>,
        is_from_outside: &dyn Fn(&str) -> bool,
    ) {
        let is_said = |what: &str| is_from_outside(&said(what));
        for text in texts {
            let may_ask = CLIENTS.iter().any(|client| text.contains(client));
            for name in identifiers(text) {
                if may_ask && is_said(&format!("{MACHINE}{name}")) {
                    self.machines.insert(name.clone());
                }
                if is_said(&name) {
                    self.unprotected.insert(name);
                }
            }
        }
        let programs = UNCHECKED_WHERE_ON.iter().chain(&UNCHECKED_WHERE_OFF);
        let programs = programs
            .flat_map(|(_, programs)| *programs)
            .chain(&["apt", "apt-get", "curl", "dnf", "yum"]);
        self.unchecked.extend(programs.filter(|program| is_said(program)));
        self.takes_any_key |= is_said(GIT_SSH);
    }

    /// What a command takes that the host can choose. An address that says from where a package manager fetches counts as a variable.
    pub(super) fn taken_by(&mut self, command: &mut ShellCommand) -> Option<&'static str> {
        self.read_settings(command);
        let programs_ask = self.programs_ask(command) || self.are_handed_to(command);
        let words = &mut command.words;
        self.mark_addresses_of_packages(words);
        // The arguments of such a program are not commands: `cp curl bin/curl`.
        let is_quiet = words.first().is_some_and(|word| {
            let name = base_name(&word.text);
            COREUTILS.contains(&name) || ASK_NOBODY.contains(&name)
        });
        // The first place of a name has all the arguments of the others.
        let mut seen = BTreeSet::new();
        for at in 0..words.len() {
            let Some((word, arguments)) = words.get(at..).and_then(<[Word]>::split_first) else {
                continue;
            };
            let name = base_name(&word.text);
            if seen.contains(name) {
                continue;
            }
            let standing = if is_quiet {
                StartCertainty::Word
            } else {
                StartCertainty::MayStart
            };
            if self.brings(name, arguments, standing) {
                // What a runner brings it starts.
                if RUNNERS.contains(&name)
                    && let Some(word) = words.get_mut(at)
                {
                    word.names.insert(HOST_DATA.to_owned());
                }
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
            seen.insert(name.to_owned());
        }
        programs_ask.then_some(HOST_DATA)
    }

    /// What a command says to the programs behind it: with its words, with settings that it writes into files, and with variables.
    fn read_settings(&mut self, command: &ShellCommand) {
        let words = command.words.iter().chain(&command.outputs);
        let is_in = |part: &str| words.clone().any(|word| word.text.contains(part));
        let is_git_checked = !self.unchecked.contains("git");
        for word in &command.words {
            if let Some((name, value)) = assignment(&word.text) {
                self.read_variable(name, value, self.are_held_by(word));
            }
        }
        // `mc alias set NAME http://…`
        let keeps = |word: &Word| matches!(word.text.as_str(), "alias" | "config" | "configure");
        if let Some(first) = command.words.first()
            && let Some(client) = DOWNLOADERS.iter().find(|name| **name == base_name(&first.text))
            && command.words.iter().any(keeps)
            && command.words.iter().any(|word| self.are_held_by(word))
        {
            self.unchecked.insert(client);
        }
        for (setting, value) in command.words.iter().zip(command.words.iter().skip(1)) {
            self.read_setting(&setting.text, &value.text);
        }
        let is_of_curl = is_in(".curlrc");
        let texts = words.clone().map(|word| &word.text);
        for text in texts.chain(&command.documents) {
            self.read_lines(text, is_of_curl);
        }
        if is_git_checked && writes_settings_of_dnf(command) {
            self.unchecked.remove("git");
        }
    }

    /// Lines of settings: `printf 'a\nb\n'` is two.
    fn read_lines(&mut self, text: &str, is_of_curl: bool) {
        self.takes_any_key |= takes_any_key(text) || base_name(text) == "ssh-keyscan";
        self.unchecked.extend(unsigned_repositories(text));
        for line in text.replace("\\n", "\n").replace("\\t", " ").lines() {
            let line = line.trim();
            // `http.https://git.example.com.sslVerify=false`
            let parts = line.split_once('=').or_else(|| line.split_once([':', ' ']));
            if let Some((setting, value)) = parts {
                self.read_setting(setting, value);
            }
            if matches!(line, "-k" | "--insecure" | "insecure") {
                self.unchecked
                    .insert(if is_of_curl { "curl" } else { CURL_CONFIG });
            }
        }
    }

    fn read_variable(&mut self, name: &str, value: &str, is_address: bool) {
        self.read_setting(name, value);
        self.takes_any_key |= name == GIT_SSH && takes_any_key(value);
        // Which of several values it has is not followed.
        self.set(name, value, is_address && !is_of_proxy(name));
    }

    fn read_setting(&mut self, setting: &str, value: &str) {
        let setting = setting.trim().to_ascii_lowercase().replace('_', "-");
        let value = value.trim_matches(['=', ' ', '\t']).to_ascii_lowercase();
        let is_off = OFF.contains(&value.as_str());
        self.checks_named_packages |= sets_check_of_named_packages(&setting) && !is_off;
        // A machine beside the container is asked over a network of the VM.
        let is_elsewhere = |host: &str| is_machine_of_address(host.split(':').next().unwrap_or_default());
        let is_beside = || setting.ends_with("-host") && !value.split([' ', ',']).any(is_elsewhere);
        let on = UNCHECKED_WHERE_ON
            .iter()
            .filter(|(known, _)| setting.rsplit('.').next() == Some(known) && !is_off && !is_beside());
        let off = UNCHECKED_WHERE_OFF
            .iter()
            .filter(|(known, _)| setting.ends_with(known) && is_off && !value.is_empty());
        self.unchecked
            .extend(on.chain(off).flat_map(|(_, programs)| *programs));
    }

    /// Marks the words of a package manager that say from where it fetches, where anyone may answer there.
    fn mark_addresses_of_packages(&self, words: &mut [Word]) {
        let Some(at) = words.iter().position(|word| {
            FETCHERS.contains(&base_name(&word.text)) || RUNNERS.contains(&base_name(&word.text))
        }) else {
            return;
        };
        let (before, arguments) = words.split_at_mut(at);
        let name = arguments.first().map(|word| base_name(&word.text).to_owned());
        let is_unchecked = name
            .as_deref()
            .is_some_and(|name| is_unchecked(name, arguments.get(1..).unwrap_or_default()));
        if !is_unchecked
            && name
                .as_deref()
                .is_some_and(|name| CHECK_SIGNATURES.contains(&name))
        {
            let own = arguments.get_mut(1..).unwrap_or_default();
            self.mark_named_packages(name.as_deref().unwrap_or_default(), own, HOST_DATA);
            return;
        }
        let mut of_proxy = false;
        let own = arguments.iter_mut().take_while(|word| word.text != "--");
        for word in before.iter_mut().chain(own) {
            let key = word.text.split('=').next().unwrap_or_default();
            let is_exempt = of_proxy || is_of_proxy(key) && !key.contains("://");
            of_proxy = is_of_proxy(&word.text) && !word.text.contains("://");
            if !is_exempt && (is_unprotected(&word.text) || is_unchecked && is_at_a_machine(&word.text)) {
                word.names.insert(HOST_DATA.to_owned());
            }
        }
    }

    fn brings(&self, name: &str, arguments: &[Word], standing: StartCertainty) -> bool {
        let is_unchecked = || self.unchecked.contains(name) || is_unchecked(name, arguments);
        let holds_one = |word: &Word| self.are_in_variables_of(word);
        if self.takes_any_key
            && (OVER_SSH.contains(&name) || name == "git")
            && arguments.iter().any(|word| is_over_ssh(name, &word.text))
        {
            return true;
        }
        // A machine beside the container is asked over a network of the VM.
        let of_machines = |(scheme, _): &(String, &str)| !matches!(scheme.as_str(), "gs" | "s3");
        let addresses = || {
            arguments
                .iter()
                .filter_map(|word| address(&word.text))
                .filter(of_machines)
        };
        let is_beside =
            || addresses().next().is_some() && !addresses().any(|(_, host)| is_machine_of_address(host));
        if FETCHERS.contains(&name) || RUNNERS.contains(&name) {
            return is_unchecked() && !is_beside()
                || arguments.iter().any(holds_one)
                || (fetches(name, arguments) || RUNNERS.contains(&name))
                    && !CHECK_SIGNATURES.contains(&name)
                    && self.unprotected.iter().any(|name| is_risky_in_script(name));
        }
        if CLIENTS.contains(&name) {
            return self.asks(name, arguments, standing);
        }
        if DOWNLOADERS.contains(&name) {
            let mut endpoints = endpoints_of(name).iter();
            return is_unchecked() && !is_beside() || endpoints.any(|name| self.unprotected.contains(*name));
        }
        CONNECTIONS.contains(&name)
            && !only_looks(name, arguments)
            && (name != "openssl" || arguments.iter().any(|word| word.text == "s_client"))
            && (name == "nc-vsock"
                || arguments.iter().any(|word| receives(name, &word.text))
                || standing == StartCertainty::MayStart && may_ask_by_a_name(name, arguments))
    }

    /// Whether a program asks a machine at which anyone may answer. Where it is sure that curl or wget starts, each of its operands is an
    /// address.
    fn asks(&self, name: &str, arguments: &[Word], standing: StartCertainty) -> bool {
        let is_unchecked = self.unchecked.contains(name)
            || is_unchecked(name, arguments)
            || self.unchecked.contains(CURL_CONFIG)
                && name == "curl"
                && has_option(arguments, 'K', "--config");
        if name == "curl" && asks_at_a_socket(arguments) {
            return false;
        }
        let addresses = addresses_of_client(name, arguments);
        let is_client = CLIENTS.contains(&name);
        let has_tls = !is_unchecked && name == "curl" && has_tls_by_default(arguments);
        addresses.into_iter().any(|(word, text)| {
            is_unprotected(text)
                || self.are_in_variables_of(word)
                || is_client && !has_tls && self.names_machine(word)
                || is_unchecked && (is_at_a_machine(text) || text.starts_with('$') && !text.contains("://"))
                || !has_tls && is_machine_without_scheme(name, text)
                || is_client
                    && !has_tls
                    && match standing {
                        StartCertainty::Word => false,
                        StartCertainty::MayStart => looks_asked(text),
                        StartCertainty::Starts => is_asked_without_scheme(text),
                    }
        })
    }

    /// The same of the programs that a command starts, whichever they are: what they show may be what the machine answers.
    fn programs_ask(&self, command: &ShellCommand) -> bool {
        // `command -v curl wget` starts neither.
        if let [first, second, ..] = command.words.as_slice()
            && first.text == "command"
            && matches!(second.text.as_str(), "-v" | "-V")
        {
            return false;
        }
        let programs = command.programs(&mut BTreeSet::new());
        programs.iter().any(|program| {
            let name = base_name(&program.word.text);
            let has_its_own_rule = FETCHERS.contains(&name) || RUNNERS.contains(&name);
            if self.takes_any_key && asks_over_ssh_by_a_name(name, program.arguments) {
                return true;
            }
            !has_its_own_rule
                && !COREUTILS.contains(&name)
                && !ASK_NOBODY.contains(&name)
                && (self.asks(name, program.arguments, StartCertainty::Starts)
                    || !only_looks(name, program.arguments) && asks_by_a_name(name, program.arguments)
                    || self.are_in_variables_of(program.word)
                    // `alias curl='curl -k'`
                    || self.unprotected.contains(&program.word.text)
                    || mounts_a_share(name, program.arguments)
                    || OTHER_CONNECTIONS.contains(&name)
                        && program.arguments.iter().any(|word| is_machine(&word.text)))
        })
    }
}

/// Among the names of variables: what a fixed entry of the environment says, a variable that holds an address or a program that does not
/// look at who answers.
pub(super) fn said(what: &str) -> String {
    format!("{HOST_DATA}{what}")
}

/// What a fixed entry of the environment says to scripts, as names of variables.
pub(in crate::compose::docker_compose) fn said_by_entry(name: &str, value: &str) -> Vec<String> {
    let mut addresses = Addresses::default();
    addresses.read_variable(name, value, is_unprotected(value));
    said_by(&addresses)
}

/// A file of settings that says to programs from where and how they fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::compose::docker_compose) enum SettingsFile {
    /// Of curl.
    Curl,
    /// Of another program.
    Other,
}

impl SettingsFile {
    /// The one that is mounted at a path.
    pub(in crate::compose::docker_compose) fn at(path: &str) -> Option<Self> {
        #[rustfmt::skip]
        const SETTINGS: [&str; 6] = [".curlrc", ".gitconfig", ".wgetrc", "gitconfig", "ssh_config", "wgetrc"];
        let is_one = is_settings_file(path)
            || SETTINGS.contains(&base_name(path))
            || path.ends_with(".ssh/config")
            || path.starts_with("/etc/apt/")
            || path.starts_with("/etc/yum");
        is_one.then(|| match path.ends_with("curlrc") {
            true => Self::Curl,
            false => Self::Other,
        })
    }

    /// What it says to the scripts of a container.
    pub(in crate::compose::docker_compose) fn says(self, text: &str) -> Vec<String> {
        let mut addresses = Addresses::default();
        addresses.read_lines(text, self == Self::Curl);
        said_by(&addresses)
    }
}

fn said_by(addresses: &Addresses) -> Vec<String> {
    let names = addresses.unprotected.iter().map(String::as_str);
    let key = addresses.takes_any_key.then_some(GIT_SSH);
    let programs = addresses.unchecked.iter().copied();
    let machines = addresses
        .machines
        .iter()
        .map(|name| said(&format!("{MACHINE}{name}")));
    names
        .chain(programs)
        .chain(key)
        .map(said)
        .chain(machines)
        .collect()
}

#[cfg(test)]
#[path = "host_data_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "host_data_settings_tests.rs"]
mod settings_tests;

#[cfg(test)]
#[path = "host_data_ways_tests.rs"]
mod ways_tests;
