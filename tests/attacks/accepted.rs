//! What is accepted in writing counts for the verdict, never for the assurance, and is always named.

use cvm_verify_core::policy::{FilesIdentity, KnownBy, LockedPlatform, OsImagePolicy, OsTuple, Policy};
use cvm_verify_core::reference::{OsClass, ReferenceValues};
use cvm_verify_core::report::{AcceptedKind, Assurance, CheckId, Status, TargetReport, Verdict};
use simulator::Lie;

use crate::judge::{Judged, Trial, registers};

/// The lock of the healthy CVM, whose image is in no table.
fn lock(tuple: &OsTuple, known_by: Option<KnownBy>) -> OsImagePolicy {
    OsImagePolicy::Lock {
        tuple: tuple.clone(),
        vulnerable: None,
        known_by,
        acpi_change: None,
        accepts_development: false,
        lock: "cvm.lock".into(),
    }
}

/// With the line that accepts a development image.
fn accepting_development(mut policy: OsImagePolicy) -> OsImagePolicy {
    if let OsImagePolicy::Lock {
        accepts_development, ..
    } = &mut policy
    {
        *accepts_development = true;
    }
    policy
}

fn judged_by(os_image: impl FnOnce(&OsTuple) -> OsImagePolicy) -> Judged {
    let trial = Trial::healthy();
    let tuple = registers(&trial.cvm);
    trial
        .with(|trial| trial.policy.os_image = os_image(&tuple))
        .judge()
}

/// What a check was accepted with, and where that is written.
fn accepted(judged: &Judged, id: CheckId) -> Vec<(AcceptedKind, &str)> {
    let of_check = judged.0.accepted.iter().filter(|one| one.check == id);
    of_check.map(|one| (one.what, one.by.as_str())).collect()
}

#[test]
fn an_image_that_nobody_knew_is_accepted_by_whoever_wrote_its_registers_down() {
    let by_lock = [None, Some(KnownBy::Unknown), Some(KnownBy::Row)];
    for known_by in by_lock {
        let judged = judged_by(|tuple| lock(tuple, known_by.clone()));
        judged.passes();
        assert_eq!(
            accepted(&judged, CheckId::OsImage),
            [(AcceptedKind::UnknownImage, "cvm.lock")],
            "{known_by:?}"
        );
        assert_eq!(judged.0.assurance, Assurance::Hardware);
    }
    let judged = judged_by(|tuple| OsImagePolicy::Tuple(tuple.clone()));
    judged.passes();
    assert_eq!(
        accepted(&judged, CheckId::OsImage),
        [(AcceptedKind::UnknownImage, "--os-image")]
    );
    assert_eq!(judged.0.assurance, Assurance::Hardware);
    // That it was measured from its files, or that its hash is published, is the word of whoever wrote the lock.
    for known_by in [KnownBy::Files([1; 32].into()), KnownBy::PublishedHash([2; 32])] {
        let judged = judged_by(|tuple| lock(tuple, Some(known_by.clone())));
        judged.passes();
        assert_eq!(
            accepted(&judged, CheckId::OsImage),
            [(AcceptedKind::UnconfirmedHash, "cvm.lock")],
            "{known_by:?}"
        );
        assert_eq!(judged.0.assurance, Assurance::Hardware);
    }
}

/// The hash that the lock of every trial names counts only because the guest shows its document.
#[test]
fn without_its_measurement_document_the_hash_of_the_healthy_image_is_the_word_of_the_lock() {
    Trial::healthy().judge().passes();
    let judged = Trial::healthy().with(|trial| trial.document = false).judge();
    judged.passes();
    assert_eq!(
        accepted(&judged, CheckId::OsImage),
        [(AcceptedKind::UnconfirmedHash, "cvm.lock")]
    );
    assert_eq!(judged.0.assurance, Assurance::Hardware);
}

/// The hash of a release beside registers of something else: the release gives no name, no class and no standing.
#[test]
fn a_row_that_a_lock_claims_by_its_hash_never_names_other_registers() {
    let reference = ReferenceValues::built_in();
    let mut seen = 0;
    for row in reference.images() {
        let (Some(hash), Some(_), true) = (
            row.os_image_hash,
            &row.registers,
            reference.host_alone(row.version.as_ref()).is_empty(),
        ) else {
            continue;
        };
        seen += 1;
        for known_by in [KnownBy::PublishedHash(hash.0), KnownBy::Files(hash.0.into())] {
            let judged = judged_by(|tuple| lock(tuple, Some(known_by)));
            let detail = judged.detail(CheckId::OsImage);
            assert!(!detail.contains(row.name.as_str()), "{}: {detail}", row.name);
            assert_eq!(
                accepted(&judged, CheckId::OsImage),
                [(AcceptedKind::UnconfirmedHash, "cvm.lock")],
                "{}",
                row.name
            );
            assert_eq!(judged.0.assurance, Assurance::Hardware);
        }
    }
    assert!(seen > 5, "{seen}");
}

