//! Files of settings of package managers: those that say from where something is fetched, and those of dnf and yum.

use super::machines::is_unprotected;
use super::paths::base_name;
use super::script::ShellCommand;
use super::unchecked::OFF;

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

/// Whether a command writes settings of dnf or yum and nothing else: `sslverify=0` of these is not that of Git, and they check signatures.
pub(super) fn writes_settings_of_dnf(command: &ShellCommand) -> bool {
    let Some((program, arguments)) = command.words.split_first() else {
        return false;
    };
    let operands = arguments.iter().filter(|word| !word.text.starts_with('-'));
    let named = match base_name(&program.text) {
        "cat" | "echo" | "printf" => None,
        "tee" => Some(operands),
        _ => return false,
    };
    let files = named.into_iter().flatten().chain(&command.outputs);
    let mut files = files
        .map(|word| word.text.as_str())
        .filter(|file| *file != "/dev/null")
        .peekable();
    files.peek().is_some() && files.all(|file| file.starts_with("/etc/dnf") || file.starts_with("/etc/yum"))
}

/// The package managers that take packages without a signature from an address where anyone may answer, as a text of settings says.
pub(super) fn unsigned_repositories(text: &str) -> &'static [&'static str] {
    if !text.split_whitespace().any(is_unprotected) {
        return &[];
    }
    let text = text.to_ascii_lowercase().replace(": ", "=").replace(" = ", "=");
    let is_off = |line: &str| {
        OFF.iter()
            .any(|off| line.strip_prefix("gpgcheck=") == Some(off) && !off.is_empty())
    };
    match text.contains("trusted=yes") {
        true => &["apt", "apt-get"],
        false if text.replace("\\n", "\n").lines().map(str::trim).any(is_off) => &["dnf", "yum"],
        false => &[],
    }
}
