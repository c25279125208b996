//! Places of the measured compose document that something outside it can fill with code: T62 to T78. Each begins with a CVM
//! that runs exactly the expected document, so that nothing but `image-pins` and `launch-inputs` has anything to say.

mod document_fields;
mod environment;
mod host_access;
mod mounts;
mod reviewed;
mod variables;

use cvm_verify_core::policy::LockedCompose;
use cvm_verify_core::policy::LockedPlace;
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{Assurance, CheckId, Status, Verdict};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulator::app_compose::app_compose;
use simulator::{Cvm, World};

use crate::judge::{Judged, Trial};

pub(crate) const PINNED: &str =
    "nginx@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54";

/// A CVM of a document with these fields beside the docker compose file.
pub(crate) fn running_with(yaml: &str, fields: &Value) -> Judged {
    let mut cvm = Cvm::healthy(&World::default());
    let mut document: Value = serde_json::from_str(&app_compose(yaml)).unwrap();
    document["pre_launch_script"] = json!("");
    for (name, value) in fields.as_object().unwrap() {
        document[name] = value.clone();
    }
    cvm.app_compose = document.to_string();
    Trial::of(cvm).judge()
}

/// The deployer may set X and Y.
pub(crate) fn running(yaml: &str) -> Judged {
    running_with(yaml, &json!({"allowed_envs": ["X", "Y"]}))
}

/// One service with a pinned image and these lines.
pub(crate) fn service(lines: &str) -> String {
    format!(
        "services:\n  web:\n    image: {PINNED}\n    {}\n",
        lines.replace('\n', "\n    ")
    )
}

/// `code` is not met, for this reason, and the place is named.
#[track_caller]
pub(crate) fn decides(judged: &Judged, reason: &str, place: &str) {
    judged.says(CheckId::ImagePins, Status::Warn, reason);
    judged.concludes(Verdict::Inconclusive);
    assert_eq!(judged.0.assurance, Assurance::Hardware, "{judged}");
    let detail = judged.detail(CheckId::ImagePins);
    assert!(
        detail.contains(&format!(" {place}: ")),
        "{place} is not in: {detail}"
    );
}

#[track_caller]
pub(crate) fn is_unmeasured(yaml: &str, place: &str) {
    decides(&running(yaml), "unmeasured-input", place);
}

#[track_caller]
fn is_unpinned(yaml: &str, place: &str) {
    decides(&running(yaml), "unpinned-image", place);
}

/// Nothing decides code.
#[track_caller]
pub(crate) fn is_fixed(yaml: &str) -> Judged {
    let judged = running(yaml);
    judged.passes().proves(CheckId::ImagePins);
    judged
}

/// `launch-inputs` names host access at a place.
#[track_caller]
fn reaches(judged: &Judged, place: &str) {
    judged.says(CheckId::LaunchInputs, Status::Warn, "host-access");
    let detail = judged.detail(CheckId::LaunchInputs);
    assert!(
        detail.contains(&format!("{place} (")),
        "{place} is not in: {detail}"
    );
}

#[test]
fn the_healthy_baseline_passes() {
    is_fixed(&service("restart: always")).proves(CheckId::LaunchInputs);
}