/// T34: the version that a lock says decides where no row says one.
#[test]
fn t34_the_version_of_a_lock_has_its_vulnerabilities() {
    for (version, reason) in [("0.5.2", Some("vulnerable-image")), ("0.5.13", None)] {
        let files = FilesIdentity {
            os_image_hash: [1; 32],
            version: Some(version.parse().unwrap()),
        };
        for known_by in [KnownBy::Files(files.clone()), KnownBy::DevelopmentFiles(files)] {
            let judged = judged_by(|tuple| accepting_development(lock(tuple, Some(known_by))));
            match reason {
                Some(reason) => drop(judged.fails(CheckId::OsImage, reason)),
                None => drop(judged.passes()),
            }
        }
    }
}

/// Registers of rows of the table, under each policy that names them exactly.
#[test]
fn a_row_is_accepted_by_its_class_and_a_production_row_needs_no_acceptance() {
    let reference = ReferenceValues::built_in();
    for row in reference.images() {
        let Some(registers) = &row.registers else { continue };
        let tuple = OsTuple {
            mrtd: reference.mrtds_of(row)[0],
            rtmr: [[0x5a; 48], registers.rtmr1.0, registers.rtmr2.0],
        };
        let judged = Trial::healthy()
            .with(|trial| {
                // No log gives these registers: only what the quote says is judged here.
                trial.cvm.forced.mr_td = Some(tuple.mrtd);
                let [rtmr0, rtmr1, rtmr2] = tuple.rtmr.map(Some);
                trial.cvm.forced.rtmr = [rtmr0, rtmr1, rtmr2, None];
                trial.policy.os_image = accepting_development(lock(&tuple, Some(KnownBy::Row)));
            })
            .judge();
        let expected = match row.class {
            _ if !reference.host_alone(row.version.as_ref()).is_empty() => continue,
            OsClass::Production if row.is_third_party() => vec![AcceptedKind::ObservedImage],
            OsClass::Production => Vec::new(),
            OsClass::Development => vec![AcceptedKind::DevelopmentImage],
            OsClass::Prerelease | OsClass::Observed => vec![AcceptedKind::ObservedImage],
        };
        let found: Vec<AcceptedKind> = accepted(&judged, CheckId::OsImage)
            .into_iter()
            .map(|(what, _)| what)
            .collect();
        assert_eq!(found, expected, "{}: {judged}", row.name);
        if row.class == OsClass::Development {
            judged.says(CheckId::OsImage, Status::Warn, "development-image");
        }
    }
}

/// Files whose metadata says that the image is one for development, in no table.
#[test]
fn a_development_image_that_is_known_by_its_files_is_accepted_in_writing_alone() {
    let locked = |tuple: &OsTuple| lock(tuple, Some(KnownBy::DevelopmentFiles([1; 32].into())));
    judged_by(locked).fails(CheckId::OsImage, "development-image");
    let judged = judged_by(|tuple| accepting_development(locked(tuple)));
    judged.says(CheckId::OsImage, Status::Warn, "development-image");
    assert_eq!(
        accepted(&judged, CheckId::OsImage),
        [(AcceptedKind::DevelopmentImage, "cvm.lock")]
    );
    assert_eq!(judged.0.assurance, Assurance::Hardware);
}

#[test]
fn a_change_of_rtmr0_that_the_owner_accepted_is_named() {
    let judged = judged_by(|tuple| match lock(tuple, Some(KnownBy::Files([1; 32].into()))) {
        OsImagePolicy::Lock {
            tuple,
            vulnerable,
            known_by,
            lock,
            ..
        } => OsImagePolicy::Lock {
            tuple,
            vulnerable,
            known_by,
            acpi_change: Some("The host was upgraded; the operator says so.".to_owned()),
            accepts_development: false,
            lock,
        },
        other => other,
    });
    judged.passes();
    assert_eq!(
        accepted(&judged, CheckId::OsImage),
        [
            (AcceptedKind::UnconfirmedHash, "cvm.lock"),
            (AcceptedKind::AcpiChange, "cvm.lock")
        ]
    );
    assert_eq!(judged.0.assurance, Assurance::Hardware);
}

