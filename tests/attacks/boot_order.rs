//! What the measured OS wrote while booting, and what it did not: T9 and T10.

use cvm_verify_core::report::{CheckId, Status};
use simulator::{Cvm, Event, Guest, Lie, World};

use crate::event_log::{boot_events, measured, named, position};
use crate::judge::Trial;

/// The largest GPU attestation that is read, bytes.
const MAX_GPU_ATTESTATION_BYTES: usize = 16 * 1024;

#[test]
fn the_healthy_baseline_passes() {
    Trial::healthy().judge().passes().proves(CheckId::BootOrder);
}

#[test]
fn t09_a_duplicate_before_system_ready_fails_boot_order() {
    for name in boot_events(&Trial::healthy().cvm) {
        if name == "system-ready" {
            continue;
        }
        for behind in [0, 1] {
            let name = name.clone();
            let judged = measured(move |log| {
                let at = position(log, &name);
                let event = log[at].clone();
                log.insert(at + behind, event);
            })
            .judge();
            judged.fails(CheckId::BootOrder, "duplicate-event");
            judged.says(CheckId::ComposeHash, Status::Error, "boot-order-not-proven");
        }
    }
    Trial::lying(|cvm| Lie::DuplicateComposeHash.apply(cvm))
        .judge()
        .fails(CheckId::BootOrder, "duplicate-event");
}

#[test]
fn t09_a_reserved_name_after_system_ready_fails_boot_order() {
    let retired = ["rootfs-hash", "upgraded-app-id", "ca-cert-hash"].map(str::to_owned);
    let future = ["init-script-hash", "gpu-policy-hash", "gpu-attestation"].map(str::to_owned);
    for name in boot_events(&Trial::healthy().cvm)
        .into_iter()
        .chain(retired)
        .chain(future)
    {
        Trial::lying(|cvm| cvm.app_events.push((name, vec![0x66; 32])))
            .judge()
            .fails(CheckId::BootOrder, "reserved-after-ready");
    }
}

#[test]
fn t09_a_missing_required_event_fails_boot_order() {
    Trial::lying(|cvm| Lie::MissingSystemReady.apply(cvm))
        .judge()
        .fails(CheckId::BootOrder, "no-system-ready");
    for name in [
        "system-preparing",
        "app-id",
        "compose-hash",
        "instance-id",
        "boot-mr-done",
        "key-provider",
    ] {
        measured(move |log| log.retain(|event| event.event != name))
            .judge()
            .fails(CheckId::BootOrder, "missing-event");
    }
}

#[test]
fn t09_an_early_system_ready_hides_no_claim() {
    // Whatever stands behind the first `system-ready` is the app's.
    for name in boot_events(&Trial::healthy().cvm) {
        if name == "system-ready" {
            continue;
        }
        measured(move |log| {
            let at = position(log, &name);
            log.insert(at, Event::runtime("system-ready", b""));
        })
        .judge()
        .fails(CheckId::BootOrder, "reserved-after-ready");
    }
}

#[test]
fn t09_an_apps_own_later_events_are_legal() {
    Trial::lying(|cvm| {
        let events = [
            "LIUM_MINER_HOTKEY",
            "mpc-image-digest",
            "my app: started",
            "compose-hash ",
        ];
        cvm.app_events = events.map(|name| (name.to_owned(), b"5D335".to_vec())).into();
    })
    .judge()
    .passes();
}

