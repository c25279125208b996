//! Programs by which a script writes settings of theirs: `npm config set registry "$NAME"`. Later one of them takes from there what it
//! fetches or starts, as it does from a file that the script writes.

use super::word::Word;

/// Programs, and their first words behind which a setting follows. Without such words it may follow any.
const WRITERS: [(&[&str], &[&str]); 13] = [
    (
        &["npm", "pnpm", "yarn"],
        &["c", "conf", "config", "set", "set-config"],
    ),
    (&["bun", "pip", "pip3", "pipx"], &["config"]),
    (&["uv"], &["config", "pip"]),
    (&["conda", "mamba", "micromamba"], &["config", "env"]),
    (&["gem"], &["source", "sources"]),
    (&["bundle", "bundler"], &["config"]),
    (&["pdm", "poetry", "hatch"], &["config", "source"]),
    (&["composer"], &["config", "global", "repo", "repository"]),
    (&["go"], &["env"]),
    (&["aws"], &["configure"]),
    (&["pear", "pecl"], &["channel-discover", "config-set"]),
    (&["luarocks"], &["config"]),
    (
        &[
            "add-apt-repository",
            "apt-add-repository",
            "apt-key",
            "flatpak",
            "nix-channel",
            "yum-config-manager",
        ],
        &[],
    ),
];
/// Ends of settings whose value is data. The programs put it in quotes.
const OF_DATA: [&str; 9] = [
    "_auth",
    "authtoken",
    "email",
    "loglevel",
    "password",
    "timeout",
    "token",
    "user",
    "username",
];
/// First parts of those of Composer and Poetry whose values are logins.
const OF_LOGINS: [&str; 6] = [
    "bearer",
    "github-oauth",
    "gitlab-oauth",
    "gitlab-token",
    "http-basic",
    "pypi-token",
];

/// Whether a variable stands in a setting of a program that decides what it fetches or starts. One that follows its name is data if that
/// is named for data.
pub(super) fn sets_by_a_variable(name: &str, arguments: &[Word]) -> bool {
    let Some((_, verbs)) = WRITERS.iter().find(|(programs, _)| programs.contains(&name)) else {
        return false;
    };
    let mut operands = arguments.iter().filter(|word| !word.text.starts_with('-'));
    let verb = operands.next().map_or("", |word| word.text.as_str());
    if !verbs.is_empty() && !verbs.contains(&verb) {
        return false;
    }
    // `uv pip config`, `npm config get`: what is shown is not set.
    let mut texts = arguments.iter().map(|word| word.text.as_str());
    if name == "uv" && !texts.clone().any(|text| text == "config")
        || texts.any(|text| matches!(text, "get" | "list"))
    {
        return false;
    }
    // A line of the value would be another setting of the AWS CLI.
    let has_quotes = name != "aws";
    let mut is_behind_data = false;
    arguments.iter().any(|word| {
        let text = word.text.as_str();
        let key = text.split('=').next().unwrap_or_default();
        let is_key = has_quotes && is_named_for_data(key);
        let is_open = !word.names.is_empty();
        let is_data = is_key || is_behind_data && (word.text.starts_with('$') || !is_open);
        // Of a login both words follow, the user and the password.
        is_behind_data = is_data;
        is_open && !is_data
    })
}

/// Whether a setting of this name takes data. A name that a variable is part of does if it begins as that of a registry's login.
fn is_named_for_data(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    if key.contains('$') && !key.starts_with("//") {
        return false;
    }
    let last = key.rsplit(['.', ':', '/']).next().unwrap_or_default();
    let first = key.split('.').next().unwrap_or_default();
    OF_DATA.iter().any(|end| last.ends_with(end)) || key.contains('.') && OF_LOGINS.contains(&first)
}
