//! The release of the lock where another one is expected: a roll-out that is not finished, or a roll-back.

use super::super::{Finding, Reason};
use super::{COMPOSE_HASH_MISMATCH, DOCKER_COMPOSE_MISMATCH};
use crate::policy::{Origin, Policy};
use crate::report::Status;

/// What names another release than the expected one.
const OTHER_RELEASE: [&Reason; 2] = [&COMPOSE_HASH_MISMATCH, &DOCKER_COMPOSE_MISMATCH];

fn is_other_release(finding: &Finding) -> bool {
    let is_other = |reason: &Reason| OTHER_RELEASE.iter().any(|other| other.id == reason.id);
    finding.status == Status::Fail && finding.reason.is_some_and(is_other)
}

/// The finding, which says so if a second hash is accepted and does not run either: it may be that of the wrong one of two releases.
pub(super) fn nor_second(mut finding: Finding, measured: &[u8; 32], policy: &Policy) -> Finding {
    if let Some(second) = policy
        .second_compose_hash
        .as_ref()
        .filter(|_| is_other_release(&finding))
        && second.value != *measured
    {
        let nor = format!(
            " The compose hash is not the one that --also-compose-hash accepts either ({}).",
            hex::encode(second.value)
        );
        finding.detail.push_str(&nor);
    }
    finding
}

/// The finding, which says so where what was measured is the release of the lock. It fails all the same: the expected
/// release does not run.
pub(super) fn named(mut finding: Finding, measured: &[u8; 32], policy: &Policy) -> Finding {
    let is_other = is_other_release(&finding);
    let locked = policy
        .replaced_compose_hash
        .as_ref()
        .filter(|locked| locked.value == *measured && is_other)
        // A lock that is about to be written holds what runs, and is the lock of no release yet.
        .filter(|locked| matches!(&locked.origin, Origin::Lock(lock) if lock.is_file));
    let Some(locked) = locked else {
        return finding;
    };
    finding.detail = format!(
        "What runs is the release of {}. {}",
        locked.origin, finding.detail
    );
    // A docker compose file of which nobody sees the difference has advice of its own.
    let is_of_file = finding
        .reason
        .is_some_and(|reason| reason.id == DOCKER_COMPOSE_MISMATCH.id);
    if is_of_file && finding.fix.is_some() {
        return finding;
    }
    let by = finding.origin.as_ref().and_then(Origin::to_correct);
    let right = by.map_or_else(
        || "If".to_owned(),
        |by| {
            format!(
                "Check first that {by} is right: it takes the place of what {} expects. If it is, and",
                locked.origin
            )
        },
    );
    let instead = match policy.second_compose_hash {
        Some(_) => " in place of the given one",
        None => "",
    };
    finding.advising(format!(
        "{right} the roll-out is not finished, wait for it (--wait 10m), or accept both releases for a while \
         (--also-compose-hash {}:until=DATE{instead}). If no roll-out is under way and nobody rolled back, find out who deployed the \
         old release.",
        hex::encode(measured)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_of_the_lock_is_named_where_another_one_is_expected_and_not_otherwise() {
        use crate::checks::compose_hash::SECOND_HASH_ENDED;
        use crate::policy::{Expected, LockOrigin};

        let policy = Policy {
            replaced_compose_hash: Some(Expected {
                value: [1; 32],
                origin: LockOrigin::from("cvm.lock").key(&["compose_hash"]),
            }),
            ..Policy::default()
        };
        let says = |reason, measured: u8| {
            let finding = Finding::fail(reason, "It is another one.");
            named(finding, &[measured; 32], &policy).detail
        };
        for reason in OTHER_RELEASE {
            assert!(says(reason, 1).starts_with("What runs is the release of cvm.lock"));
            assert_eq!(says(reason, 2), "It is another one.");
        }
        assert_eq!(says(&SECOND_HASH_ENDED, 1), "It is another one.");
        let unwritten = Policy {
            replaced_compose_hash: Some(Expected {
                value: [1; 32],
                origin: LockOrigin::from("cvm.lock")
                    .not_written_yet()
                    .key(&["compose_hash"]),
            }),
            ..Policy::default()
        };
        let finding = Finding::fail(&COMPOSE_HASH_MISMATCH, "It is another one.");
        assert_eq!(named(finding, &[1; 32], &unwritten).detail, "It is another one.");
        // The hash of the expected release is given a second time, where that of the old one was meant.
        let twice = Policy {
            second_compose_hash: format!("{}:until=2026-06-10", "02".repeat(32)).parse().ok(),
            ..policy.clone()
        };
        let finding = Finding::fail(&COMPOSE_HASH_MISMATCH, "It is another one.");
        let finding = named(nor_second(finding, &[1; 32], &twice), &[1; 32], &twice);
        let given = format!("--also-compose-hash accepts either ({})", "02".repeat(32));
        assert!(finding.detail.contains(&given), "{}", finding.detail);
        let fix = finding.fix.unwrap();
        let old = format!("{}:until=DATE in place of the given one", "01".repeat(32));
        assert!(fix.contains(&old), "{fix}");
        let finding = Finding::fail(&COMPOSE_HASH_MISMATCH, "It is another one.");
        assert_eq!(nor_second(finding, &[2; 32], &twice).detail, "It is another one.");
        let unseen = Finding::fail(&DOCKER_COMPOSE_MISMATCH, "It differs.").advising("Give the same bytes.");
        assert_eq!(
            named(unseen, &[1; 32], &policy).fix.as_deref(),
            Some("Give the same bytes.")
        );
    }
}
