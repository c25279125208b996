//! What a finding says next to its concerns: what is set from outside, and what a pass relies on.

use super::concerns::{Concern, LaunchSettings, MAX_NAMED, script_hash};
use crate::compose::{ComposeFile, ComposePlaces};
use crate::policy::Policy;
use crate::report::and_more;

/// What is set from outside and does not decide code by itself: named, never called harmless.
pub(super) fn from_outside(places: &ComposePlaces) -> String {
    let (values, are) = match places.count() {
        0 => return String::new(),
        1 => ("1 value".to_owned(), "is"),
        count => (format!("{count} values"), "are"),
    };
    format!(
        " {values} {are} set from outside, by the deployer or the host, and nothing measures or authenticates them: {}.",
        paths(places)
    )
}

/// What it means that containers use GPUs.
pub(super) fn gpus(places: &ComposePlaces) -> String {
    if places.is_empty() {
        return String::new();
    }
    format!(
        " Containers use GPUs ({}): this says nothing about the state of the GPUs.",
        paths(places)
    )
}

/// The paths of the first places, and how many more there are.
fn paths(places: &ComposePlaces) -> String {
    let named: Vec<&str> = places
        .iter()
        .take(MAX_NAMED)
        .map(|place| place.path.as_str())
        .collect();
    let more = and_more("", places.count().saturating_sub(MAX_NAMED));
    format!("{}{more}", named.join(", "))
}

/// What a pass says: which script runs, and what the lock vouches for.
pub(super) fn calm(
    compose_settings: &LaunchSettings,
    file: &ComposeFile,
    reviewed: &[Concern],
    policy: &Policy,
) -> String {
    if let (false, Some(locked)) = (reviewed.is_empty(), &policy.locked_compose) {
        let texts: Vec<&str> = reviewed.iter().map(|concern| concern.text.as_str()).collect();
        return format!("As reviewed in {}: {}.", locked.lock, texts.join("; "));
    }
    // A place that decides code is risky although another check names it.
    let nothing = match file.deciding_count() {
        0 => "Nothing risky",
        _ => "Nothing risky beyond what `image-pins` names",
    };
    match compose_settings.get("pre_launch_script").and_then(script_hash) {
        Some(hash) => match policy.reference.script(&hex::encode(hash)) {
            Some(row) => format!(
                "{nothing}; the pre-launch script is {} ({}).",
                row.title(),
                hex::encode(hash)
            ),
            None => format!(
                "{nothing}; the pre-launch script is empty ({}).",
                hex::encode(hash)
            ),
        },
        None => format!("{nothing}; no script runs before the containers."),
    }
}
