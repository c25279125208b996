//! The OS image by its published hash: T32, and what a measurement document can and cannot do.

use cvm_verify_core::policy::{OsImageOption, parse_os_image_of};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{AcceptedKind, Assurance, CheckId, Status, Verdict};
use serde_json::{Value, json};
use simulator::{Cvm, World};

use crate::judge::{Judged, Trial, expected, os_image, registers};

/// A healthy CVM with a measurement document, an `--os-image` and rows of reference values. In a text, `HASH` and `SHAPE` stand for
/// the image's hash and its RTMR0.
pub fn judge(os_image: &str, rows: &str, lie: impl FnOnce(&mut Cvm)) -> Judged {
    judge_by(os_image, rows, lie, |rows| {
        ReferenceValues::built_in().with_built_in_rows(rows).unwrap()
    })
}

/// The same, where the rows are of the user's own file.
fn judge_by_file(os_image: &str, rows: &str) -> Judged {
    judge_by(os_image, rows, honest, |rows| {
        let built_in = ReferenceValues::built_in();
        built_in.with_file("rows.toml", rows.as_bytes()).unwrap()
    })
}

fn judge_by(
    os_image: &str,
    rows: &str,
    lie: impl FnOnce(&mut Cvm),
    values_of: impl FnOnce(&str) -> ReferenceValues,
) -> Judged {
    let mut trial = Trial::of(Cvm::lite(&World::default()));
    let filled = |text: &str| {
        let rtmr0 = trial.cvm.td_report([0; 64]).rtmr[0];
        text.replace("HASH", &hash(&trial.cvm))
            .replace("SHAPE", &hex::encode(rtmr0))
    };
    let reference = match rows {
        "" => ReferenceValues::clone(ReferenceValues::built_in()),
        rows => values_of(&format!("updated = \"2026-11-25\"\n{}", filled(rows))),
    };
    let OsImageOption::Policy(policy) = parse_os_image_of(&filled(os_image), &reference).unwrap() else {
        panic!("{os_image} is not a policy");
    };
    trial.policy.os_image = *policy;
    trial.policy.reference = reference.into();
    lie(&mut trial.cvm);
    trial.judge()
}

pub fn hash(cvm: &Cvm) -> String {
    hex::encode(cvm.boot.os_image_hash())
}

pub fn honest(_: &mut Cvm) {}

