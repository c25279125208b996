//! The next commands for one target, as they can be pasted: what `pin` prints, and what a finding advises.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::file::FILE_NAME;
use crate::config::{Settings, path_of};
use crate::source::{Source, phala_cloud};
use cvm_verify_core::policy::Origin;
use cvm_verify_core::report::{Status, TargetReport, Verdict};

/// The name of the lock file that is written, and found, where no other is given.
pub(crate) const LOCK_NAME: &str = "cvm.lock";

/// What stands before every command in an advice, and behind it.
const MARK: char = '`';
const PROGRAM: &str = "cvm-verify ";

/// Options that say how a target is reached; each command that asks one has them.
const REACHING: [&str; 7] = [
    "source",
    "attestation-path",
    "info-path",
    "info-url",
    "gpu-path",
    "nonce-parameter",
    "phala-api-url",
];
/// What an advice says of the option that waits, where a command has none.
const WAITING: &str = " (--wait 10m)";
/// What an advice says of the options of a live target, where a recording has none.
const OF_A_LIVE_TARGET: [&str; 3] = [
    WAITING,
    ", name where it is (--info-path, --info-url)",
    ", or name another path with --info-path",
];
/// Options that say what is known beside the built-in tables: what a lock relies on, `verify` needs too.
const KNOWING: [&str; 2] = ["reference-values", "sigstore-root"];
/// The option that says how its answer is read. `inspect` has none.
const LAYOUT: &str = "report-data";

/// Options of the network, which each command that asks the target needs too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NetworkOptions {
    /// As they are pasted, with a blank before each.
    text: String,
    /// Those that may hold a secret.
    left_out: Vec<&'static str>,
}

impl NetworkOptions {
    /// With an option that was given, if it was.
    pub fn with(mut self, option: &'static str, value: Option<&str>) -> Self {
        match value {
            None => {}
            Some(value) if may_hold_a_secret(value) => self.left_out.push(option),
            Some(value) => self.text.push_str(&format!(" {option} {}", word(value))),
        }
        self
    }

    /// With an option whose value is a file, if it was given.
    pub fn with_file(mut self, option: &str, path: Option<&Path>) -> Self {
        if let Some(path) = path {
            self.text
                .push_str(&format!(" {option} {}", word(&path.display().to_string())));
        }
        self
    }

    /// With an option that has no value, if it was given.
    pub fn with_switch(mut self, option: &str, is_given: bool) -> Self {
        if is_given {
            self.text.push_str(&format!(" {option}"));
        }
        self
    }
}

/// Whether an address has a place for one: a query, a name before the host, or a part of its path that is none of a PCCS's.
fn may_hold_a_secret(value: &str) -> bool {
    const OF_A_PCCS: [&str; 7] = ["", "sgx", "tdx", "certification", "v1", "v3", "v4"];
    let behind = value.split_once("://").map_or(value, |(_, behind)| behind);
    let mut path = behind.split('/').skip(1);
    value.contains(['?', '@']) || path.any(|part| !OF_A_PCCS.contains(&part))
}

/// One target, in the words of a command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Commands {
    /// Whether it was named by its address or id, not by a policy file.
    is_typed: bool,
    /// Its address or id in any case.
    address: String,
    /// Whether that is a URL.
    is_url: bool,
    /// How it is reached, as options.
    reached: String,
    /// How its answer is read, as an option.
    layout: String,
    /// What is known beside the built-in tables, as options of `pin` and `verify`.
    knowing: Box<str>,
    /// Through which network. A fleet has one.
    network: Arc<NetworkOptions>,
    /// What was left out of how it is reached, since it may hold a secret.
    unsaid: Vec<String>,
    /// Its name in policy file and lock.
    name: Option<String>,
    /// The policy file.
    config: Option<PathBuf>,
    /// The lock, as an option or the policy file names it.
    lock: Option<PathBuf>,
    /// Whether other addresses were typed beside it.
    is_one_of_several: bool,
    /// The files of its evidence, where that is recorded: what is judged is the recording, and not what answers today.
    files: Option<Box<EvidenceFiles>>,
}

