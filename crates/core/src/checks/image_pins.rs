//! `image-pins`: no value, file or answer of the host decides which code runs.
//!
//! What each place of a docker compose file is says the table in `compose/docker_compose/table.rs`. This check names every place
//! that something outside the document can fill with code; `launch-inputs` names the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::measured_compose::{COMPOSE_NOT_PROVEN, NO_COMPOSE_DOCUMENT, measured_compose};
use super::{
    Acceptance, BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, QUOTE_NOT_PROVEN, Required,
    reasons,
};
use crate::compose::{ComposeFile, ComposePlace, UnprovenDocument, launch_script};
use crate::policy::{ImagePinsPolicy, LockedCompose, Policy};
use crate::report::{AcceptedKind, CheckId, MeasuredValue, Tier, and_more};
use crate::verify::Claims;

pub(super) const CHECK: Check = Check {
    id: CheckId::ImagePins,
    title: "Image pins",
    proves: "Every image in the measured compose file is pinned by digest, and no variable, no file of the host and no answer \
             that nothing authenticates decides what runs. (Not checked: what a fixed script fetches with TLS from a server that \
             it names, what else the fixed text of a script before the containers does, and what an earlier release left on the \
             VM's disk.)",
    prevents: "A registry, a variable or a file of the host that replaces the code while the compose hash stays the same.",
    reasons: REASONS,
    required: Required::From(Tier::Code),
    is_configured: |policy| {
        policy.image_pins == ImagePinsPolicy::Required && policy.demanded.contains(&CheckId::ImagePins)
    },
    run,
    of_document: Some(of_document),
    compares: &[MeasuredValue::ComposeHash],
    ..Check::BASE
};

reasons! {
    REASONS with [
        &NO_COMPOSE_DOCUMENT,
        &COMPOSE_NOT_PROVEN,
        &QUOTE_NOT_PROVEN,
        &EVENT_LOG_NOT_PROVEN,
        &BOOT_ORDER_NOT_PROVEN,
    ]:
    UNREADABLE_COMPOSE "unreadable-compose"
        "The measured compose document cannot be read unambiguously, or it is not known what starts the app."
        "Simplify it: a runner that is exactly docker-compose, nerdctl-compose or bash, no duplicate keys, no nested \
         aliases, no deep nesting, no scripts of thousands of commands; then deploy again.";
    UNPINNED_IMAGE "unpinned-image"
        "An image is named by tag, built in the VM, or chosen by a variable: the measurement does not determine what \
         runs."
        "Pin each image as name@sha256:… and write out what is built, extended or included, as the finding says at each \
         place; then deploy again. Or run `cvm-verify pin` and write down in [[places]] of the lock why each is acceptable.";
    UNMEASURED_INPUT "unmeasured-input"
        "A variable, a file of the host, a verified volume or a field that is not known can decide which code runs, although every \
         image is pinned."
        "Change each place as the finding says: write the value instead of the variable, `$$NAME` where the container's own \
         shell is to read NAME (health checks above all), a config's `content` instead of its `file`; then deploy again. Or \
         run `cvm-verify pin` and write down in [[places]] of the lock why each is acceptable.";
    REVIEWED_PLACES "reviewed-places"
        "Places of the compose document decide which code runs from outside it; a person accepted each in the lock."
        "Nothing, while the reasons in [[places]] of the lock hold. To reach `code`, change the places and deploy again.";
    LOCKED_IMAGE_MISMATCH "locked-image-mismatch"
        "The lock's own compose hash runs, and the images in the lock are not those of that document: the lock contradicts itself. \
         It was edited or merged badly, or another version of cvm-verify wrote it."
        "Run `cvm-verify pin` again and review the difference. No other code was deployed.";
    UNCHECKED "unchecked"
        "Waived with --image-pins unchecked."
        "Pin each image by digest and remove `--image-pins unchecked`.";
}

/// How the advice goes on after how to change a place.
const PIN_THEM: &str = " Or run `cvm-verify pin`";
/// How many places a finding names.
const MAX_NAMED: usize = 20;
/// How many scripts it names.
const MAX_SCRIPTS: usize = 6;

fn run(claims: &Claims, policy: &Policy) -> Finding {
    if let Some(waived) = waived(policy) {
        return waived;
    }
    let (boot, compose) = match measured_compose(claims) {
        Ok(measured) => measured,
        Err(finding) => return finding,
    };
    match compose.compose_file(launch_script(compose)) {
        Err(problem) => Finding::error(
            &UNREADABLE_COMPOSE,
            format!("The measured compose document cannot be read: {problem}."),
        ),
        Ok(file) => judge(file.as_ref(), std::slice::from_ref(boot.compose_hash()), policy),
    }
}