/// A change of `vm_config`.
pub fn config(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> impl FnOnce(&mut Cvm) {
    |cvm| cvm.vm_config_edits.push(std::sync::Arc::new(edit))
}

/// The shape of the VM as a listed one.
pub const SHAPE: &str =
    "[[rtmr0]]\nvalue = \"SHAPE\"\nshape = \"of this test\"\nsource = \"test\"\ndate = \"2026-11-25\"\n";

/// A row that is known by its hash, and the shape.
pub fn image(name: &str, version: &str, class: &str) -> String {
    format!(
        "[[image]]\nname = \"{name}\"\nversion = \"{version}\"\nclass = \"{class}\"\nos_image_hash = \"HASH\"\nsource = \"test\"\ndate = \
         \"2026-11-25\"\n{SHAPE}"
    )
}

#[test]
fn t32_a_hash_that_nobody_named_is_never_accepted_and_is_shown_to_be_written_down() {
    let judged = judge("known", SHAPE, honest);
    judged.says(CheckId::OsImage, Status::Skip, "no-reference");
    judged.concludes(Verdict::Inconclusive);
    let hash = hash(&Cvm::lite(&World::default()));
    let check = judged.check(CheckId::OsImage);
    assert!(check.detail.contains(&hash), "{}", check.detail);
    assert!(
        check
            .fix
            .as_ref()
            .unwrap()
            .contains(&format!("--os-image {hash}"))
    );
}

#[test]
fn an_image_of_tomorrow_passes_by_the_hash_that_the_user_copied_from_its_release_page() {
    let judged = judge("HASH", SHAPE, honest);
    judged.says(CheckId::OsImage, Status::Warn, "published-hash");
    judged.concludes(Verdict::Pass);
    assert_eq!(judged.0.assurance, Assurance::CODE);
    assert!(judged.0.accepted.is_empty());
    let without_shape = judge("HASH", "", honest);
    without_shape.says(CheckId::OsImage, Status::Warn, "acpi-unverified");
    without_shape.concludes(Verdict::Inconclusive);
}

#[test]
fn a_production_row_that_is_known_by_its_hash_alone_passes() {
    let row = image("dstack-0.9.0", "0.9.0", "production");
    for named in ["known", "HASH", "dstack-0.9.0"] {
        let judged = judge(named, &row, honest);
        judged.proves(CheckId::OsImage);
        assert_eq!(judged.0.assurance, Assurance::CODE, "{named}");
    }
}

/// Rows of the user's own file make known what they say, and the verdict says whose word that is.
#[test]
fn what_rests_on_rows_of_the_users_own_file_is_accepted_in_writing() {
    let row = image("dstack-0.9.0", "0.9.0", "production");
    let own = |count: usize| vec![AcceptedKind::ReferenceValues; count];
    // The image and its shape; the name is the row's; a hash that the user wrote down needs no row.
    for (named, rows, count) in [
        ("known", row.as_str(), 2),
        ("dstack-0.9.0", &row, 2),
        ("HASH", &row, 1),
        ("HASH", SHAPE, 1),
    ] {
        let judged = judge_by_file(named, rows);
        judged.concludes(Verdict::Pass);
        assert_eq!(judged.0.assurance, Assurance::Hardware, "{named}");
        let found: Vec<AcceptedKind> = judged.0.accepted.iter().map(|one| one.what).collect();
        assert_eq!(found, own(count), "{named}: {judged}");
        assert!(judged.0.accepted.iter().all(|one| one.by == "--reference-values"));
    }
}

/// A lock's word about a hash is proof where the guest's measurement document under that hash has the registers of the quote.
#[test]
fn a_hash_in_a_lock_counts_where_the_document_confirms_it_and_is_a_claim_otherwise() {
    use cvm_verify_core::policy::{KnownBy, OsImagePolicy};

    let genuine = Cvm::lite(&World::default()).boot.os_image_hash();
    for (claimed, shows_document, confirmed) in [
        (KnownBy::PublishedHash(genuine), true, true),
        (KnownBy::Files(genuine.into()), true, true),
        (KnownBy::PublishedHash(genuine), false, false),
        (KnownBy::Files(genuine.into()), false, false),
        (KnownBy::PublishedHash([0xab; 32]), true, false),
        (KnownBy::Files([0xab; 32].into()), true, false),
    ] {
        let mut trial = Trial::of(Cvm::lite(&World::default()));
        let OsImagePolicy::Lock { known_by, .. } = &mut trial.policy.os_image else {
            panic!("a trial has a lock");
        };
        *known_by = Some(claimed.clone());
        if !shows_document {
            trial.cvm.vm_config_edits.push(std::sync::Arc::new(|config| {
                drop(config.as_object_mut().unwrap().remove("tdx_measurement"));
            }));
        }
        let judged = trial.judge();
        judged.passes().proves(CheckId::OsImage);
        let found: Vec<AcceptedKind> = judged.0.accepted.iter().map(|one| one.what).collect();
        let (accepted, assurance) = match confirmed {
            true => (vec![], Assurance::CODE),
            false => (vec![AcceptedKind::UnconfirmedHash], Assurance::Hardware),
        };
        assert_eq!(found, accepted, "{claimed:?}: {judged}");
        assert_eq!(judged.0.assurance, assurance, "{claimed:?}");
        // Whoever reads the result can compare it with the release page.
        assert!(
            judged
                .detail(CheckId::OsImage)
                .contains(&hex::encode(claimed.hash().unwrap()))
        );
    }
}

#[test]
fn what_is_not_for_production_is_accepted_by_its_hash_in_writing_alone() {
    for (name, class, by_default, kind) in [
        (
            "dstack-dev-0.9.0",
            "development",
            (Status::Fail, "development-image"),
            AcceptedKind::DevelopmentImage,
        ),
        (
            "dstack-0.9.0-rc1",
            "prerelease",
            (Status::Skip, "no-reference"),
            AcceptedKind::ObservedImage,
        ),
    ] {
        let version = name
            .rsplit_once("dev-")
            .map_or_else(|| name.trim_start_matches("dstack-"), |(_, version)| version);
        let row = image(name, version, class);
        judge("known", &row, honest).says(CheckId::OsImage, by_default.0, by_default.1);
        let judged = judge("HASH", &row, honest);
        match class {
            "development" => judged.says(CheckId::OsImage, Status::Warn, "development-image"),
            _ => judged.proves(CheckId::OsImage),
        };
        judged.concludes(Verdict::Pass);
        assert_eq!(judged.0.assurance, Assurance::Hardware);
        let [accepted] = judged.0.accepted.as_slice() else {
            panic!("{:?}", judged.0.accepted)
        };
        assert_eq!(accepted.what, kind);
    }
}

#[test]
fn t34_a_vulnerable_release_fails_by_whatever_it_is_named_until_its_end_is_written_down() {
    let row = image("dstack-0.6.1-of-a-test", "0.6.1", "production");
    for named in ["known", "HASH", "HASH:until=2020-01-01"] {
        judge(named, &row, honest).says(CheckId::OsImage, Status::Fail, "vulnerable-image");
    }
    let judged = judge("HASH:until=2099-12-31", &row, honest);
    judged.says(CheckId::OsImage, Status::Warn, "vulnerable-image");
    assert_eq!(judged.0.assurance, Assurance::Hardware);
    assert_eq!(judged.0.accepted[0].what, AcceptedKind::VulnerableImage);
}

#[test]
fn t33_what_is_accepted_in_writing_does_not_accept_unknown_acpi_tables() {
    for (name, version, class, named) in [
        (
            "dstack-0.6.1-of-a-test",
            "0.6.1",
            "production",
            "HASH:until=2099-12-31",
        ),
        ("dstack-dev-0.9.0", "0.9.0", "development", "HASH"),
        ("dstack-0.9.0-rc1", "0.9.0-rc1", "prerelease", "HASH"),
    ] {
        let row = image(name, version, class).replace(SHAPE, "");
        let judged = judge(named, &row, honest);
        judged.says(CheckId::OsImage, Status::Warn, "acpi-unverified");
        judged.concludes(Verdict::Inconclusive);
        assert!(judged.0.accepted.is_empty(), "{name}");
    }
}

#[test]
fn t34_a_hole_wins_over_every_class() {
    for class in ["production", "development", "prerelease", "observed"] {
        let version = if class == "prerelease" {
            "0.6.0-rc9"
        } else {
            "0.6.0"
        };
        let name = match class {
            "development" => "dstack-dev-of-a-test",
            _ => "an image of a test",
        };
        let row = image(name, version, class);
        for named in ["known", "HASH"] {
            judge(named, &row, honest).says(CheckId::OsImage, Status::Fail, "vulnerable-image");
        }
        let judged = judge("HASH:until=2099-12-31", &row, honest);
        judged.says(CheckId::OsImage, Status::Warn, "vulnerable-image");
        judged.concludes(Verdict::Pass);
        let classes = judged
            .0
            .accepted
            .iter()
            .filter(|one| one.what != AcceptedKind::VulnerableImage);
        assert_eq!(classes.count(), usize::from(class != "production"), "{class}");
    }
}

#[test]
fn another_image_than_the_named_one_fails() {
    let judged = judge(&"ab".repeat(32), SHAPE, honest);
    judged.says(CheckId::OsImage, Status::Fail, "register-mismatch");
    // A line more in the checksum file makes another hash.
    let appended = judge("HASH", SHAPE, |cvm| {
        cvm.boot.appended_manifest_lines = format!("{}  more\n", "00".repeat(32))
    });
    appended.says(CheckId::OsImage, Status::Fail, "register-mismatch");
}

#[test]
fn a_document_that_does_not_reproduce_a_register_fails_who_named_it_and_is_noted_for_who_did_not() {
    for register in 1..4_usize {
        let force = move |cvm: &mut Cvm| match register {
            3 => cvm.forced.mr_td = Some([7; 48]),
            _ => cvm.forced.rtmr[register] = Some([7; 48]),
        };
        let name = ["RTMR0", "RTMR1", "RTMR2", "MRTD"][register];
        let named = judge("HASH", SHAPE, force);
        named.says(CheckId::OsImage, Status::Fail, "register-mismatch");
        assert!(named.check(CheckId::OsImage).detail.starts_with(name));
        let (expected, actual) = (
            &named.check(CheckId::OsImage).expected,
            &named.check(CheckId::OsImage).actual,
        );
        assert_eq!(actual.as_deref(), Some(hex::encode([7; 48]).as_str()), "{named}");
        // Of MRTD there are two, and the first is shown.
        let honest = registers(&Cvm::lite(&World::default()));
        let computed = honest.rtmr.get(register).map(hex::encode);
        assert!(computed.is_none() || *expected == computed, "{named}");
        let known = judge("known", SHAPE, force);
        known.says(CheckId::OsImage, Status::Skip, "no-reference");
        assert!(known.check(CheckId::OsImage).detail.contains(name));
    }
}

#[test]
fn rtmr0_is_the_shape_of_the_vm_and_convicts_no_image() {
    let resize = || config(|config| config["memory_size"] = (4_u64 << 30).into());
    // What the host says of the memory decides nothing: RTMR0 is a listed one, or it is not.
    let listed = judge("HASH", SHAPE, resize());
    listed
        .says(CheckId::OsImage, Status::Warn, "published-hash")
        .concludes(Verdict::Pass);
    let unlisted = judge("HASH", "", resize());
    unlisted
        .says(CheckId::OsImage, Status::Warn, "acpi-unverified")
        .concludes(Verdict::Inconclusive);
    let force = |cvm: &mut Cvm| cvm.forced.rtmr[0] = Some([7; 48]);
    judge("HASH", SHAPE, force).says(CheckId::OsImage, Status::Warn, "acpi-unverified");
    let known = judge("known", SHAPE, force);
    known.says(CheckId::OsImage, Status::Skip, "no-reference");
    assert!(
        known
            .check(CheckId::OsImage)
            .detail
            .contains("RTMR0, the shape of the VM")
    );
    // The image is another than the named one all the same.
    judge(&"ab".repeat(32), SHAPE, force).says(CheckId::OsImage, Status::Fail, "register-mismatch");
}

/// A row whose RTMR1 the table does not have for every QEMU: another RTMR1 convicts nobody who runs it, and is not accepted.
#[test]
fn another_rtmr1_of_a_row_that_has_not_all_of_them_is_left_open() {
    let reference = ReferenceValues::built_in();
    let (mut open, mut refused) = (0, 0);
    for row in reference.images() {
        let (Some(registers), false) = (&row.registers, row.is_third_party()) else {
            continue;
        };
        let mrtd = reference.mrtds_of(row)[0];
        let is_open = reference
            .image_but_for_rtmr1(&mrtd, &registers.rtmr2.0)
            .is_some_and(|found| found.name == row.name);
        let mut trial = Trial::healthy();
        trial.cvm.forced.mr_td = Some(mrtd);
        trial.cvm.forced.rtmr = [None, Some([7; 48]), Some(registers.rtmr2.0), None];
        trial.document = false;
        let parsed = parse_os_image_of(row.name.as_str(), reference);
        let Ok(OsImageOption::Policy(policy)) = parsed else {
            continue;
        };
        trial.policy.os_image = *policy;
        let judged = trial.judge();
        if is_open {
            judged.says(CheckId::OsImage, Status::Skip, "no-reference");
            open += 1;
        } else {
            judged.says(CheckId::OsImage, Status::Fail, "register-mismatch");
            refused += 1;
        }
    }
    assert!(open > 0 && refused > 0, "{open} {refused}");
}

#[test]
fn a_document_of_an_image_that_neither_booted_nor_was_named_says_nothing() {
    let judged = judge(&"ab".repeat(32), SHAPE, |cvm| cvm.forced.rtmr[1] = Some([7; 48]));
    judged.says(CheckId::OsImage, Status::Error, "no-document");
}

#[test]
fn what_cannot_be_computed_or_read_is_an_error_that_says_why() {
    let hash = hash(&Cvm::lite(&World::default()));
    let other = "cd".repeat(32);
    type Edit = fn(&mut Value);
    let edits: [(Edit, &str, &str); 8] = [
        (
            |config| config["memory_size"] = (3_u64 << 29).into(),
            "not-computable",
            "is not defined",
        ),
        (
            |config| drop(config.as_object_mut().unwrap().remove("memory_size")),
            "not-computable",
            "how much memory",
        ),
        (
            |config| config["memory_size"] = "much".into(),
            "unusable-document",
            "memory_size",
        ),
        (
            |config| config["os_image_hash"] = "cd".repeat(32).into(),
            "unusable-document",
            "os_image_hash",
        ),
        (
            |config| config["tdx_measurement"]["measurement"] = "AAAA".into(),
            "unusable-document",
            "lists measurement.tdx.cbor",
        ),
        (
            |config| config["tdx_measurement"]["checksum_file"] = "AAAA".into(),
            "unusable-document",
            "line 1",
        ),
        (
            |config| config["tdx_measurement"]["measurement"] = "*".into(),
            "unusable-document",
            "base64",
        ),
        (
            |config| config["tdx_measurement"] = json!([]),
            "unusable-document",
            "tdx_measurement",
        ),
    ];
    for (edit, reason, says) in edits {
        for named in ["known", hash.as_str(), other.as_str()] {
            let judged = judge(named, SHAPE, config(edit));
            // The image is the named one by its own registers, and RTMR0 is a listed one: nothing need be computed.
            if (reason, named) == ("not-computable", hash.as_str()) {
                judged.passes();
                judge(named, "", config(edit)).says(CheckId::OsImage, Status::Error, reason);
                continue;
            }
            judged.says(CheckId::OsImage, Status::Error, reason);
            judged.concludes(Verdict::Inconclusive);
            let detail = &judged.check(CheckId::OsImage).detail;
            assert!(detail.contains(says), "{says}: {detail}");
        }
    }
    let none = judge(
        "HASH",
        SHAPE,
        config(|config| drop(config.as_object_mut().unwrap().remove("tdx_measurement"))),
    );
    none.says(CheckId::OsImage, Status::Error, "no-document");
}

#[test]
fn a_wrong_document_convicts_nothing_that_the_registers_acquit() {
    let mut trial = Trial::of(Cvm::lite(&World::default()));
    trial.cvm.vm_config_edits.push(std::sync::Arc::new(|config| {
        config["tdx_measurement"]["measurement"] = "AAAA".into()
    }));
    let judged = trial.judge();
    judged.proves(CheckId::OsImage);
}

/// A self-consistent document of the attacker's own: the image is his, the document is of his image, the checksum file is of
/// his document, and the host's configuration names that hash. Nobody else named it.
#[test]
fn t32_a_document_of_the_attackers_own_is_accepted_under_no_policy() {
    use cvm_verify_core::policy::KnownBy;
    use cvm_verify_core::policy::{ImageRegisters, OsImagePolicy};

    let honest = Trial::of(Cvm::lite(&World::default()));
    let attacker = || {
        let mut trial = Trial::of(Cvm::lite(&World::default()));
        trial.cvm.boot.os_image = "an image of the attacker's".to_owned();
        trial
    };
    let registers = registers(&honest.cvm);
    let [_, rtmr1, rtmr2] = registers.rtmr;
    let image = ImageRegisters {
        mrtd: registers.mrtd,
        rtmr1,
        rtmr2,
    };
    let his_hash = attacker().cvm.boot.os_image_hash();
    let locked = |known_by| OsImagePolicy::LockedImage {
        registers: image,
        vulnerable: None,
        known_by,
        lock: "cvm.lock".into(),
    };
    for (policy, status, reason) in [
        (os_image("known"), Status::Skip, "no-reference"),
        (os_image(&hash(&honest.cvm)), Status::Fail, "register-mismatch"),
        (os_image("dstack-0.6.6"), Status::Fail, "register-mismatch"),
        (os_image("dstack-0.5.9"), Status::Fail, "register-mismatch"),
        (honest.policy.os_image.clone(), Status::Fail, "register-mismatch"),
        (locked(None), Status::Fail, "register-mismatch"),
        // What a lock says of a hash is about the registers beside it.
        (
            locked(Some(KnownBy::PublishedHash(his_hash))),
            Status::Fail,
            "register-mismatch",
        ),
    ] {
        let mut trial = attacker();
        // His VM has a listed shape: RTMR0 is the same for every image.
        let rtmr0 = hex::encode(trial.cvm.td_report([0; 64]).rtmr[0]);
        let rows = format!("updated = \"2026-11-25\"\n{}", SHAPE.replace("SHAPE", &rtmr0));
        let reference = ReferenceValues::built_in().with_file("rows.toml", rows.as_bytes());
        trial.policy.reference = reference.unwrap().into();
        trial.policy.os_image = policy.clone();
        let judged = trial.judge();
        judged.says(CheckId::OsImage, status, reason);
        assert_ne!(judged.0.verdict, Verdict::Pass, "{policy:?}");
    }
}

/// A lock that knows an image by its hash is judged by what the table says of that hash.
#[test]
fn t34_a_lock_of_an_image_that_turns_out_to_be_vulnerable_fails() {
    use cvm_verify_core::policy::KnownBy;
    use cvm_verify_core::policy::OsImagePolicy;

    for (shows_document, known_by_hash) in [(true, false), (false, true), (true, true)] {
        let mut trial = Trial::of(Cvm::lite(&World::default()));
        let os_image_hash = trial.cvm.boot.os_image_hash();
        let rows = image("dstack-0.6.1-of-a-test", "0.6.1", "production").replace(SHAPE, "");
        let rows = format!(
            "updated = \"2026-11-25\"\n{}",
            rows.replace("HASH", &hex::encode(os_image_hash))
        );
        let reference = ReferenceValues::built_in().with_file("rows.toml", rows.as_bytes());
        trial.policy.reference = reference.unwrap().into();
        let OsImagePolicy::Lock { known_by, .. } = &mut trial.policy.os_image else {
            panic!("a trial has a lock");
        };
        *known_by = Some(match known_by_hash {
            true => KnownBy::PublishedHash(os_image_hash),
            false => KnownBy::Unknown,
        });
        if !shows_document {
            trial.cvm.vm_config_edits.push(std::sync::Arc::new(|config| {
                drop(config.as_object_mut().unwrap().remove("tdx_measurement"));
            }));
        }
        let judged = trial.judge();
        judged.says(CheckId::OsImage, Status::Fail, "vulnerable-image");
    }
}

/// RTMR0 that a lock holds serves an image that is named in another way; another RTMR0 does not.
#[test]
fn t33_a_locked_rtmr0_is_good_for_an_image_that_is_named_by_its_hash() {
    let mut trial = Trial::of(Cvm::lite(&World::default()));
    let locked = trial.cvm.td_report([0; 64]).rtmr[0];
    trial.policy.os_image = os_image(&hash(&trial.cvm));
    trial.policy.locked_rtmr0 = Some(expected("--lock", locked));
    trial
        .judge()
        .says(CheckId::OsImage, Status::Warn, "published-hash");
    // What the host says of the memory need not be computed with either.
    let unknown_memory = |trial: &mut Trial| {
        trial.cvm.vm_config_edits.push(std::sync::Arc::new(|config| {
            config["memory_size"] = (3_u64 << 29).into();
        }));
    };
    unknown_memory(&mut trial);
    trial
        .judge()
        .says(CheckId::OsImage, Status::Warn, "published-hash");
    trial.policy.locked_rtmr0 = Some(expected("--lock", [7; 48]));
    trial
        .judge()
        .says(CheckId::OsImage, Status::Error, "not-computable");
    trial.cvm.vm_config_edits.clear();
    trial.policy.locked_rtmr0 = Some(expected("--lock", locked));
    trial.cvm.boot.acpi_tables = "of another host".to_owned();
    let judged = trial.judge();
    judged.says(CheckId::OsImage, Status::Warn, "acpi-unverified");
    judged.concludes(Verdict::Inconclusive);
    assert!(
        judged
            .check(CheckId::OsImage)
            .detail
            .contains("not the RTMR0 of --lock")
    );
}