/// Recorded evidence, as each command takes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EvidenceFiles {
    /// For `pin`: `--from FILE`, or the options of loose files.
    pub pin: String,
    /// For `diff`, where it is the second side: a bundle, or the options of loose files.
    pub diff: String,
    /// For `inspect`: a file.
    pub inspect: String,
}

/// Where a target was named.
pub(crate) struct TargetNames<'a> {
    /// Whether its address was given on the command line.
    pub is_typed: bool,
    /// Its name in policy file and lock.
    pub name: Option<&'a str>,
    /// The policy file.
    pub config: Option<&'a Path>,
    /// Whether other addresses were typed beside it, so that one lock is not that of all.
    pub is_one_of_several: bool,
}

impl Commands {
    /// For a target with these settings.
    pub fn of(source: &Source, named: &TargetNames<'_>, settings: &Settings) -> Self {
        let address = match source {
            Source::PhalaCloud(app) => app.app_id().to_string(),
            other => other.url().to_owned(),
        };
        let address = word(address.trim_end_matches('/'));
        // What the policy file says is read from there.
        let typed = |key: &str| {
            let value = settings.one(key)?;
            matches!(value.origin, Origin::Option(_)).then_some(value.text.as_str())
        };
        let given = |key: &&str| given(settings, key);
        let has_query = matches!(source, Source::App(app) if app.base().query().is_some());
        let query = has_query.then(|| "the query of the address".to_owned());
        let with_query = REACHING
            .iter()
            .filter(|key| typed(key).is_some_and(|text| text.contains('?')));
        let with_query = with_query.map(|key| format!("--{key}"));
        Self {
            is_typed: named.is_typed,
            is_url: address.contains("://"),
            address,
            reached: REACHING.iter().filter_map(given).collect(),
            layout: given(&LAYOUT).unwrap_or_default(),
            knowing: knowing(settings).into(),
            unsaid: query.into_iter().chain(with_query).collect(),
            ..Self::in_files_of(named, settings)
        }
    }

    /// What the files say of it.
    fn in_files_of(named: &TargetNames<'_>, settings: &Settings) -> Self {
        Self {
            name: named.name.map(str::to_owned),
            config: named.config.map(Path::to_owned),
            lock: settings.one("lock").map(path_of),
            is_one_of_several: named.is_one_of_several,
            ..Self::default()
        }
    }

    /// For recorded evidence of a target, with the origin that was recorded. None where nothing says how the target is reached.
    pub fn of_recorded(origin: Option<&str>, named: &TargetNames<'_>, settings: &Settings) -> Option<Self> {
        let address = origin.map(word);
        (address.is_some() || !named.is_typed).then(|| Self {
            is_typed: named.is_typed,
            is_url: true,
            address: address.unwrap_or_default(),
            ..Self::in_files_of(named, settings)
        })
    }

    /// For recorded evidence that is judged, by its files.
    pub fn of_files(files: EvidenceFiles, named: &TargetNames<'_>, settings: &Settings) -> Self {
        Self {
            is_typed: true,
            is_url: true,
            address: files.pin.clone(),
            layout: given(settings, LAYOUT).unwrap_or_default(),
            knowing: knowing(settings).into(),
            files: Some(Box::new(files)),
            ..Self::in_files_of(named, settings)
        }
    }

    /// The same, asked through a network.
    pub fn through(self, network: &Arc<NetworkOptions>) -> Self {
        Self {
            network: Arc::clone(network),
            ..self
        }
    }

    /// What names the target to `verify` and `pin`.
    fn target(&self) -> String {
        let mut text = String::new();
        if self.is_typed {
            text.push_str(&format!(" {}", self.address));
        }
        // Only what was typed: the policy file says the rest.
        text.push_str(&self.reached);
        text.push_str(&self.layout);
        text.push_str(&self.knowing);
        text.push_str(&self.in_files());
        text.push_str(&self.network.text);
        text
    }

