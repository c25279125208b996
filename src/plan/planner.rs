//! What a run verifies: addresses of the command line or targets of the policy file, each with a policy of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::job::Job;
use super::named_files::FilesOfPlan;
use super::next_commands::{Commands, NetworkOptions, TargetNames};
use super::nodes::{self, NodeVariables};
use super::policy::{Expectations, expectations};
use super::policy_file::Config;
use super::selection::{Selection, WantedDeployment, addresses, of_no_target, wanted};
use super::setting_problem::{SettingProblem, refuse_any};
use super::target::target_of_settings;
use crate::alert::incident::PolicyFileId;
use crate::alert::variables::ChannelVariables;
use crate::config::file::file_keys;
use crate::config::{Interval, Settings, path_of};
use crate::engine::{AskedNodes, Deployment};
use crate::files::path_in_repository;
use crate::git;
use crate::usage_error::UsageError;
use cvm_verify_core::policy::{CollateralMaxAge, GovernancePolicy, GpuVerifier, Policy, Verifier};

/// Everything that a run verifies.
pub(crate) struct Plan {
    pub targets: Vec<Job>,
    /// The channels of the whole run.
    pub alerts: ChannelVariables,
    /// The files that all this was read from.
    pub files: BTreeSet<PathBuf>,
    /// What a person should know of those files.
    pub notes: Vec<String>,
    /// The policy file that the targets are of.
    pub policy_file: Option<PolicyFileId>,
    /// Whether they are all that it has.
    pub is_whole_file: bool,
}

/// Plans a run that judges at a time, Unix seconds, by this policy file.
pub(crate) fn plan(selection: &Selection, at: u64, policy_file: Option<&Path>) -> Result<Plan, UsageError> {
    let options = &selection.options;
    let config = policy_file.map(super::policy_file::read).transpose()?;
    let wanted = wanted(selection, config.as_ref())?;
    let mut planner = Planner {
        options,
        config: config.as_ref(),
        at,
        collateral_max_age: selection.collateral_max_age,
        asks_nodes: selection.asks_nodes,
        node_variables: &selection.node_variables,
        network: &selection.network,
        is_of_several_addresses: selection.urls.len() > 1,
        named_files: FilesOfPlan::default(),
        of_addresses: None,
        files: policy_file.map(Path::to_owned).into_iter().collect(),
        problems: config
            .as_ref()
            .map(|config| config.problems.clone())
            .unwrap_or_default(),
    };
    let targets: Vec<Job> = wanted.iter().flat_map(|wanted| planner.add(wanted)).collect();
    refuse_any(planner.problems)?;
    refuse_one_name_for_two(&targets)?;
    let mut notes = planner.named_files.notes();
    if let Some(config) = &config {
        notes.extend(
            wanted
                .iter()
                .filter_map(|wanted| of_no_target(wanted, options, config)),
        );
    }
    Ok(Plan {
        targets,
        notes,
        policy_file: policy_file.map(policy_file_id),
        is_whole_file: selection.urls.is_empty() && selection.names.is_empty(),
        files: planner.files,
        alerts: ChannelVariables::of(&match &config {
            Some(config) => config.settings(options, None),
            None => options.clone(),
        }),
    })
}

impl Plan {
    /// Who verifies quotes: a setting of the whole run.
    pub fn verifier(&self) -> Verifier {
        let first = self.targets.first();
        first.map_or(Verifier::Local, |target| target.deployment.policy.verifier)
    }

    /// The same for GPUs.
    pub fn gpu_verifier(&self) -> GpuVerifier {
        let first = self.targets.first();
        first.map_or(GpuVerifier::Local, |target| target.deployment.policy.gpu.verifier)
    }
}

/// A policy file, wherever its repository is checked out.
fn policy_file_id(path: &Path) -> PolicyFileId {
    let inside = path_in_repository(path);
    match git::origin(path) {
        Some(repository) => PolicyFileId::in_repository(&repository, &inside),
        None => PolicyFileId::of(&inside),
    }
}

/// Alerts remember, and `merge` joins, by name: of two with one name, the good one would hide the other.
fn refuse_one_name_for_two(targets: &[Job]) -> Result<(), UsageError> {
    let mut names = BTreeSet::new();
    match targets.iter().find(|target| !names.insert(target.name())) {
        None => Ok(()),
        Some(target) => Err(UsageError::new(format!(
            "two targets are called {:?}: their addresses have the same host, port and path; give each once, or a name of \
             its own in a policy file",
            target.name()
        ))),
    }
}

