//! What is expected of the one target that a command is about.

use std::path::Path;

use super::named_files::FilesOfPlan;
use super::policy::{Expectations, expectations};
use super::policy_file;
use super::setting_problem::settings_error;
use crate::config::Settings;
use crate::env::Env;
use crate::usage_error::UsageError;

/// The one target of a command.
pub(crate) struct OneTarget {
    /// Its settings, joined.
    pub settings: Settings,
    /// What the user calls it, where a policy file or an option does.
    pub name: Option<String>,
    /// What is expected of it.
    pub expectations: Expectations,
}

impl OneTarget {
    /// Reads what is expected at a time, Unix seconds: options over the policy file at `path`, and the files that they name. Notes
    /// on those go to standard error.
    pub fn read(
        path: Option<&Path>,
        name: Option<&str>,
        options: &Settings,
        at: u64,
        env: &mut Env,
    ) -> Result<Self, UsageError> {
        let (settings, name) = policy_file::of_one(path, name, options)?;
        let mut files = FilesOfPlan::default();
        let expectations =
            expectations(&settings, name.as_deref(), at, &mut files).map_err(settings_error)?;
        for note in files.notes() {
            env.note(&note);
        }
        Ok(Self {
            settings,
            name,
            expectations,
        })
    }
}
