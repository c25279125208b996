//! Pinning what the simulator and recorded evidence prove.

mod acceptances;
mod recorded;

use chrono::NaiveDate;
use simulator::{Cvm, Lie, World};

use super::*;
use crate::checks;
use crate::lock::Accepting;
use crate::lock::not_shown::Unasked;
use crate::policy::{KnownBy, Policy};
use crate::report::{CheckId, Status};
use crate::verify::simulated_for_tests::{NONCE, evidence_of, proven};

/// With the built-in reference values.
fn pin(claims: &Claims, fresh: bool, root: TrustRootKind) -> Result<Pinned, PinRefusal> {
    super::pin(claims, fresh, root, ReferenceValues::built_in(), None)
}

fn facts_of(cvm: &Cvm, with_info: bool, nonce: Option<[u8; 32]>) -> Claims {
    let info = with_info.then(|| cvm.info_body());
    proven(cvm, &evidence_of(cvm, info.as_deref(), nonce))
}

fn lying(lies: &[Lie]) -> Cvm {
    let mut cvm = Cvm::healthy(&World::default());
    lies.iter().for_each(|lie| lie.apply(&mut cvm));
    cvm
}

fn pin_of(cvm: &Cvm) -> Result<Pinned, PinRefusal> {
    pin(&facts_of(cvm, true, Some(NONCE)), true, TrustRootKind::Custom)
}

fn reservations_of(cvm: &Cvm) -> Vec<PinWarning> {
    pin_of(cvm).unwrap().warnings
}

/// What is accepted by name.
fn naming(names: &str) -> Accepting {
    Accepting {
        names: names
            .split(',')
            .filter(|name| !name.is_empty())
            .map(|name| name.parse().unwrap())
            .collect(),
        ..Accepting::nothing()
    }
}

