//! Which environment variables hold the secrets of the alert channels, and what they hold.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use super::no_secret::GITHUB_TOKEN;
use super::{CHANNELS, Channel, ChannelSecret, Channels, Role};
use crate::config::Settings;
use crate::env::{Env, truth};
use crate::net::Secret;

/// What a policy file says of a channel that is not used.
const NOWHERE: &str = "none";

/// Where a secret of a channel is.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// In the channel's usual variable, where that is set.
    #[default]
    Usual,
    /// In a variable that the policy file names, so its absence is reported.
    Named(String),
    /// Nowhere: this channel is not used.
    None,
}

impl Place {
    fn of(settings: &Settings, key: &str) -> Self {
        match settings.one(key).map(|value| value.text.as_str()) {
            None => Self::Usual,
            Some(NOWHERE) => Self::None,
            Some(name) => Self::Named(name.to_owned()),
        }
    }

    fn secret(&self, usual: &str, env: &Env) -> Option<Secret> {
        let value = |name: &str| {
            let value = env.variables.get(name).cloned();
            value.filter(|value| !value.trim().is_empty())
        };
        match self {
            // An empty variable is unset: forks have no secrets, and that is not an error.
            Self::Usual => {
                let absent = || is_given_empty(usual, env).then(String::new);
                value(usual).or_else(absent).map(Secret::new)
            }
            Self::Named(name) => Some(Secret::new(value(name).unwrap_or_default())),
            Self::None => None,
        }
    }
}

/// Whether `variable` is set and empty in a step of GitHub Actions. A secret whose name is misspelt is empty there, and the
/// action unsets what was not given. Elsewhere an empty variable counts as unset.
pub(crate) fn is_given_empty(variable: &str, env: &Env) -> bool {
    let empty = |value: &String| value.trim().is_empty();
    is_github_step(env) && env.variables.get(variable).is_some_and(empty)
}

fn is_github_step(env: &Env) -> bool {
    let set = env.variables.get("CVM_VERIFY_GITHUB");
    env.on_github()
        || set.and_then(|value| truth(value)) == Some(true)
        || env.args.iter().any(|arg| arg == "--github")
}

/// The channels that are given and empty, by the names of their inputs, with commas. `None` if there are none.
pub(crate) fn given_empty(env: &Env) -> Option<String> {
    let empty = secrets().filter(|secret| is_given_empty(&secret.variable(), env));
    let inputs: Vec<&str> = empty.map(|secret| secret.name).collect();
    (!inputs.is_empty()).then(|| inputs.join(", "))
}

/// The secrets of all channels, without settings.
fn secrets() -> impl Iterator<Item = &'static ChannelSecret> {
    let all = CHANNELS.iter().flat_map(|channel| channel.secrets);
    all.filter(|secret| secret.role != Role::Setting)
}

/// The variables of all channels, by the names of the secrets. One that is not there is the usual one.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChannelVariables(BTreeMap<&'static str, Place>);

impl ChannelVariables {
    /// Those that settings name.
    pub fn of(settings: &Settings) -> Self {
        let places =
            secrets().map(|secret| (secret.name, Place::of(settings, &format!("{}-env", secret.name))));
        Self(places.filter(|(_, place)| *place != Place::Usual).collect())
    }

    /// Those that are not the usual ones, by the names of the secrets, for the state.
    pub fn names(&self) -> BTreeMap<String, String> {
        let name = |(secret, place): (&&str, &Place)| {
            let place = match place {
                Place::Usual => return None,
                Place::Named(name) => name.clone(),
                Place::None => NOWHERE.to_owned(),
            };
            Some(((*secret).to_owned(), place))
        };
        self.0.iter().filter_map(name).collect()
    }

