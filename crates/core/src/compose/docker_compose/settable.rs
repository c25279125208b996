//! Who can set a variable that Docker Compose substitutes: what surrounds the docker compose file decides.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use super::mounts::{self, PROJECT_FOLDER};
use super::runner::Runner;
use super::shell::{self, WrittenFrom};
use super::variables::Template;

/// The script that runs before Docker Compose and what it hands on, from the table of known scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaunchScript {
    /// None, or an empty one.
    None,
    /// A known one.
    Known {
        /// Its version.
        version: &'static str,
        /// The variables that it exports.
        exports: &'static [&'static str],
        /// The variables that it reads to log in to a registry, and for nothing else.
        registry_login: &'static [&'static str],
    },
    /// One whose text is in no table: it may set anything.
    Unknown,
}

impl LaunchScript {
    /// Whether it is known to read a variable to log in to a registry, and for nothing else.
    #[must_use]
    pub(crate) fn logs_in_with(&self, name: &str) -> bool {
        matches!(self, Self::Known { registry_login, .. } if registry_login.contains(&name))
    }
}

/// What the guest's own start script hands on to Docker Compose from what the host supplies
/// (`app-compose.sh` of dstack: `export PCCS_URL`).
const FROM_THE_HOST: [&str; 1] = ["PCCS_URL"];

/// What systemd and the shell of the guest set. The measured OS image decides the values; they are not in the document.
const FROM_THE_GUEST: [&str; 12] = [
    "HOME",
    "HOSTNAME",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LANG",
    "LOGNAME",
    "OLDPWD",
    "PATH",
    "SHELL",
    "SHLVL",
    "USER",
    "_",
];

fn is_script(value: Option<&Value>) -> bool {
    value.is_some_and(|value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(|item| item.as_str() != Some("")),
        _ => true,
    })
}

/// Whether a script of which it is not known what it does with a variable runs before the containers, or instead of them: a runner
/// that starts no docker compose file executes a script. `runner` and `init_script` are those of the document.
pub(crate) fn runs_unknown_script(
    runner: Option<&Value>,
    init_script: Option<&Value>,
    script: LaunchScript,
) -> bool {
    !Runner::starts_containers(runner) || is_script(init_script) || script == LaunchScript::Unknown
}

/// Who can set a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setter {
    /// The deployer and the host, through the encrypted environment.
    AllowedEnvs,
    /// Whoever it is: there is no `allowed_envs` that could be read.
    Anyone,
    /// A known pre-launch script.
    Script(&'static str),
    /// An unknown script.
    UnknownScript,
    /// The host, through the guest's start script.
    Host,
    /// The guest's OS.
    Guest,
}

impl fmt::Display for Setter {
    /// Follows the name of the variable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllowedEnvs => f.write_str("is in `allowed_envs`"),
            Self::Anyone => f.write_str("can be set from outside (no `allowed_envs` to read)"),
            Self::Script(version) => write!(f, "is set by Phala's pre-launch script {version}"),
            Self::UnknownScript => f.write_str("can be set by a script that is in no table"),
            Self::Host => f.write_str("is set by the host"),
            Self::Guest => f.write_str("is set by the guest's OS, not by the document"),
        }
    }
}

/// Whether a file is named for data, which no program executes: settings, keys, secrets.
fn is_named_for_data(path: &str) -> bool {
    const ENDS: [&str; 12] = [
        ".cfg",
        ".conf",
        ".env",
        ".ini",
        ".password",
        ".pub",
        ".secret",
        ".toml",
        ".token",
        ".xml",
        ".yaml",
        ".yml",
    ];
    const WORDS: [&str; 10] = [
        "cert",
        "credentials",
        "env",
        "id",
        "key",
        "pass",
        "passwd",
        "password",
        "secret",
        "token",
    ];
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or_default();
    shell::is_data_by_name(path)
        || ENDS.iter().any(|end| name.ends_with(end))
        || !name.contains('.') && WORDS.contains(&last)
}

/// What surrounds a docker compose file.
#[derive(Debug, Clone)]
pub(super) struct Settable {
    /// Absent where `allowed_envs` cannot be read, so that it may be anything.
    allowed: Option<BTreeSet<String>>,
    script: LaunchScript,
    /// Whether a script runs that is not the pre-launch script.
    has_other_script: bool,
    /// Whether nerdctl starts the containers.
    is_nerdctl: bool,
    /// Files that a script before the containers writes with what something outside the document decides, by their paths in the guest.
    written: BTreeMap<String, WrittenFrom>,
}

impl Settable {
    /// From the members of a compose document.
    pub(super) fn of(members: &Map<String, Value>, script: LaunchScript) -> Self {
        let allowed = match members.get("allowed_envs") {
            None | Some(Value::Null) => Some(BTreeSet::new()),
            Some(Value::Array(names)) => names
                .iter()
                .map(|name| name.as_str().map(|name| name.trim().to_owned()))
                .collect(),
            Some(_) => None,
        };
        Self {
            allowed,
            script,
            has_other_script: runs_unknown_script(
                members.get("runner"),
                members.get("init_script"),
                LaunchScript::None,
            ),
            is_nerdctl: members.get("runner").and_then(Value::as_str) == Some("nerdctl-compose"),
            written: BTreeMap::new(),
        }
        .with_written_files(members)
    }

