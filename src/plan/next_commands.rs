//! The next commands for one target, as they can be pasted: what `pin` prints, and what a finding advises.

use std::path::{Path, PathBuf};

use crate::config::file::FILE_NAME;
use crate::config::{Settings, path_of};
use crate::source::Source;
use cvm_verify_core::policy::Origin;
use cvm_verify_core::report::TargetReport;

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
/// The option that says how its answer is read. `inspect` has none.
const LAYOUT: &str = "report-data";

/// One target, in the words of a command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Commands {
    /// Its address or id, where it was not read from a policy file.
    typed: Option<String>,
    /// Its address or id in any case.
    address: String,
    /// Whether that is a URL.
    is_url: bool,
    /// Whether it was asked itself.
    is_live: bool,
    /// How it is reached, as options.
    reached: String,
    /// How its answer is read, as an option.
    layout: String,
    /// Its name in policy file and lock.
    name: Option<String>,
    /// The policy file.
    config: Option<PathBuf>,
    /// The lock, as an option or the policy file names it.
    lock: Option<PathBuf>,
    /// How this run reached the network, as options.
    network: String,
    /// Whether other addresses were typed beside it.
    is_one_of_several: bool,
    /// Whether its address, or a path of an endpoint, has a query, which is never shown: it may hold a key.
    leaves_out: bool,
}

/// Where a target was named.
pub(crate) struct TargetNames<'a> {
    /// Whether its address was given on the command line.
    pub is_typed: bool,
    /// Its name in policy file and lock.
    pub name: Option<&'a str>,
    /// The policy file.
    pub config: Option<&'a Path>,
    /// How the run reaches the network, as options.
    pub network: &'a str,
    /// Whether other addresses were typed beside it, so that one lock is not that of all.
    pub is_one_of_several: bool,
}

/// An option with a value, as a command has it. A value that may hold a key or a password is not repeated.
pub(crate) fn option(name: &str, value: &str) -> String {
    match value.contains(['?', '@']) {
        true => String::new(),
        false => format!(" --{name} {}", word(value)),
    }
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
        let given = |key: &&str| {
            let value = settings.one(key)?;
            let is_given = matches!(value.origin, Origin::Option(_)) && !value.text.contains('?');
            is_given.then(|| format!(" --{key} {}", word(&value.text)))
        };
        let has_query = |key: &&str| settings.one(key).is_some_and(|value| value.text.contains('?'));
        let leaves_out = match source {
            Source::App(app) => app.base().query().is_some() || REACHING.iter().any(has_query),
            _ => false,
        };
        Self {
            typed: named.is_typed.then(|| address.clone()),
            is_url: address.contains("://"),
            is_live: true,
            address,
            reached: REACHING.iter().filter_map(given).collect(),
            layout: given(&LAYOUT).unwrap_or_default(),
            name: named.name.map(str::to_owned),
            config: named.config.map(Path::to_owned),
            lock: settings.one("lock").map(path_of),
            network: named.network.to_owned(),
            is_one_of_several: named.is_one_of_several,
            leaves_out,
        }
    }

    /// For recorded evidence of a target, with the origin that was recorded. None where nothing says how the target is reached.
    pub fn of_recorded(origin: Option<&str>, named: &TargetNames<'_>, settings: &Settings) -> Option<Self> {
        let address = origin.map(word);
        (address.is_some() || !named.is_typed).then(|| Self {
            typed: address.clone().filter(|_| named.is_typed),
            is_url: true,
            is_live: false,
            address: address.unwrap_or_default(),
            reached: String::new(),
            layout: String::new(),
            name: named.name.map(str::to_owned),
            config: named.config.map(Path::to_owned),
            lock: settings.one("lock").map(path_of),
            network: named.network.to_owned(),
            is_one_of_several: named.is_one_of_several,
            leaves_out: false,
        })
    }

    /// What names the target to `verify` and `pin`.
    fn target(&self) -> String {
        let mut text = String::new();
        if let Some(address) = &self.typed {
            text.push_str(&format!(" {address}{}{}", self.reached, self.layout));
        }
        text.push_str(&self.in_files());
        text.push_str(&self.network);
        text
    }

    /// Its name, and its policy file where no command finds that by itself.
    fn in_files(&self) -> String {
        let name = self.name.as_ref();
        let name = name.map(|name| format!(" --target {name}")).unwrap_or_default();
        let (is_found, name_is_given) = (self.typed.is_none(), self.name.is_some());
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

    /// Whether the target was asked itself, not read from a file.
    pub const fn is_live(&self) -> bool {
        self.is_live
    }

    /// Verifies it with the lock that was just written to `path`. `more` is what the lock alone does not say.
    pub fn verify(&self, path: &Path, is_found: bool, more: &str) -> String {
        let is_named = self.config.is_some() && self.lock.as_deref() == Some(path);
        let lock = match is_named || (is_found && self.typed.is_some() && path == Path::new(LOCK_NAME)) {
            true => String::new(),
            false => format!(" --lock {}", word(&path.display().to_string())),
        };
        format!("{PROGRAM}verify{}{lock}{more}", self.target())
    }

    /// Compares `lock` with it.
    fn diff(&self, lock: &str) -> String {
        match (&self.typed, self.is_url) {
            (None, _) => format!("diff{}{}", self.in_files(), self.network),
            (Some(_), true) => {
                let name = self.name.as_ref();
                let name = name.map(|name| format!(" --target {name}")).unwrap_or_default();
                format!(
                    "diff {} {}{}{}{name}{}",
                    word(lock),
                    self.address,
                    self.reached,
                    self.layout,
                    self.network
                )
            }
            // An id is no side of a comparison.
            (Some(_), false) => self.inspect(),
        }
    }

    fn inspect(&self) -> String {
        format!("inspect {}{}{}", self.address, self.reached, self.network)
    }

    /// Writes the commands in the advice of every check for this target.
    pub fn fill(&self, report: &mut TargetReport) {
        for check in &mut report.checks {
            if let Some(fix) = &mut check.fix
                && fix.contains(MARK)
            {
                *fix = self.filled(fix);
            }
        }
    }

    fn filled(&self, advice: &str) -> String {
        let start = format!("{MARK}{PROGRAM}");
        let mut text = String::new();
        let mut shows_address = false;
        let mut rest = advice;
        while let Some((before, behind)) = rest.split_once(&start) {
            let Some((command, behind)) = behind.split_once(MARK) else {
                break;
            };
            let command = self.command(command);
            shows_address |= command.contains(&self.address);
            text.push_str(&format!("{before}{start}{command}{MARK}"));
            rest = behind;
        }
        text.push_str(rest);
        if self.leaves_out && shows_address {
            text.push_str(
                " Add the query (`?…`) of the address or of a path to the command: it is not shown, because it may hold a key.",
            );
        }
        text
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
            _ => command.to_owned(),
        }
    }
}

