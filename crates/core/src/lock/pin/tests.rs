//! Pinning what the simulator and recorded evidence prove.

use chrono::NaiveDate;
use simulator::{Cvm, Lie, World};

use super::*;
use crate::checks;
use crate::evidence::Evidence;
use crate::lock::Accepting;
use crate::lock::not_shown::Unasked;
use crate::policy::{KnownBy, Policy};
use crate::report::{CheckId, Status};
use crate::verify::{Inputs, SignatureCache, TrustRoot, prove};

const NONCE: [u8; 32] = [7; 32];

/// With the built-in reference values.
fn pin(claims: &Claims, fresh: bool, root: TrustRootKind) -> Result<Pinned, PinRefusal> {
    super::pin(claims, fresh, root, ReferenceValues::built_in(), None)
}

fn facts_of(cvm: &Cvm, with_info: bool, nonce: Option<[u8; 32]>) -> Claims {
    let attestation = cvm.attestation_body(&hex::encode(NONCE));
    let info = with_info.then(|| cvm.info_body());
    let evidence = Evidence::parse(
        attestation.as_bytes(),
        info.as_ref().map(String::as_bytes),
        None,
        nonce,
    )
    .unwrap();
    prove(&Inputs {
        evidence: &evidence,
        collateral: Ok(&cvm.world.collateral()),
        collateral_fetched_at: None,
        signatures: &SignatureCache::default(),
        root: &TrustRoot::custom(cvm.world.root_pem().as_bytes()).unwrap(),
        at: cvm.world.now,
        clock_floor: 0,
    })
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
fn what_speaks_against_a_pin_is_listed() {
    let with = |warning| vec![warning, PinWarning::UnknownImage];
    assert_eq!(
        reservations_of(&lying(&[Lie::NoKeyProvider])),
        with(PinWarning::KeyProvider("none".to_owned()))
    );
    assert_eq!(
        reservations_of(&lying(&[Lie::ForeignKms])),
        [PinWarning::UnknownImage]
    );
    assert!(matches!(
        &reservations_of(&lying(&[Lie::OutOfDatePlatform]))[..],
        [
            PinWarning::Tcb {
                status: TcbStatus::OutOfDate,
                ..
            },
            PinWarning::UnknownImage
        ]
    ));
    let mut with_pks = lying(&[]);
    with_pks.report.td_attributes = [0, 0, 0, 0x50, 0, 0, 0, 0];
    assert_eq!(
        reservations_of(&with_pks),
        with(PinWarning::TdAttributes([0, 0, 0, 0x50, 0, 0, 0, 0]))
    );
    let healthy = lying(&[]);
    let of = |claims: &Claims, fresh| pin(claims, fresh, TrustRootKind::Intel).unwrap().warnings;
    assert_eq!(
        of(&facts_of(&healthy, true, None), false),
        with(PinWarning::NoNonce)
    );
    assert_eq!(
        of(&facts_of(&healthy, true, Some([1; 32])), false),
        with(PinWarning::NonceMismatch)
    );
    let other = facts_of(&lying(&[Lie::NonceInSecondHalf]), true, Some(NONCE));
    let PinWarning::OtherLayout(layout) = of(&other, false).swap_remove(0) else {
        panic!("{:?}", of(&other, false));
    };
    assert_eq!(layout.as_str(), "left-padded");
    assert_eq!(PinWarning::OtherLayout(layout).name(), AcceptName::NoNonce);
    assert_eq!(
        of(&facts_of(&healthy, false, Some(NONCE)), true),
        [PinWarning::UnknownImage, PinWarning::NoComposeDocument]
    );
}

#[test]
fn each_accepted_reservation_leaves_a_line_in_the_file() {
    let mut claims = facts_of(&lying(&[Lie::NoKeyProvider, Lie::OutOfDatePlatform]), false, None);
    claims.nonce = None;
    let pinned = pin(&claims, false, TrustRootKind::Intel).unwrap();
    let text = pinned
        .clone()
        .accept(&Accepting::everything(), None)
        .unwrap()
        .text;
    assert_eq!(pinned.warnings().len(), 5);
    for warning in pinned.warnings() {
        let line = format!("\n{} = \"{warning}\"\n", warning.name());
        assert!(text.contains(&line), "{line}\n{text}");
    }
    let read = Lock::parse(&text, "cvm.lock").unwrap();
    assert_eq!(read.accepted.len(), 5);
    assert!(!text.contains("SIMULATED") && !text.contains("[images]\n") && !text.contains("[compose]\n"));
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
fn a_vulnerable_image_is_pinned_for_30_days() {
    let vulnerable = || {
        let mut pinned = pin_of(&lying(&[])).unwrap();
        pinned.warnings = vec![PinWarning::VulnerableImage {
            name: "dstack-0.5.3".to_owned(),
            vulnerabilities: vec!["CVE-2025-59054".to_owned()],
        }];
        pinned
    };
    let pinned = vulnerable();
    assert!(pinned.clone().accept(&Accepting::nothing(), None).is_err());
    let accepted = pinned.accept(&Accepting::everything(), None).unwrap();
    // 2026-10-01 and 30 days.
    assert!(
        accepted
            .text
            .contains("\nvulnerable_until = 2026-10-31 # accepted\n")
    );
    // While that holds nobody is asked again, and the day stays.
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day);
    let until = |lock: &Lock| lock.os_image.as_ref().and_then(|os| os.vulnerable_until);
    let mut before = accepted.lock.clone();
    before.os_image.as_mut().unwrap().vulnerable_until = day(2026, 10, 2);
    let again = vulnerable().accept(&naming(""), Some(&before)).unwrap();
    assert_eq!(until(&again.lock), day(2026, 10, 2));
    // When it has ended it is new.
    before.os_image.as_mut().unwrap().vulnerable_until = day(2026, 9, 30);
    assert_eq!(asked(&vulnerable(), "", Some(&before)), "vulnerable-image");
    let renewed = vulnerable()
        .accept(&naming("vulnerable-image"), Some(&before))
        .unwrap();
    assert_eq!(until(&renewed.lock), day(2026, 10, 31));
    assert!(
        accepted
            .lock
            .check_end("cvm.lock", simulator::DEFAULT_NOW)
            .is_ok()
    );
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

/// The names that are asked for.
fn asked(pinned: &Pinned, names: &str, before: Option<&Lock>) -> String {
    match pinned.clone().accept(&naming(names), before) {
        Ok(_) => String::new(),
        Err(unaccepted) => unaccepted.names(),
    }
}

#[test]
fn what_is_out_of_the_ordinary_is_asked_for_by_name_and_only_if_it_is_new() {
    let out = lying(&[Lie::NoKeyProvider, Lie::OutOfDatePlatform]);
    let pinned = pin(&facts_of(&out, true, None), false, TrustRootKind::Custom).unwrap();
    let all = "unknown-image,tcb,key-provider,no-nonce";
    assert_eq!(asked(&pinned, "", None), all);
    // Each name accepts its own.
    assert_eq!(asked(&pinned, "tcb,no-nonce", None), "unknown-image,key-provider");
    assert_eq!(asked(&pinned, "development-image,unread-compose", None), all);
    let first = pinned.clone().accept(&naming(all), None).unwrap();
    assert!(first.needless.is_empty());
    // The lock that is there holds all of it: nobody is asked again, and a name is needless.
    let lock = Lock::parse(&first.text, "cvm.lock").unwrap();
    let again = pinned.clone().accept(&naming("tcb"), Some(&lock)).unwrap();
    assert_eq!(again.needless, [AcceptName::Tcb]);
    assert_eq!(again.lock, lock);
    // What gets worse is new.
    let worse = lying(&[Lie::NoKeyProvider, Lie::ConfigurationNeeded]);
    let worse = pin(&facts_of(&worse, true, None), false, TrustRootKind::Custom).unwrap();
    assert_eq!(asked(&worse, "", Some(&lock)), "tcb");
    // The lock of another app holds nothing of this one.
    let other = Lock {
        app_id: Some([9; 20]),
        ..lock
    };
    assert_eq!(asked(&pinned, "", Some(&other)), all);
}

#[test]
fn a_healthy_deployment_needs_no_acceptance_and_says_so() {
    let mut pinned = pin_of(&lying(&[])).unwrap();
    pinned.warnings.clear();
    let accepted = pinned.accept(&naming("development-image,tcb"), None).unwrap();
    assert_eq!(accepted.needless, [AcceptName::DevelopmentImage, AcceptName::Tcb]);
    assert!(accepted.lock.accepted.is_empty() && !accepted.text.contains("[accepted]"));
}

#[test]
fn another_rtmr0_under_the_same_image_is_an_acpi_change_and_stays_written_down() {
    let pinned = pin_of(&lying(&[])).unwrap();
    let first = pinned
        .clone()
        .accept(&naming("unknown-image"), None)
        .unwrap()
        .lock;
    let mut resized = lying(&[]);
    Lie::AlteredAcpiTables.apply(&mut resized);
    let resized = pin_of(&resized).unwrap();
    assert_eq!(asked(&resized, "", Some(&first)), "acpi-change");
    let second = resized
        .clone()
        .accept(&naming("acpi-change"), Some(&first))
        .unwrap();
    assert!(second.needless.is_empty());
    let sentence = &second.lock.accepted[&AcceptName::AcpiChange];
    assert!(sentence.starts_with("RTMR0, which covers"), "{sentence}");
    // Pinned once more, it is the locked one, and what was accepted stays.
    let third = resized.accept(&naming(""), Some(&second.lock)).unwrap();
    assert_eq!(third.lock, second.lock);
    // Back to the first shape: another change.
    assert_eq!(asked(&pinned, "", Some(&second.lock)), "acpi-change");
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

/// Facts of a recorded capture, where it is present.
fn recorded(name: &str, at: u64) -> Option<Claims> {
    let folder = simulator::recorded::folder()?;
    let read = |file: &str| std::fs::read(folder.join(name).join(file)).ok();
    let evidence = Evidence::parse(
        &read("attestation.json")?,
        read("info.json").as_deref(),
        None,
        None,
    )
    .unwrap();
    let collateral = serde_json::from_slice(&read("collateral.json")?).unwrap();
    Some(prove(&Inputs {
        evidence: &evidence,
        collateral: Ok(&collateral),
        collateral_fetched_at: None,
        signatures: &SignatureCache::default(),
        root: &TrustRoot::Intel,
        at,
        clock_floor: 0,
    }))
}

/// What a recorded capture is pinned with, and what must be accepted for it.
fn recorded_pin(name: &str, at: u64) -> Option<(Vec<PinWarning>, String)> {
    let Some(claims) = recorded(name, at) else {
        eprintln!("skipped: {name} is not here");
        return None;
    };
    let pinned = pin(&claims, false, TrustRootKind::Intel).unwrap();
    let warnings = pinned.warnings().to_vec();
    let accepted = pinned.accept(&Accepting::everything(), None).unwrap();
    let lock = Lock::parse(&accepted.text, "cvm.lock").unwrap();
    assert_eq!(lock, accepted.lock);
    for (id, status, reason) in judged(&claims, &lock) {
        let other = matches!(
            id,
            CheckId::Freshness | CheckId::MrConfigId | CheckId::ImagePins | CheckId::LaunchInputs
        );
        assert!(
            matches!(status, Status::Pass | Status::Warn) || not_judged_by_a_lock(id) || other,
            "{name}: {id} {status:?} {reason:?}"
        );
    }
    Some((warnings, accepted.text))
}

#[test]
fn recorded_deployments_are_pinned_and_their_locks_agree() {
    // 2026-08-13T12:00:00Z
    if let Some((warnings, text)) = recorded_pin("near-mpc-0.5.8", 1_786_622_400) {
        assert_eq!(
            warnings,
            [
                PinWarning::NoNonce,
                PinWarning::KeyProvider("local-sgx".to_owned()),
                PinWarning::DevelopmentImage("dstack-dev-0.5.8".to_owned()),
            ]
        );
        assert!(text.contains("# known: dstack-dev-0.5.8\n"), "{text}");
        assert!(text.contains("td_attributes = \"0000001000000000\" # known: the default of dstack\n"));
    }
    // 2026-02-19T12:00:00Z
    if let Some((warnings, text)) = recorded_pin("dstack-0.5-lium", 1_771_502_400) {
        assert!(
            matches!(
                &warnings[..],
                [
                    PinWarning::NoNonce,
                    PinWarning::KeyProvider(_),
                    PinWarning::ObservedImage(_),
                    PinWarning::NoComposeDocument,
                ]
            ),
            "{warnings:?}"
        );
        // A row that was only observed is not a reference.
        let rtmr1 = text.lines().find(|line| line.starts_with("rtmr1 = "));
        assert!(
            rtmr1.is_some_and(|line| line.ends_with("\" # observed")),
            "{text}"
        );
        assert!(!text.contains("[compose]\n"));
    }
    // 2026-06-10T01:46:30Z
    if let Some((warnings, text)) = recorded_pin("dstack-0.6-lite", 1_781_055_990) {
        assert!(warnings.contains(&PinWarning::NoComposeDocument), "{text}");
        assert!(
            matches!(
                warnings[..],
                [
                    ..,
                    PinWarning::ObservedImage(_),
                    PinWarning::VulnerableImage { .. },
                    _
                ]
            ),
            "{warnings:?}"
        );
    }
}

#[test]
fn what_nobody_asked_for_stays_and_what_is_no_longer_shown_is_asked_for() {
    let example = crate::lock::arbitrary::example();
    let cvm = lying(&[]);
    let first = pin_of(&cvm).unwrap();
    let first = first.accept(&naming("unknown-image"), None).unwrap().lock;
    let before = Lock {
        gpus: example.gpus,
        governance: example.governance,
        kms: example.kms,
        tls: example.tls,
        ..first
    };
    // No chain, no KMS and no TLS connection: nobody asked. The nonce went to the GPUs too, and none answers.
    let again = pin_of(&cvm).unwrap();
    assert_eq!(asked(&again, "", Some(&before)), "no-longer-shown");
    let second = again
        .clone()
        .accept(&naming("no-longer-shown"), Some(&before))
        .unwrap();
    assert_eq!(second.unasked, [Unasked::Kms, Unasked::Governance, Unasked::Tls]);
    assert!(second.needless.is_empty() && second.lock.gpus.is_empty());
    let sentence = "The lock held gpus. This run asked for it and did not find it. A lock without it no longer expects it.";
    assert_eq!(second.lock.accepted[&AcceptName::NoLongerShown], sentence);
    assert_eq!(second.lock.governance, before.governance);
    assert_eq!(second.lock.kms, before.kms);
    assert_eq!(second.lock.tls, before.tls);
    assert_eq!(Lock::parse(&second.text, "cvm.lock").unwrap(), second.lock);
    // Pinned once more, nothing is missing any more, and what was accepted stays written down.
    let third = again.accept(&naming(""), Some(&second.lock)).unwrap();
    assert_eq!(third.lock, second.lock);
    // Without a nonce nobody asked the GPUs.
    let unasked = pin(&facts_of(&cvm, true, None), false, TrustRootKind::Custom).unwrap();
    let kept = unasked.accept(&naming("no-nonce"), Some(&before)).unwrap();
    assert_eq!(kept.lock.gpus, before.gpus);
    assert_eq!(kept.unasked.first(), Some(&Unasked::Gpus));
}