    /// Those that the state names.
    pub fn remembered(names: &BTreeMap<String, String>) -> Self {
        let place = |secret: &'static ChannelSecret| {
            let place = match names.get(secret.name)?.as_str() {
                NOWHERE => Place::None,
                name => Place::Named(name.to_owned()),
            };
            Some((secret.name, place))
        };
        Self(secrets().filter_map(place).collect())
    }

    /// What they hold.
    pub fn channels(&self, env: &Env) -> Channels {
        let all = CHANNELS.iter().flat_map(|channel| channel.secrets);
        self.holding(all, env)
    }

    fn holding(&self, secrets: impl Iterator<Item = &'static ChannelSecret>, env: &Env) -> Channels {
        secrets.fold(Channels::default(), |channels, secret| {
            let value = self.place(secret).secret(&secret.variable(), env);
            let is_blank = |value: &Secret| value.expose().trim().is_empty();
            let channels = match self.variable(secret) {
                Some(variable) if value.as_ref().is_some_and(is_blank) => {
                    channels.missing(secret.name, variable)
                }
                _ => channels,
            };
            match secret.role {
                Role::Opens | Role::Signs => channels.with(secret.name, value),
                // An empty setting is the default.
                Role::Setting => channels.with(secret.name, value.filter(|value| !value.expose().is_empty())),
                Role::Token => channels,
            }
        })
    }

    /// The variable of a secret, where it has one.
    fn variable(&self, secret: &ChannelSecret) -> Option<String> {
        match self.place(secret) {
            Place::Usual => Some(secret.variable()),
            Place::Named(name) => Some(name.clone()),
            Place::None => None,
        }
    }

    fn place(&self, secret: &ChannelSecret) -> &Place {
        self.0.get(secret.name).unwrap_or(&Place::Usual)
    }

    /// Each channel that one of `all` asks for, alone; once, where several name the same variables. In the order of
    /// [`CHANNELS`].
    pub fn each_once<'v>(all: impl Iterator<Item = &'v Self> + Clone, env: &Env) -> Vec<NamedChannel> {
        let of_channel = |channel: &'static &'static Channel| {
            let mut seen = BTreeSet::new();
            let named = all.clone().map(|variables| variables.named(channel, env));
            let named: Vec<NamedChannel> = named.filter(NamedChannel::is_asked_for).collect();
            // What signs for the address of one target is no channel of its own.
            let is_opened = named.iter().any(|one| one.channels.is_any());
            let named = named
                .into_iter()
                .filter(move |one| !is_opened || one.channels.is_any());
            named.filter(move |one| seen.insert(one.variables.clone()))
        };
        CHANNELS.iter().flat_map(of_channel).collect()
    }

    fn named(&self, channel: &'static Channel, env: &Env) -> NamedChannel {
        let secrets = || {
            channel
                .secrets
                .iter()
                .filter(|secret| secret.role != Role::Setting)
        };
        let variable = |secret: &ChannelSecret| self.variable(secret);
        let channels = self.holding(channel.secrets.iter(), env);
        let held = |secret: &ChannelSecret| channels.secret(secret.name);
        let is_any_held = secrets().any(|secret| held(secret).is_some());
        let is_missing = |secret: &&ChannelSecret| match held(secret) {
            Some(held) => held.expose().trim().is_empty(),
            None => secret.role == Role::Opens && is_any_held,
        };
        NamedChannel {
            name: channel.name,
            variables: secrets().map(variable).collect(),
            named: secrets()
                .filter(|secret| *self.place(secret) != Place::Usual)
                .filter_map(variable)
                .collect(),
            missing: secrets().filter(is_missing).filter_map(variable).collect(),
            channels,
        }
    }
}

/// A channel alone, and where its secrets are.
pub(crate) struct NamedChannel {
    /// The channel.
    pub name: &'static str,
    /// With its secrets.
    pub channels: Channels,
    /// The variables that the policy file names for them.
    pub named: Vec<String>,
    /// The variables of those that were asked for and are not there.
    pub missing: Vec<String>,
    /// The variable of each secret.
    variables: Vec<Option<String>>,
}

impl NamedChannel {
    /// Whether anything is sent there, or was to be.
    fn is_asked_for(&self) -> bool {
        self.channels.is_any() || !self.missing.is_empty()
    }
}
