//! What is known of an image whose registers a lock holds: by its registers, by the hash that the lock claims, by the document.

use cvm_verify_core::policy::{ImageRegisters, KnownBy, OsImagePolicy, OsTuple};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{AcceptedKind, CheckId, Status, Verdict};
use simulator::{Cvm, World};

use crate::judge::{Judged, Trial, registers};
use crate::measurement_document::hash;

/// A CVM whose guest shows the measurement document of its image, or none.
fn trial(shows_document: bool) -> Trial {
    let mut trial = Trial::of(Cvm::lite(&World::default()));
    if !shows_document {
        trial.cvm.vm_config_edits.push(std::sync::Arc::new(|config| {
            drop(config.as_object_mut().unwrap().remove("tdx_measurement"));
        }));
    }
    trial
}

/// A row of an image; with registers if they are given.
pub fn row(name: &str, version: &str, class: &str, hash: &str, registers: Option<&OsTuple>) -> String {
    let registers = registers.map_or_else(String::new, |of| {
        let [_, rtmr1, rtmr2] = of.rtmr.map(hex::encode);
        format!("firmware = \"f\"\nrtmr1 = \"{rtmr1}\"\nrtmr2 = \"{rtmr2}\"\n")
    });
    format!(
        "[[image]]\nname = \"{name}\"\nversion = \"{version}\"\nclass = \"{class}\"\nos_image_hash = \"{hash}\"\n{registers}source = \
         \"test\"\ndate = \"2026-11-25\"\n"
    )
}

/// Rows, with the firmware of the CVM as `f`.
pub fn reference(trial: &Trial, rows: &str, of_own_file: bool) -> ReferenceValues {
    let mrtd = hex::encode(registers(&trial.cvm).mrtd);
    let text = format!(
        "updated = \"2026-11-25\"\n[[firmware]]\nname = \"f\"\nmrtd = \"{mrtd}\"\nnote = \"n\"\nsource = \"test\"\ndate = \
         \"2026-11-25\"\n{rows}"
    );
    let built_in = ReferenceValues::built_in();
    match of_own_file {
        true => built_in.with_file("rows.toml", text.as_bytes()).unwrap(),
        false => built_in.with_built_in_rows(&text).unwrap(),
    }
}

fn lock(tuple: OsTuple, claimed: Option<[u8; 32]>) -> OsImagePolicy {
    OsImagePolicy::Lock {
        tuple,
        vulnerable: None,
        known_by: claimed.map(KnownBy::PublishedHash),
        acpi_change: None,
        accepts_development: false,
        lock: "cvm.lock".into(),
    }
}

fn accepted(judged: &Judged) -> Vec<AcceptedKind> {
    judged.0.accepted.iter().map(|one| one.what).collect()
}

