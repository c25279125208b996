//! `image-pins`: what the measured compose file starts cannot change under you.

use std::collections::BTreeMap;

use super::measured_compose::{COMPOSE_NOT_PROVEN, NO_COMPOSE_DOCUMENT, measured_compose};
use super::{
    BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, QUOTE_NOT_PROVEN, Reason, Required,
};
use crate::config::{ImagePinsPolicy, Policy};
use crate::prove::{ComposeFile, Facts, MeasuredCompose};
use crate::report::{CheckId, Tier};

pub(super) const CHECK: Check = Check {
    id: CheckId::ImagePins,
    title: "Image pins",
    proves: "Every image in the measured compose file is pinned by digest, and no variable decides what runs.",
    prevents: "A registry or an unmeasured variable that swaps the code behind an unchanged compose hash.",
    reasons: &[
        &NO_COMPOSE_DOCUMENT,
        &COMPOSE_NOT_PROVEN,
        &UNREADABLE_COMPOSE,
        &UNPINNED_IMAGE,
        &LOCKED_IMAGE_MISMATCH,
        &HOST_ACCESS,
        &UNCHECKED,
        &QUOTE_NOT_PROVEN,
        &EVENT_LOG_NOT_PROVEN,
        &BOOT_ORDER_NOT_PROVEN,
    ],
    required: Required::From(Tier::Code),
    harmless_warnings: &[&HOST_ACCESS],
    is_configured: |_| false,
    run,
};

const UNREADABLE_COMPOSE: Reason = Reason {
    id: "unreadable-compose",
    means: "The measured compose document cannot be read in one way only.",
    fix: "Make it plain: no duplicate keys, no nested aliases, no depth; then deploy again.",
};
const UNPINNED_IMAGE: Reason = Reason {
    id: "unpinned-image",
    means: "An image is named by tag, built on the spot, or chosen by a variable: what runs is not what was measured.",
    fix: "Pin each image as name@sha256:…, write values instead of variables into image, command, entrypoint, health check, hooks and volumes, \
          and deploy again.",
};
const LOCKED_IMAGE_MISMATCH: Reason = Reason {
    id: "locked-image-mismatch",
    means: "The images in the lock are not those of the measured compose document: the lock contradicts itself.",
    fix: "Run `cvm-verify pin` again and review the difference.",
};
const HOST_ACCESS: Reason = Reason {
    id: "host-access",
    means: "A container can reach beyond itself: privileged, the Docker socket, host mounts or host namespaces.",
    fix: "Make sure that this is meant: such a container can replace every other one.",
};
const UNCHECKED: Reason = Reason {
    id: "unchecked",
    means: "Waived with --image-pins unchecked.",
    fix: "Pin each image by digest and remove `--image-pins unchecked`.",
};

/// How many problems a finding names.
const MAX_NAMED: usize = 8;

fn run(facts: &Facts, policy: &Policy) -> Finding {
    if policy.image_pins == ImagePinsPolicy::Unchecked {
        return Finding::waived(
            &UNCHECKED,
            policy.waived_by(CheckId::ImagePins),
            "Waived: the images may be anything.",
        );
    }
    let (boot, compose) = match measured_compose(facts) {
        Ok(measured) => measured,
        Err(finding) => return finding,
    };
    match compose.compose_file() {
        Err(problem) => Finding::error(
            &UNREADABLE_COMPOSE,
            format!("The measured compose document cannot be read: {problem}."),
        ),
        Ok(None) => Finding::warn(
            &UNPINNED_IMAGE,
            "The app has no compose file: what its script starts is not pinned. This does not meet `code`.",
        ),
        Ok(Some(file)) => judge(&file, boot.compose_hash(), policy),
    }
}

fn judge(file: &ComposeFile, hash: &[u8; 32], policy: &Policy) -> Finding {
    if let Some(finding) = locked_mismatch(file, hash, policy) {
        return finding;
    }
    if !file.unpinned.is_empty() {
        return Finding::warn(
            &UNPINNED_IMAGE,
            format!(
                "{} This does not meet `code`.",
                sentence("Not pinned", &file.unpinned)
            ),
        );
    }
    if file.images.is_empty() {
        return Finding::warn(
            &UNPINNED_IMAGE,
            "The compose file has no services. This does not meet `code`.",
        );
    }
    if file.host_access.is_empty() {
        Finding::pass(match file.images.len() {
            1 => "The one image is pinned by digest.".to_owned(),
            count => format!("All {count} images are pinned by digest."),
        })
    } else {
        Finding::warn(
            &HOST_ACCESS,
            sentence("All images are pinned, but", &file.host_access),
        )
    }
}

/// The images in a lock are for people; its compose hash binds them. They must not contradict it.
fn locked_mismatch(file: &ComposeFile, hash: &[u8; 32], policy: &Policy) -> Option<Finding> {
    let locked = policy
        .locked_compose
        .as_ref()
        .filter(|_| policy.is_locked_compose_hash(hash))?;
    (locked.images != file.images).then(|| {
        let show = |images: &BTreeMap<String, String>| {
            let list: Vec<String> = images
                .iter()
                .take(MAX_NAMED)
                .map(|(service, image)| format!("{service} = {image}"))
                .collect();
            list.join("; ")
        };
        Finding::fail(
            &LOCKED_IMAGE_MISMATCH,
            format!(
                "The images in {} are not those of the measured compose document.",
                locked.lock
            ),
        )
        .comparing(show(&locked.images), show(&file.images))
    })
}

fn sentence(start: &str, problems: &[String]) -> String {
    let more = problems.len().saturating_sub(MAX_NAMED);
    let named = problems
        .iter()
        .take(MAX_NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    if more == 0 {
        format!("{start}: {named}.")
    } else {
        format!("{start}: {named}; and {more} more.")
    }
}

/// Image reference by service of a measured compose document; empty where it has none that can be read.
#[must_use]
pub fn locked_images(compose: &MeasuredCompose) -> BTreeMap<String, String> {
    compose
        .compose_file()
        .ok()
        .flatten()
        .map(|file| file.images)
        .unwrap_or_default()
}
