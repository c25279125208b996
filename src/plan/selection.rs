//! Which targets a run is about: addresses of the command line, or targets of the policy file.

use std::sync::Arc;

use super::next_commands::NetworkOptions;
use super::nodes::NodeVariables;
use super::policy_file::Config;
use super::target::{named_source, parse_target};
use crate::address::{parse_address, shown_text};
use crate::config::file::FileTarget;
use crate::config::{Settings, WrittenValue, written};
use crate::net::below;
use crate::source::ReachedBy;
use crate::usage_error::UsageError;
use cvm_verify_core::policy::CollateralMaxAge;
use cvm_verify_core::report::is_name;
use url::Url;

/// Which targets a run is about, and what the command line says of all of them.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// Addresses that were typed. Without any, the targets are those of the policy file.
    pub urls: Vec<String>,
    /// Names of targets in the policy file; beside one address, the target that it is.
    pub names: Vec<String>,
    /// What was given by option: over the policy file.
    pub options: Settings,
    pub collateral_max_age: CollateralMaxAge,
    /// Whether nodes of a blockchain are named.
    pub asks_nodes: bool,
    /// What the variables hold that a target may name for nodes of its own.
    pub node_variables: NodeVariables,
    /// Through which network the targets are asked: what a command that a finding advises needs too.
    pub network: Arc<NetworkOptions>,
}

/// A deployment that is wanted.
pub(super) struct WantedDeployment<'c> {
    /// Its name, where it has one beside its address.
    pub name: Option<&'c str>,
    /// Its address, where it was given on the command line.
    pub url: Option<&'c str>,
    pub target: Option<&'c FileTarget>,
}

pub(super) fn wanted<'c>(
    selection: &'c Selection,
    config: Option<&'c Config>,
) -> Result<Vec<WantedDeployment<'c>>, UsageError> {
    let (options, names) = (&selection.options, selection.names.as_slice());
    match (selection.urls.as_slice(), names, config) {
        // An app that is reached by the id that is expected of it.
        ([], [], None) if !addresses(None, options).is_empty() => Ok(vec![WantedDeployment {
            name: None,
            url: None,
            target: None,
        }]),
        ([], _, None) => Err(UsageError::new(format!(
            "there is nothing to verify; {}",
            named_source(options).needs
        ))),
        ([_, _, ..], _, _) if options.one("info-url").is_some() => Err(UsageError::option(
            "--info-url",
            "it is the information of one app, but there are several URLs; verify them one by one",
        )),
        ([], [], Some(config)) => Ok(config.file.targets.iter().map(WantedDeployment::of).collect()),
        ([], names, Some(config)) => {
            let mut chosen: Vec<WantedDeployment<'_>> = Vec::new();
            for name in names {
                if chosen.iter().all(|other| other.name != Some(name)) {
                    chosen.push(WantedDeployment::of(config.target(name)?));
                }
            }
            Ok(chosen)
        }
        ([_], [name], None) if !is_name(name) => Err(not_a_name(name)),
        ([url], [name], config) => Ok(vec![WantedDeployment {
            name: Some(name),
            url: Some(url),
            target: config.map(|config| config.target(name)).transpose()?,
        }]),
        (_, [_, ..], _) => Err(UsageError::option(
            "--target",
            "with a URL, it names the target of that URL: give one URL and one name, or omit the URL to verify several \
             targets of the policy file",
        )),
        (urls, [], None) => Ok(urls.iter().map(|url| WantedDeployment::at(url)).collect()),
        (urls, [], Some(config)) => urls.iter().map(|url| at_address(url, options, config)).collect(),
    }
}

/// An address or an id on the command line, beside a policy file. What a target of the file is reached by is that target, also if the
/// address is spelt in another way that leads to the same place: with the file's defaults alone less would be expected of it than the file
/// says.
fn at_address<'c>(
    typed: &'c str,
    options: &Settings,
    config: &'c Config,
) -> Result<WantedDeployment<'c>, UsageError> {
    let (mut there, mut nearly): (Vec<&FileTarget>, Vec<&FileTarget>) = Default::default();
    for target in &config.file.targets {
        match likeness(typed, options, config, target) {
            Some(Likeness::Same) => there.push(target),
            Some(Likeness::SpeltApart) => nearly.push(target),
            Some(Likeness::QueryApart) | None => {}
        }
    }
    match (there.as_slice(), nearly.as_slice()) {
        ([], []) => Ok(WantedDeployment::at(typed)),
        ([target], _) => Ok(WantedDeployment {
            url: Some(typed),
            ..WantedDeployment::of(target)
        }),
        ([], [target]) => Ok(WantedDeployment::of(target)),
        ([one, other, ..], _) | ([], [one, other, ..]) => Err(UsageError::option(
            "URL",
            format!(
                "the policy file has several targets at this address, {:?} and {:?} among them; choose with --target NAME",
                one.name, other.name
            ),
        )),
    }
}