#[test]
fn td_attributes_that_a_lock_expects_are_named_unless_they_are_those_of_dstack() {
    let locked = |value| LockedPlatform {
        td_attributes: Some(value),
        mr_seam: None,
        fmspc: None,
        lock: "cvm.lock".into(),
    };
    let pks = [0, 0, 0, 0x50, 0, 0, 0, 0];
    let judged = Trial::healthy()
        .with(|trial| {
            trial.cvm.report.td_attributes = pks;
            trial.policy.locked_platform = Some(locked(pks));
        })
        .judge();
    judged.passes();
    assert_eq!(
        accepted(&judged, CheckId::TdAttributes),
        [(AcceptedKind::TdAttributes, "cvm.lock")]
    );
    assert_eq!(judged.0.assurance, Assurance::None);
    let usual = Trial::healthy()
        .with(|trial| {
            trial.policy.locked_platform = Some(locked(cvm_verify_core::policy::DEFAULT_TD_ATTRIBUTES));
        })
        .judge();
    usual.passes();
    assert!(accepted(&usual, CheckId::TdAttributes).is_empty());
}

/// Every way in which a policy can be made to accept something.
#[expect(clippy::type_complexity, reason = "a table of a test")]
fn accepting_policies() -> Vec<(&'static str, fn(&mut Trial))> {
    vec![
        ("freshness", |trial| {
            trial.policy.freshness = cvm_verify_core::policy::Freshness::Unchecked
        }),
        ("os-image", |trial| {
            trial.policy.os_image = OsImagePolicy::Unchecked
        }),
        ("image-pins", |trial| {
            trial.policy.image_pins = cvm_verify_core::policy::ImagePinsPolicy::Unchecked
        }),
        ("key-provider", |trial| {
            trial.policy.key_provider = Some(crate::judge::expected(
                "--key-provider",
                "unchecked".parse().unwrap(),
            ));
        }),
        ("bare kms", |trial| {
            trial.policy.key_provider =
                Some(crate::judge::expected("--key-provider", "kms".parse().unwrap()));
        }),
        ("no kms", |trial| {
            Lie::NoKeyProvider.apply(&mut trial.cvm);
            trial.policy.key_provider =
                Some(crate::judge::expected("--key-provider", "none".parse().unwrap()));
        }),
        ("tcb", |trial| {
            Lie::OutOfDatePlatform.apply(&mut trial.cvm);
            trial.policy.tcb.exceptions = vec!["OutOfDate:until=2026-12-01".parse().unwrap()];
        }),
        ("td-attributes", |trial| {
            let pks = [0, 0, 0, 0x50, 0, 0, 0, 0];
            trial.cvm.report.td_attributes = pks;
            trial.policy.locked_platform = Some(LockedPlatform {
                td_attributes: Some(pks),
                mr_seam: None,
                fmspc: None,
                lock: "cvm.lock".into(),
            });
        }),
        ("unknown image", |trial| {
            trial.policy.os_image = lock(&registers(&trial.cvm), Some(KnownBy::Unknown));
        }),
    ]
}

/// Whatever is accepted, alone or with others: it is named, and the assurance does not count it.
#[test]
fn no_combination_of_what_is_accepted_reaches_code_or_goes_unnamed() {
    let ways = accepting_policies();
    for mask in 1_u32..(1 << ways.len()) {
        // All single ones and all pairs; of the larger ones a sample.
        if mask.count_ones() > 2 && mask % 37 != 0 {
            continue;
        }
        let mut trial = Trial::healthy();
        let mut names = Vec::new();
        for (place, (name, change)) in ways.iter().enumerate() {
            if mask & (1 << place) != 0 {
                change(&mut trial);
                names.push(*name);
            }
        }
        let report = trial.judge().0;
        assert_ne!(report.verdict, Verdict::Inconclusive, "{names:?}");
        if report.verdict == Verdict::Pass {
            assert!(!report.accepted.is_empty(), "{names:?}");
            assert_ne!(report.assurance, Assurance::CODE, "{names:?}");
            assert!(is_named(&report), "{names:?}");
        }
    }
}

/// Every waiver is in `waived`, and whatever keeps the assurance down is in `accepted`.
fn is_named(report: &TargetReport) -> bool {
    let waivers: Vec<CheckId> = report
        .accepted
        .iter()
        .filter(|one| one.what == AcceptedKind::Waiver)
        .map(|one| one.check)
        .collect();
    waivers == report.waived
}

/// A warning or a skip meets a requirement only with an acceptance, unless it is harmless; so a policy without any acceptance
/// that passes reaches the tier that it requires.
#[test]
fn a_pass_without_anything_accepted_reaches_what_was_required() {
    let healthy = Trial::healthy().judge();
    healthy.passes();
    assert!(healthy.0.accepted.is_empty(), "{healthy}");
    assert_eq!(healthy.0.assurance, Assurance::CODE);
    let default = Trial::healthy()
        .with(|trial| trial.policy = Policy::default())
        .judge();
    assert_ne!(default.0.verdict, Verdict::Pass);
    assert!(default.0.accepted.is_empty());
}
