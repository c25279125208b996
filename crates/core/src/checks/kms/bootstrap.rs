//! How the root keys of a KMS were made: its own evidence, that in its contract, and that which the user keeps.

use super::reasons::{BOOTSTRAP, BOOTSTRAP_UNDETERMINED, BOOTSTRAP_UNPROVEN};
use crate::checks::judgement::Judgement;
use crate::checks::{os_image, td_attributes};
use crate::evidence::BootstrapSource;
use crate::policy::{OsImagePolicy, Policy};
use crate::report::Status;
use crate::verify::kms::{BootstrapState, KmsAnswer};
use crate::verify::{BootClaims, Claims};

/// Judges each piece of evidence; a sentence about what made the keys, if that is proven.
pub(super) fn judge(
    judgement: &mut Judgement,
    answer: &KmsAnswer<Claims>,
    boot: &BootClaims,
    policy: &Policy,
) -> String {
    let host = answer.host();
    let id = &boot.key_provider().id;
    let mut made = None;
    if let Ok((kms, _)) = answer.attested()
        && let Ok(meta) = kms.meta()
    {
        made = judge_one(
            judgement,
            &format!("of the KMS at {host}"),
            meta.bootstrap(),
            policy,
        );
    }
    let pinned = policy.kms.bootstrap.as_ref();
    for one in answer.bootstraps() {
        let whose = format!("{} for the KMS at {host}", one.source().words());
        let is_refused = matches!(one.state(), BootstrapState::Refused(_));
        if !one.is_about(id) && !is_refused && !matches!(one.state(), BootstrapState::Undetermined(_)) {
            judgement.fail(
                &BOOTSTRAP,
                format!(
                    "The bootstrap evidence {whose} is about another root key than that of the app's keys."
                ),
            );
            continue;
        }
        let hash = judge_one(judgement, &whose, one.state(), policy);
        made = made.or(hash);
    }
    if let Some(pinned) = pinned {
        let mut files = answer.bootstraps().iter();
        let file = files.find(|one| one.source() == BootstrapSource::File && one.evidence() == pinned.value);
        let why = match file.map(|one| one.state()) {
            Some(BootstrapState::Proven(_) | BootstrapState::Refused(_)) => None,
            Some(BootstrapState::Absent) | None => {
                Some("it was not looked at when the evidence was recorded")
            }
            Some(BootstrapState::Undetermined(_)) => Some("it could not be verified"),
        };
        if let Some(why) = why {
            judgement.error(
                &BOOTSTRAP_UNPROVEN,
                format!(
                    "The bootstrap evidence that {} names does not count: {why}.",
                    pinned.origin
                ),
            );
        }
    }
    made.map(|hash| format!(" The root keys were made by the compose document {hash}."))
        .unwrap_or_default()
}

/// The compose document that made the keys, hex.
fn judge_one(
    judgement: &mut Judgement,
    whose: &str,
    state: &BootstrapState<Claims>,
    policy: &Policy,
) -> Option<String> {
    let own = match state {
        BootstrapState::Absent => return None,
        BootstrapState::Undetermined(why) => {
            judgement.warn(
                &BOOTSTRAP_UNDETERMINED,
                format!("The bootstrap evidence {whose}: {why}."),
            );
            return None;
        }
        BootstrapState::Refused(refusal) => {
            judgement.fail(
                &BOOTSTRAP,
                format!("The bootstrap evidence {whose} is refused: {refusal}."),
            );
            return None;
        }
        BootstrapState::Proven(own) => own,
    };
    if let Some(why) = readable_by_the_host(own, policy) {
        judgement.fail(
            &BOOTSTRAP,
            format!("The root keys {whose} were made where others could read them. {why}"),
        );
    }
    own.boot
        .as_ref()
        .ok()
        .map(|boot| hex::encode(boot.compose_hash()))
}

/// Why others than the code that made the keys could read them: the VM could be debugged, or its image lets people in. How the
/// platform is rated today says nothing about then.
fn readable_by_the_host(own: &Claims, policy: &Policy) -> Option<String> {
    let policy = Policy {
        os_image: OsImagePolicy::Known,
        reference: std::sync::Arc::clone(&policy.reference),
        ..Policy::default()
    };
    let attributes = (td_attributes::CHECK.run)(own, &policy);
    if attributes.status == Status::Fail {
        return Some(attributes.detail);
    }
    let image = (os_image::CHECK.run)(own, &policy);
    let is_development = image
        .reason
        .is_some_and(|reason| reason.id == "development-image");
    (image.status == Status::Fail && is_development).then_some(image.detail)
}
