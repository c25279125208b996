//! What cannot be read: events, policies and devices of a form that is not known, and events that are not proven.

use simulator::EventLogForm;

use super::*;

#[test]
fn t44_a_boot_event_of_a_form_that_is_not_known_convicts_nobody() {
    let booted = |record: &str| {
        let mut cvm = Cvm::of_generation(&World::default(), Guest::V0_6_0);
        cvm.gpu_attestation = Some(record.to_owned());
        Trial::of(cvm)
    };
    let digest = "aa".repeat(32);
    for (later, detail) in [
        (
            format!(r#"{{"version":4,"evidence_sha256":"{digest}"}}"#),
            "version 4",
        ),
        (
            format!(
                r#"{{"version":3,"provider":"nvidia","devices":2,"cc_mode":"on","devtools":false,"dbgstat":"disabled","secboot":true,"evidence_sha256":"{digest}","more":1}}"#
            ),
            "unknown member",
        ),
    ] {
        let judged = booted(&later).judge();
        judged.passes().says(Id, Warn, "gpu-event");
        assert!(judged.detail(Id).contains(detail), "{judged}");
        booted(&later).with(required).judge().leaves_open(Id, "gpu-event");
    }
    // What the guest wrote of its GPUs convicts.
    let debugged = format!(
        r#"{{"version":2,"provider":"nvidia","devices":2,"cc_mode":"on","devtools":true,"evidence_sha256":"{digest}"}}"#
    );
    booted(&debugged).judge().fails(Id, "gpu-event");
}

#[test]
fn t44_a_measured_policy_with_a_member_that_is_not_known_convicts_nobody() {
    let with_policy = |policy: Value| {
        let mut cvm = Cvm::of_generation(&World::default(), Guest::V0_6_0);
        let mut compose: Value = serde_json::from_str(&cvm.app_compose).unwrap();
        compose["requirements"] = serde_json::json!({ "gpu_policy": policy });
        cvm.app_compose = compose.to_string();
        Trial::of(cvm)
    };
    let later = with_policy(serde_json::json!({ "allow_new_things": true }));
    let judged = later.judge();
    judged.says(Id, Warn, "gpu-policy");
    assert!(judged.detail(Id).contains("allow_new_things"), "{judged}");
    // GPUs that the guest attested while booting are there, so that only the policy is in question.
    let attested = format!(
        r#"{{"version":2,"provider":"nvidia","devices":2,"cc_mode":"on","devtools":false,"evidence_sha256":"{}"}}"#,
        "aa".repeat(32)
    );
    let later = later.with(|trial| trial.cvm.gpu_attestation = Some(attested));
    later.with(required).judge().leaves_open(Id, "gpu-policy");
}

#[test]
fn t44_switches_that_cannot_be_read_are_not_those_that_are_required() {
    with_gpus(Gpus::protected_pcie(SEED))
        .with(|trial| {
            trial.policy.gpu.switches_required = true;
            gpus(trial).devices[0].opaque_bytes = Some(UNREAD.to_vec());
        })
        .judge()
        .fails(Id, "gpu-opaque-unread");
}

#[test]
fn t44_a_switch_that_cannot_be_read_is_no_gpu() {
    for (what, expectation) in EXPECTATIONS
        .into_iter()
        .filter(|(what, _)| *what != "--gpu-count")
    {
        println!("{what}");
        with_gpus(Gpus::protected_pcie(SEED))
            .with(expectation)
            .with(|trial| {
                gpus(trial).devices.drain(..8);
                for switch in &mut gpus(trial).devices {
                    switch.opaque_bytes = Some(UNREAD.to_vec());
                }
            })
            .judge()
            .fails(Id, "gpu-topology");
    }
}

#[test]
fn t44_a_device_that_cannot_be_read_hides_no_contradiction_between_the_others() {
    let foreign = || Gpu::switch(SEED, "foreign", [0x66; 8]);
    for (what, change, reason) in [
        (
            "a switch that no GPU sees, beside one that is not read",
            (|gpus, foreign| {
                gpus.devices[8].opaque_bytes = Some(UNREAD.to_vec());
                gpus.devices[11] = foreign;
            }) as fn(&mut Gpus, Gpu),
            Some("gpu-topology"),
        ),
        (
            "one switch that is not read, and two that are missing",
            |gpus, _| {
                gpus.devices.truncate(10);
                gpus.devices[8].opaque_bytes = Some(UNREAD.to_vec());
            },
            Some("gpu-topology"),
        ),
        (
            "a GPU that is not read, and switches of another machine",
            |gpus, foreign| {
                gpus.devices[0].opaque_bytes = Some(UNREAD.to_vec());
                gpus.devices[11] = foreign;
            },
            Some("gpu-topology"),
        ),
        (
            "one switch is not read, all are attested",
            |gpus, _| gpus.devices[8].opaque_bytes = Some(UNREAD.to_vec()),
            None,
        ),
    ] {
        let judged = with_gpus(Gpus::protected_pcie(SEED))
            .with(|trial| change(gpus(trial), foreign()))
            .judge();
        println!("{what}");
        match reason {
            Some(reason) => drop(judged.fails(Id, reason)),
            None => drop(judged.passes().says(Id, Warn, "gpu-opaque-unread")),
        }
    }
}

#[test]
fn t44_where_the_boot_events_are_not_proven_nobody_knows_that_the_guest_attested_no_gpus() {
    let without_log = || {
        Trial::healthy().with(|trial| {
            trial.cvm.body.event_log = EventLogForm::Absent;
            trial.info = false;
        })
    };
    for count in [0, 2] {
        without_log()
            .with(|trial| trial.policy.gpu.count = Some(expected("--gpu-count", count)))
            .judge()
            .leaves_open(Id, "event-log-not-proven");
    }
    without_log()
        .with(required)
        .judge()
        .leaves_open(Id, "event-log-not-proven");
    Trial::lying(|cvm| simulator::Lie::DuplicateComposeHash.apply(cvm))
        .with(required)
        .judge()
        .says(Id, Error, "boot-order-not-proven");
    // What reports alone can show is not shown, whatever the events say.
    for (what, expectation) in EXPECTATIONS {
        if what != "--gpu-count" {
            let judged = without_log().with(expectation).judge();
            judged.fails(Id, "gpu-unverified");
        }
    }
    // A claim of the host is a warning, and no claim is none.
    let claimed = without_log().with(|trial| trial.cvm.claimed_gpus = Some(8));
    claimed.judge().says(Id, Warn, "gpu-unverified");
    without_log().judge().says(Id, Skip, "no-gpu");
}
