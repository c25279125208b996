//! `os-image`, `--os-image-files` and `pin`, on the synthetic image that the simulator boots.

use std::path::{Path, PathBuf};

use cvm_verify_core::report::CheckId::OsImage;
use cvm_verify_core::report::Status::*;
use cvm_verify_core::report::{AcceptedKind, Assurance};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use simulator::{Cvm, ImageFiles, Qemu, World};

use super::deployment::Deployment;
use super::run::{Ran, run};

pub(super) fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/os-image")
}

/// A copy of the image's files with a change.
fn files(change: impl FnOnce(&Path)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixture()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    change(folder.path());
    folder
}

fn measured(path: &Path, more: &[&str]) -> Ran {
    let path = path.display().to_string();
    let args: Vec<&str> = ["os-image", path.as_str()]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    run(&args)
}

fn json() -> Value {
    serde_json::from_str(&measured(&fixture(), &["--format=json"]).stdout).unwrap()
}

/// A VM that boots the image's files, and its shape in a file of reference values.
pub(super) fn booted(qemu: Qemu) -> Deployment {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.boot.files = Some(ImageFiles { qemu });
    of(cvm)
}

fn of(cvm: Cvm) -> Deployment {
    let rtmr0 = hex::encode(cvm.td_report([0; 64]).rtmr[0]);
    let deployment = Deployment::of(cvm);
    std::fs::write(
        deployment.path("shape.toml"),
        format!(
            "updated = \"2026-10-01\"\n[[rtmr0]]\nvalue = \"{rtmr0}\"\nshape = \"a simulated shape\"\nsource = \"the simulator\"\n\
             date = \"2026-10-01\"\n"
        ),
    )
    .unwrap();
    deployment
}

fn shape(deployment: &Deployment) -> String {
    format!("--reference-values={}", deployment.path("shape.toml"))
}

pub(super) fn with_lock(deployment: &Deployment, more: &[&str]) -> Ran {
    deployment.verify_with(&[format!("--lock={}", deployment.path("cvm.lock"))], more)
}

pub(super) fn lock_text(deployment: &Deployment) -> String {
    std::fs::read_to_string(deployment.path("cvm.lock")).unwrap()
}

/// What the user expects of the deployment beside its image.
fn but_for_image(deployment: &Deployment) -> Vec<String> {
    let expect = deployment.expect().iter();
    expect
        .filter(|option| !option.starts_with("--os-image"))
        .cloned()
        .collect()
}

#[test]
fn the_registers_are_those_that_another_implementation_computes() {
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(fixture().join("expected.json")).unwrap()).unwrap();
    let measured_json = json();
    for key in ["os_image_hash", "mrtd", "rtmr1", "rtmr2"] {
        assert_eq!(measured_json[key], expected[key], "{key}");
    }
    assert_eq!(measured_json["known_as"], Value::Null);
    let text = measured(&fixture(), &[]);
    assert_eq!(text.code, 0, "{text:?}");
    for value in [
        &expected["os_image_hash"],
        &expected["mrtd"]["single_pass"],
        &expected["mrtd"]["two_pass"],
        &expected["rtmr1"]["plain"],
        &expected["rtmr1"]["patched"],
        &expected["rtmr2"],
    ] {
        assert!(text.stdout.contains(value.as_str().unwrap()), "{value}");
    }
}

