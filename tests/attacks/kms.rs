//! T36: the KMS that gives the app its keys. Each lie has its own reason, and none accuses the app.

mod answers;
mod bootstrap;
mod documents;
mod live;
mod own_vm;

use cvm_verify_core::checks::Check;
use cvm_verify_core::compose::UnprovenDocument;
use cvm_verify_core::evidence::{
    BootstrapSource, KmsMeta, MAX_BOOTSTRAPS, MAX_KMS, RecordedBootstrap, RecordedCollateral, RecordedKms,
};
use cvm_verify_core::policy::{
    KeyProviders, KmsDocument, KmsMode, KmsPolicy, Origin, OsImagePolicy, PlatformId, PlatformList,
    TcbException,
};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{AcceptedKind, CheckId, Status, Verdict, rfc3339};
use cvm_verify_core::verify::{Inputs, SignatureCache, UnusableCollateral};
use serde_json::{Value, json};
use simulator::cvm::simulated_kms_id;
use simulator::kms::{bootstrap, root_certificate};
use simulator::server::{RA_TLS_APP_ID, RA_TLS_ATTESTATION, RA_TLS_USAGE};
use simulator::{Cvm, DEFAULT_NOW, Kms, Lie, TlsIdentity, TlsMode, World};

use super::judge::{Judged, Trial, expected, os_image};
use crate::deployment::Deployment;
use crate::event_log::position;
use crate::run::{Ran, run};

const ID: CheckId = CheckId::Kms;

const HOST: &str = "localhost:8443";

fn kms() -> Kms {
    Kms::healthy(&World::default())
}

fn collateral(world: &World) -> Option<RecordedCollateral> {
    let collateral = world.collateral();
    let document = cvm_verify_core::evidence::collateral::document(&collateral);
    Some(RecordedCollateral {
        document: serde_json::value::to_raw_value(&document).unwrap(),
        fetched_at: None,
    })
}

/// What a KMS that presents this identity shows.
fn recorded(identity: &TlsIdentity, meta: &Value, world: &World) -> RecordedKms {
    RecordedKms {
        chain: identity.chain_der().iter().map(hex::encode).collect(),
        meta: Some(meta.to_string()),
        collateral: collateral(world),
        bootstrap_collateral: collateral(world),
        ..RecordedKms::of_host(HOST)
    }
}

/// A healthy app whose user named this KMS, its code and its image as they should be, and demands it.
fn named() -> Trial {
    let kms = kms();
    Trial::healthy().with(|trial| {
        let policy = &mut trial.policy.kms;
        policy.mode = KmsMode::Required;
        policy.hosts = Some(expected("kms-host", vec![HOST.parse().unwrap()]));
        policy.compose_hashes = Some(expected("kms-compose-hash", vec![kms.cvm.compose_hash()]));
        policy.os_image = Some((os_image(&kms.cvm.registers()), Origin::Option("kms-os-image")));
    })
}

/// The same, with what the KMS shows.
fn showing(kms: &Kms, identity: &TlsIdentity) -> Trial {
    named().with(|trial| trial.kms = vec![recorded(identity, &kms.meta, &kms.cvm.world)])
}

fn honest(kms: &Kms) -> Trial {
    showing(kms, &kms.identity(1, DEFAULT_NOW))
}

/// It fails for this reason, and no other check does.
#[track_caller]
fn fails_alone(trial: &Trial, reason: &str) -> Judged {
    let judged = trial.judge();
    judged.fails(ID, reason);
    accuses_no_app(&judged);
    judged
}

#[track_caller]
fn is_open(trial: &Trial, reason: &str) -> Judged {
    let judged = trial.judge();
    judged.leaves_open(ID, reason);
    accuses_no_app(&judged);
    judged
}