/// A claim that nothing confirms gives no name, is never told as confirmed, and rests on no row.
#[test]
fn a_hash_in_a_lock_is_confirmed_by_the_document_or_by_the_row_of_the_registers_alone() {
    use AcceptedKind::{ObservedImage, ReferenceValues as OwnRows, UnconfirmedHash};

    let booted = trial(true);
    let (genuine, own) = (hash(&booted.cvm), registers(&booted.cvm));
    let genuine_bytes = booted.cvm.boot.os_image_hash();
    let (other, other_bytes) = ("ab".repeat(32), [0xab; 32]);
    let by_hash = |hash: &str| row("dstack-0.9.0", "0.9.0", "production", hash, None);
    let prerelease = row(
        "dstack-0.9.0-rc1",
        "0.9.0-rc1",
        "prerelease",
        &genuine,
        Some(&own),
    );
    let production = row("dstack-0.9.0", "0.9.0", "production", &genuine, Some(&own));
    let unconfirmed = format!("cvm.lock says that they are those of the image {other}; nothing in this run");
    let named = |name: &str| format!("are those of cvm.lock ({name}).");
    let confirmed = |name: &str| format!("are those of cvm.lock ({name}, image {genuine}).");
    type Row<'a> = (&'a str, bool, bool, String, [u8; 32], String, Vec<AcceptedKind>);
    let cases: [Row; 7] = [
        // The document names another image than the lock does, and the table has that one.
        (
            "document, row of its hash",
            true,
            false,
            by_hash(&genuine),
            other_bytes,
            named("dstack-0.9.0"),
            vec![],
        ),
        (
            "registers of a prerelease of another hash",
            false,
            false,
            prerelease.clone(),
            other_bytes,
            unconfirmed.clone(),
            vec![ObservedImage],
        ),
        (
            "registers of a prerelease of this hash",
            false,
            false,
            prerelease,
            genuine_bytes,
            confirmed("dstack-0.9.0-rc1"),
            vec![ObservedImage],
        ),
        (
            "a row of the user's own that only the claim leads to",
            false,
            true,
            by_hash(&other),
            other_bytes,
            unconfirmed,
            vec![UnconfirmedHash],
        ),
        (
            "registers of the user's own row",
            false,
            true,
            production.clone(),
            genuine_bytes,
            named("dstack-0.9.0"),
            vec![OwnRows],
        ),
        (
            "registers of the user's own row, of another hash than the document's",
            true,
            true,
            production.replace(&genuine, &other),
            genuine_bytes,
            named("dstack-0.9.0"),
            vec![OwnRows],
        ),
        (
            "registers of the user's own row, and the document of its hash",
            true,
            true,
            production,
            genuine_bytes,
            named("dstack-0.9.0"),
            vec![],
        ),
    ];
    for (what, shows_document, of_own_file, rows, claimed, says, expected) in cases {
        let mut trial = trial(shows_document);
        trial.policy.reference = reference(&trial, &rows, of_own_file).into();
        trial.policy.os_image = lock(own.clone(), Some(claimed));
        let judged = trial.judge();
        judged.proves(CheckId::OsImage).concludes(Verdict::Pass);
        assert!(
            judged.detail(CheckId::OsImage).contains(&says),
            "{what}: {judged}"
        );
        assert_eq!(accepted(&judged), expected, "{what}: {judged}");
    }
}

/// T34: a claimed release is judged by its vulnerabilities, unless the registers show that it is another.
#[test]
fn t34_a_claimed_row_makes_an_image_worse_where_the_registers_do_not_contradict_it() {
    let booted = trial(false);
    let own = registers(&booted.cvm);
    let mut other_rtmr1 = own.clone();
    other_rtmr1.rtmr[1] = [0x5a; 48];
    let mut other_rtmr2 = own.clone();
    other_rtmr2.rtmr[2] = [0x5a; 48];
    let rows = |normalized: &str| {
        let first = row(
            "dstack-0.6.0-of-a-test",
            "0.6.0",
            "production",
            &"01".repeat(32),
            Some(&other_rtmr1),
        );
        let second = row(
            "dstack-0.6.0-of-another",
            "0.6.0",
            "production",
            &"02".repeat(32),
            Some(&other_rtmr2),
        );
        format!("{first}{normalized}{second}")
    };
    for (normalized, claimed, is_vulnerable) in [
        ("", 1, true),
        // The table has every RTMR1 of this image.
        ("kernel_header_normalized = true\n", 1, false),
        ("", 2, false),
    ] {
        let mut trial = trial(false);
        trial.policy.reference = reference(&trial, &rows(normalized), false).into();
        trial.policy.os_image = lock(own.clone(), Some([claimed; 32]));
        let judged = trial.judge();
        if is_vulnerable {
            judged.fails(CheckId::OsImage, "vulnerable-image");
        } else {
            judged.proves(CheckId::OsImage);
            assert_eq!(
                accepted(&judged),
                [AcceptedKind::UnconfirmedHash],
                "{claimed}: {judged}"
            );
        }
    }
}