/// A name of a target that none can have.
pub(crate) fn not_a_name(name: &str) -> UsageError {
    let problem = format!("{name:?} is not a name for a target: 1 to 64 letters, digits, `.`, `_` and `-`");
    UsageError::option("--target", problem)
}

/// How like two addresses are.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// All but the query, which may choose another deployment.
    QueryApart,
    /// All but a slash at the end, or a dot at the end of the host's name: they lead to the same place.
    SpeltApart,
    Same,
}

/// An address without what makes no difference: `/` at its end, the dot at the end of a host's name. The rest of it (the case of the host,
/// the port that is the scheme's own) is the same already in two addresses that were parsed.
fn respelt(address: &Url) -> Url {
    let mut address = below(address, "");
    let host = address
        .host_str()
        .and_then(|host| host.strip_suffix('.'))
        .map(str::to_owned);
    if let Some(host) = host {
        // A name without its dot is a name.
        let _ = address.set_host(Some(&host));
    }
    address
}

/// What a person must know of an address that was typed beside a policy file with targets, and that is the address of none: only the
/// defaults of the file apply, and less is expected than of any target.
pub(super) fn of_no_target(
    wanted: &WantedDeployment<'_>,
    options: &Settings,
    config: &Config,
) -> Option<String> {
    let typed = wanted
        .url
        .filter(|_| wanted.target.is_none() && !config.file.targets.is_empty())?;
    let query_apart = config
        .file
        .targets
        .iter()
        .find(|target| likeness(typed, options, config, target) == Some(Likeness::QueryApart));
    let (path, shown) = (&config.file.path, shown_text(typed));
    let but = query_apart.map(|target| {
        format!(
            ". Its target {:?} has this address with another query: if you mean it, verify it with --target {}",
            target.name, target.name
        )
    });
    Some(format!(
        "no target of {path} has the address {shown}: only [defaults] of the file apply to it{}",
        but.unwrap_or_default()
    ))
}

/// How like an address or id that was typed is to what reaches a target of the file; `None`: it is another one.
fn likeness(typed: &str, options: &Settings, config: &Config, target: &FileTarget) -> Option<Likeness> {
    // By its own ids: what an option expects of the typed address says nothing of where the targets of the file are.
    let mut options = options.clone();
    let keys = ["url", "app-id", "instance-id"];
    keys.iter().for_each(|key| options.unset(key));
    let settings = config.settings(&options, Some(target));
    let reached = match settings.one("url") {
        None if named_source(&settings).reached_by == ReachedBy::Address => &[][..],
        None => &keys[1..],
        Some(_) => &keys[..1],
    };
    let source = |text: &str| parse_target(text, &settings).ok().map(|named| named.source);
    let likeness_to = |written: &str| match (parse_address(typed), parse_address(written)) {
        (Ok(typed), Ok(written)) if typed == written => Some(Likeness::Same),
        (Ok(typed), Ok(written)) => {
            let (mut typed, mut written) = (respelt(&typed), respelt(&written));
            if typed == written {
                return Some(Likeness::SpeltApart);
            }
            typed.set_query(None);
            written.set_query(None);
            (typed == written).then_some(Likeness::QueryApart)
        }
        // An id, in one of its forms.
        _ => (source(typed)? == source(written)?).then_some(Likeness::Same),
    };
    let written = reached.iter().flat_map(|key| settings.all(key));
    written.filter_map(|written| likeness_to(&written.text)).max()
}

/// The name of the target of a policy file that this address or id reaches, or of the first one.
pub(crate) fn name_at<'c>(typed: &str, options: &Settings, config: &'c Config) -> Option<&'c str> {
    let mut targets = config.file.targets.iter();
    let found =
        targets.find(|target| likeness(typed, options, config, target) > Some(Likeness::QueryApart))?;
    Some(&found.name)
}

impl<'c> WantedDeployment<'c> {
    /// One that the policy file does not have.
    const fn at(url: &'c str) -> Self {
        Self {
            name: None,
            url: Some(url),
            target: None,
        }
    }

    fn of(target: &'c FileTarget) -> Self {
        Self {
            name: Some(&target.name),
            url: None,
            target: Some(target),
        }
    }
}

/// Where a target is reached: at its address; where it has none, by the ids that are expected of it, as its source allows.
pub(super) fn addresses(url: Option<&str>, settings: &Settings) -> Vec<WrittenValue> {
    if let Some(url) = url {
        return written("URL", [url.to_owned()]);
    }
    if let Some(url) = settings.one("url") {
        return vec![url.clone()];
    }
    let (app, instances) = (settings.all("app-id"), settings.all("instance-id"));
    match named_source(settings).reached_by {
        ReachedBy::Address => Vec::new(),
        ReachedBy::InstanceOrAppId if !instances.is_empty() => instances.to_vec(),
        ReachedBy::InstanceOrAppId | ReachedBy::AppId => app.to_vec(),
    }
}

/// The same for a command that looks at one: the first.
pub(crate) fn address(url: Option<&str>, settings: &Settings) -> Option<WrittenValue> {
    addresses(url, settings).into_iter().next()
}
