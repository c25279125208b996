//! Two releases at a time.

use super::*;

/// The healthy CVM, of which another release is expected first.
fn rolling_out(second: impl FnOnce(&Trial) -> SecondHash) -> Trial {
    Trial::healthy().with(|trial| {
        let second = second(trial);
        trial.policy.compose_hash = Some(expected("--compose-hash", [7; 32]));
        trial.policy.second_compose_hash = Some(second);
    })
}

#[test]
fn during_a_roll_out_the_second_hash_passes_until_its_day_is_over() {
    let ends = |after: u64| {
        rolling_out(|trial| second(trial.cvm.compose_hash(), "2026-06-10", trial.at + after)).judge()
    };
    let judged = ends(1);
    judged
        .passes()
        .says(CheckId::ComposeHash, Status::Warn, "second-hash-ends-soon");
    assert!(
        judged
            .detail(CheckId::ComposeHash)
            .contains("accepted until 2026-06-10"),
        "{judged}"
    );
    ends(30 * 86_400).passes().proves(CheckId::ComposeHash);
    ends(0).fails(CheckId::ComposeHash, "second-hash-ended");
    rolling_out(|trial| second([8; 32], "2026-06-10", trial.at + 1))
        .judge()
        .fails(CheckId::ComposeHash, "compose-hash-mismatch");
}

#[test]
fn during_a_roll_out_the_first_hash_passes_and_the_second_is_told() {
    let judged = |ends_after: u64| {
        Trial::healthy()
            .with(|trial| {
                trial.policy.second_compose_hash = Some(second([7; 32], "2026-06-10", trial.at + ends_after));
            })
            .judge()
    };
    for (after, says) in [(1, "Until 2026-06-10"), (0, "is ignored: remove it")] {
        let judged = judged(after);
        judged.passes();
        assert!(judged.detail(CheckId::ComposeHash).contains(says), "{judged}");
    }
}

/// Without a hash of its own a lock demands its settings of every release; with one, they are of that release, and what the second hash
/// accepts in their place is named and keeps `code` from being reached.
#[test]
fn t40_the_second_hash_passes_with_other_settings_only_where_the_verdict_names_them() {
    let trial = || rolling_out(|trial| second(trial.cvm.compose_hash(), "2026-06-10", trial.at + 1));
    locked_to(trial(), &app_compose("services: {}")).judge().passes();
    let other = locked_to(trial(), &clean("services: {}"));
    other
        .judge()
        .leaves_open(CheckId::ComposeHash, "compose-settings-mismatch");
    let of_release = other.with(|trial| {
        trial.policy.second_compose_hash.as_mut().unwrap().ends = trial.at + 30 * 86_400;
        let lock = LockOrigin::from("cvm.lock").key(&["compose_hash"]);
        trial.policy.compose_hash.as_mut().unwrap().origin = lock;
    });
    let judged = of_release.judge();
    judged
        .passes()
        .says(CheckId::ComposeHash, Status::Warn, "second-hash-settings");
    assert_eq!(judged.0.accepted.len(), 1, "{judged}");
    assert_eq!(judged.0.assurance, cvm_verify_core::report::Assurance::Hardware);
    assert_eq!(judged.0.second_release_until.as_deref(), Some("2026-06-10"));
    // The lock's own hash would bind its compose settings; the second does not.
    let unseen = locked_to(trial(), &app_compose("services: {}")).with(|trial| {
        trial.info = false;
        let lock = LockOrigin::from("cvm.lock").key(&["compose_hash"]);
        trial.policy.compose_hash.as_mut().unwrap().origin = lock;
    });
    unseen
        .judge()
        .leaves_open(CheckId::ComposeHash, "compose-settings-not-shown");
}

#[test]
fn during_a_roll_out_of_a_file_the_old_hash_passes_until_its_day_is_over() {
    let judged = |after: u64| {
        releasing(app_compose(SWAPPED_DOCKER_COMPOSE), DOCKER_COMPOSE)
            .with(|trial| {
                let hash = trial.cvm.compose_hash();
                trial.policy.second_compose_hash = Some(second(hash, "2026-06-10", trial.at + after));
            })
            .judge()
    };
    let judged_now = judged(1);
    judged_now.passes();
    assert_eq!(judged_now.0.second_release_until.as_deref(), Some("2026-06-10"));
    assert_eq!(judged(0).0.second_release_until, None);
    let ended = judged(0);
    ended.fails(CheckId::ComposeHash, "second-hash-ended");
    assert!(!ended.0.compose_diff.is_empty());
    // The expected file is the expected file, whatever day it is.
    releasing(clean(DOCKER_COMPOSE), DOCKER_COMPOSE)
        .with(|trial| {
            let hash = trial.cvm.compose_hash();
            trial.policy.second_compose_hash = Some(second(hash, "2026-06-10", trial.at));
        })
        .judge()
        .passes();
    assert_eq!(judged(0).0.verdict, Verdict::Fail);
    assert_eq!(
        judged(0).0.check(CheckId::ComposeHash).unwrap().status,
        Status::Fail
    );
}
