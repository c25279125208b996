//! Every key of the policy file: the one table that the parser, the JSON Schema and the page of the documentation are
//! made from.
//!
//! To add a key: add its row to the file of its section, and read it in `plan/policy.rs` with `settings.one("NAME")` or `settings.all("NAME")`.
//! With `option`, the row is also the option `--NAME`, its variable `CVM_VERIFY_NAME`, and their help: `cli/args/keys.rs` declares
//! it from the row. Then `cargo xtask docs` writes schema, documentation and help.

mod channels;
mod code;
mod endpoints;
mod governance;
mod gpu;
mod guest;
mod kms;
mod not_keys;
mod provenance;
mod report_data;
mod reworded;
mod run;
mod switches;
mod target;
mod tcb;
mod tls;

pub(crate) use not_keys::NOT_KEYS;
pub(crate) use reworded::{PIN_OPTIONS, REPLAY_OPTIONS, RewordedOption};
pub(crate) use switches::{SWITCHES, SwitchOption};

use super::shape::ValueShape;

/// Where a key is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyScope {
    /// Only in a `[[target]]`.
    Target,
    /// Only in `[defaults]`: it is about the whole run.
    Defaults,
    /// In both.
    Both,
}

/// A key of the policy file.
#[derive(Debug)]
pub(crate) struct PolicyKey {
    /// Its name: that of the option.
    pub(crate) name: &'static str,
    /// Where it is allowed.
    pub(super) scope: KeyScope,
    /// Which values it may have.
    pub(crate) shape: ValueShape,
    /// What the key means, and so the option: one or more sentences. Those of a key without option may have links.
    pub(super) says: &'static str,
    /// What applies if the key is not given; empty if nothing does.
    pub(super) default: &'static str,
    /// An example of its value, TOML.
    pub(super) example: &'static str,
    /// The option of this name; `None` for a key that exists only in the policy file, or that has a
    /// [switch](SwitchOption).
    pub(crate) option: Option<Typed>,
}

/// A key as an option of the command line, and so as a variable of the environment.
#[derive(Debug)]
pub(crate) struct Typed {
    /// As it is typed: two dashes and the key's name.
    pub(crate) flag: &'static str,
    /// Which commands have it.
    pub(crate) group: OptionGroup,
    /// What the help calls its value.
    pub(crate) value: &'static str,
    /// What each word of a choice means, in the order of the words, without a full stop at the end. Empty if `says` names them.
    pub(crate) values: &'static [&'static str],
    /// Whether it says what must run. Then no lock in the working folder is looked for.
    pub(crate) expects: bool,
}

/// Which commands have an option of the table, and where their help shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OptionGroup {
    /// What is expected of a deployment, live or recorded.
    Expectations,
    /// What is expected of its GPUs.
    Gpus,
    /// What is expected only of a live deployment.
    Live,
    /// Which source to ask for evidence.
    Source,
    /// Which other service verifies a live deployment.
    SecondOpinion,
    /// How often `watch` repeats.
    Rounds,
}

/// How a row is written. What it does not say is the usual: it is allowed in both places, and is no option.
impl PolicyKey {
    const fn new(name: &'static str, shape: ValueShape) -> Self {
        Self {
            name,
            scope: KeyScope::Both,
            shape,
            says: "",
            default: "",
            example: "",
            option: None,
        }
    }

    const fn scope(self, scope: KeyScope) -> Self {
        Self { scope, ..self }
    }

    const fn says(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }

    /// The option, among the expectations unless `group` says otherwise.
    const fn option(self, flag: &'static str, value: &'static str) -> Self {
        let option = Typed {
            flag,
            group: OptionGroup::Expectations,
            value,
            values: &[],
            expects: false,
        };
        Self {
            option: Some(option),
            ..self
        }
    }

    const fn group(mut self, group: OptionGroup) -> Self {
        self.typed().group = group;
        self
    }

    const fn values(mut self, values: &'static [&'static str]) -> Self {
        self.typed().values = values;
        self
    }

    const fn expects(mut self) -> Self {
        self.typed().expects = true;
        self
    }

    /// The option of a row.
    #[expect(
        clippy::expect_used,
        reason = "the compiler evaluates it: a row without option would not build"
    )]
    const fn typed(&mut self) -> &mut Typed {
        self.option
            .as_mut()
            .expect("the option stands before what is said of it")
    }
}

impl OptionGroup {
    /// The heading of the help; none for that of all options.
    pub(crate) const fn heading(self) -> Option<&'static str> {
        match self {
            Self::Expectations | Self::Live => Some("Expectations"),
            Self::Gpus => Some("GPUs"),
            Self::Source => Some("Source"),
            Self::SecondOpinion => Some("Second opinion"),
            Self::Rounds => None,
        }
    }
}

/// The sections, in the order of the documentation.
const SECTIONS: [&[PolicyKey]; 14] = [
    target::KEYS,
    code::KEYS,
    guest::KEYS,
    provenance::KEYS,
    report_data::KEYS,
    tcb::KEYS,
    gpu::KEYS,
    tls::KEYS,
    tcb::EVALUATION,
    kms::KEYS,
    governance::KEYS,
    run::KEYS,
    endpoints::KEYS,
    channels::KEYS,
];

/// Every key, in the order of the documentation.
pub(crate) fn keys() -> impl Iterator<Item = &'static PolicyKey> {
    SECTIONS.into_iter().flatten()
}

/// The keys that are no options: what they expect can be written in the policy file alone.
pub(crate) fn keys_without_option() -> impl Iterator<Item = &'static str> {
    let is_value = |key: &&PolicyKey| !matches!(key.shape, ValueShape::Variable) && key.in_defaults();
    keys()
        .filter(|key| key.option.is_none())
        .filter(is_value)
        .map(|key| key.name)
}

/// The keys that name files.
pub(crate) fn file_keys() -> impl Iterator<Item = &'static str> {
    let named = keys().filter(|key| matches!(key.shape, ValueShape::Path | ValueShape::Paths));
    named.map(|key| key.name)
}

impl PolicyKey {
    /// The name of the secret whose variable this key names: the key's name without `-env`.
    pub(super) fn secret(&self) -> Option<&'static str> {
        match self.shape {
            ValueShape::Variable => self.name.strip_suffix("-env"),
            _ => None,
        }
    }

    /// What the help of the option says, without a full stop at the end.
    pub(crate) fn help(&self) -> String {
        let mut help = self.says.trim_end_matches('.').to_owned();
        if !self.default.is_empty() {
            help += &format!(". Default: {}", self.default);
        }
        if self.shape.is_list() {
            help += ". Repeatable";
        }
        help
    }

    /// The key of this name, if it exists.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        keys().find(|key| key.name == name)
    }

    /// Whether it may be in a `[[target]]`.
    pub(super) fn in_target(&self) -> bool {
        self.scope != KeyScope::Defaults
    }

    /// Whether it may be in `[defaults]`.
    pub(super) fn in_defaults(&self) -> bool {
        self.scope != KeyScope::Target
    }
}
