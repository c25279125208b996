//! Odd surroundings: a terminal that is narrow or dumb, a full disk, a reader that goes away, no home, a folder that cannot be
//! written, another locale. The program says what is wrong, or does its work; it never panics.

#![cfg(unix)]

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use super::run::run_in;

const BUNDLE: &str = "fixtures/simulated/healthy.evidence.json";

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cvm-verify"));
    command.env_clear();
    command
}

fn text(width: &str, term: &str) -> String {
    let args = ["replay", BUNDLE];
    let env = [("COLUMNS", width), ("TERM", term)];
    run_in(&args, &env, |env| env.stdout_is_terminal = true).stdout
}

#[test]
fn text_is_as_wide_as_the_terminal_within_what_reads_well() {
    let widest = |text: &str| {
        let longest = text
            .lines()
            .filter(|line| !line.split(' ').any(|word| word.chars().count() > 40))
            .map(|line| line.chars().count());
        longest.max().unwrap_or_default()
    };
    let (narrow, wide) = (text("60", "dumb"), text("300", "dumb"));
    assert!(widest(&narrow) <= 60, "{narrow}");
    assert!(widest(&wide) > 60 && widest(&wide) <= 120, "{wide}");
    assert_eq!(text("10", "dumb"), narrow, "narrower than 60 is 60");
    let log = run_in(&["replay", BUNDLE], &[("COLUMNS", "60")], |_| {}).stdout;
    assert!(widest(&log) > 60, "a log has no width of its own");
}

#[test]
fn a_dumb_terminal_gets_no_control_sequences() {
    assert!(!text("80", "dumb").contains('\u{1b}'));
    assert!(text("80", "xterm").contains('\u{1b}'));
}

#[test]
fn a_full_disk_is_said_and_ends_with_the_verdicts_own_code() {
    use std::os::unix::fs::FileTypeExt as _;
    let is_device = || {
        let there = std::fs::metadata("/dev/full").unwrap();
        there.file_type().is_char_device()
    };
    assert!(is_device());
    let output = program()
        .args(["replay", BUNDLE, "--report-json", "/dev/full"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(is_device(), "a device is never replaced by a file");
    assert!(said.contains("/dev/full") && !said.contains("panicked"), "{said}");
    assert_eq!(output.status.code(), Some(1), "the verdict's own code: {said}");
    // Standard output itself: the exit code is what is left.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let status = program()
        .args(["replay", BUNDLE])
        .stdout(full)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1), "the fixture's root is not Intel's");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = program()
        .args(["inspect", BUNDLE])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn without_a_home_and_in_another_locale_it_works_as_ever() {
    for (name, value) in [
        ("HOME", ""),
        ("LC_ALL", "C"),
        ("LC_ALL", "de_DE.ISO-8859-1"),
        ("LANG", "POSIX"),
    ] {
        let output = program()
            .env(name, value)
            .args(["replay", BUNDLE])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("REPLAY as of"));
    }
    // A live run keeps nothing where it has no place for it.
    let output = program()
        .args([
            "verify",
            "http://127.0.0.1:1",
            "--allow-private-network",
            "--timeout=1s",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    // Root may write into every folder, but into no file as if it were one.
    let inside = file.join("cvm.lock").display().to_string();
    let bundle = format!("{}/{BUNDLE}", env!("CARGO_MANIFEST_DIR"));
    let root = format!("{}/fixtures/simulated/root.pem", env!("CARGO_MANIFEST_DIR"));
    let pinned = program()
        .args([
            "pin",
            "--from",
            &bundle,
            "--insecure-trust-root",
            &root,
            "--accept-observed",
            "--output",
            &inside,
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&pinned.stderr);
    assert_eq!(pinned.status.code(), Some(3), "{said}");
    assert!(
        said.contains(&inside) && said.contains("cannot be written"),
        "{said}"
    );
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let output = program()
        .current_dir(folder.path())
        .args(["replay", &bundle])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
}