#[test]
fn files_that_contradict_each_other_fail_and_files_that_cannot_be_read_are_a_usage_error() {
    for file in [
        "ovmf.fd",
        "bzImage",
        "initramfs.cpio.gz",
        "metadata.json",
        "sha256sum.txt",
        "digest.txt",
    ] {
        let changed = files(|folder| std::fs::write(folder.join(file), "another text\n").unwrap());
        let ran = measured(changed.path(), &[]);
        assert_eq!(ran.code, 1, "{file}: {ran:?}");
        assert!(
            ran.stderr.contains(file) && ran.stderr.contains("Nothing was measured"),
            "{ran:?}"
        );
        let missing = files(|folder| std::fs::remove_file(folder.join(file)).unwrap());
        measured(missing.path(), &[]).assert_usage_error(&format!("{file} is not among the files"));
    }
    measured(Path::new("nowhere.tar.gz"), &[]).assert_usage_error("nowhere.tar.gz");
    let other = measured(&fixture().join("bzImage"), &[]);
    other.assert_usage_error("bzImage: it is not a TAR archive, plain or compressed with gzip");
    assert_eq!(other.stderr.lines().count(), 1, "{other:?}");
}

#[test]
fn the_printed_row_makes_the_image_known_once_somebody_says_that_it_is_a_release() {
    let row = json()["reference_row"].as_str().unwrap().to_owned();
    assert!(row.contains("class = \"observed\""), "{row}");
    for qemu in [Qemu::V8, Qemu::V9, Qemu::V10_2] {
        let deployment = booted(qemu);
        let shape = std::fs::read_to_string(deployment.path("shape.toml")).unwrap();
        let shape = shape.split_once('\n').unwrap().1;
        for (class, status, reason) in [
            ("observed", Skip, Some("no-reference")),
            ("production", Pass, None),
        ] {
            let row = row.replace("class = \"observed\"", &format!("class = \"{class}\""));
            std::fs::write(deployment.path("rows.toml"), format!("{row}\n{shape}")).unwrap();
            let rows = format!("--reference-values={}", deployment.path("rows.toml"));
            let ran = deployment.verify_with(&but_for_image(&deployment), &[&rows]);
            ran.assert(OsImage, status, reason);
        }
    }
}

/// A row that the reader refuses is not offered: registers of a listed image are neither replaced nor completed.
#[test]
fn no_row_is_printed_of_an_image_that_is_listed_with_other_registers() {
    let measured_json = json();
    let row = measured_json["reference_row"].as_str().unwrap();
    let rtmr2 = measured_json["rtmr2"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let rows = folder.path().join("rows.toml");
    std::fs::write(&rows, row.replace(rtmr2, &"11".repeat(48))).unwrap();
    let listed = format!("--reference-values={}", rows.display());
    let ran = measured(&fixture(), &[&listed]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.stdout.contains("[[image]]"), "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("verify with --os-image-files PATH, or pin the image"),
        "{}",
        ran.stdout
    );
    let ran = measured(&fixture(), &[&listed, "--format=json"]);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["reference_row"], Value::Null);
}

#[test]
fn files_in_a_run_are_measured_and_must_be_those_that_booted() {
    let option = format!("--os-image-files={}", fixture().display());
    let hash = json()["os_image_hash"].as_str().unwrap().to_owned();
    for qemu in [Qemu::V8, Qemu::V9, Qemu::V10_2] {
        let deployment = booted(qemu);
        let expect = but_for_image(&deployment);
        let without_shape = deployment.verify_with(&expect, &[&option]);
        without_shape.assert(OsImage, Warn, Some("acpi-unverified"));
        assert_eq!(without_shape.code, 3, "{qemu:?}");
        for more in [
            vec![option.clone()],
            vec![option.clone(), format!("--os-image={hash}")],
        ] {
            let mut args: Vec<&str> = more.iter().map(String::as_str).collect();
            let shape = shape(&deployment);
            args.push(&shape);
            let ran = deployment.verify_with(&expect, &args);
            ran.assert(OsImage, Warn, Some("published-hash"));
            assert_eq!(ran.code, 0, "{ran:?}");
            // The shape is a row of the user's own file.
            let target = &ran.report().targets[0];
            let accepted: Vec<AcceptedKind> = target.accepted.iter().map(|one| one.what).collect();
            assert_eq!(accepted, [AcceptedKind::ReferenceValues]);
            assert_eq!(target.assurance, Assurance::Hardware);
        }
    }
    // Another image booted.
    let other = Deployment::healthy();
    let ran = other.verify_with(&but_for_image(&other), &[&option]);
    ran.assert(OsImage, Fail, Some("register-mismatch"));
    assert!(
        ran.check(OsImage).detail.starts_with("MRTD"),
        "{:?}",
        ran.check(OsImage)
    );
}

