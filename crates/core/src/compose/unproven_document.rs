//! A compose document before it is deployed: nothing measured it, and it is read as the measured one will be.

use super::docker_compose::{ComposeFile, ComposeFileError, read_document};
use super::script_variables::launch_script_in;
use crate::verify::members_of;

/// Reads the docker compose file of a compose document that nothing vouches for, by the rules for a measured one: its
/// `allowed_envs` and its scripts say what can be set from outside. `None` where it has no docker compose file (runner `bash`).
///
/// # Errors
/// [`ComposeFileError`].
pub fn read_unproven_document(text: &str) -> Result<Option<ComposeFile>, ComposeFileError> {
    let members = members_of(text)?;
    read_document(&members, launch_script_in(&members))
}
