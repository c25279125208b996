//! An image that the user names by its files, by its hash or by its name, and what its guest shows of it.

use cvm_verify_core::policy::{MeasuredFiles, OsImagePolicy, PublishedImage};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{AcceptedKind, CheckId, Status, Verdict};
use cvm_verify_core::verify::{ImageFiles, Initrd, MeasuredImage};
use sha2::{Digest as _, Sha256, Sha384};
use simulator::{Cvm, Event, Qemu, World};

use crate::event_log::position;
use crate::judge::{Judged, Trial};
use crate::measurement_document::{SHAPE, config, honest, image, judge};

/// The files of the image that [`booted`] boots.
fn measured() -> MeasuredImage {
    const INITRD: &[u8] = include_bytes!("../../fixtures/os-image/initramfs.cpio.gz");
    MeasuredImage::measure(&ImageFiles {
        checksum_file: include_bytes!("../../fixtures/os-image/sha256sum.txt"),
        digest: include_bytes!("../../fixtures/os-image/digest.txt"),
        metadata: include_bytes!("../../fixtures/os-image/metadata.json"),
        firmware: include_bytes!("../../fixtures/os-image/ovmf.fd"),
        kernel: include_bytes!("../../fixtures/os-image/bzImage"),
        initrd: Initrd {
            sha256: Sha256::digest(INITRD).into(),
            sha384: Sha384::digest(INITRD).into(),
            size: INITRD.len() as u64,
        },
    })
    .unwrap()
}

/// A VM that boots these files.
fn booted() -> Trial {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.boot.files = Some(simulator::ImageFiles { qemu: Qemu::V10_2 });
    Trial::of(cvm)
}

/// Judged by files that the user gave; with the shape of the VM in the table, or without.
fn by_files(mut trial: Trial, image: MeasuredImage, until: Option<u64>, is_listed: bool) -> Judged {
    if is_listed {
        let rtmr0 = hex::encode(trial.cvm.td_report([0; 64]).rtmr[0]);
        let rows = format!("updated = \"2026-11-25\"\n{}", SHAPE.replace("SHAPE", &rtmr0));
        let reference = ReferenceValues::built_in().with_built_in_rows(&rows);
        trial.policy.reference = reference.unwrap().into();
    }
    let files = MeasuredFiles {
        image,
        path: "image".to_owned(),
    };
    let mut named = PublishedImage::of_files(files, &trial.policy.reference);
    named.vulnerable_until = until;
    trial.policy.os_image = OsImagePolicy::Published(named);
    trial.judge()
}

/// RTMR1 of a kernel whose header QEMU edits depends on the memory of the VM: it alone is left open, and only where all other
/// registers are those of the files.
#[test]
fn t30_one_register_that_files_do_not_determine_is_left_open_and_any_other_fails() {
    let [mrtd, rtmr1, rtmr2] = [[9; 48], [1; 48], [2; 48]];
    let image = measured();
    let mut normalized = image.clone();
    normalized.rtmr1.patched = None;
    let [single, plain, command] = [image.mrtd.single_pass, image.rtmr1.plain, image.rtmr2];
    let (open, fail) = (
        (Status::Error, "not-computable"),
        (Status::Fail, "register-mismatch"),
    );
    for (what, files, [of_td, first, second], (status, reason), says, values) in [
        (
            "RTMR1",
            &image,
            [None, Some(rtmr1), None],
            open,
            "MRTD and RTMR2 are those of the files in image;",
            (plain, rtmr1),
        ),
        (
            "RTMR1, normalized",
            &normalized,
            [None, Some(rtmr1), None],
            fail,
            "RTMR1 is not that",
            (plain, rtmr1),
        ),
        (
            "RTMR2",
            &image,
            [None, None, Some(rtmr2)],
            fail,
            "RTMR2 is not that",
            (command, rtmr2),
        ),
        (
            "RTMR1 and RTMR2",
            &image,
            [None, Some(rtmr1), Some(rtmr2)],
            fail,
            "RTMR2 is not that",
            (command, rtmr2),
        ),
        (
            "MRTD",
            &image,
            [Some(mrtd), None, None],
            fail,
            "MRTD is not that",
            (single, mrtd),
        ),
        (
            "all",
            &image,
            [Some(mrtd), Some(rtmr1), Some(rtmr2)],
            fail,
            "MRTD is not that",
            (single, mrtd),
        ),
    ] {
        let trial = booted().with(|trial| {
            trial.cvm.forced.mr_td = of_td;
            trial.cvm.forced.rtmr = [None, first, second, None];
        });
        let judged = by_files(trial, files.clone(), None, true);
        judged
            .says(CheckId::OsImage, status, reason)
            .detail_says(CheckId::OsImage, says);
        let check = judged.check(CheckId::OsImage);
        let found = (check.expected.as_deref(), check.actual.as_deref());
        let (expected, actual) = (hex::encode(values.0), hex::encode(values.1));
        assert_eq!(found, (Some(expected.as_str()), Some(actual.as_str())), "{what}");
    }
}

