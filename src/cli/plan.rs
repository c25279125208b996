//! What a run verifies: addresses of the command line or targets of the policy file, each with a policy of its own.

use super::args::VerifyArgs;
use super::channels::Variables;
use super::config::{self, Config};
use super::error::UsageError;
use super::policy::{Expectations, Locks, expectations};
use super::settings::of_options;
use super::surroundings::Surroundings;
use super::target::Target;
use super::trouble::{Trouble, told};
use crate::config::file::FileTarget;
use crate::config::{Origin, Policy, Settings, Written};
use crate::source::app::AppEndpoints;

/// One deployment to verify.
pub(super) struct Planned {
    pub name: String,
    pub endpoints: AppEndpoints,
    pub policy: Policy,
    /// A compose document that the user has as a file, for apps that do not show theirs.
    pub compose_file: Option<Vec<u8>>,
    /// Who is told.
    pub alerts: Variables,
}

/// Everything that a run verifies.
pub(super) struct Plan {
    pub targets: Vec<Planned>,
    /// The channels of the whole run.
    pub alerts: Variables,
}

/// Plans a run that judges at a time, Unix seconds.
pub(super) fn plan(args: &VerifyArgs, at: u64, surroundings: &mut Surroundings) -> Result<Plan, UsageError> {
    let options = of_options(&args.expect, Some(&args.source))?;
    let path = match args.url.as_slice() {
        [] => config::found(args.config.config.as_deref(), args.output.quiet, surroundings),
        _ => args.config.config.clone(),
    };
    let config = path.as_deref().map(config::read).transpose()?;
    let wanted = wanted(args, config.as_ref())?;
    let mut planner = Planner {
        options: &options,
        config: config.as_ref(),
        at,
        locks: Locks::default(),
        troubles: config
            .as_ref()
            .map(|config| config.troubles.clone())
            .unwrap_or_default(),
    };
    let targets: Vec<Planned> = wanted.iter().filter_map(|wanted| planner.add(wanted)).collect();
    match told(planner.troubles) {
        Some(error) => Err(error),
        None => Ok(Plan {
            targets,
            alerts: Variables::of(&match &config {
                Some(config) => config.settings(&options, None),
                None => options,
            }),
        }),
    }
}

/// A deployment that is wanted.
struct Wanted<'c> {
    /// Its name, where it has one beside its address.
    name: Option<&'c str>,
    /// Its address, where it was given on the command line.
    url: Option<&'c str>,
    target: Option<&'c FileTarget>,
}

fn wanted<'c>(args: &'c VerifyArgs, config: Option<&'c Config>) -> Result<Vec<Wanted<'c>>, UsageError> {
    let names = args.config.target.as_slice();
    match (args.url.as_slice(), names, config) {
        ([], _, None) => Err(UsageError::new(
            "there is nothing to verify; give the address of an app (cvm-verify verify https://…), or write targets into \
             a policy file cvm-verify.toml",
        )),
        ([], [], Some(config)) => Ok(config.file.targets.iter().map(Wanted::of).collect()),
        ([], names, Some(config)) => {
            let mut chosen: Vec<Wanted<'_>> = Vec::new();
            for name in names {
                if chosen.iter().all(|other| other.name != Some(name)) {
                    chosen.push(Wanted::of(config.target(name)?));
                }
            }
            Ok(chosen)
        }
        ([url], [name], config) => Ok(vec![Wanted {
            name: Some(name),
            url: Some(url),
            target: config.map(|config| config.target(name)).transpose()?,
        }]),
        (_, [_, ..], _) => Err(UsageError::option(
            "--target",
            "with a URL it says which target that URL is: give one of each, or leave the URL out to verify several targets \
             of the policy file",
        )),
        (urls, [], _) => Ok(urls
            .iter()
            .map(|url| Wanted {
                name: None,
                url: Some(url),
                target: None,
            })
            .collect()),
    }
}

impl<'c> Wanted<'c> {
    fn of(target: &'c FileTarget) -> Self {
        Self {
            name: Some(&target.name),
            url: None,
            target: Some(target),
        }
    }
}

struct Planner<'c> {
    options: &'c Settings,
    config: Option<&'c Config>,
    at: u64,
    locks: Locks,
    troubles: Vec<Trouble>,
}

impl Planner<'_> {
    /// Plans one; none where something is wrong with it, which is noted.
    fn add(&mut self, wanted: &Wanted<'_>) -> Option<Planned> {
        let settings = match self.config {
            Some(config) => config.settings(self.options, wanted.target),
            None => self.options.clone(),
        };
        let target = address(wanted, &settings)
            .map(|address| Target::of_settings(&address, &settings))
            .transpose()
            .unwrap_or_else(|trouble| {
                self.troubles.push(trouble);
                None
            });
        let Expectations { policy, compose_file } =
            match expectations(&settings, wanted.name, self.at, &mut self.locks) {
                Ok(expectations) => expectations,
                Err(troubles) => {
                    self.troubles.extend(troubles);
                    return None;
                }
            };
        let target = target?;
        Some(Planned {
            policy: Policy {
                address_id: target.address_id(),
                ..policy
            },
            name: wanted.name.map_or(target.name, str::to_owned),
            endpoints: target.endpoints,
            compose_file,
            alerts: Variables::of(&settings),
        })
    }
}

fn address(wanted: &Wanted<'_>, settings: &Settings) -> Option<Written> {
    match wanted.url {
        Some(url) => Some(Written {
            text: url.to_owned(),
            origin: Origin::Option("URL"),
        }),
        None => settings.one("url").cloned(),
    }
}
