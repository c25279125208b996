//! The policy file of a run: found, read, and its targets chosen.

use std::path::{Path, PathBuf};

use super::setting_problem::{SettingProblem, refuse_any};
use crate::config::Settings;
use crate::config::file::{FILE_NAME, FileTarget, MAX_FILE_BYTES, PolicyFile};
use crate::env::Env;
use crate::files;
use crate::render::escape;
use crate::usage_error::UsageError;
use cvm_verify_core::toml_text::nearest;

/// A policy file, and what is wrong with it so far.
pub(crate) struct Config {
    pub file: PolicyFile,
    pub problems: Vec<SettingProblem>,
}

/// Where the policy file is: the given one, else the one in the working folder, which is said.
pub(crate) fn found(given: Option<&Path>, quiet: bool, env: &mut Env) -> Option<PathBuf> {
    if let Some(path) = given {
        return Some(path.to_owned());
    }
    let path = Path::new(FILE_NAME);
    if !(env.exists)(path) {
        return None;
    }
    if !quiet {
        env.complain(&format!("No URL was given: reading {FILE_NAME}."));
    }
    Some(path.to_owned())
}

/// Reads a policy file.
pub(crate) fn read(path: &Path) -> Result<Config, UsageError> {
    let bytes = files::read(path, MAX_FILE_BYTES as u64)?;
    let (file, mistakes) = PolicyFile::read(&bytes, &path.display().to_string());
    Ok(Config {
        file,
        problems: mistakes.into_iter().map(SettingProblem::File).collect(),
    })
}

/// The settings of the one target that a command is about, and its name, if it has one.
pub(crate) fn of_one(
    path: Option<&Path>,
    name: Option<&str>,
    options: &Settings,
) -> Result<(Settings, Option<String>), UsageError> {
    let Some(path) = path else {
        return Ok((options.clone(), name.map(str::to_owned)));
    };
    let config = read(path)?;
    let target = config.only_target(name)?;
    let settings = config.settings(options, Some(target));
    let name = target.name.clone();
    refuse_any(config.problems)?;
    Ok((settings, Some(name)))
}

impl Config {
    /// The target of this name.
    pub fn target(&self, name: &str) -> Result<&FileTarget, UsageError> {
        let targets = &self.file.targets;
        if let Some(target) = targets.iter().find(|target| target.name == name) {
            return Ok(target);
        }
        // What is wrong with the file may be why it is missing.
        refuse_any(self.problems.clone())?;
        let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("it has {}", escape::shorten(&names.join(", "), 300)),
        };
        let name = escape::terminal(&escape::shorten(name, 80)).into_owned();
        Err(UsageError::option(
            "--target",
            format!("{} has no target {name}; {hint}", self.file.path),
        ))
    }

    /// The one target that is meant where only one can be.
    pub fn only_target(&self, name: Option<&str>) -> Result<&FileTarget, UsageError> {
        match (name, self.file.targets.as_slice()) {
            (Some(name), _) => self.target(name),
            (None, [one]) => Ok(one),
            (None, _) => {
                refuse_any(self.problems.clone())?;
                Err(UsageError::new(format!(
                    "{} has several targets; choose one with --target NAME",
                    self.file.path
                )))
            }
        }
    }

    /// The settings of a target under those of the command line and over the defaults.
    pub fn settings(&self, options: &Settings, target: Option<&FileTarget>) -> Settings {
        match target {
            Some(target) => options.over(&target.settings.over(&self.file.defaults)),
            None => options.over(&self.file.defaults),
        }
    }
}