fn waived(policy: &Policy) -> Option<Finding> {
    (policy.image_pins == ImagePinsPolicy::Unchecked).then(|| {
        Finding::waived(
            &UNCHECKED,
            policy.waived_by(CheckId::ImagePins),
            "Waived: the images may be anything.",
        )
    })
}

/// What this check will say of a deployment of this document.
pub(super) fn of_document(document: &UnprovenDocument, policy: &Policy) -> Option<Finding> {
    waived(policy).or_else(|| Some(judge(document.file(), document.hashes(), policy)))
}

/// `hashes` are those that the compose document has, or may have before it is deployed.
fn judge(file: Option<&ComposeFile>, hashes: &[[u8; 32]], policy: &Policy) -> Finding {
    let Some(file) = file else {
        return Finding::warn(
            &UNPINNED_IMAGE,
            "The app has no compose file: what its script starts is not pinned. This does not meet `code`.",
        );
    };
    if let Some(finding) = locked_mismatch(file, hashes, policy) {
        return finding;
    }
    let (reviewed, open): (Vec<&ComposePlace>, Vec<&ComposePlace>) = file.deciding().partition(|place| {
        policy
            .locked_compose
            .as_ref()
            .is_some_and(|locked| locked.has_reviewed(place))
    });
    let count = file.deciding_count().saturating_sub(reviewed.len());
    if count > 0 {
        let is_image = |place: &&ComposePlace| file.unpinned.iter().any(|image| image == *place);
        let reason = match open.iter().any(is_image) {
            true => &UNPINNED_IMAGE,
            false => &UNMEASURED_INPUT,
        };
        let named = named(&open, count, policy.locked_compose.as_ref());
        let unreviewed = policy.locked_compose.as_ref().and_then(|locked| {
            let number = open.iter().find_map(|place| locked.number_of(place))?;
            Some(locked.lock.key(&["places", &number.to_string(), "reason"]))
        });
        let finding = Finding::warn(reason, format!("{named} This does not meet `code`."));
        let finding = finding.against(unreviewed);
        return match unwritten_reasons(&open, count, policy) {
            // The lock names each place already: another `pin` would change nothing.
            Some(reasons) => {
                let change = reason
                    .fix
                    .split_once(PIN_THEM)
                    .map_or(reason.fix, |(change, _)| change);
                finding.advising(format!(
                    "{change} Or review each place, and write down why it is acceptable: {reasons}."
                ))
            }
            None => finding,
        };
    }
    if file.images.is_empty() {
        return Finding::warn(
            &UNPINNED_IMAGE,
            "The compose file has no services. This does not meet `code`.",
        );
    }
    if let (false, Some(locked)) = (reviewed.is_empty(), &policy.locked_compose) {
        return accepted(&reviewed, locked);
    }
    let images = match file.images.len() {
        1 => "The one image is pinned by digest".to_owned(),
        count => format!("All {count} images are pinned by digest"),
    };
    Finding::pass(format!(
        "{images}, and nothing that the host supplies decides what runs{}.{}",
        unset(file),
        start_scripts(file)
    ))
}

/// Places that decide code, each accepted by a person in the lock.
fn accepted(places: &[&ComposePlace], locked: &LockedCompose) -> Finding {
    let paths: Vec<&str> = places
        .iter()
        .take(MAX_NAMED)
        .map(|place| place.path.as_str())
        .collect();
    let more = and_more("", places.len().saturating_sub(MAX_NAMED));
    let count = match places.len() {
        1 => "1 place decides".to_owned(),
        count => format!("{count} places decide"),
    };
    let detail = format!(
        "{count} what runs from outside the measured document and {} reviewed in {}: {}{more}.",
        if places.len() == 1 { "is" } else { "are" },
        locked.lock,
        paths.join(", ")
    );
    let acceptances = places.iter().filter_map(|place| {
        let accepted = locked.place(place)?;
        let by = match accepted.line {
            Some(line) => format!("{}:{line}", locked.lock),
            None => locked.lock.to_string(),
        };
        let reason = format!("{}: {}", place.path, accepted.reason.trim());
        Some(Acceptance::new(AcceptedKind::ReviewedPlace, by, reason))
    });
    Finding::warn(&REVIEWED_PLACES, detail).accepting(acceptances)
}

/// Where the lock waits for the reason of each open place; none unless it names them all.
fn unwritten_reasons(open: &[&ComposePlace], count: usize, policy: &Policy) -> Option<String> {
    let locked = policy.locked_compose.as_ref()?;
    let lines: Option<Vec<String>> = open
        .iter()
        .map(|place| Some(format!("{}:{}", locked.lock, locked.place(place)?.line?)))
        .collect();
    let lines = lines.filter(|lines| lines.len() == count)?;
    let named: Vec<&str> = lines.iter().take(MAX_NAMED).map(String::as_str).collect();
    let more = and_more("", lines.len().saturating_sub(MAX_NAMED));
    Some(format!("the `reason` at {}{more}", named.join(", ")))
}