    /// Its name, and its policy file where no command finds that by itself.
    fn in_files(&self) -> String {
        let name = self.name.as_ref();
        let name = name.map(|name| format!(" --target {name}")).unwrap_or_default();
        let (is_found, name_is_given) = (!self.is_typed, self.name.is_some());
        let config = self
            .config
            .as_deref()
            .filter(|path| name_is_given && (!is_found || *path != Path::new(FILE_NAME)));
        let config = config.map(|path| format!(" --config {}", word(&path.display().to_string())));
        name + &config.unwrap_or_default()
    }

    /// Pins it into its lock. `more` is what the advice adds.
    fn pin(&self, more: &str) -> String {
        let output = match (&self.lock, &self.config) {
            // The policy file says where.
            (Some(lock), None) if lock != Path::new(LOCK_NAME) && !more.contains("--output") => {
                format!(" --output {}", word(&lock.display().to_string()))
            }
            // A lock of one address would replace that of the other.
            (None, None) if self.is_one_of_several && !more.contains("--output") => {
                format!(" --output {}", self.own_lock())
            }
            _ => String::new(),
        };
        format!("pin{}{output}{more}", self.target())
    }

    /// A name for a lock of this address alone.
    fn own_lock(&self) -> String {
        let (_, name) = self.address.split_once("://").unwrap_or(("", &self.address));
        let plain = |character: char| match character.is_ascii_alphanumeric() || character == '.' {
            true => character,
            false => '-',
        };
        format!("{}.lock", name.chars().map(plain).collect::<String>())
    }

    /// Verifies it with the lock that was just written to `path`. `more` is what the lock alone does not say.
    pub fn verify(&self, path: &Path, is_found: bool, more: &str) -> String {
        let is_named = self.config.is_some() && self.lock.as_deref() == Some(path);
        let lock = match is_named || (is_found && self.is_typed && path == Path::new(LOCK_NAME)) {
            true => String::new(),
            false => format!(" --lock {}", word(&path.display().to_string())),
        };
        format!("{PROGRAM}verify{}{lock}{more}", self.target())
    }

    /// Compares `lock` with it.
    fn diff(&self, lock: &str) -> String {
        let side = self.files.as_ref().map_or(&self.address, |files| &files.diff);
        match (self.is_typed, self.is_url) {
            (false, true) => format!("diff{}{}", self.in_files(), self.network.text),
            (true, true) => {
                let name = self.name.as_ref();
                let name = name.map(|name| format!(" --target {name}")).unwrap_or_default();
                format!(
                    "diff {} {side}{}{}{name}{}",
                    word(lock),
                    self.reached,
                    self.layout,
                    self.network.text
                )
            }
            // An id is no side of a comparison: what answers for it signs no nonce.
            (_, false) => self.inspect(),
        }
    }

    fn inspect(&self) -> String {
        let what = self.files.as_ref().map_or(&self.address, |files| &files.inspect);
        // What the policy file says of the source, `inspect` does not read.
        let source = match self.is_typed || self.is_url || self.reached.contains("--source") {
            true => String::new(),
            false => format!(" --source {}", phala_cloud::ROW.name),
        };
        format!("inspect {what}{source}{}{}", self.reached, self.network.text)
    }

    /// Writes the commands in the advice of every check for this target. What was not asked of a target that passes keeps its
    /// general advice: a fleet holds that once.
    pub fn fill(&self, report: &mut TargetReport) {
        let passes = report.verdict == Verdict::Pass;
        for check in &mut report.checks {
            if (passes && check.status == Status::Skip)
                || !check.fix.as_ref().is_some_and(|fix| fix.contains(MARK))
            {
                continue;
            }
            if let Some(fix) = &mut check.fix {
                *fix = self.filled(fix);
                fix.shrink_to_fit();
            }
        }
    }