/// A word of a command line, in quotes where a shell needs them.
fn word(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_-./:@%+=,".contains(character);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::written;
    use crate::plan::target::Target;

    fn settings(options: &[(&'static str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (key, text) in options {
            settings.set(key, written("--option", [(*text).to_owned()]));
        }
        settings
    }

    fn of(address: &str, named: &TargetNames<'_>, options: &[(&'static str, &str)]) -> Commands {
        let settings = settings(options);
        let target = Target::new(address, &settings).unwrap();
        Commands::of(&target.source, named, &settings)
    }

    fn typed(address: &str, options: &[(&'static str, &str)]) -> Commands {
        let named = TargetNames {
            is_typed: true,
            name: None,
            config: None,
            network: "",
            is_one_of_several: false,
        };
        of(address, &named, options)
    }

    const CHANGED: &str = "See `cvm-verify diff cvm.lock URL`. Run `cvm-verify pin URL`, or `cvm-verify pin`; `cvm-verify inspect`.";

    #[test]
    fn an_address_is_written_where_the_advice_says_url() {
        assert_eq!(
            typed("https://shop.example/?token=x", &[("lock", "cvm.lock")]).filled(CHANGED),
            "See `cvm-verify diff cvm.lock https://shop.example`. Run `cvm-verify pin https://shop.example`, or `cvm-verify pin \
             https://shop.example`; `cvm-verify inspect https://shop.example`. Add the query (`?…`) of the address or of a path \
             to the command: it is not shown, because it may hold a key."
        );
        let other = typed(
            "https://shop.example",
            &[("lock", "my lock"), ("attestation-path", "/quote")],
        );
        assert_eq!(
            other.filled("`cvm-verify pin URL --accept tcb`, `cvm-verify pin URL --output x`"),
            "`cvm-verify pin https://shop.example --attestation-path /quote --output 'my lock' --accept tcb`, `cvm-verify pin \
             https://shop.example --attestation-path /quote --output x`"
        );
    }

    #[test]
    fn a_target_of_a_policy_file_goes_by_its_name() {
        let named = |config: &'static str| TargetNames {
            is_typed: false,
            name: Some("shop"),
            config: Some(Path::new(config)),
            network: "",
            is_one_of_several: false,
        };
        assert_eq!(
            of("https://shop.example", &named("cvm-verify.toml"), &[]).filled(CHANGED),
            "See `cvm-verify diff --target shop`. Run `cvm-verify pin --target shop`, or `cvm-verify pin --target shop`; \
             `cvm-verify inspect https://shop.example`."
        );
        let other = of("https://shop.example", &named("a/b.toml"), &[("lock", "x.lock")]);
        assert_eq!(
            other.filled("`cvm-verify pin`"),
            "`cvm-verify pin --target shop --config a/b.toml`"
        );
        assert_eq!(
            other.verify(Path::new("x.lock"), true, ""),
            "cvm-verify verify --target shop --config a/b.toml"
        );
        assert_eq!(
            other.verify(Path::new("y.lock"), true, ""),
            "cvm-verify verify --target shop --config a/b.toml --lock y.lock"
        );
    }

    #[test]
    fn a_command_reaches_the_network_as_the_run_did() {
        let network = [
            option("ca-file", "my ca.pem"),
            option("pccs-url", "https://pccs.example"),
        ]
        .concat();
        let named = |config: Option<&'static str>| TargetNames {
            is_typed: config.is_none(),
            name: config.map(|_| "shop"),
            config: config.map(Path::new),
            network: &network,
            is_one_of_several: false,
        };
        let options = "--ca-file 'my ca.pem' --pccs-url https://pccs.example";
        let commands = of("https://shop.example", &named(None), &[("lock", "cvm.lock")]);
        assert_eq!(
            commands.filled(CHANGED),
            format!(
                "See `cvm-verify diff cvm.lock https://shop.example {options}`. Run `cvm-verify pin https://shop.example {options}`, or \
                 `cvm-verify pin https://shop.example {options}`; `cvm-verify inspect https://shop.example {options}`."
            )
        );
        let commands = of("https://shop.example", &named(Some("cvm-verify.toml")), &[]);
        assert_eq!(
            commands.filled("`cvm-verify diff cvm.lock URL`, `cvm-verify pin`"),
            format!("`cvm-verify diff --target shop {options}`, `cvm-verify pin --target shop {options}`")
        );
        assert_eq!(
            commands.verify(Path::new("cvm.lock"), true, ""),
            format!("cvm-verify verify --target shop {options} --lock cvm.lock")
        );
        // The address of a proxy or a mirror may hold a password or a key.
        for secret in [
            "http://user:hunter2@proxy.example",
            "https://pccs.example/?key=hunter2",
        ] {
            assert_eq!(option("proxy", secret), "");
        }
    }

    #[test]
    fn each_of_several_addresses_has_a_lock_of_its_own() {
        let named = TargetNames {
            is_typed: true,
            name: None,
            config: None,
            network: "",
            is_one_of_several: true,
        };
        let address = "http://127.0.0.1:8080/shop";
        assert_eq!(
            of(address, &named, &[]).filled("`cvm-verify pin URL`"),
            format!("`cvm-verify pin {address} --output 127.0.0.1-8080-shop.lock`")
        );
        assert_eq!(
            of(address, &named, &[("lock", "cvm.lock")]).filled("`cvm-verify pin URL`"),
            format!("`cvm-verify pin {address}`")
        );
    }

    #[test]
    fn an_app_id_comes_with_its_source() {
        let id = "ab".repeat(20);
        let cloud = typed(&id, &[("source", "phala-cloud")]);
        assert_eq!(
            cloud.filled("`cvm-verify diff cvm.lock URL`, `cvm-verify pin URL`"),
            format!(
                "`cvm-verify inspect {id} --source phala-cloud`, `cvm-verify pin {id} --source phala-cloud`"
            )
        );
        assert_eq!(
            cloud.verify(Path::new("p.lock"), false, " --freshness unchecked"),
            format!("cvm-verify verify {id} --source phala-cloud --lock p.lock --freshness unchecked")
        );
    }

    #[test]
    fn other_text_stays() {
        for text in [
            "",
            "`x`",
            "`cvm-verify explain tcb-status`",
            "`cvm-verify pin",
            "a `cvm-verify ",
        ] {
            assert_eq!(typed("https://a.example", &[]).filled(text), text);
        }
    }
}