/// Nothing else fails, and the words are about the KMS.
#[track_caller]
fn accuses_no_app(judged: &Judged) {
    for check in &judged.0.checks {
        assert!(
            check.id == ID || check.status != Status::Fail,
            "{} fails\n{judged}",
            check.id
        );
    }
    let check = judged.check(ID);
    let fix = check.fix.as_deref().unwrap_or_default();
    for accusation in [
        "this deployment as hostile",
        "app as hostile",
        "treat the app hostile",
    ] {
        assert!(
            !format!("{} {fix}", check.detail).contains(accusation),
            "{judged}"
        );
    }
}

/// A KMS that runs this docker compose file, with these members around it.
fn running(file: &str, members: &[(&str, Value)]) -> Kms {
    let healthy = kms();
    let mut cvm = healthy.cvm;
    let document = simulator::app_compose::app_compose(file);
    let mut document: serde_json::Map<String, Value> = serde_json::from_str(&document).unwrap();
    document.remove("pre_launch_script");
    document.extend(
        members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    cvm.app_compose = Value::from(document).to_string();
    Kms::of(cvm, healthy.root)
}

const OFFICIAL: &str = "\
services:
  kms:
    image: ghcr.io/dstack-tee/dstack-kms@sha256:fcd5ab703c16adf6f41e7c849a5bd23080375ec7f283cfec7fc9985875909749
    volumes:
      - /var/run/dstack.sock:/var/run/dstack.sock
";

#[test]
fn t36_a_kms_with_the_apps_root_and_the_named_code_passes() {
    let judged = honest(&kms()).judge();
    judged.passes().proves(ID);
    let detail = judged.detail(ID);
    for words in [
        HOST,
        "root key of the app's keys",
        &hex::encode(kms().cvm.compose_hash()),
        "quoted when it started",
    ] {
        assert!(detail.contains(words), "{detail}");
    }
    // A list of machines is one of the app's.
    let not_compared = "Its machine was not compared with your list (--platform-id)";
    assert!(!detail.contains(not_compared), "{detail}");
    let listed = honest(&kms()).with(|trial| {
        let list = PlatformList::new(vec![PlatformId::Model(trial.cvm.world.platform.fmspc)]).unwrap();
        trial.policy.platforms = Some(expected("--platform-id", list));
    });
    listed.judge().proves(ID).detail_says(ID, not_compared);
}

/// KMSs are asked after the app: their collateral may be some minutes younger than the time that the app is judged at.
#[test]
fn t36_collateral_that_was_fetched_after_the_app_was_judged_counts_for_fifteen_minutes() {
    let at = DEFAULT_NOW;
    for (later, is_usable) in [(0, true), (61, true), (15 * 60, true), (15 * 60 + 1, false)] {
        let trial = honest(&kms()).with(|trial| {
            let kms = &mut trial.kms[0];
            for collateral in [&mut kms.collateral, &mut kms.bootstrap_collateral] {
                collateral.as_mut().unwrap().fetched_at = Some(rfc3339(at + later));
            }
        });
        assert_eq!(trial.at, at);
        match is_usable {
            true => {
                let judged = trial.judge();
                judged.passes().proves(ID);
                let detail = judged.detail(ID);
                assert!(detail.contains("quoted when it started"), "{later}: {detail}");
            }
            false => {
                is_open(&trial, "quote-undetermined");
            }
        }
    }
    // It is not younger for that: old collateral does not serve.
    let old = honest(&kms()).with(|trial| {
        trial.kms[0].collateral.as_mut().unwrap().fetched_at = Some(rfc3339(at - 8 * 24 * 60 * 60));
    });
    is_open(&old, "quote-undetermined");
}

#[test]
fn t36_without_a_host_nothing_passes() {
    Trial::healthy()
        .judge()
        .says(ID, Status::Skip, "not-configured")
        .concludes(Verdict::Pass);
    let without = honest(&kms()).with(|trial| trial.policy.kms.hosts = None);
    is_open(&without, "no-host");
    let without = without.with(|trial| trial.policy.kms.mode = KmsMode::Named);
    is_open(&without, "no-host");
    // Whatever is expected of a KMS is not met by a KMS that nobody asked.
    for expect in [
        |policy: &mut KmsPolicy| policy.compose_hashes = Some(expected("kms-compose-hash", vec![[0x11; 32]])),
        |policy: &mut KmsPolicy| policy.builds = Some(expected("kms-build", vec![mr_kms()])),
        |policy: &mut KmsPolicy| {
            policy.os_image = Some((OsImagePolicy::Known, Origin::Option("kms-os-image")))
        },
        |policy: &mut KmsPolicy| {
            policy.key_provider = Some(expected("kms-key-provider", "none".parse().unwrap()))
        },
    ] {
        let alone = Trial::healthy().with(|trial| expect(&mut trial.policy.kms));
        is_open(&alone, "no-host");
    }
    let unchecked = honest(&kms()).with(|trial| trial.policy.kms.mode = KmsMode::Unchecked);
    unchecked
        .judge()
        .says(ID, Status::Skip, "unchecked")
        .concludes(Verdict::Pass);
    is_open(&named(), "not-asked");
    // What answered under another name was not named.
    let other = honest(&kms()).with(|trial| trial.kms[0].host = "kms.example".to_owned());
    is_open(&other, "not-asked");
    let none = honest(&kms()).with(|trial| {
        trial.cvm.set_key_provider("none", "");
        trial.policy.key_provider = Some(expected("--key-provider", "none".parse().unwrap()));
    });
    fails_alone(&none, "no-kms");
}

#[test]
fn t36_a_kms_of_another_root_is_another_kms() {
    let other = Kms::of(kms().cvm, 7);
    let trial = honest(&other);
    let host = trial.kms[0].host.clone();
    let not_signed =
        format!("The certificate of the KMS at {host} is not signed by the app's key-provider id.");
    assert_eq!(fails_alone(&trial, "other-root").detail(ID), not_signed);
    // Nothing more is said of a stranger.
    let mut stranger = kms().cvm;
    stranger.app_compose.push(' ');
    let judged = fails_alone(&honest(&Kms::of(stranger, 7)), "other-root");
    assert_eq!(judged.detail(ID), not_signed);
    // A root that the user named, too, is another epoch of the same KMS: open, and nobody is accused.
    let id = simulated_kms_id(kms().root);
    let both: KeyProviders = format!("kms:{id},kms:{}", simulated_kms_id(7)).parse().unwrap();
    let epoch = honest(&other).with(|trial| {
        trial.policy.key_provider = Some(expected("--key-provider", both));
    });
    is_open(&epoch, "other-epoch");
    // A certificate that names the right issuer and is signed by another key.
    let mut forged = kms();
    forged.root = 7;
    forged.meta["ca_cert"] = root_certificate(&World::default(), kms().root).into();
    let judged = fails_alone(&honest(&forged), "other-root");
    assert_eq!(judged.detail(ID), not_signed);
}

#[test]
fn t36_other_code_convicts_and_unnamed_code_is_open() {
    let mut other = kms();
    other.cvm.app_compose.push(' ');
    let other = Kms::of(other.cvm, other.root);
    fails_alone(&honest(&other), "other-build");
    let unnamed = honest(&kms()).with(|trial| trial.policy.kms.compose_hashes = None);
    let judged = is_open(&unnamed, "unpinned");
    assert!(
        judged.detail(ID).contains(&hex::encode(kms().cvm.compose_hash())),
        "{judged}"
    );
    // By its build, as contracts list it.
    let mut quoting = kms().cvm;
    quoting.report_data = simulator::ReportDataLayout::Raw;
    let by_build = unnamed.with(|trial| {
        trial.policy.kms.builds = Some(expected("kms-build", vec![quoting.mr_aggregated(), mr_kms()]));
    });
    by_build.judge().passes().proves(ID);
    // Each list that is given must hold.
    let other_build = honest(&kms()).with(|trial| {
        trial.policy.kms.builds = Some(expected("kms-build", vec![[9; 32], mr_kms()]));
    });
    fails_alone(&other_build, "other-build");
}

/// What the VM of a healthy app records of the KMS that served it.
fn mr_kms() -> [u8; 32] {
    let log = Cvm::healthy(&World::default()).measured_log();
    let event = log.iter().find(|event| event.event == "mr-kms").unwrap();
    event.payload.as_slice().try_into().unwrap()
}

#[test]
fn t36_the_kms_that_served_the_boot_is_compared_with_the_named_builds() {
    let listed =
        |builds| Trial::healthy().with(|trial| trial.policy.kms.builds = Some(expected("kms-build", builds)));
    fails_alone(&listed(vec![[9; 32]]), "mr-unknown");
    // Named, and still nobody was asked: never a pass.
    let judged = is_open(&listed(vec![mr_kms()]), "no-host");
    assert!(judged.detail(ID).contains("mr-kms"), "{judged}");
}

#[test]
fn t36_rules_for_development_convict() {
    for name in ["is_dev", "allow_any_upgrade"] {
        let mut kms = kms();
        kms.meta[name] = true.into();
        fails_alone(&honest(&kms), "development");
        // What it does not say is not that it has none.
        kms.meta[name] = serde_json::Value::Null;
        is_open(&honest(&kms), "meta");
    }
}

#[test]
fn t36_a_forged_quote_of_the_kms_convicts_and_missing_collateral_is_open() {
    let mut simulated = kms();
    Lie::ForgedEventLog.apply(&mut simulated.cvm);
    fails_alone(&honest(&Kms::of(simulated.cvm, simulated.root)), "quote")
        .detail_says(ID, "its event log is refused: ");
    let mut debug = kms();
    debug.cvm.report.td_attributes[0] |= 1;
    fails_alone(&honest(&Kms::of(debug.cvm, debug.root)), "quote").detail_says(ID, "its quote is refused: ");
    let mut disordered = kms();
    disordered.cvm.edit_log_before_quote(|log| {
        let (app, compose) = (position(log, "app-id"), position(log, "compose-hash"));
        log.swap(app, compose);
    });
    fails_alone(&honest(&Kms::of(disordered.cvm, disordered.root)), "quote")
        .detail_says(ID, "its boot events are refused: ");
    let without = honest(&kms()).with(|trial| trial.kms[0].collateral = None);
    is_open(&without, "quote-undetermined").detail_says(ID, "could not be verified: ");
    // The collateral has ended since: the quote is not forged for that.
    let later = honest(&kms()).with(|trial| {
        let mut newer = trial.cvm.world.clone();
        newer.now += 90 * 86_400;
        trial.at = newer.now;
        trial.collateral = Ok(Some(newer.collateral()));
    });
    let judged = later.judge();
    judged.says(ID, Status::Error, "quote-undetermined");
    assert!(judged.detail(ID).contains("KMS"), "{judged}");
}

#[test]
fn t36_the_platform_the_image_and_the_keys_of_the_kmss_own_vm_are_judged() {
    let mut old = kms();
    old.cvm.world.tcb_info.land_on("OutOfDate", &[]);
    let trial = honest(&Kms::of(old.cvm.clone(), old.root));
    fails_alone(&trial, "platform");
    // As an exception for the app's platform is one for the KMS's.
    let excepted = trial.with(|trial| {
        let exception: TcbException = "OutOfDate:until=2026-12-01".parse().unwrap();
        trial.policy.tcb.exceptions.push(exception);
    });
    excepted.judge().proves(ID);

    // Older than anything that Intel rates is not forged.
    for lie in [Lie::NoMatchingTcbLevel, Lie::OldQuotingEnclave] {
        let mut unrated = kms();
        lie.apply(&mut unrated.cvm);
        fails_alone(&honest(&Kms::of(unrated.cvm, unrated.root)), "platform")
            .detail_says(ID, "its quote is refused: ");
    }

    let unknown = honest(&kms()).with(|trial| trial.policy.kms.os_image = None);
    is_open(&unknown, "os-image-unknown");
    let mut other = kms();
    other.cvm.boot.os_image = "another".to_owned();
    fails_alone(&honest(&Kms::of(other.cvm, other.root)), "os-image");

    let mut disk = kms();
    disk.cvm.set_key_provider("none", "");
    let disk = Kms::of(disk.cvm, disk.root);
    is_open(&honest(&disk), "vm-keys-unknown");
    let named = |text: &str| {
        let provider = expected("kms-key-provider", text.parse::<KeyProviders>().unwrap());
        honest(&disk).with(|trial| trial.policy.kms.key_provider = Some(provider))
    };
    fails_alone(&named("local-sgx:00"), "vm-keys");
    // A waiver is one, of whatever VM.
    for (text, is_waiver) in [("none", false), ("unchecked", true)] {
        let judged = named(text).judge();
        judged.proves(ID);
        let mut accepted = judged.0.accepted.iter().filter(|one| one.check == ID);
        assert_eq!(
            accepted.any(|one| one.what == AcceptedKind::Waiver),
            is_waiver,
            "{text}"
        );
    }
}

#[test]
fn t36_a_kms_that_follows_another_contract_than_the_named_one_is_named() {
    let governed = |contract: [u8; 20]| {
        honest(&kms()).with(|trial| {
            trial.policy.governance.chain_id = Some(expected("governance-chain-id", 8453));
            trial.policy.governance.kms_contract = Some(expected("governance-kms-contract", contract));
        })
    };
    governed(simulator::KMS_CONTRACT).judge().proves(ID);
    let judged = governed([7; 20]).judge();
    judged.fails(ID, "contract-differs");
    let mut operator = kms();
    operator.meta["chain_id"] = 0.into();
    let mut trial = governed(simulator::KMS_CONTRACT);
    trial.kms = honest(&operator).kms;
    trial.judge().fails(ID, "contract-differs");
    // Nothing is said of rules that it does not name, unless somebody asked for them.
    let mut silent = kms();
    silent.meta["chain_id"] = Value::Null;
    honest(&silent).judge().proves(ID);
    let mut trial = governed(simulator::KMS_CONTRACT);
    trial.kms = honest(&silent).kms;
    trial.judge().says(ID, Status::Warn, "contract-unsaid");
}

#[test]
fn t36_an_app_that_is_not_proven_says_nothing_of_its_kms() {
    let unproven = honest(&kms()).with(|trial| trial.collateral = Err(UnusableCollateral::Missing));
    unproven.judge().says(ID, Status::Error, "quote-not-proven");
    let forged = honest(&kms()).with(|trial| Lie::ForgedEventLog.apply(&mut trial.cvm));
    forged.judge().says(ID, Status::Error, "event-log-not-proven");
}

/// Every reason that the two checks have stands in a test that asserts it.
#[test]
fn every_reason_of_kms_and_governance_has_a_test() {
    let of_kms = [
        include_str!("kms.rs"),
        include_str!("kms/answers.rs"),
        include_str!("kms/bootstrap.rs"),
        include_str!("kms/documents.rs"),
        include_str!("kms/live.rs"),
    ];
    let of_governance = [
        include_str!("governance.rs"),
        include_str!("governance/generations.rs"),
        include_str!("governance/nodes.rs"),
        include_str!("governance/owners.rs"),
    ];
    for (id, tests) in [
        (CheckId::Kms, of_kms.concat()),
        (CheckId::Governance, of_governance.concat()),
    ] {
        // Asserted for every check alike, in attacks on the boot.
        let shared = ["boot-order-not-proven", "quote-not-proven"];
        let of_check = Check::of(id).reasons.iter().map(|reason| reason.id);
        for reason in of_check.filter(|reason| !shared.contains(reason)) {
            assert!(tests.contains(&format!("\"{reason}\"")), "{id}/{reason}");
        }
    }
}

#[test]
fn t36_a_kms_that_does_not_verify_images_is_reported() {
    for value in [Value::Null, false.into()] {
        let mut kms = kms();
        kms.meta["os_image_verification"] = value;
        honest(&kms)
            .judge()
            .says(ID, Status::Warn, "images-unverified")
            .concludes(Verdict::Pass);
    }
}
