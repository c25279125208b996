//! A compose document before it is deployed: nothing measured it, and it is read as the measured one will be.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::docker_compose::{ComposeFile, ComposeFileError, LaunchScript, read_document};
use super::hash_forms::{ComposeForm, compose_forms};
use super::script_variables::launch_script_in;
use crate::verify::{compose_settings_of, members_of};

/// A compose document that nothing vouches for, read by the rules for a measured one. It says what a deployment of it will be,
/// and nothing of a deployment.
#[derive(Debug, Clone)]
pub struct UnprovenDocument {
    members: Map<String, Value>,
    file: Option<ComposeFile>,
    script: LaunchScript,
    forms: Vec<ComposeForm>,
    hashes: Vec<[u8; 32]>,
}

impl UnprovenDocument {
    /// Reads it: its `allowed_envs` and its scripts say what can be set from outside.
    ///
    /// # Errors
    /// [`ComposeFileError`].
    pub fn read(text: &str) -> Result<Self, ComposeFileError> {
        let members = members_of(text)?;
        let script = launch_script_in(&members);
        let (forms, _) = compose_forms(text)?;
        Ok(Self {
            file: read_document(&members, script)?,
            script,
            hashes: forms.iter().map(|form| form.hash).collect(),
            forms,
            members,
        })
    }

    /// What is different where a document of another hash is this one, a phrase behind "in another form:". `text` is that document, where
    /// it is known. `None` if it is not this one as far as that can be told.
    pub(crate) fn other_form(&self, hash: &[u8; 32], text: Option<&str>) -> Option<String> {
        if let Some(form) = self.forms.iter().find(|form| form.hash == *hash) {
            return Some(format!(
                "the deploy tool wrote it as `{}`, which `cvm-verify compose-hash` explains",
                form.name
            ));
        }
        let is_same = members_of(text?).is_ok_and(|members| members == self.members);
        is_same.then(|| "its fields have the same values, with other blanks or in another order".to_owned())
    }

    /// The docker compose file; absent where the document has none (runner `bash`).
    #[must_use]
    pub const fn file(&self) -> Option<&ComposeFile> {
        self.file.as_ref()
    }

    /// What runs before the containers.
    pub(crate) const fn script(&self) -> LaunchScript {
        self.script
    }

    /// SHA-256 of the document, in each form that a tool may write it in.
    pub(crate) fn hashes(&self) -> &[[u8; 32]] {
        &self.hashes
    }

    /// Every field but the docker compose file, as `MeasuredCompose::compose_settings` gives them.
    pub(crate) fn compose_settings(&self) -> BTreeMap<String, Value> {
        compose_settings_of(&self.members)
    }

    /// The name of the key provider that the guest will take, as the boot events write it, if it is not a KMS. A `local` one has
    /// a name for each kind (dstack, `dstack-types/src/lib.rs`, `AppCompose`).
    pub(crate) fn key_provider_beside_a_kms(&self) -> Option<&str> {
        let is_on = |name: &str| self.members.get(name) == Some(&Value::Bool(true));
        match self.members.get("key_provider").and_then(Value::as_str) {
            Some("kms") => None,
            Some(other) => Some(other),
            None if is_on("kms_enabled") => None,
            None if is_on("local_key_provider_enabled") => Some("local"),
            None => Some("none"),
        }
    }

    /// Whether the guest will have an instance id.
    pub(crate) fn has_instance_id(&self) -> bool {
        self.members.get("no_instance_id") != Some(&Value::Bool(true))
    }

    /// Whether the guest will attest its GPUs while it boots.
    pub(crate) fn attests_gpus(&self) -> bool {
        let policy = self
            .members
            .get("requirements")
            .and_then(|requirements| requirements.get("gpu_policy"));
        policy.and_then(|policy| policy.get("attest_gpu")) != Some(&Value::Bool(false))
    }
}