    fn filled(&self, advice: &str) -> String {
        let start = format!("{MARK}{PROGRAM}");
        let mut text = String::new();
        let mut commands = Vec::new();
        let mut rest = advice;
        while let Some((before, behind)) = rest.split_once(&start) {
            let Some((command, behind)) = behind.split_once(MARK) else {
                break;
            };
            let command = self.command(command);
            text.push_str(&format!("{before}{start}{command}{MARK}"));
            commands.push(command);
            rest = behind;
        }
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        text + rest
            + &self
                .left_out(&commands)
                .map(|said| format!(" {said}"))
                .unwrap_or_default()
    }

    /// What a person has to add to commands of this target, a sentence.
    pub fn left_out(&self, commands: &[&str]) -> Option<String> {
        let asks = |command: &&str| {
            ["pin", "diff", "inspect", "verify"]
                .iter()
                .any(|name| command.starts_with(name))
        };
        let has_address = |command: &&str| !self.address.is_empty() && command.contains(&self.address);
        let of_address = self.unsaid.iter().map(String::as_str);
        let of_network = self.network.left_out.iter().copied();
        let unsaid: Vec<&str> = of_address
            .filter(|_| commands.iter().any(has_address))
            .chain(of_network.filter(|_| commands.iter().any(asks)))
            .collect();
        (!unsaid.is_empty()).then(|| {
            format!(
                "What may hold a secret is left out of the command: add {}.",
                unsaid.join(" and ")
            )
        })
    }

    /// A command of an advice, in which `URL` stands for the target, or nothing does.
    fn command(&self, command: &str) -> String {
        let (name, more) = command.split_once(' ').unwrap_or((command, ""));
        let more = more.strip_prefix("URL").map_or(more, str::trim_start);
        let more = match more {
            "" => String::new(),
            more => format!(" {more}"),
        };
        match name {
            "pin" => self.pin(&more),
            "diff" => match more.trim_start().strip_suffix(" URL") {
                Some(lock) => self.diff(lock),
                None => command.to_owned(),
            },
            "inspect" if more.is_empty() => self.inspect(),
            "plan" => format!("plan{more}{}", self.in_files()),
            _ => command.to_owned(),
        }
    }
}

/// Leaves out of every advice what a recording does not have: the option that waits, and those that name endpoints.
pub(crate) fn leave_out_live_options(report: &mut TargetReport) {
    leave_out(&OF_A_LIVE_TARGET, report);
}

/// Leaves the option that waits out of every advice: a command that repeats waits in any case.
pub(crate) fn leave_out_waiting(report: &mut TargetReport) {
    leave_out(&[WAITING], report);
}

fn leave_out(phrases: &[&str], report: &mut TargetReport) {
    for fix in report.checks.iter_mut().filter_map(|check| check.fix.as_mut()) {
        for phrase in phrases {
            if fix.contains(phrase) {
                *fix = fix.replace(phrase, "");
            }
        }
    }
}

/// An option that was typed, as it is pasted, with a blank before it; unless it may hold a secret.
fn given(settings: &Settings, key: &str) -> Option<String> {
    let value = settings.one(key)?;
    let is_typed = matches!(value.origin, Origin::Option(_)) && !value.text.contains('?');
    is_typed.then(|| format!(" --{key} {}", word(&value.text)))
}

/// What was typed of what is known beside the built-in tables, as options of `pin`, `verify` and `replay`.
pub(crate) fn knowing(settings: &Settings) -> String {
    KNOWING.iter().filter_map(|key| given(settings, key)).collect()
}

/// A word of a command line, in quotes where a shell needs them.
pub(crate) fn word(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_-./:@%+=,".contains(character);
    match !text.is_empty() && text.chars().all(is_plain) {
        // A path: no program takes it for an option.
        true if text.starts_with('-') => format!("./{text}"),
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
#[path = "next_commands_tests.rs"]
mod tests;