/// The files of the booted image with another metadata file. Its registers are the same.
pub(super) fn files_whose_metadata(says: impl FnOnce(&mut Value)) -> tempfile::TempDir {
    files(|folder| {
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        let sha256 = |text: &str| hex::encode(Sha256::digest(text));
        let before = read("metadata.json");
        let mut metadata: Value = serde_json::from_str(&before).unwrap();
        says(&mut metadata);
        let after = metadata.to_string();
        let sums = read("sha256sum.txt").replace(&sha256(&before), &sha256(&after));
        write("metadata.json", &after);
        write("sha256sum.txt", &sums);
        write("digest.txt", &sha256(&sums));
    })
}

/// T34: dstack 0.5.2 is in no row, and its files say which version it is.
#[test]
fn t34_a_version_that_only_its_files_say_has_its_vulnerabilities() {
    let folder = files_whose_metadata(|metadata| metadata["version"] = "0.5.2".into());
    let option = format!("--os-image-files={}", folder.path().display());
    let deployment = booted(Qemu::V10_2);
    let shape = shape(&deployment);
    let ran = deployment.verify_with(&but_for_image(&deployment), &[&option, &shape]);
    ran.assert(OsImage, Fail, Some("vulnerable-image"));
    let check = ran.check(OsImage);
    assert!(check.detail.contains("CVE-2025-59054"), "{check:?}");
    assert!(check.fix.as_ref().unwrap().contains("dstack 0.5.13"), "{check:?}");

    let refused = deployment.pin(&[&option]);
    assert_eq!(refused.code, 1, "{refused:?}");
    refused.assert_stderr("vulnerable-image");
    let pinned = deployment.pin(&[&option, "--accept=vulnerable-image"]);
    assert_eq!(pinned.code, 0, "{pinned:?}");
    let lock = lock_text(&deployment);
    assert!(
        lock.contains(" 0.5.2\"") && lock.contains("vulnerable_until = "),
        "{lock}"
    );
    // A run without the files judges the version that the lock says.
    let ran = with_lock(&deployment, &[]);
    ran.assert(OsImage, Warn, Some("vulnerable-image"));
    assert_eq!(
        ran.report().targets[0].accepted[0].what,
        AcceptedKind::VulnerableImage
    );
    // So does a pin without them, which keeps the date.
    let again = deployment.pin(&[]);
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(lock_text(&deployment), lock);
    let is_of_it = |line: &&str| line.starts_with("vulnerable") || *line == "[accepted]";
    let without: Vec<&str> = lock.lines().filter(|line| !is_of_it(line)).collect();
    std::fs::write(
        deployment.path("cvm.lock"),
        without.join(
            "
",
        ),
    )
    .unwrap();
    with_lock(&deployment, &[]).assert(OsImage, Fail, Some("vulnerable-image"));

    // Files that name no version leave it open.
    let folder = files_whose_metadata(|metadata| metadata["version"] = "custom build".into());
    let option = format!("--os-image-files={}", folder.path().display());
    let ran = deployment.verify_with(&but_for_image(&deployment), &[&option, &shape]);
    ran.assert(OsImage, Warn, Some("published-hash"));
    assert!(
        ran.check(OsImage).detail.contains("Its version is not known"),
        "{ran:?}"
    );
}

