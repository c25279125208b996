//! `mr-config-id`: what the host bound at launch, the second, log-independent witness of the compose hash.

use super::{
    BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, InCertificate, QUOTE_NOT_PROVEN, Required,
    boot_claims, proven_quote, reasons,
};
use crate::checks::known;
use crate::policy::{MrConfigIdPolicy, Policy};
use crate::report::{CheckId, MeasuredValue, Tier};
use crate::verify::{BootClaims, Claims, ConfigId, Launch};

pub(super) const CHECK: Check = Check {
    id: CheckId::MrConfigId,
    title: "MRCONFIGID",
    proves: "The VM was launched for this compose hash and, if the host binds them, for this app id and key provider; the \
             guest checks that before it boots.",
    prevents: "A log and a launch configuration that contradict each other. (Never a substitute for `os-image`.)",
    reasons: REASONS,
    required: Required::Never,
    harmless_skips: &[&UNBOUND],
    // Where code is to be proven, a form that nobody can judge leaves the verdict open.
    is_configured: |policy| {
        policy.mr_config_id == MrConfigIdPolicy::Required || policy.required.tier() == Tier::Code
    },
    run,
    compares: &[MeasuredValue::MrConfigId],
    in_certificate: InCertificate::NotToFail,
    ..Check::BASE
};

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN, &EVENT_LOG_NOT_PROVEN, &BOOT_ORDER_NOT_PROVEN]:
    UNBOUND "unbound"
        "MRCONFIGID is zero: the host does not bind the compose hash at launch. This is allowed, and usual before dstack \
         0.5.1."
        "Nothing: the event log binds the compose hash. Phala Cloud binds it at launch since dstack 0.5.1. To require it: \
         --mr-config-id required.";
    BINDING_REQUIRED "binding-required"
        "MRCONFIGID is zero, and --mr-config-id required says that the host must bind the compose hash at launch."
        "Launch the VM on a host that sets MRCONFIGID (Phala Cloud does; in your own VMM, enable `use_mrconfigid`), or \
         remove `--mr-config-id required`.";
    UNSUPPORTED_TAG "unsupported-tag"
        "MRCONFIGID has a form that this version does not know."
        "Update cvm-verify; if the newest version does not know the form either, please report it.";
    NON_ZERO_TAIL "non-zero-tail"
        "MRCONFIGID has bytes after its hash that must be zero."
        "No release of dstack launches VMs like this. Compare the OS image with an official one. If you did not deploy another image on \
         purpose, treat the host as hostile.";
    MISMATCH "mismatch"
        "The host bound something else at launch than what the boot events say: another compose hash, app id, instance id, key \
         provider, GPU policy or init script."
        "No release of dstack boots with such a mismatch. Compare the OS image with an official one. If you did not deploy another image \
         on purpose, treat the host as hostile.";
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let quote = known!(proven_quote(claims));
    let value = quote.mr_config_id();
    let id = ConfigId::of(value);
    match id {
        ConfigId::Unbound if policy.mr_config_id == MrConfigIdPolicy::Required => {
            return Finding::fail(
                &BINDING_REQUIRED,
                "MRCONFIGID is zero: the host does not bind the compose hash at launch, which --mr-config-id requires.",
            );
        }
        ConfigId::Unbound => {
            return Finding::skip(
                &UNBOUND,
                "MRCONFIGID is zero: the host does not bind the compose hash at launch.",
            );
        }
        ConfigId::Unknown(tag) => {
            return Finding::error(
                &UNSUPPORTED_TAG,
                format!(
                    "Not determined: MRCONFIGID has the form {tag:02x}, which this version does not know."
                ),
            )
            .found(hex::encode(value));
        }
        ConfigId::NonZeroTail => {
            return Finding::fail(&NON_ZERO_TAIL, "MRCONFIGID has non-zero bytes after its hash.")
                .found(hex::encode(value));
        }
        ConfigId::ComposeHash(_) | ConfigId::Identity(_) | ConfigId::Document(_) => {}
    }
    match boot_claims(claims) {
        Ok(boot) => judge(id, boot, claims),
        Err(finding) => finding,
    }
}

fn judge(id: ConfigId, boot: &BootClaims, claims: &Claims) -> Finding {
    let launch = Launch::new(boot, claims.compose.as_ref().ok());
    match id {
        ConfigId::ComposeHash(hash) if hash == *boot.compose_hash() => {
            Finding::pass("MRCONFIGID names the same compose hash as the boot events.")
        }
        ConfigId::ComposeHash(hash) => Finding::fail(
            &MISMATCH,
            "MRCONFIGID names another compose hash than the boot events.",
        )
        .comparing(hex::encode(boot.compose_hash()), hex::encode(hash)),
        ConfigId::Identity(hash) => match launch.identity() {
            Some(expected) if expected == hash => Finding::pass(
                "MRCONFIGID (form 02) binds the compose hash, the app id and the key provider of the boot events.",
            ),
            expected => mismatch(
                "MRCONFIGID (form 02) is not the hash of the compose hash, the app id and the key provider of the boot events.",
                expected,
                &hash,
            ),
        },
        ConfigId::Document(hash) => match launch.document(&hash) {
            Some(members) => Finding::pass(format!(
                "MRCONFIGID (form 03) binds what the boot events say: {}.",
                words(&members)
            )),
            None => mismatch(
                "MRCONFIGID (form 03) is not the hash of any launch document that says what the boot events say.",
                None,
                &hash,
            ),
        },
        ConfigId::Unbound | ConfigId::NonZeroTail | ConfigId::Unknown(_) => Finding::error(
            &UNSUPPORTED_TAG,
            "Not determined: MRCONFIGID has no form that can be compared.",
        ),
    }
}

fn mismatch(sentence: &str, expected: Option<[u8; 32]>, found: &[u8; 32]) -> Finding {
    let finding = Finding::fail(&MISMATCH, sentence);
    match expected {
        Some(expected) => finding.comparing(hex::encode(expected), hex::encode(found)),
        None => finding.found(hex::encode(found)),
    }
}

/// The members of a launch document in words.
fn words(members: &[&str]) -> String {
    let words: Vec<&str> = members
        .iter()
        .filter_map(|member| match *member {
            "app_id" => Some("app id"),
            "compose_hash" => Some("compose hash"),
            "gpu_policy_hash" => Some("GPU policy"),
            "init_script_hashes" => Some("init scripts"),
            "instance_id" => Some("instance id"),
            "key_provider" => Some("kind of key provider"),
            "key_provider_id" => Some("id of the key provider"),
            _ => None,
        })
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_of_a_launch_document_has_words() {
        let members = [
            "app_id",
            "compose_hash",
            "gpu_policy_hash",
            "init_script_hashes",
            "instance_id",
            "key_provider",
            "key_provider_id",
            "version",
        ];
        assert_eq!(
            words(&members),
            "app id, compose hash, GPU policy, init scripts, instance id, kind of key provider, id of the key provider"
        );
    }
}