#[test]
fn a_healthy_deployment_is_pinned_with_all_its_values_and_twice_with_the_same_bytes() {
    let cvm = Cvm::healthy(&World::default());
    let pinned = pin_of(&cvm).unwrap();
    // The simulator's image is made up, so it is in no table.
    assert_eq!(pinned.warnings(), [PinWarning::UnknownImage]);
    assert_eq!(
        pinned.clone().accept(&Accepting::nothing(), None).unwrap_err(),
        Unaccepted(vec![PinWarning::UnknownImage])
    );
    let accepted = pinned.accept(&Accepting::everything(), None).unwrap();
    assert_eq!(
        accepted.text,
        pin_of(&cvm)
            .unwrap()
            .accept(&Accepting::everything(), None)
            .unwrap()
            .text
    );
    let read = Lock::parse(&accepted.text, "cvm.lock").unwrap();
    assert_eq!(read, accepted.lock);
    assert_eq!(read.compose_hash, Some(cvm.compose_hash()));
    assert_eq!(read.images.len(), 2);
    assert!(
        read.compose_settings["pre_launch_script"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
    assert!(!read.compose_settings.contains_key("docker_compose_file"));
    assert_eq!(read.os_image.unwrap().vulnerable_until, None);
    insta::assert_snapshot!(accepted.text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn what_is_not_proven_is_never_pinned() {
    let refused = |lie: Lie| pin_of(&lying(&[lie])).unwrap_err();
    assert!(matches!(refused(Lie::BrokenSignature), PinRefusal::Quote(_)));
    assert!(matches!(refused(Lie::DebugTd), PinRefusal::Quote(_)));
    assert!(matches!(refused(Lie::ExpiredTcbInfo), PinRefusal::Collateral(_)));
    assert!(matches!(refused(Lie::DeletedEvent), PinRefusal::EventLog(_)));
    assert!(matches!(refused(Lie::MissingSystemReady), PinRefusal::Boot(_)));
    assert!(matches!(refused(Lie::WrongComposeText), PinRefusal::Compose(_)));
    let mut cvm = lying(&[]);
    cvm.body.event_log = simulator::EventLogForm::Absent;
    cvm.body.info_override = Some("{}".to_owned());
    assert_eq!(pin_of(&cvm).unwrap_err(), PinRefusal::NoEventLog);
    let mut cvm = lying(&[]);
    cvm.app_compose = cvm
        .app_compose
        .replace("\"name\"", "\"runner\":\"bash\",\"name\"");
    assert!(matches!(
        pin_of(&cvm).unwrap_err(),
        PinRefusal::UnreadableCompose(_)
    ));
    let mut cvm = lying(&[]);
    cvm.set_key_provider("vault", "ab");
    assert_eq!(
        pin_of(&cvm).unwrap_err(),
        PinRefusal::KeyProvider("vault".to_owned())
    );
    cvm.set_key_provider("tpm", "");
    assert_eq!(
        pin_of(&cvm).unwrap_err(),
        PinRefusal::KeyProvider("tpm".to_owned())
    );
    let mut cvm = lying(&[]);
    let many = "\u{e9}".repeat(MAX_LOCK_BYTES / 4);
    cvm.app_compose = cvm
        .app_compose
        .replace("\"name\":\"\"", &format!("\"name\":\"{many}\""));
    assert!(matches!(pin_of(&cvm).unwrap_err(), PinRefusal::TooLarge(_)));
}

#[test]
fn what_people_wrote_into_a_lock_stays() {
    let pinned = pin_of(&lying(&[])).unwrap();
    let mut lock = pinned
        .clone()
        .accept(&naming("unknown-image"), None)
        .unwrap()
        .lock;
    assert_eq!(lock.os_image.as_ref().unwrap().known_by, Some(KnownBy::Unknown));
    // Somebody measured the image's files: then it is not unknown any more.
    lock.os_image.as_mut().unwrap().known_by = Some(KnownBy::Files([7; 32].into()));
    lock.accepted.clear();
    // And the next root of the KMS is known.
    let root = lock.key_provider.clone().unwrap();
    lock.key_provider = format!("{root},kms:abcd").parse().ok();
    let again = pinned.accept(&naming(""), Some(&lock)).unwrap();
    assert_eq!(again.lock, lock);
    // That nothing confirms the hash in this run is said.
    assert!(again.unasked.contains(&Unasked::ImageHash), "{:?}", again.unasked);
}

#[test]
fn a_row_of_the_users_own_file_is_named_with_the_file() {
    let cvm = lying(&[]);
    let report = cvm.td_report([0; 64]);
    let [_, rtmr1, rtmr2, _] = report.rtmr.map(hex::encode);
    let tail = "source = \"ours\"\ndate = \"2026-10-01\"\n";
    let rows = format!(
        "updated = \"2026-10-01\"\n[[firmware]]\nname = \"ours\"\nmrtd = \"{}\"\nnote = \"ours\"\n{tail}[[image]]\nname = \
         \"our-os-1.0\"\nversion = \"1.0\"\nclass = \"production\"\nos_image_hash = \"{}\"\nfirmware = \"ours\"\nrtmr1 = \
         \"{rtmr1}\"\nrtmr2 = \"{rtmr2}\"\n{tail}",
        hex::encode(report.mr_td),
        "ab".repeat(32)
    );
    let built_in = ReferenceValues::built_in();
    let text_with = |reference: &ReferenceValues| {
        let claims = facts_of(&cvm, true, Some(NONCE));
        let pinned = super::pin(&claims, true, TrustRootKind::Custom, reference, None).unwrap();
        pinned.accept(&Accepting::nothing(), None).unwrap().text
    };
    let own = text_with(&built_in.with_file("ref.toml", rows.as_bytes()).unwrap());
    assert!(
        own.contains("# known: our-os-1.0, by a file: ref.toml\n"),
        "{own}"
    );
    assert!(own.contains("# known by a file: "), "{own}");
    let known = text_with(&built_in.with_built_in_rows(&rows).unwrap());
    assert!(known.contains("# known: our-os-1.0\n"), "{known}");
    assert!(!known.contains("by a file"), "{known}");
}

type Outcome = Vec<(CheckId, Status, Option<&'static str>)>;

fn judged(claims: &Claims, lock: &Lock) -> Outcome {
    let policy = lock.apply(&"cvm.lock".into(), None, Policy::default()).unwrap();
    let judge = |check: &&checks::Check| {
        let finding = (check.run)(claims, &policy);
        (check.id, finding.status, finding.reason.map(|reason| reason.id))
    };
    checks::ALL.iter().map(judge).collect()
}

/// What a lock says nothing about, so that it is skipped: replicas, machines, who serves the address, GPUs where there are
/// none, contracts, second opinions.
fn not_judged_by_a_lock(id: CheckId) -> bool {
    matches!(
        id,
        CheckId::InstanceId
            | CheckId::PlatformId
            | CheckId::SourceProvenance
            | CheckId::TlsBinding
            | CheckId::Gpu
            | CheckId::Governance
            | CheckId::Kms
            | CheckId::PhalaApi
    )
}

#[test]
fn a_pin_passes_and_changing_any_field_fails_exactly_the_check_that_owns_it() {
    let claims = facts_of(&lying(&[]), true, Some(NONCE));
    let lock = pin(&claims, true, TrustRootKind::Custom)
        .unwrap()
        .accept(&Accepting::everything(), None)
        .unwrap()
        .lock;
    let healthy = judged(&claims, &lock);
    for (id, status, reason) in &healthy {
        let fine = matches!(status, Status::Pass) || not_judged_by_a_lock(*id);
        assert!(fine, "{id} {status:?} {reason:?}");
    }
    type Edit = fn(&mut Lock);
    let edits: [(CheckId, &str, Edit); 13] = [
        (CheckId::ComposeHash, "compose-hash-mismatch", |lock| {
            lock.compose_hash = Some([0; 32])
        }),
        (CheckId::ComposeHash, "compose-settings-mismatch", |lock| {
            lock.compose_settings.remove("storage_fs");
        }),
        (CheckId::AppId, "app-id-mismatch", |lock| {
            lock.app_id = Some([0; 20])
        }),
        (CheckId::KeyProvider, "provider-mismatch", |lock| {
            lock.key_provider = "phala".parse().ok()
        }),
        (CheckId::ImagePins, "locked-image-mismatch", |lock| {
            lock.images.remove("web");
        }),
        (CheckId::OsImage, "register-mismatch", |lock| {
            lock.os_image.as_mut().unwrap().mrtd = [0; 48];
        }),
        (CheckId::OsImage, "register-mismatch", |lock| {
            lock.os_image.as_mut().unwrap().rtmr0 = Some([0; 48]);
        }),
        (CheckId::OsImage, "register-mismatch", |lock| {
            lock.os_image.as_mut().unwrap().rtmr1 = [0; 48];
        }),
        (CheckId::OsImage, "register-mismatch", |lock| {
            lock.os_image.as_mut().unwrap().rtmr2 = [0; 48];
        }),
        (CheckId::OsImage, "no-reference", |lock| lock.os_image = None),
        (CheckId::TdAttributes, "td-attributes-mismatch", |lock| {
            lock.td_attributes = Some([0; 8])
        }),
        (CheckId::TdAttributes, "platform-changed", |lock| {
            lock.mr_seam = Some([0; 48])
        }),
        (CheckId::TcbStatus, "platform-changed", |lock| {
            lock.fmspc = Some([0; 6])
        }),
    ];
    for (owner, reason, edit) in edits {
        let mut lock = lock.clone();
        edit(&mut lock);
        let outcome = judged(&claims, &lock);
        let changed: Vec<_> = outcome.iter().filter(|found| !healthy.contains(found)).collect();
        assert!(
            matches!(changed[..], [(id, _, Some(found))] if *id == owner && *found == reason),
            "{owner}: {changed:?}"
        );
    }
}