#[test]
fn files_of_a_development_image_are_accepted_in_writing_and_the_lock_says_so() {
    let folder = files_whose_metadata(|metadata| metadata["is_dev"] = true.into());
    let option = format!("--os-image-files={}", folder.path().display());
    let deployment = booted(Qemu::V10_2);
    let ran = deployment.verify_with(&but_for_image(&deployment), &[&option, &shape(&deployment)]);
    ran.assert(OsImage, Warn, Some("development-image"));
    let target = &ran.report().targets[0];
    assert_eq!(target.accepted[0].what, AcceptedKind::DevelopmentImage, "{ran:?}");
    assert_eq!(target.assurance, Assurance::Hardware);

    let refused = deployment.pin(&[&option]);
    assert_eq!(refused.code, 1, "{refused:?}");
    refused.assert_stderr("development-image");
    let pinned = deployment.pin(&[&option, "--accept=development-image"]);
    assert_eq!(pinned.code, 0, "{pinned:?}");
    assert!(lock_text(&deployment).contains("known_by = \"development-files "));
    let ran = with_lock(&deployment, &[]);
    ran.assert(OsImage, Warn, Some("development-image"));
    assert_eq!(ran.report().targets[0].assurance, Assurance::Hardware);
    // Without the line nobody accepts it.
    let lock = lock_text(&deployment);
    let others = lock
        .lines()
        .filter(|line| !line.starts_with("development-image = ") && *line != "[accepted]");
    let others: Vec<&str> = others.collect();
    std::fs::write(deployment.path("cvm.lock"), others.join("\n")).unwrap();
    with_lock(&deployment, &[]).assert(OsImage, Fail, Some("development-image"));

    let entry = measured(folder.path(), &[]);
    entry.assert_stdout("known_by = \"development-files ");
}

#[test]
fn files_and_another_expectation_are_a_usage_error() {
    let deployment = booted(Qemu::V9);
    let option = format!("--os-image-files={}", fixture().display());
    let expect = but_for_image(&deployment);
    for (image, says) in [
        ("known", "leave `os-image` out"),
        ("unchecked", "leave `os-image` out"),
        ("dstack-0.5.8", "are those of the image"),
        (&"ab".repeat(32), "are those of the image"),
    ] {
        let ran = deployment.verify_with(&expect, &[&option, &format!("--os-image={image}")]);
        assert_eq!(ran.code, 2, "{image}: {ran:?}");
        assert!(ran.stderr.contains(says), "{image}: {}", ran.stderr);
    }
    let ran = deployment.verify_with(&expect, &["--os-image-files=nowhere"]);
    assert_eq!(ran.code, 2);
    ran.assert_stderr("nowhere");
}

#[test]
fn pin_completes_the_entry_of_a_lock_that_was_made_from_files() {
    for (qemu, entry) in [(Qemu::V10_2, 0), (Qemu::V9, 1), (Qemu::V8, 2)] {
        let deployment = booted(qemu);
        let entry = json()["lock_entries"][entry]["entry"]
            .as_str()
            .unwrap()
            .to_owned();
        let start = format!("schema = \"cvm-verify/lock/v1\"\n\n{entry}");
        std::fs::write(deployment.path("cvm.lock"), &start).unwrap();
        let expect = but_for_image(&deployment);
        let lock = format!("--lock={}", deployment.path("cvm.lock"));
        // Without RTMR0 it says which image, and not which ACPI tables.
        let ran = deployment.verify_with(&expect, &[&lock]);
        ran.assert(OsImage, Warn, Some("acpi-unverified"));
        assert!(
            ran.check(OsImage)
                .fix
                .unwrap()
                .contains("does not hold RTMR0 yet")
        );
        deployment
            .verify_with(&expect, &[&lock, &shape(&deployment)])
            .assert(OsImage, Pass, None);
        let pinned = deployment.pin(&[]);
        assert_eq!(pinned.code, 0, "{qemu:?}: {pinned:?}");
        pinned.assert_stdout("os_image.rtmr0");
        let text = lock_text(&deployment);
        assert!(
            text.contains("rtmr0 = ") && text.contains("known_by = \"files "),
            "{text}"
        );
        let ran = with_lock(&deployment, &[]);
        ran.assert(OsImage, Pass, None);
        // The hash of the files is the lock's word until this run has the files.
        assert_eq!(ran.report().targets[0].assurance, Assurance::Hardware, "{ran:?}");
    }
    // The entry of another QEMU is another image's as far as anybody knows.
    let deployment = booted(Qemu::V8);
    let entry = json()["lock_entries"][0]["entry"].as_str().unwrap().to_owned();
    std::fs::write(
        deployment.path("cvm.lock"),
        format!("schema = \"cvm-verify/lock/v1\"\n\n{entry}"),
    )
    .unwrap();
    with_lock(&deployment, &[]).assert(OsImage, Fail, Some("register-mismatch"));
}

