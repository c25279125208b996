//! The OS image by its published hash: T32, and what a measurement document can and cannot do.

mod development_and_holes;
mod wrong_documents;

use cvm_verify_core::policy::{LockedShape, OsImageOption, parse_os_image_of};
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

/// RTMR0 of a lock.
pub fn locked_shape(rtmr0: [u8; 48]) -> Option<LockedShape> {
    Some(LockedShape {
        rtmr0: expected("--lock", rtmr0),
        acpi_change: None,
    })
}

/// A lock's RTMR0 that was accepted as a change of the ACPI tables is named, whoever names the image.
#[test]
fn t33_an_accepted_change_of_the_acpi_tables_is_named_where_the_image_is_named_by_its_hash() {
    for (rows, accepted) in [("", vec![AcceptedKind::AcpiChange]), (SHAPE, vec![])] {
        let mut trial = Trial::of(Cvm::lite(&World::default()));
        let rtmr0 = registers(&trial.cvm).rtmr[0];
        if !rows.is_empty() {
            let rows = rows.replace("SHAPE", &hex::encode(rtmr0));
            let built_in = ReferenceValues::built_in();
            let reference = built_in.with_built_in_rows(&format!("updated = \"2026-11-25\"\n{rows}"));
            trial.policy.reference = reference.unwrap().into();
        }
        trial.policy.os_image = os_image(&hash(&trial.cvm));
        trial.policy.locked_shape = Some(LockedShape {
            rtmr0: expected("--lock", rtmr0),
            acpi_change: Some("The host was upgraded.".to_owned()),
        });
        let judged = trial.judge();
        judged
            .says(CheckId::OsImage, Status::Warn, "published-hash")
            .passes();
        let found: Vec<AcceptedKind> = judged.0.accepted.iter().map(|one| one.what).collect();
        assert_eq!(found, accepted, "{judged}");
        let assurance = match accepted.is_empty() {
            true => Assurance::CODE,
            false => Assurance::Hardware,
        };
        assert_eq!(judged.0.assurance, assurance);
    }
}

/// RTMR0 that a lock holds serves an image that is named in another way; another RTMR0 does not.
#[test]
fn t33_a_locked_rtmr0_is_good_for_an_image_that_is_named_by_its_hash() {
    let mut trial = Trial::of(Cvm::lite(&World::default()));
    let locked = trial.cvm.td_report([0; 64]).rtmr[0];
    trial.policy.os_image = os_image(&hash(&trial.cvm));
    trial.policy.locked_shape = locked_shape(locked);
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
    trial.policy.locked_shape = locked_shape([7; 48]);
    trial
        .judge()
        .says(CheckId::OsImage, Status::Error, "not-computable");
    trial.cvm.vm_config_edits.clear();
    trial.policy.locked_shape = locked_shape(locked);
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