/// A lock of an image alone: what it lacks is said where that is what is missing, and a vulnerable image fails on every shape.
#[test]
fn t33_a_lock_without_rtmr0_is_told_to_hold_it_where_the_shape_is_unknown_and_not_elsewhere() {
    let lacks = "cvm.lock does not hold RTMR0 yet. Add it: `cvm-verify pin URL --output cvm.lock`, review, and commit.";
    let upgrade = "Upgrade the OS image to dstack";
    for (version, is_listed, status, reason, fix) in [
        ("0.9.0", false, Status::Warn, Some("acpi-unverified"), Some(lacks)),
        ("0.5.9", false, Status::Warn, Some("acpi-unverified"), Some(lacks)),
        ("0.5.9", true, Status::Warn, Some("advisory"), Some(upgrade)),
        (
            "0.6.0",
            false,
            Status::Fail,
            Some("vulnerable-image"),
            Some(upgrade),
        ),
        (
            "0.6.0",
            true,
            Status::Fail,
            Some("vulnerable-image"),
            Some(upgrade),
        ),
        ("0.9.0", true, Status::Pass, None, None),
    ] {
        let mut trial = trial(false);
        let own = registers(&trial.cvm);
        let mut rows = row(
            "dstack-of-a-test",
            version,
            "production",
            &"01".repeat(32),
            Some(&own),
        );
        if is_listed {
            let rtmr0 = hex::encode(own.rtmr[0]);
            rows += &crate::measurement_document::SHAPE.replace("SHAPE", &rtmr0);
        }
        trial.policy.reference = reference(&trial, &rows, false).into();
        let [_, rtmr1, rtmr2] = own.rtmr;
        trial.policy.os_image = OsImagePolicy::LockedImage {
            registers: ImageRegisters {
                mrtd: own.mrtd,
                rtmr1,
                rtmr2,
            },
            vulnerable: None,
            known_by: Some(KnownBy::Row),
            accepts_development: false,
            lock: "cvm.lock".into(),
        };
        let judged = trial.judge();
        let check = judged.check(CheckId::OsImage);
        assert_eq!(
            (check.status, check.reason.as_deref()),
            (status, reason),
            "{version}: {judged}"
        );
        match (fix, check.fix.as_deref()) {
            (Some(fix), Some(found)) => assert!(found.starts_with(fix), "{version}: {found}"),
            (fix, found) => assert_eq!(fix, found, "{version}"),
        }
        assert!(judged.0.accepted.is_empty(), "{version}: {judged}");
    }
}

/// A row that the hash of the lock leads to says no more than the lock does.
#[test]
fn a_confirmed_hash_rests_on_no_row_of_the_users_own() {
    let mut trial = trial(true);
    let (own, genuine) = (registers(&trial.cvm), hash(&trial.cvm));
    let rows = row("dstack-0.9.0", "0.9.0", "production", &genuine, None);
    trial.policy.reference = reference(&trial, &rows, true).into();
    trial.policy.os_image = lock(own, Some(trial.cvm.boot.os_image_hash()));
    let judged = trial.judge();
    judged.proves(CheckId::OsImage).concludes(Verdict::Pass);
    let named = format!("(dstack-0.9.0, image {genuine})");
    judged.detail_says(CheckId::OsImage, &named);
    assert_eq!(accepted(&judged), []);
}

#[test]
fn a_document_names_the_image_where_its_registers_leave_it_open() {
    let mut trial = trial(true);
    let (own, genuine) = (registers(&trial.cvm), hash(&trial.cvm));
    let candidate = row(
        "candidate",
        "0.9.0-rc1",
        "prerelease",
        &"ab".repeat(32),
        Some(&own),
    );
    let release = row("dstack-0.9.0", "0.9.0", "production", &genuine, None);
    trial.policy.reference = reference(&trial, &(candidate + &release), false).into();
    trial.policy.os_image = OsImagePolicy::Known;
    let judged = trial.judge();
    judged.says(CheckId::OsImage, Status::Warn, "acpi-unverified");
    judged.detail_says(CheckId::OsImage, "dstack-0.9.0");
}