/// T33 and T34: neither files of a development image nor an end date make a shape known, and none hides a vulnerability.
#[test]
fn t34_files_of_a_vulnerable_development_image_fail_without_a_date_and_need_a_known_shape_with_one() {
    use AcceptedKind::{DevelopmentImage, VulnerableImage};
    let until = Some(World::default().now + 365 * 86_400);
    let (fail, warn) = (Status::Fail, Status::Warn);
    for (is_development, until, is_listed, status, reason, accepted) in [
        (true, None, false, fail, "vulnerable-image", vec![]),
        (true, None, true, fail, "vulnerable-image", vec![]),
        (true, until, false, warn, "acpi-unverified", vec![]),
        (
            true,
            until,
            true,
            warn,
            "vulnerable-image",
            vec![VulnerableImage, DevelopmentImage],
        ),
        (false, None, false, fail, "vulnerable-image", vec![]),
        (false, None, true, fail, "vulnerable-image", vec![]),
        (false, until, false, warn, "acpi-unverified", vec![]),
        (
            false,
            until,
            true,
            warn,
            "vulnerable-image",
            vec![VulnerableImage],
        ),
    ] {
        let mut image = measured();
        (image.is_development, image.version) = (is_development, "0.6.0".to_owned());
        let judged = by_files(booted(), image, until, is_listed);
        judged.says(CheckId::OsImage, status, reason);
        let found: Vec<AcceptedKind> = judged.0.accepted.iter().map(|one| one.what).collect();
        assert_eq!(found, accepted, "{judged}");
    }
}

/// A boot event that this version does not know is a warning where the OS image is proven: by itself, with a harmless warning, or
/// accepted in writing.
#[test]
fn t10_an_os_image_counts_as_proven_where_its_check_leaves_nothing_open() {
    let development = image("dstack-dev-0.9.0", "0.9.0", "development");
    let production = image("dstack-0.9.0", "0.9.0", "production");
    for (named, rows, status, reason, is_proven) in [
        ("known", production.as_str(), Status::Pass, None, true),
        ("HASH", SHAPE, Status::Warn, Some("published-hash"), true),
        (
            "HASH",
            &development,
            Status::Warn,
            Some("development-image"),
            true,
        ),
        ("HASH", "", Status::Warn, Some("acpi-unverified"), false),
        ("known", SHAPE, Status::Skip, Some("no-reference"), false),
        ("unchecked", SHAPE, Status::Skip, Some("unchecked"), false),
    ] {
        let judged = judge(named, rows, |cvm| {
            cvm.edit_log_before_quote(|log| {
                let at = position(log, "boot-mr-done");
                log.insert(at, Event::runtime("from-the-future", b"x"));
            });
        });
        let check = judged.check(CheckId::OsImage);
        assert_eq!(
            (check.status, check.reason.as_deref()),
            (status, reason),
            "{named}: {judged}"
        );
        let order = match is_proven {
            true => Status::Warn,
            false => Status::Error,
        };
        judged.says(CheckId::BootOrder, order, "unknown-event");
    }
}

/// The guests of an older release show no document: its files are measured instead.
#[test]
fn where_no_document_is_shown_the_advice_is_by_whether_the_guests_of_the_release_show_one() {
    let without = || {
        config(|config| {
            drop(config.as_object_mut().unwrap().remove("tdx_measurement"));
        })
    };
    let advice = "Its guests show no such document. Measure its published files: download https://github.com/Dstack-TEE/meta-dstack/\
                  releases/download/v0.5.14/dstack-0.5.14.tar.gz, run `cvm-verify os-image dstack-0.5.14.tar.gz`, and give it to the \
                  run with --os-image-files, or pin the image: `cvm-verify pin URL --os-image-files dstack-0.5.14.tar.gz`.";
    for (version, advises) in [("0.5.14", true), ("0.9.0", false)] {
        let row = image(&format!("dstack-{version}"), version, "production");
        let judged = judge("HASH", &row, without());
        judged.leaves_open(CheckId::OsImage, "no-document");
        let fix = judged.check(CheckId::OsImage).fix.as_deref().unwrap();
        match advises {
            true => assert_eq!(fix, advice, "{version}"),
            false => assert!(!fix.contains("show no such document"), "{version}: {fix}"),
        }
    }
}

/// The document says that the named image booted. That RTMR0 cannot be computed makes it no other image.
#[test]
fn an_image_whose_document_is_right_is_not_accused_by_registers_of_its_row() {
    // The registers of a row as one version of QEMU gives them, and not as this host's does.
    let rows = format!(
        "{}firmware = \"dstack-0.5\"\nrtmr1 = \"{1}\"\nrtmr2 = \"{1}\"\n",
        image("dstack-0.9.0", "0.9.0", "production").replace(SHAPE, ""),
        "5a".repeat(48)
    );
    let unknown_memory = || config(|config| config["memory_size"] = (3_u64 << 29).into());
    judge("HASH", &rows, unknown_memory()).leaves_open(CheckId::OsImage, "not-computable");
    judge("HASH", &format!("{rows}{SHAPE}"), unknown_memory()).proves(CheckId::OsImage);
    judge("HASH", &rows, honest)
        .says(CheckId::OsImage, Status::Warn, "acpi-unverified")
        .concludes(Verdict::Inconclusive);
}