#[test]
fn pin_knows_an_image_by_its_files_or_its_named_hash_and_by_no_document_of_its_own() {
    let option = format!("--os-image-files={}", fixture().display());
    let deployment = booted(Qemu::V10_2);
    let pinned = deployment.pin(&[&option]);
    assert_eq!(pinned.code, 0, "{pinned:?}");
    with_lock(&deployment, &[]).assert(OsImage, Pass, None);

    let today = of(Cvm::released_today(&World::default()));
    let hash = hex::encode(Cvm::released_today(&World::default()).boot.os_image_hash());
    // Whoever made the image can make a document of it.
    let unnamed = today.pin(&[]);
    assert_eq!(unnamed.code, 1, "{unnamed:?}");
    unnamed.assert_stderr("unknown-image");
    let named = today.pin(&[&format!("--os-image={hash}")]);
    assert_eq!(named.code, 0, "{named:?}");
    assert!(lock_text(&today).contains(&format!("known_by = \"published-hash {hash}\"")));
    let ran = with_lock(&today, &[]);
    ran.assert(OsImage, Pass, None);
    assert_eq!(ran.report().targets[0].assurance, Assurance::CODE);
    assert!(ran.report().targets[0].accepted.is_empty());

    // Named as another image, by hash or by files, nothing is pinned.
    for more in [format!("--os-image={}", "ab".repeat(32)), option] {
        let other = Deployment::healthy();
        let ran = other.pin(&[&more]);
        assert_eq!(ran.code, 1, "{more}: {ran:?}");
        ran.assert_stderr("nothing shows that the VM runs the named OS image");
    }
    today.pin(&["--os-image=known"]).assert_usage_error("--accept");
}

/// 0.5.16 is known by its hash alone; its guests show no document.
#[test]
fn a_release_without_a_document_is_told_how_to_be_measured() {
    let archive = "https://github.com/Dstack-TEE/meta-dstack/releases/download/v0.5.16/dstack-0.5.16.tar.gz";
    let deployment = Deployment::healthy();
    let ran = deployment.verify_with(&but_for_image(&deployment), &["--os-image=dstack-0.5.16"]);
    ran.assert(OsImage, Error, Some("no-document"));
    let fix = ran.check(OsImage).fix.unwrap();
    assert!(
        fix.contains(archive) && fix.contains("cvm-verify os-image dstack-0.5.16.tar.gz"),
        "{fix}"
    );
    // With nothing named, the host's word picks the advice, and nothing else.
    let mut cvm = Cvm::healthy(&World::default());
    cvm.vm_config_edits.push(std::sync::Arc::new(|config| {
        config["os_image_hash"] = "f8b445756ada74ee11c01adde02064e846d718ee2c59f3ebaa741c9aa4369cc7".into();
    }));
    let deployment = Deployment::of(cvm);
    let ran = deployment.verify_with(&but_for_image(&deployment), &[]);
    ran.assert(OsImage, Skip, Some("no-reference"));
    let fix = ran.check(OsImage).fix.unwrap();
    assert!(
        fix.contains(archive) && fix.contains("proves nothing by itself"),
        "{fix}"
    );
}
