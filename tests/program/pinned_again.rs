//! `pin` over a lock that is there: what a run finds takes the place of what the lock said, and nothing is accepted that nobody accepted.

use cvm_verify_core::report::CheckId::OsImage;
use cvm_verify_core::report::Status::*;
use simulator::Qemu;

use super::deployment::Deployment;
use super::os_image::{booted, files_whose_metadata, fixture, lock_text, with_lock};

/// The lock with another `known_by`, and without `[accepted]` and `vulnerable_until`.
fn rewrite(deployment: &Deployment, known_by: &str) {
    let of_lock = |line: &str| match line.starts_with("known_by = ") {
        true => format!("known_by = \"{known_by}\"\n"),
        false => format!("{line}\n"),
    };
    let is_kept = |line: &&str| {
        let accepts = [
            "[accepted]",
            "vulnerable",
            "development-image =",
            "unknown-image =",
        ];
        !accepts.iter().any(|start| line.starts_with(start))
    };
    let text: String = lock_text(deployment)
        .lines()
        .filter(is_kept)
        .map(of_lock)
        .collect();
    std::fs::write(deployment.path("cvm.lock"), text).unwrap();
}

fn hash_of(folder: &std::path::Path) -> String {
    let text = std::fs::read_to_string(folder.join("digest.txt")).unwrap();
    text.trim().to_owned()
}

/// T34: the version and the kind of an image, which its files say, are not lost in what an older lock says of the same image.
#[test]
fn t34_what_the_files_of_this_run_say_takes_the_place_of_an_older_known_by() {
    let old = files_whose_metadata(|metadata| metadata["version"] = "0.5.2".into());
    let development = files_whose_metadata(|metadata| metadata["is_dev"] = true.into());
    for (folder, name, known_by) in [
        (old.path(), "vulnerable-image", "files"),
        (development.path(), "development-image", "development-files"),
    ] {
        let deployment = booted(Qemu::V10_2);
        let files = format!("--os-image-files={}", folder.display());
        let hash = hash_of(folder);
        let accept = format!("--accept={name}");
        assert_eq!(deployment.pin(&[&files, &accept]).code, 0);
        let whole = lock_text(&deployment);
        for before in ["files", "published-hash"] {
            rewrite(&deployment, &format!("{before} {hash}"));
            let refused = deployment.pin(&[&files]);
            assert_eq!(refused.code, 1, "{before}: {refused:?}");
            refused.assert_stderr(&format!("--accept {name} "));
            assert_eq!(deployment.pin(&[&files, &accept]).code, 0);
            assert_eq!(lock_text(&deployment), whole, "{before}");
            let ran = with_lock(&deployment, &[]);
            ran.assert(OsImage, Warn, Some(name));
            // A pin that knows nothing of the image keeps it.
            assert_eq!(deployment.pin(&[]).code, 0);
            assert_eq!(lock_text(&deployment), whole, "{before}");
        }
        assert!(
            whole.contains(&format!("known_by = \"{known_by} {hash}")),
            "{whole}"
        );
    }
}

#[test]
fn another_hash_for_the_same_registers_is_accepted_by_name() {
    let deployment = booted(Qemu::V10_2);
    let files = format!("--os-image-files={}", fixture().display());
    assert_eq!(deployment.pin(&[&files]).code, 0);
    let other = files_whose_metadata(|metadata| metadata["version"] = "custom build".into());
    let others = format!("--os-image-files={}", other.path().display());
    let refused = deployment.pin(&[&others]);
    assert_eq!(refused.code, 1, "{refused:?}");
    refused.assert_stderr("--accept image-hash ");
    refused.assert_stderr(&hash_of(other.path()));
    let accepted = deployment.pin(&[&others, "--accept=image-hash"]);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    let lock = lock_text(&deployment);
    assert!(
        lock.contains("\nimage-hash = \"The lock said that the image"),
        "{lock}"
    );
    assert!(
        lock.contains(&format!("known_by = \"files {}", hash_of(other.path()))),
        "{lock}"
    );
    // It stays written down as long as the hash does.
    let again = deployment.pin(&[&others]);
    again.assert_stdout("Nothing was written");
}

/// The sentence of another vulnerability, or none, accepts nothing that is known today.
#[test]
fn t34_a_vulnerability_that_the_lock_does_not_name_is_not_accepted_by_it() {
    let folder = files_whose_metadata(|metadata| metadata["version"] = "0.5.2".into());
    let files = format!("--os-image-files={}", folder.path().display());
    let deployment = booted(Qemu::V10_2);
    assert_eq!(deployment.pin(&[&files, "--accept=vulnerable-image"]).code, 0);
    let whole = lock_text(&deployment);
    let other = whole.replace("CVE-2025-59054", "CVE-0000-00001");
    std::fs::write(deployment.path("cvm.lock"), &other).unwrap();
    let ran = with_lock(&deployment, &[]);
    ran.assert(OsImage, Fail, Some("vulnerable-image"));
    let check = ran.check(OsImage);
    assert!(
        check
            .detail
            .contains("does not name CVE-2025-59054: what became known"),
        "{check:?}"
    );
    let fix = check.fix.unwrap();
    assert!(
        fix.contains("`cvm-verify pin http") && fix.contains(" --accept vulnerable-image`"),
        "{fix}"
    );
    for files in [&[][..], &[files.as_str()]] {
        let refused = deployment.pin(files);
        assert_eq!(refused.code, 1, "{refused:?}");
        refused.assert_stderr("--accept vulnerable-image ");
    }
    assert_eq!(lock_text(&deployment), other);
    let accepted = deployment.pin(&["--accept=vulnerable-image"]);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    let renewed = lock_text(&deployment);
    assert!(
        renewed.contains(" has a published vulnerability: CVE-2025-59054."),
        "{renewed}"
    );
    with_lock(&deployment, &[]).assert(OsImage, Warn, Some("vulnerable-image"));
    // Somebody who wrote the day alone accepts whatever is known until then; a pin asks for what it writes down.
    let sentence = |line: &&str| line.starts_with("vulnerable-image =") || *line == "[accepted]";
    let day_alone: Vec<&str> = whole.lines().filter(|line| !sentence(line)).collect();
    std::fs::write(deployment.path("cvm.lock"), day_alone.join("\n")).unwrap();
    with_lock(&deployment, &[]).assert(OsImage, Warn, Some("vulnerable-image"));
    deployment.pin(&[]).assert_stderr("--accept vulnerable-image ");
}