#[test]
fn t09_an_unknown_boot_event_warns_where_the_os_image_is_proven_and_leaves_it_open_where_not() {
    let trial = measured(|log| {
        let at = position(log, "boot-mr-done");
        log.insert(at, Event::runtime("from-the-future", b"x"));
    });
    let judged = trial.judge();
    judged
        .says(CheckId::BootOrder, Status::Warn, "unknown-event")
        .passes();
    for os_image in ["unchecked", "known"] {
        let trial = measured(|log| {
            let at = position(log, "boot-mr-done");
            log.insert(at, Event::runtime("from-the-future", b"x"));
        })
        .with(|trial| trial.policy.os_image = crate::judge::os_image(os_image));
        trial
            .judge()
            .leaves_open(CheckId::BootOrder, "unknown-event")
            .proves(CheckId::ComposeHash);
    }
    // Nothing is added to the failure of an image that is refused.
    let trial = measured(|log| {
        let at = position(log, "boot-mr-done");
        log.insert(at, Event::runtime("from-the-future", b"x"));
    })
    .with(|trial| trial.policy.os_image = crate::judge::os_image("dstack-0.5.8"));
    trial
        .judge()
        .says(CheckId::BootOrder, Status::Error, "unknown-event")
        .fails(CheckId::OsImage, "register-mismatch");
}

/// A healthy CVM of a generation, with every event that it can write while booting.
fn of_generation(guest: Guest) -> Trial {
    let mut cvm = Cvm::of_generation(&World::default(), guest);
    cvm.gpu_attestation = Some(GPU_ATTESTATION.to_owned());
    Trial::of(cvm)
}

/// Version 3 of the payload, as dstack 0.6.0 writes it.
const GPU_ATTESTATION: &str = r#"{"version":3,"provider":"nvidia","devices":1,"cc_mode":"on","devtools":false,"dbgstat":"disabled","secboot":true,"evidence_sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#;

#[test]
fn t10_a_gpu_attestation_has_two_places_and_stands_in_one_of_them() {
    for early in [false, true] {
        let mut cvm = Cvm::of_generation(&World::default(), Guest::V0_6_0);
        cvm.gpu_attestation = Some(GPU_ATTESTATION.to_owned());
        cvm.early_gpu_attestation = early;
        Trial::of(cvm).judge().passes().proves(CheckId::BootOrder);
    }
    let with_one_more = |before: &'static str| {
        let mut trial = of_generation(Guest::V0_6_0);
        trial.cvm.edit_log_before_quote(move |log| {
            let at = position(log, before);
            log.insert(at, Event::runtime("gpu-attestation", GPU_ATTESTATION.as_bytes()));
        });
        trial.judge()
    };
    for before in ["instance-id", "key-provider"] {
        with_one_more(before).fails(CheckId::BootOrder, "duplicate-event");
    }
    let moved = |before: &'static str| {
        let mut cvm = Cvm::of_generation(&World::default(), Guest::V0_6_0);
        cvm.edit_log_before_quote(move |log| {
            let at = position(log, before);
            log.insert(at, Event::runtime("gpu-attestation", GPU_ATTESTATION.as_bytes()));
        });
        Trial::of(cvm).judge()
    };
    for (before, reason) in [
        ("compose-hash", "out-of-order"),
        ("boot-mr-done", "out-of-order"),
        ("os-image-hash", "out-of-order"),
        ("storage-fs", "out-of-order"),
        ("system-ready", "out-of-order"),
    ] {
        moved(before).fails(CheckId::BootOrder, reason);
    }
    moved("key-provider").proves(CheckId::BootOrder);
    moved("instance-id").proves(CheckId::BootOrder);
    Trial::lying(|cvm| {
        cvm.app_events
            .push(("gpu-attestation".to_owned(), b"{}".to_vec()))
    })
    .judge()
    .fails(CheckId::BootOrder, "reserved-after-ready");
}

