//! A release given by its docker compose file, and two releases at a time.

use super::named_files::FilesOfPlan;
use super::setting_problem::SettingProblem;
use crate::compose_document;
use crate::config::{Settings, WrittenValue, path_of};
use crate::files;
use cvm_verify_core::policy::{Expected, Policy};

/// `docker-compose`. Beside `app-compose-file` it must be the docker compose file in there.
pub(crate) fn docker_compose(
    value: &WrittenValue,
    document: Option<&[u8]>,
) -> Result<Expected<String>, SettingProblem> {
    let path = path_of(value);
    let text = files::read_docker_compose(&path)
        .and_then(|text| compose_document::check_docker_compose(&path, text))
        .map_err(|error| SettingProblem::of_named_file("docker-compose", value, error))?;
    let inside = document.and_then(|bytes| {
        let document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        Some(document.get("docker_compose_file")?.as_str()? == text)
    });
    if inside == Some(false) {
        return Err(SettingProblem::of(
            "docker-compose",
            value,
            "`app-compose-file` contradicts it: the docker compose file inside that document is another one; remove one of them",
        ));
    }
    Ok(Expected {
        value: text,
        origin: value.origin.clone(),
    })
}

/// A second hash is another one than the first. One that a lower or higher level or a lock expects already adds nothing: in
/// a roll-out, one setting names a hash for targets of which some run it as their first, and at its end the lock is taken of the second.
pub(crate) fn check(
    policy: &mut Policy,
    settings: &Settings,
    files: &mut FilesOfPlan,
) -> Option<SettingProblem> {
    let second = policy.second_compose_hash.as_ref()?;
    let value = settings.one("also-compose-hash")?;
    let mut keys = ["compose-hash", "app-compose-file"].into_iter();
    let first_level = keys.find_map(|key| Some(settings.one(key)?.level));
    let problem = match &policy.compose_hash {
        Some(first) if first.value == second.value && first_level != Some(value.level) => {
            let is_of_level = |lock: &WrittenValue| lock.level == value.level;
            if first_level.is_none() && settings.one("lock").is_some_and(is_of_level) {
                files.note(format!(
                    "{}: `also-compose-hash` adds nothing: {} expects that hash already; remove it where no other release runs any more",
                    value.origin, first.origin
                ));
            }
            policy.second_compose_hash = None;
            return None;
        }
        Some(first) if first.value == second.value => format!(
            "it is the hash that {} expects already; give that of the other release",
            first.origin
        ),
        _ => return None,
    };
    Some(SettingProblem::of("also-compose-hash", value, problem))
}
