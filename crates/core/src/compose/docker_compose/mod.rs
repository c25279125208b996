//! What the docker compose file inside a measured compose document starts, and every place in it that something outside
//! the document can fill (docs/compose-places.md).
//!
//! [`table`] says for each key of Docker Compose's schema what it can decide; [`judge`] walks a file along it.

mod absent_value;
mod advice;
mod allowed_envs;
mod argument_lists;
mod commands;
mod config_addresses;
mod config_commands;
mod config_language;
mod config_settings;
mod container_names;
mod cron;
mod document_fields;
mod environment;
mod environment_entries;
mod filled_in;
mod host_access;
mod images;
mod interactive;
mod judge;
mod mounts;
mod names_in_reach;
mod open_names;
mod place;
mod risky_names;
mod runner;
mod script_advice;
mod settable;
mod shell;
mod start_order;
mod start_scripts;
mod supervisord;
mod table;
mod unquoted;
mod variables;
mod volumes;
mod words;
mod work;

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod config_corpus_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod written_files_tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::yaml;
use crate::verify::MeasuredCompose;
pub use document_fields::document_fields;
pub(crate) use document_fields::{FieldProblem, field_problem, unknown_fields};
pub use place::{ComposePlace, ComposePlaces, MAX_PLACES};
pub use risky_names::{is_risky, is_risky_in_guest};
pub(crate) use runner::Runner;
use settable::Settable;
pub(crate) use settable::runs_unknown_script;
pub use settable::{LaunchScript, Setter};
pub use table::compose_places;

/// What a compose file starts, and what in it can change without changing its hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComposeFile {
    /// Image reference by service; jobs, containers before a service and mounted images by their path.
    pub images: BTreeMap<String, String>,
    /// Whether a container or a script names another platform than linux/amd64, which is that of the guest: which image of an index
    /// runs for it, is decided by the index alone.
    pub names_other_platform: bool,
    /// Images without a digest, and what is built or fetched instead of one.
    pub unpinned: ComposePlaces,
    /// Other places where something outside the document decides code.
    pub unmeasured: ComposePlaces,
    /// Places where a container reaches beyond itself.
    pub host_access: ComposePlaces,
    /// Places where a container is given a GPU.
    pub gpus: ComposePlaces,
    /// Values that are set from outside and do not decide code by themselves.
    pub outside: ComposePlaces,
    /// Places with a variable that nothing can set: they are as their default says.
    pub unset: ComposePlaces,
    /// Scripts that run before the containers and are in no table, in which nothing from outside was found to decide code.
    pub start_scripts: ComposePlaces,
    /// Every variable that the file refers to.
    pub references: BTreeSet<String>,
}

impl ComposeFile {
    /// The places that decide code, images first.
    pub fn deciding(&self) -> impl Iterator<Item = &ComposePlace> {
        self.unpinned.iter().chain(self.unmeasured.iter())
    }

    /// How many places decide code, those beyond `MAX_PLACES` included.
    #[must_use]
    pub fn deciding_count(&self) -> usize {
        self.unpinned.count().saturating_add(self.unmeasured.count())
    }
}

/// Why a compose file cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ComposeFileError {
    /// The document around it.
    #[error("{0}")]
    Document(#[from] crate::evidence::EvidenceError),
    /// `runner` is none that this version knows, so that it is not known what starts the app.
    #[error(
        "what starts the app is not known: `runner` is {0}, which is not exactly docker-compose, nerdctl-compose or bash"
    )]
    Runner(String),
    /// `docker_compose_file` is not a string.
    #[error("`docker_compose_file` is not a string")]
    NotAString,
    /// The YAML.
    #[error("`docker_compose_file` is not plain YAML: {0}")]
    Yaml(String),
    /// Another shape than a compose file.
    #[error("`docker_compose_file` {0}")]
    Shape(String),
    /// Its scripts and lists of arguments cause more work than is done for one document.
    #[error(
        "its scripts take too much work to be judged: programs behind programs, scripts in scripts, or long files that many \
         services mount; make them shorter, or put them into an image"
    )]
    TooMuchWork,
}

impl From<work::TooMuchWork> for ComposeFileError {
    fn from(_: work::TooMuchWork) -> Self {
        Self::TooMuchWork
    }
}

impl MeasuredCompose {
    /// Reads the docker compose file, with what surrounds it in the document. `script` is what the pre-launch script is
    /// known to do. `None` where the document has no docker compose file (runner `bash`).
    ///
    /// # Errors
    /// [`ComposeFileError`].
    pub fn compose_file(&self, script: LaunchScript) -> Result<Option<ComposeFile>, ComposeFileError> {
        let members = self.members()?;
        let read = || read_document(members, script).map(|file| file.map(Arc::new));
        let file = self.read_once(script, read)?;
        Ok(file.map(Arc::unwrap_or_clone))
    }
}

impl ComposeFile {
    /// Reads a docker compose file that nothing vouches for. For `inspect`, which gives no verdict: every variable counts
    /// as one that can be set from outside.
    ///
    /// # Errors
    /// [`ComposeFileError`].
    pub fn read_unproven(text: &str) -> Result<Self, ComposeFileError> {
        work::of_document(|| read(text, &Settable::unknown()))?
    }
}

/// Reads the docker compose file of a document's members.
pub(in crate::compose) fn read_document(
    members: &Map<String, Value>,
    script: LaunchScript,
) -> Result<Option<ComposeFile>, ComposeFileError> {
    work::of_document(|| read_members(members, script))?
}

fn read_members(
    members: &Map<String, Value>,
    script: LaunchScript,
) -> Result<Option<ComposeFile>, ComposeFileError> {
    if Runner::of(members)? == Runner::Bash {
        return Ok(None);
    }
    let settable = Settable::of(members, script);
    let mut file = match members.get("docker_compose_file") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => read(text, &settable)?,
        Some(_) => return Err(ComposeFileError::NotAString),
    };
    allowed_envs::judge(members, script, &settable, &mut file);
    start_scripts::judge(members, script, &settable, &mut file);
    document_fields::judge(members, &mut file);
    volumes::verity(members, &mut file);
    let scripts = ["init_script", "pre_launch_script"].into_iter();
    let mut scripts = scripts.filter_map(|name| members.get(name)?.as_str());
    file.names_other_platform |= scripts.any(images::sets_other_platform);
    Ok(Some(file))
}

fn read(text: &str, settable: &Settable) -> Result<ComposeFile, ComposeFileError> {
    let yaml = yaml::parse(text).map_err(|problem| ComposeFileError::Yaml(problem.to_string()))?;
    let root = yaml
        .as_object()
        .ok_or_else(|| ComposeFileError::Shape("is not a mapping".to_owned()))?;
    for section in ["services", "jobs"] {
        let Some(containers) = root.get(section) else {
            continue;
        };
        let containers = containers
            .as_object()
            .ok_or_else(|| ComposeFileError::Shape(format!("has `{section}` that are not a mapping")))?;
        if let Some((name, _)) = containers.iter().find(|(_, value)| !value.is_object()) {
            let name: String = name.chars().take(80).collect();
            return Err(ComposeFileError::Shape(format!(
                "has a service {name:?} that is not a mapping"
            )));
        }
    }
    Ok(judge::judge(root, settable))
}
