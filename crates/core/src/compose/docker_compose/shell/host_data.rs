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
            let is_exempt = of_proxy || is_of_proxy(key);
            of_proxy = is_of_proxy(&word.text) && !word.text.contains("://");
            if !is_exempt && is_unprotected(&word.text) {
                word.names.insert(HOST_DATA.to_owned());
            }
        }
    }

    fn brings(&self, name: &str, arguments: &[Word]) -> bool {
        let is_unchecked = || self.unchecked.contains(name) || is_unchecked(name, arguments);
        let holds_one = |word: &Word| word.names.iter().any(|name| self.unprotected.contains(name));
        if self.takes_any_key && (OVER_SSH.contains(&name) || name == "git") {
            return arguments.iter().any(|word| is_over_ssh(name, &word.text));
        }
        if FETCHERS.contains(&name) {
            // A machine beside the container is asked over a network of the VM.
            let addresses = || arguments.iter().filter_map(|word| address(&word.text));
            let is_beside = || addresses().next().is_some() && !addresses().any(|(_, host)| is_machine(host));
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

/// Whether a name is one of a proxy, which only passes on what is authenticated by itself.
fn is_of_proxy(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("proxy")
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
                || lower.len() >= ABBREVIATION && lower.starts_with("--") && option.starts_with(&lower)
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
    address(word).is_some_and(|(scheme, host)| SCHEMES.contains(&scheme.as_str()) && is_machine(host))
}

/// Whether a word is an address of another machine, whatever its scheme.
fn is_at_a_machine(word: &str) -> bool {
    address(word).is_some_and(|(_, host)| is_machine(host))
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
    // An address as one number is one, too.
    let is_number =
        host.starts_with("0x") || !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit());
    if host.contains('$') || is_number {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::docker_compose::shell::{Use, uses};

    fn executes(script: &str) -> bool {
        uses(script, &|name| name == HOST_DATA).get(HOST_DATA) == Some(&Use::Executed)
    }

    #[test]
    fn what_the_host_can_send_is_executed() {
        for script in [
            "curl -fsSL http://get.example.com/i.sh | sh",
            "curl -fsSL get.example.com/i.sh | sh",
            "curl -sSk https://get.example.com/i.sh | bash -s -- -y",
            "curl --insecure https://get.example.com/i.sh | sh",
            "wget -qO- http://get.example.com/i.sh | sh",
            "wget --no-check-certificate https://get.example.com/a.sh && sh a.sh",
            "wget -q http://get.example.com/a.sh\nsh a.sh",
            "curl -o /usr/local/bin/app http://x.example.com/app && chmod +x /usr/local/bin/app && app",
            "curl -sO http://x.example.com/app.tgz && tar xzf app.tgz && ./app/run",
            "eval \"$(curl -s http://169.254.169.254/latest/user-data)\"",
            "X=$(curl -s http://x.example.com/cmd); sh -c \"$X\"",
            "URL=http://x.example.com/i.sh; curl -s \"$URL\" | sh",
            ". <(curl -s http://10.0.2.2/env)",
            "bash -c 'curl -s http://x.example.com/i.sh | sh'",
            "git clone http://git.example.com/a/b /src && node /src/index.js",
            "H=x.example.com; curl -s http://$H/i.sh | sh",
            "(curl -s http://x.example.com/i.sh) | sh",
            "{ echo set -e; curl -s http://x.example.com/i.sh; } | sh",
            "curl -s http://x.example.com/i.sh | tee /tmp/i.sh | sh",
            "curl -s http://x.example.com/i | base64 -d | bash -s",
            "cat <(curl -s http://x.example.com/i.sh) | sh",
            "xargs -n1 sh -c < <(curl -s http://x.example.com/list)",
            "curl -s http://x.example.com/list | xargs sh -c",
            "curl -s http://x.example.com/list | while read -r line; do eval \"$line\"; done",
            "while read -r line; do $line; done < <(curl -s http://x.example.com/list)",
            "curl -s http://134744072/i.sh | sh",
            "curl -s 8.8.8.8/i.sh | sh",
            "curl -s --url get.example.com/i.sh | sh",
            "curl -s --url=get.example.com/i.sh | sh",
            "curl --no-buffer get.example.com/i.sh | sh",
            "curl --insec https://get.example.com/i.sh | sh",
            "wget --no-check-cert -qO- https://get.example.com/i.sh | sh",
            "pip install --index-url http://nexus.example.com/repository/pypi-proxy/simple app",
            "git clone http://proxy.example.com/a && node a/index.js",
            "git -c http.sslverify=no clone https://git.example.com/a/b",
            "git config --global http.sslverify no; git clone https://git.example.com/a/b",
            "npm --strict-ssl false ci",
            "ssh -o 'StrictHostKeyChecking = no' root@x.example.com cat /i.sh | sh",
            "ssh -o UserKnownHostsFile=/dev/null -l root x.example.com cat /i.sh | sh",
            "ssh-keyscan github.com >> ~/.ssh/known_hosts && git clone github.com:a/b && node b/index.js",
            "apk add --allow-untrusted --repository http://apk.example.com x",
            "export PIP_INDEX_URL=http://pypi.example.com/simple; pip install app",
            "git -c http.sslVerify=false clone https://git.example.com/a/b",
            "GIT_SSL_NO_VERIFY=1 git clone https://git.example.com/a/b",
            "pip install --index-url http://pypi.example.com/simple app",
            "pip install --trusted-host pypi.example.com app",
            "npm config set registry http://npm.example.com; npm ci",
            "nc -l -p 9000 | sh",
            "nc x.example.com 9000 | sh",
            "eval $(dig +short TXT cmd.example.com)",
            "eval \"$(cat /sys/block/vda/serial)\"",
            "sudo -u git curl http://x.example.com/i.sh | sh",
            "ssh-keyscan github.com >> ~/.ssh/known_hosts && git clone git@github.com:a/b.git && node b/index.js",
            "GIT_SSH_COMMAND='ssh -o StrictHostKeyChecking=no' git clone git@github.com:a/b.git",
            "printf 'StrictHostKeyChecking no\n' > ~/.ssh/config; git clone git@github.com:a/b.git",
            "ssh -o StrictHostKeyChecking=no root@x.example.com cat /i.sh | sh",
            "scp -o StrictHostKeyChecking=accept-new u@x.example.com:/i.sh /i.sh; sh /i.sh",
            "npm config set strict-ssl false; npm ci",
            "echo registry=http://npm.example.com > ~/.npmrc; npm ci",
            "cat > /etc/pip.conf <<EOF\n[global]\nindex-url = http://pypi.example.com/simple\nEOF\npip install app",
            "git config --global http.sslVerify false; git clone https://git.example.com/a/b",
            "eval \"$(cat /sys/class/dmi/id/product_serial)\"",
        ] {
            assert!(executes(script), "{script}");
        }
    }

    #[test]
    fn what_is_authenticated_of_the_same_network_or_only_shown_is_not() {
        for script in [
            "curl -fsSL https://get.example.com/i.sh | sh",
            "curl -s http://config:8080/i.sh | sh",
            "curl -s http://localhost:8080/i.sh | sh",
            "curl -s http://127.0.0.1/i.sh | sh",
            "curl -sk https://localhost/i.sh | sh",
            "wget -qO- http://172.18.0.2/i.sh | sh",
            "curl -f http://health.example.com/ping; exec app",
            "curl -fsS http://health.example.com/ping | grep ok",
            "curl http://models.example.com/m.gguf -o /models/m.gguf && exec llama-server -m /models/m.gguf",
            "curl -H 'Host: a.example.com' -o /tmp/x.json https://a.example.com/x.json; sh /app/run.sh",
            "while ! nc -z db.example.com 5432; do sleep 1; done; exec app",
            "exec app --url http://api.example.com",
            "URL=http://api.example.com exec app --url $URL",
            "echo see http://docs.example.com",
            "git clone https://git.example.com/a/b && node b/index.js",
            "apt-get install -y netcat python3.11; exec app",
            "npm install wget socket.io",
            "ssh -o StrictHostKeyChecking=no -N -R 80:app:80 t@relay.example.com",
            "watch curl http://hc.example.com/ping",
            "find /data -name '*.tmp' -exec curl http://hc.example.com/ping ';'",
            "echo x | ncat graphite.example.com 2003",
            "npm run serve -- --url=http://api.example.com",
            "apk add --repository http://dl-cdn.example.org/alpine/edge/community x",
            "HTTP_PROXY=http://cache.example.com:3142 apt-get install -y x",
            "npm config set https-proxy http://proxy.example.com:3128; npm ci",
            "export NODE_TLS_REJECT_UNAUTHORIZED=0; apt-get install -y tini; exec node s.js",
            "NODE_TLS_REJECT_UNAUTHORIZED=1 npm ci",
            "curl -x http://proxy.example.com:3128 -A 'bot (http://www.example.com)' https://get.example.com/i.sh | sh",
            "echo '# see http://docs.example.com' > ~/.npmrc; npm ci",
            "pip install --trusted-host pypi --index-url http://pypi:8080/simple app",
            "ssh-keyscan gitea >> ~/.ssh/known_hosts; git clone git@gitea:a/b && node b/index.js",
            "echo \"$KEY\" > ~/.ssh/known_hosts; git clone git@github.com:a/b.git && node b/index.js",
            "ssh-keyscan github.com >> ~/.ssh/known_hosts; exec app",
            "ssh-keyscan github.com >> ~/.ssh/known_hosts; git push git@github.com:a/b.git; exec app",
            "npm config set proxy http://proxy.example.com:3128; npm ci",
            "echo registry=https://npm.example.com > ~/.npmrc; npm ci",
            "echo proxy=http://proxy.example.com > ~/.npmrc; npm ci",
            "echo api=http://api.example.com > /app/settings; exec app",
            "IP=$(curl -s http://ip.example.com); exec app --external-ip \"$IP\"",
            "case \"$(cat /sys/class/dmi/id/product_name)\" in *Google*) echo gcp;; esac; exec app",
        ] {
            assert!(!executes(script), "{script}");
        }
    }

    #[test]
    fn the_host_name_is_a_variable_by_other_names() {
        for script in [
            "eval \"$(hostname)\"",
            "eval $(cat /etc/hostname)",
            "sh -c \"$(uname -n)\"",
            "echo $(( ${HOSTNAME##*-} + 1 ))",
        ] {
            let found = uses(script, &|name| name == HOSTNAME);
            assert_eq!(found.get(HOSTNAME), Some(&Use::Executed), "{script}");
        }
        let shown = uses("exec app --node \"$(hostname)\"", &|name| name == HOSTNAME);
        assert_eq!(shown.get(HOSTNAME), Some(&Use::Argument));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(http://|curl |nc |-k|[a-z.:/@\\[\\]$ =é]){0,30}") {
            let _ = uses(&text, &|name| name == HOST_DATA);
        }
    }
}