/// What a lock alone names is judged as far as the lock says, and the message says how far.
#[test]
fn a_locked_image_that_no_row_has_is_told_with_its_vulnerabilities_or_without_a_version() {
    for (known_by, says) in [
        (
            "files HASH 0.5.11",
            "Published vulnerabilities of The image of cvm.lock",
        ),
        ("files HASH", "Its version is not known"),
        ("published-hash HASH", "Its version is not known"),
    ] {
        let mut trial = trial(true);
        let own = registers(&trial.cvm);
        let known_by: KnownBy = known_by.replace("HASH", &hash(&trial.cvm)).parse().unwrap();
        trial.policy.os_image = OsImagePolicy::Lock {
            tuple: own,
            vulnerable: None,
            known_by: Some(known_by.clone()),
            acpi_change: None,
            accepts_development: false,
            lock: "cvm.lock".into(),
        };
        let judged = trial.judge();
        judged.passes().detail_says(CheckId::OsImage, says);
        assert_eq!(accepted(&judged), [], "{judged}");
        match known_by.version() {
            Some(_) => judged.says(CheckId::OsImage, Status::Warn, "advisory"),
            None => judged.proves(CheckId::OsImage),
        };
    }
}

/// RTMR0 of the VM cannot be computed from the document, and a lock holds it: all else follows from the document.
#[test]
fn a_documented_image_is_pinned_by_its_hash_where_rtmr0_does_not_follow() {
    use cvm_verify_core::lock::{Accepting, pin};
    use cvm_verify_core::policy::OsImageOption;
    use cvm_verify_core::report::TrustRootKind;

    let trial = trial(true).with(|trial| {
        trial.document = false;
        trial.cvm.vm_config_edits.push(std::sync::Arc::new(|config| {
            config["memory_size"] = (5_u64 << 29).into();
        }));
    });
    let claims = trial.claims(&trial.evidence().unwrap());
    let genuine = hash(&trial.cvm);
    let listed = row("dstack-0.9.0", "0.9.0", "production", &genuine, None);
    let development = row("dstack-dev-0.9.0", "0.9.0", "development", &genuine, None);
    for (rows, named, warnings) in [
        (listed.as_str(), None, vec![]),
        (&listed, Some("dstack-0.9.0"), vec![]),
        (&development, None, vec!["development-image"]),
        ("", Some(genuine.as_str()), vec![]),
        ("", None, vec!["unknown-image"]),
    ] {
        let reference = reference(&trial, rows, false);
        let named =
            named.map(
                |text| match cvm_verify_core::policy::parse_os_image_of(text, &reference).unwrap() {
                    OsImageOption::Policy(policy) => *policy,
                    OsImageOption::Lock => panic!("{text}"),
                },
            );
        let named = match &named {
            Some(OsImagePolicy::Published(named)) => Some(named),
            _ => None,
        };
        let pinned = pin(&claims, true, TrustRootKind::Custom, &reference, named).unwrap();
        let found: Vec<&str> = pinned.warnings().iter().map(|one| one.name().as_str()).collect();
        assert_eq!(found, warnings, "{rows}");
        let lock = pinned.accept(&Accepting::everything(), None).unwrap().lock;
        let known_by = lock.os_image.unwrap().known_by.unwrap();
        let expected = match warnings.contains(&"unknown-image") {
            true => KnownBy::Unknown,
            false => KnownBy::PublishedHash(trial.cvm.boot.os_image_hash()),
        };
        assert_eq!(known_by, expected, "{rows}");
    }
    let reference = ReferenceValues::built_in();
    let other = match cvm_verify_core::policy::parse_os_image_of(&"ab".repeat(32), reference).unwrap() {
        OsImageOption::Policy(policy) => *policy,
        OsImageOption::Lock => panic!("a hash"),
    };
    let OsImagePolicy::Published(other) = other else {
        panic!("a hash");
    };
    pin(&claims, true, TrustRootKind::Custom, reference, Some(&other)).unwrap_err();
}
