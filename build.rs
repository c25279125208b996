//! Tells the program which commit it was built from: `CVM_VERIFY_GIT` and `CVM_VERIFY_COMMIT_TIME`. Both may be
//! given, for builds without a repository; otherwise git is asked; otherwise they are `unknown` and 0.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=CVM_VERIFY_GIT");
    println!("cargo::rerun-if-env-changed=CVM_VERIFY_COMMIT_TIME");
    for name in ["HEAD", "logs/HEAD"] {
        // Not always below `.git`: a further worktree has its own.
        if let Some(file) =
            git(&["rev-parse", "--git-path", name]).filter(|file| std::path::Path::new(file).exists())
        {
            println!("cargo::rerun-if-changed={file}");
        }
    }
    let commit = given("CVM_VERIFY_GIT")
        .or_else(|| git(&["log", "-1", "--format=%H"]))
        .unwrap_or_else(|| "unknown".to_owned());
    let time = given("CVM_VERIFY_COMMIT_TIME")
        .or_else(|| git(&["log", "-1", "--format=%ct"]))
        .filter(|time| !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit()))
        .unwrap_or_else(|| "0".to_owned());
    println!("cargo::rustc-env=CVM_VERIFY_GIT={commit}");
    println!("cargo::rustc-env=CVM_VERIFY_COMMIT_TIME={time}");
}

fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What git says, where this package is the root of a repository.
fn git(arguments: &[&str]) -> Option<String> {
    if !std::path::Path::new(".git").exists() {
        return None;
    }
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