/// What is expected of a target, in memory that several share.
#[derive(Clone)]
struct SharedExpectations {
    policy: Arc<Policy>,
    compose_file: Option<Arc<[u8]>>,
}

struct Planner<'c> {
    options: &'c Settings,
    config: Option<&'c Config>,
    at: u64,
    collateral_max_age: CollateralMaxAge,
    /// Whether nodes of a blockchain are named.
    asks_nodes: bool,
    node_variables: &'c NodeVariables,
    network: &'c Arc<NetworkOptions>,
    is_of_several_addresses: bool,
    named_files: FilesOfPlan,
    /// What is expected of an address without a name: all those of a command line have the same settings.
    of_addresses: Option<(Settings, SharedExpectations)>,
    files: BTreeSet<PathBuf>,
    problems: Vec<SettingProblem>,
}

impl Planner<'_> {
    /// Plans one, or one for each instance that it names; none where something is wrong with it, which is noted.
    fn add(&mut self, wanted: &WantedDeployment<'_>) -> Vec<Job> {
        let settings = match self.config {
            Some(config) => config.settings(self.options, wanted.target),
            None => self.options.clone(),
        };
        let interval = self.interval(&settings);
        let named = file_keys().flat_map(|key| settings.all(key));
        self.files.extend(named.map(path_of));
        let mut targets = Vec::new();
        for address in addresses(wanted.url, &settings) {
            match target_of_settings(&address, &settings) {
                Ok(target) => targets.push(target),
                Err(problem) => self.problems.push(problem),
            }
        }
        let nodes = nodes::asked(&settings, self.node_variables).unwrap_or_else(|problem| {
            self.problems.push(problem);
            AskedNodes::OfSession
        });
        let Some(expected) = self.expected(&settings, wanted.name, nodes.ask(self.asks_nodes)) else {
            return Vec::new();
        };
        let several = targets.len() > 1;
        let named = TargetNames {
            is_typed: wanted.url.is_some() || wanted.target.is_none(),
            name: wanted.name,
            config: self.config.map(|config| Path::new(&config.file.path)),
            is_one_of_several: self.is_of_several_addresses,
        };
        let jobs = targets.into_iter().map(|target| Job {
            commands: Commands::of(&target.source, &named, &settings).through(self.network),
            deployment: Arc::new(Deployment {
                policy: Arc::clone(&expected.policy),
                name: match wanted.name {
                    None => target.name,
                    Some(name) if several => format!("{name} {}", target.name),
                    Some(name) => name.to_owned(),
                },
                source: target.source,
                compose_file: expected.compose_file.clone(),
                nodes: nodes.clone(),
            }),
            alerts: ChannelVariables::of(&settings),
            interval,
        });
        jobs.collect()
    }

    /// What settings expect of a target, with its name in a lock of several; `None` where something is wrong with them, which is
    /// noted. `asks` says whether nodes of a blockchain are asked.
    fn expected(
        &mut self,
        settings: &Settings,
        name: Option<&str>,
        asks: bool,
    ) -> Option<SharedExpectations> {
        if let Some((of, expected)) = &self.of_addresses
            && name.is_none()
            && of == settings
        {
            return Some(expected.clone());
        }
        let found = expectations(settings, name, self.at, &mut self.named_files);
        let Expectations { policy, compose_file } =
            found.map_err(|problems| self.problems.extend(problems)).ok()?;
        let expected = SharedExpectations {
            policy: Arc::new(Policy {
                collateral_max_age: self.collateral_max_age,
                governance: GovernancePolicy {
                    asks,
                    ..policy.governance
                },
                ..policy
            }),
            compose_file: compose_file.map(Arc::from),
        };
        if name.is_none() {
            self.of_addresses = Some((settings.clone(), expected.clone()));
        }
        Some(expected)
    }

    fn interval(&mut self, settings: &Settings) -> Interval {
        let Some(value) = settings.one("interval") else {
            return Interval::default();
        };
        value.text.parse().unwrap_or_else(|error| {
            self.problems.push(SettingProblem::of("interval", value, error));
            Interval::default()
        })
    }
}
