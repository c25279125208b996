//! The release of the lock runs where another one is expected: a roll-out that is not finished, or a roll-back. It fails,
//! and nobody is accused of having deployed.

use cvm_verify_core::policy::{Expected, LockOrigin};
use cvm_verify_core::report::{CheckId, Status};
use simulator::app_compose::SWAPPED_DOCKER_COMPOSE;
use simulator::{Cvm, Lie, World};

use crate::judge::{Judged, Trial, expected};

/// The healthy CVM, which a lock was taken of; then another release is expected.
fn after_the_lock(of: Option<[u8; 32]>) -> Trial {
    Trial::healthy().with(|trial| {
        let lock = LockOrigin::from("cvm.lock").key(&["compose_hash"]);
        trial.policy.replaced_compose_hash = Some(Expected {
            value: of.unwrap_or_else(|| trial.cvm.compose_hash()),
            origin: lock,
        });
    })
}

#[track_caller]
fn is_the_locked_release(judged: &Judged, reason: &str, option: &str) {
    judged.fails(CheckId::ComposeHash, reason);
    let check = judged.check(CheckId::ComposeHash);
    let says = "What runs is the release of cvm.lock.";
    assert!(check.detail.starts_with(says), "{judged}");
    let fix = check.fix.as_deref().unwrap();
    // The option takes the place of the lock: to pin again would help nobody.
    let first = format!("Check first that {option} is right: it takes the place of what cvm.lock expects.");
    assert!(
        fix.starts_with(&first) && !fix.contains("cvm-verify pin"),
        "{fix}"
    );
    assert!(fix.contains("--wait") && !fix.contains("someone else"), "{fix}");
    let hash = judged.0.measurements.compose_hash.as_ref().unwrap();
    assert!(
        fix.contains(&format!("--also-compose-hash {hash}:until=")),
        "{fix}"
    );
}

#[test]
fn the_release_of_the_lock_is_named_where_another_one_is_expected() {
    let other_hash = |trial: Trial| {
        trial
            .with(|trial| trial.policy.compose_hash = Some(expected("--compose-hash", [7; 32])))
            .judge()
    };
    let other_file = |trial: Trial| {
        trial
            .with(|trial| {
                trial.policy.compose_hash = None;
                let file = SWAPPED_DOCKER_COMPOSE.to_owned();
                trial.policy.docker_compose = Some(expected("--docker-compose", file));
            })
            .judge()
    };
    let judged = other_hash(after_the_lock(None));
    is_the_locked_release(&judged, "compose-hash-mismatch", "--compose-hash");
    let judged = other_file(after_the_lock(None));
    is_the_locked_release(&judged, "docker-compose-mismatch", "--docker-compose");
    assert!(!judged.0.compose_diff.is_empty(), "{judged}");
    // Any other document is nobody's release.
    for (judged, reason) in [
        (other_hash(after_the_lock(Some([8; 32]))), "compose-hash-mismatch"),
        (
            other_file(after_the_lock(Some([8; 32]))),
            "docker-compose-mismatch",
        ),
        (other_hash(Trial::healthy()), "compose-hash-mismatch"),
    ] {
        judged.fails(CheckId::ComposeHash, reason);
        let check = judged.check(CheckId::ComposeHash);
        assert!(!check.detail.contains("cvm.lock"), "{judged}");
        let fix = check.fix.as_deref().unwrap();
        assert!(fix.contains("someone else"), "{judged}");
        // `pin` changes nothing of what an option expects.
        assert!(!fix.contains("cvm-verify pin"), "{judged}");
    }
    // The expected release passes, whatever the lock holds.
    after_the_lock(Some([8; 32])).judge().passes();
}

/// In a roll-out another instance may answer /info. That is a guess: nobody signs what /info shows.
#[test]
fn that_info_shows_the_locked_document_is_said_and_the_other_release_fails() {
    let honest = Cvm::healthy(&World::default());
    let trial = Trial::lying(|cvm| Lie::SwappedImage.apply(cvm)).with(|trial| {
        trial.cvm.body.show_app_compose = Some(honest.app_compose.clone());
        trial.policy.compose_hash = Some(Expected {
            value: honest.compose_hash(),
            origin: LockOrigin::from("cvm.lock").key(&["compose_hash"]),
        });
    });
    let judged = trial.judge();
    judged.fails(CheckId::ComposeHash, "compose-hash-mismatch");
    let detail = judged.detail(CheckId::ComposeHash);
    assert!(detail.contains("/info shows the locked document"), "{judged}");
    judged.says(CheckId::Evidence, Status::Warn, "info-unusable");
    assert!(
        judged
            .detail(CheckId::Evidence)
            .contains("another instance, of the expected release"),
        "{judged}"
    );
}