/// Every place and what is said of it.
fn named(places: &[&ComposePlace], count: usize, locked: Option<&LockedCompose>) -> String {
    let mut text = match count {
        1 => "1 place decides what runs from outside the measured document:".to_owned(),
        count => format!("{count} places decide what runs from outside the measured document:"),
    };
    for place in places.iter().take(MAX_NAMED) {
        text.push_str(&format!(" {}: {}", place.path, place.says));
        if let Some((lock, place)) = locked.and_then(|locked| Some((&locked.lock, locked.place(place)?))) {
            let line = place
                .line
                .map(|line| format!(", line {line},"))
                .unwrap_or_default();
            text.push_str(&format!(" (not reviewed: its `reason` in {lock}{line} is empty)"));
        }
        text.push(';');
    }
    if text.ends_with(';') {
        text.pop();
    }
    text + &and_more(";", count.saturating_sub(MAX_NAMED)) + "."
}

/// Which variables stand where they would decide code, if anything could set them.
fn unset(file: &ComposeFile) -> String {
    let count = file.unset.count();
    let Some(first) = file.unset.iter().next() else {
        return String::new();
    };
    let others = match count.saturating_sub(1) {
        0 => String::new(),
        1 => " and at 1 more place".to_owned(),
        more => format!(" and at {more} more places"),
    };
    format!(
        " ({} at {}{others}: not in `allowed_envs`, and no script that runs before exports it)",
        first.says, first.path
    )
}

/// What was not judged: fixed text of scripts that run before the containers and are not Phala's.
fn start_scripts(file: &ComposeFile) -> String {
    let count = file.start_scripts.count();
    if count == 0 {
        return String::new();
    }
    let named: Vec<String> = file
        .start_scripts
        .iter()
        .take(MAX_SCRIPTS)
        .map(|place| format!("{} (SHA-256 {})", place.path, hex::encode(place.sha256)))
        .collect();
    let more = and_more("", count.saturating_sub(MAX_SCRIPTS));
    let (does, rest) = match count {
        1 => (
            "does",
            "It is measured; no variable, file of the host or image without a digest was found to decide what it runs.",
        ),
        _ => (
            "do",
            "They are measured; no variable, file of the host or image without a digest was found to decide what they run.",
        ),
    };
    format!(
        " What else {}{more} {does} as root before the containers is not checked. {rest}",
        named.join(", "),
    )
}

/// The images in the lock describe the document with the locked hash. A release that gives its own hash has others. Where that
/// hash was measured, only the lock can be wrong.
fn locked_mismatch(file: &ComposeFile, hashes: &[[u8; 32]], policy: &Policy) -> Option<Finding> {
    let locked = policy
        .locked_compose
        .as_ref()
        .filter(|_| hashes.iter().any(|hash| policy.is_locked_compose_hash(hash)))?;
    (locked.images != file.images).then(|| {
        let show = |images: &BTreeMap<String, String>| {
            let list: Vec<String> = images
                .iter()
                .take(MAX_NAMED)
                .map(|(service, image)| format!("{service} = {image}"))
                .collect();
            list.join("; ")
        };
        Finding::error(
            &LOCKED_IMAGE_MISMATCH,
            format!(
                "{lock} contradicts itself: its own compose hash was measured, and its images are not those of that document.",
                lock = locked.lock
            ),
        )
        .comparing(show(&locked.images), show(&file.images))
        .against(
            locked
                .lock
                .key(&["images", differing(&locked.images, &file.images)]),
        )
    })
}

/// The first service whose image is another one.
fn differing<'a>(locked: &'a BTreeMap<String, String>, actual: &'a BTreeMap<String, String>) -> &'a str {
    let services: BTreeSet<&String> = locked.keys().chain(actual.keys()).collect();
    services
        .into_iter()
        .find(|service| locked.get(*service) != actual.get(*service))
        .map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_service_with_another_image_is_named() {
        let images = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs
                .iter()
                .map(|(service, image)| ((*service).to_owned(), (*image).to_owned()))
                .collect()
        };
        let locked = images(&[("api", "a"), ("db", "b"), ("web", "c")]);
        for (actual, name) in [
            (images(&[("api", "a"), ("db", "b"), ("web", "c")]), ""),
            (images(&[("api", "x"), ("db", "x"), ("web", "c")]), "api"),
            (images(&[("api", "a"), ("db", "x"), ("web", "x")]), "db"),
            (images(&[("api", "a"), ("web", "c")]), "db"),
            (
                images(&[("api", "a"), ("cache", "d"), ("db", "b"), ("web", "c")]),
                "cache",
            ),
        ] {
            assert_eq!(differing(&locked, &actual), name);
        }
    }
}