    /// Adds what the scripts of the document write that run before the containers.
    fn with_written_files(mut self, members: &Map<String, Value>) -> Self {
        let mut texts = Vec::new();
        if self.script == LaunchScript::Unknown {
            texts.extend(members.get("pre_launch_script").and_then(Value::as_str));
        }
        match members.get("init_script") {
            Some(Value::Array(items)) => texts.extend(items.iter().filter_map(Value::as_str)),
            Some(Value::String(text)) => texts.push(text.as_str()),
            _ => {}
        }
        for text in texts {
            for (path, from) in shell::files_from_outside(text, &|name| self.is_handed_in(name)) {
                self.written.insert(mounts::resolve_written(&path), from);
            }
        }
        self
    }

    /// A file at a path, or below or above it, that a script before the containers writes with what something outside the document decides.
    pub(super) fn written_at(&self, path: &str) -> Option<(&str, &WrittenFrom)> {
        let written = self.written.iter();
        let mut meant = written.filter(|(written, from)| {
            let is_data = **from != WrittenFrom::Host && is_named_for_data(written);
            mounts::overlaps(written, path) && !is_data
        });
        meant.next().map(|(path, from)| (path.as_str(), from))
    }

    /// Nothing is known of what surrounds the file, so that everything may be set.
    pub(super) const fn unknown() -> Self {
        Self {
            allowed: None,
            script: LaunchScript::Unknown,
            has_other_script: false,
            is_nerdctl: true,
            written: BTreeMap::new(),
        }
    }

    /// Whether a script runs before the containers of which it is not known what it does with a variable.
    pub(super) const fn runs_unknown_script(&self) -> bool {
        self.has_other_script || matches!(self.script, LaunchScript::Unknown)
    }

    /// Whether the words of a health check reach the container as a list. nerdctl takes the check as one text for a shell.
    pub(super) const fn keeps_words_of_health_checks(&self) -> bool {
        !self.is_nerdctl
    }

    /// Who can set a variable; nothing where nothing can.
    pub(super) fn setter(&self, name: &str) -> Option<Setter> {
        match &self.allowed {
            None => return Some(Setter::Anyone),
            Some(allowed) if allowed.contains(name) => return Some(Setter::AllowedEnvs),
            Some(_) => {}
        }
        match self.script {
            LaunchScript::Known { version, exports, .. } if exports.contains(&name) => {
                return Some(Setter::Script(version));
            }
            LaunchScript::Unknown => return Some(Setter::UnknownScript),
            LaunchScript::None | LaunchScript::Known { .. } => {}
        }
        if self.has_other_script {
            Some(Setter::UnknownScript)
        } else if FROM_THE_HOST.contains(&name) {
            Some(Setter::Host)
        } else {
            FROM_THE_GUEST.contains(&name).then_some(Setter::Guest)
        }
    }

    /// Whether the deployer or the host fills a variable before any script runs.
    pub(super) fn is_handed_in(&self, name: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(name)) || FROM_THE_HOST.contains(&name)
    }

    /// A name as Docker reads it, where every variable in it is as nothing sets it.
    pub(super) fn fixed(&self, name: &str) -> String {
        let text = match Template::read(name) {
            Ok(template) => template.evaluate(&|name| self.value(name)),
            Err(_) => name.to_owned(),
        };
        text.trim().to_ascii_lowercase()
    }

    /// The project by which Docker Compose names containers, where nothing outside the document sets it: the `name` of the file, else that
    /// of the folder in which the guest starts it (dstack, `os/common/rootfs/app-compose.service`).
    pub(super) fn project(&self, root: &Map<String, Value>) -> Option<String> {
        let is_set = |name: &str| self.setter(name).is_some();
        if self.is_nerdctl
            || ["COMPOSE_PROJECT_NAME", "COMPOSE_COMPATIBILITY"]
                .into_iter()
                .any(is_set)
        {
            return None;
        }
        match root.get("name") {
            None => self.value("COMPOSE_PROJECT_NAME"),
            Some(name) => {
                let name = name.as_str()?;
                let template = Template::read(name).ok()?;
                (!template.names().into_iter().any(is_set)).then(|| self.fixed(name))
            }
        }
    }

    /// Whether nothing but Docker Compose works with the names of containers: no script before them, no other runner.
    pub(super) const fn gives_plain_names(&self) -> bool {
        !self.is_nerdctl && !self.runs_unknown_script()
    }

    /// The value of a variable that nothing can set: only what Docker Compose itself knows.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        match name {
            "PWD" => Some(PROJECT_FOLDER.to_owned()),
            "COMPOSE_PROJECT_NAME" => Some("dstack".to_owned()),
            _ => None,
        }
    }
}
