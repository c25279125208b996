//! Which targets are pinned, and where their locks go.

use std::path::{Path, PathBuf};

use super::PinRequest;
use crate::config::file::FileTarget;
use crate::config::{Settings, path_of};
use crate::plan::kms_and_contracts::kms_hosts;
use crate::plan::kms_policy::compose_documents;
use crate::plan::next_commands::LOCK_NAME;
use crate::plan::policy_file::{self, Config};
use crate::plan::selection::not_a_name;
use crate::plan::setting_problem::refuse_any;
use crate::plan::source_rules::source_policy;
use crate::usage_error::UsageError;
use cvm_verify_core::policy::{KmsDocument, KmsHost, SourcePolicy};
use cvm_verify_core::report::is_name;

/// What is pinned, and where to.
pub(super) struct PinTarget {
    pub settings: Settings,
    /// Its name in the policy file, and in a lock of several targets.
    pub name: Option<String>,
    pub output: PathBuf,
    /// Whether the lock is the file of several targets.
    pub shared: bool,
    /// Who must have built the images.
    pub sources: SourcePolicy,
    /// Where its KMS answers.
    pub kms: Vec<KmsHost>,
    /// The compose documents that its KMS may run, as far as the user has them.
    pub kms_documents: Vec<KmsDocument>,
}

/// The one that an address, a bundle or a name says; without any, every target of the policy file.
pub(super) fn targets(request: &PinRequest<'_>) -> Result<Vec<PinTarget>, UsageError> {
    let options = &request.options;
    let config = request
        .policy_file
        .as_deref()
        .map(policy_file::read)
        .transpose()?;
    let Some(config) = config else {
        let name = request.target.clone();
        if let Some(name) = name.as_deref().filter(|name| !is_name(name)) {
            return Err(not_a_name(name));
        }
        return Ok(vec![PinTarget {
            sources: sources_of(options)?,
            kms: kms_hosts(options)?,
            kms_documents: kms_documents_of(options)?,
            settings: options.clone(),
            shared: name.is_some(),
            name,
            output: request.output.clone().unwrap_or_else(|| LOCK_NAME.into()),
        }]);
    };
    refuse_any(config.problems.clone())?;
    let name = request.target.as_deref();
    let is_one = options.one("url").is_some() || request.recorded.is_some() || name.is_some();
    let targets = match is_one {
        true => vec![config.only_target(name)?],
        false => config.file.targets.iter().collect(),
    };
    targets
        .into_iter()
        .map(|target| target_of(request, &config, target))
        .collect()
}

/// Where a file is or would be, however its path is written.
fn place_of(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute.parent().and_then(|folder| folder.canonicalize().ok());
    absolute
        .canonicalize()
        .unwrap_or_else(|_| match (folder, absolute.file_name()) {
            (Some(folder), Some(name)) => folder.join(name),
            _ => absolute.clone(),
        })
}

/// A target of the policy file.
fn target_of(
    request: &PinRequest<'_>,
    config: &Config,
    target: &FileTarget,
) -> Result<PinTarget, UsageError> {
    let settings_of = |target| config.settings(&request.options, Some(target));
    let lock_of = |settings: &Settings| settings.one("lock").map(path_of);
    let settings = settings_of(target);
    let output = request
        .output
        .clone()
        .or_else(|| lock_of(&settings))
        .unwrap_or_else(|| LOCK_NAME.into());
    let others = config
        .file
        .targets
        .iter()
        .filter(|other| other.name != target.name);
    let shared = others
        .map(|other| lock_of(&settings_of(other)).unwrap_or_else(|| LOCK_NAME.into()))
        // One output for all is one file of several.
        .any(|lock| request.output.is_some() || place_of(&lock) == place_of(&output));
    Ok(PinTarget {
        sources: sources_of(&settings)?,
        kms: kms_hosts(&settings)?,
        kms_documents: kms_documents_of(&settings)?,
        settings,
        name: Some(target.name.clone()),
        output,
        shared,
    })
}

/// The rules that the options and the policy file give.
fn sources_of(settings: &Settings) -> Result<SourcePolicy, UsageError> {
    let mut problems = Vec::new();
    let sources = source_policy(settings, &SourcePolicy::default(), &mut problems);
    refuse_any(problems)?;
    Ok(sources)
}

/// The compose documents of KMSs that the options and the policy file name.
fn kms_documents_of(settings: &Settings) -> Result<Vec<KmsDocument>, UsageError> {
    let mut problems = Vec::new();
    let documents = compose_documents(settings, &mut problems);
    refuse_any(problems)?;
    Ok(documents)
}