#[test]
fn t10_a_gpu_attestation_is_a_json_object_of_a_limited_size() {
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(20_000));
    for payload in ["", "[]", "null", "{\"a\":1,\"a\":2", "\u{0}", &large] {
        let mut cvm = Cvm::of_generation(&World::default(), Guest::V0_6_0);
        cvm.gpu_attestation = Some(payload.to_owned());
        Trial::of(cvm).judge().fails(CheckId::BootOrder, "bad-payload");
    }
    // The largest that is read, and one byte more.
    let of_size = |size: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(size - 8));
    for (size, is_read) in [
        (MAX_GPU_ATTESTATION_BYTES, true),
        (MAX_GPU_ATTESTATION_BYTES + 1, false),
    ] {
        let mut cvm = Cvm::of_generation(&World::default(), Guest::V0_6_0);
        cvm.gpu_attestation = Some(of_size(size));
        let judged = Trial::of(cvm).judge();
        assert_eq!(
            judged.status(CheckId::BootOrder) == Status::Pass,
            is_read,
            "{size}: {judged}"
        );
        let is_of_size = judged
            .detail(CheckId::BootOrder)
            .contains(&format!("is {size} bytes"));
        assert_eq!(is_of_size, !is_read, "{judged}");
    }
}

#[test]
fn t10_each_swapped_pair_of_neighbours_fails_boot_order() {
    for guest in Guest::ALL {
        for pair in boot_events(&of_generation(guest).cvm).windows(2) {
            let [one, other] = [pair[0].clone(), pair[1].clone()];
            // Whatever changes places with `system-ready` is no boot event any more.
            let reason = if other == "system-ready" {
                "reserved-after-ready"
            } else {
                "out-of-order"
            };
            let mut trial = of_generation(guest);
            trial.cvm.edit_log_before_quote(move |log| {
                let (a, b) = (position(log, &one), position(log, &other));
                log.swap(a, b);
            });
            trial.judge().fails(CheckId::BootOrder, reason);
        }
    }
}

#[test]
fn t10_up_to_five_init_scripts_are_legal_and_a_sixth_is_not() {
    for scripts in 0..=6 {
        let mut trial = of_generation(Guest::V0_6_0);
        let field = format!(
            r#""init_script":{},"name""#,
            serde_json::json!(vec!["true"; scripts])
        );
        trial.cvm.app_compose = trial.cvm.app_compose.replacen(r#""name""#, &field, 1);
        let judged = Trial::of(trial.cvm).judge();
        if scripts <= 5 {
            judged.passes();
        } else {
            judged.fails(CheckId::BootOrder, "duplicate-event");
        }
    }
}

#[test]
fn t10_a_payload_of_another_length_fails_boot_order() {
    for (name, length) in [
        ("system-preparing", 1),
        ("app-id", 19),
        ("app-id", 21),
        ("app-id", 0),
        ("compose-hash", 31),
        ("compose-hash", 33),
        ("compose-hash", 0),
        ("instance-id", 19),
        ("boot-mr-done", 1),
        ("mr-kms", 31),
        ("os-image-hash", 64),
        ("system-ready", 1),
    ] {
        measured(move |log| *named(log, name) = Event::runtime(name, &vec![0x66; length]))
            .judge()
            .fails(CheckId::BootOrder, "bad-payload");
    }
    Trial::lying(|cvm| Lie::ShortAppId.apply(cvm))
        .judge()
        .fails(CheckId::BootOrder, "bad-payload");
}

#[test]
fn t10_an_app_without_an_instance_id_is_legal() {
    Trial::lying(|cvm| cvm.instance_id.clear()).judge().passes();
}

#[test]
fn t10_a_guest_of_0_3_is_an_unsupported_generation() {
    let judged = measured(|log| {
        log.retain(|event| event.imr != 3);
        let hash = [0x66; 32];
        for (name, payload) in [
            ("rootfs-hash", &hash[..]),
            ("app-id", &hash[..20]),
            ("compose-hash", &hash),
            ("ca-cert-hash", &hash),
            ("instance-id", &hash[..20]),
        ] {
            log.push(Event::runtime(name, payload));
        }
    })
    .judge();
    judged.leaves_open(CheckId::BootOrder, "unsupported-generation");
    judged.says(CheckId::ComposeHash, Status::Error, "boot-order-not-proven");
}
