//! `mr-config-id`: the second, log-independent witness of the compose hash.

use super::{
    BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, QUOTE_NOT_PROVEN, Reason, Required,
    boot_claims, proven_quote,
};
use crate::config::Policy;
use crate::prove::Facts;
use crate::report::CheckId;

pub(super) const CHECK: Check = Check {
    id: CheckId::MrConfigId,
    title: "MRCONFIGID",
    proves: "The VM was launched for this very compose hash; the guest checks that before it boots.",
    prevents: "A log and a launch configuration that tell two stories. (Never a substitute for os-image.)",
    reasons: &[
        &UNBOUND,
        &UNSUPPORTED_TAG,
        &NON_ZERO_TAIL,
        &MISMATCH,
        &QUOTE_NOT_PROVEN,
        &EVENT_LOG_NOT_PROVEN,
        &BOOT_ORDER_NOT_PROVEN,
    ],
    required: Required::Never,
    harmless_warnings: &[],
    is_configured: |_| false,
    run,
};

const UNBOUND: Reason = Reason {
    id: "unbound",
    means: "MRCONFIGID is zero: the host does not bind the compose hash at launch. Legal, and usual before 0.5.1.",
    fix: "Nothing: the event log binds the compose hash. Phala Cloud binds it at launch since dstack 0.5.1.",
};
const UNSUPPORTED_TAG: Reason = Reason {
    id: "unsupported-tag",
    means: "MRCONFIGID has a form that has never been seen in real evidence.",
    fix: "Update cvm-verify; if the newest version does not know the form either, please report it.",
};
const NON_ZERO_TAIL: Reason = Reason {
    id: "non-zero-tail",
    means: "MRCONFIGID has bytes behind the compose hash that must be zero.",
    fix: "No release of dstack launches VMs like this: treat the host as hostile.",
};
const MISMATCH: Reason = Reason {
    id: "mismatch",
    means: "MRCONFIGID names another compose hash than the boot events.",
    fix: "No release of dstack boots with such a mismatch: treat the host as hostile.",
};

fn run(facts: &Facts, _policy: &Policy) -> Finding {
    let quote = match proven_quote(facts) {
        Ok(quote) => quote,
        Err(finding) => return finding,
    };
    let value = quote.mr_config_id();
    if *value == [0; 48] {
        return Finding::skip(
            &UNBOUND,
            "MRCONFIGID is zero: the host does not bind the compose hash at launch.",
        );
    }
    let [tag, bytes @ ..] = value;
    if *tag != 1 {
        return Finding::fail(
            &UNSUPPORTED_TAG,
            format!("MRCONFIGID has the unknown form {tag:02x}."),
        )
        .found(hex::encode(value));
    }
    let (hash, tail) = bytes.split_at(32);
    if tail.iter().any(|byte| *byte != 0) {
        return Finding::fail(
            &NON_ZERO_TAIL,
            "MRCONFIGID has non-zero bytes behind the compose hash.",
        )
        .found(hex::encode(value));
    }
    let boot = match boot_claims(facts) {
        Ok(boot) => boot,
        Err(finding) => return finding,
    };
    if hash == boot.compose_hash() {
        Finding::pass("MRCONFIGID names the same compose hash as the boot events.")
    } else {
        Finding::fail(
            &MISMATCH,
            "MRCONFIGID names another compose hash than the boot events.",
        )
        .comparing(hex::encode(boot.compose_hash()), hex::encode(hash))
    }
}
