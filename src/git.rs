//! What git says of a file in the working folder. If there is no git, or no repository, it says nothing.
//!
//! The repository is not trusted: its settings and attributes can name programs (`core.fsmonitor`, `filter.NAME.clean`,
//! `core.sshCommand`). So git is asked for the file as the last commit holds it, and never about the working folder:
//! `rev-parse` and `cat-file` start none of them, and no transport is allowed, by which a missing object would be fetched.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Why a file is not as a commit holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unrecorded {
    /// No commit holds it.
    Untracked,
    /// The last commit holds another text.
    Changed,
}

/// How long git may take for one answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of an answer of one line.
const MAX_LINE: u64 = 4096;

/// Asks git about a file. A commit that holds the file as it is says nothing, and so does a git that does not answer.
pub(crate) fn unrecorded(path: &Path) -> Option<Unrecorded> {
    let folder = folder_of(path);
    let mut object = OsString::from("HEAD:./");
    object.push(path.file_name()?);
    let found = ask(
        folder,
        &["rev-parse".into(), "--verify".into(), "--quiet".into(), object],
        MAX_LINE,
    )?;
    match found.code {
        0 => {}
        // Nothing of that name in the last commit, or no commit yet. Outside of a repository git ends with 128.
        1 => return Some(Unrecorded::Untracked),
        _ => return None,
    }
    let id = String::from_utf8(found.text).ok()?;
    let now = content(path)?;
    // One byte more than the file could have with a CR before each LF: what is longer differs.
    let limit = u64::try_from(now.len()).ok()?.saturating_mul(2).saturating_add(1);
    let committed = ask(
        folder,
        &["cat-file".into(), "blob".into(), id.trim().into()],
        limit,
    )?;
    let is_same = without_cr(&committed.text) == without_cr(&now);
    (committed.code == 0 && !is_same).then_some(Unrecorded::Changed)
}

/// Where the repository of a file was cloned from: host and path of its remote `origin`, however its URL is written. Nothing where it
/// has none.
pub(crate) fn origin(path: &Path) -> Option<String> {
    // What is read is a name. In a container the files are often of another user, and git would not read them.
    let trusted = ["-c", "safe.directory=*"];
    let arguments = [&trusted[..], &["config", "--local", "--get", "remote.origin.url"]].concat();
    let arguments: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
    let found = ask(folder_of(path), &arguments, MAX_LINE)?;
    let text = String::from_utf8(found.text).ok()?;
    (found.code == 0).then(|| host_and_path(text.trim()))
}

/// `HOST/PATH` of the URL of a remote, which the next clone may write in another way: without scheme, user, password (a runner may
/// write a token of its own there) and `.git`; `USER@HOST:PATH` is the short form of ssh. The path of a folder stays as it is.
fn host_and_path(url: &str) -> String {
    let url = url.trim_end_matches('/').trim_end_matches(".git");
    let (authority, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
        None => match url.split_once(':') {
            Some((host, path)) if !host.contains('/') => (host, path.trim_start_matches('/')),
            _ => return url.to_owned(),
        },
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.trim_end_matches(":22").trim_end_matches(":443");
    format!("{}/{path}", host.to_ascii_lowercase())
}

fn folder_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// What a commit would hold of the file: of a link, where it leads to.
fn content(path: &Path) -> Option<Vec<u8>> {
    match std::fs::read_link(path) {
        Ok(target) => Some(target.into_os_string().into_encoded_bytes()),
        Err(_) => std::fs::read(path).ok(),
    }
}

/// CR LF as LF: git writes the line ends of the platform.
fn without_cr(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for (at, byte) in text.iter().enumerate() {
        if *byte != b'\r' || text.get(at + 1) != Some(&b'\n') {
            out.push(*byte);
        }
    }
    out
}

/// What git answered.
struct GitAnswer {
    code: i32,
    text: Vec<u8>,
}

/// Runs git in a folder; at most `limit` bytes of its answer. Nothing where it does not answer in time.
fn ask(folder: &Path, arguments: &[OsString], limit: u64) -> Option<GitAnswer> {
    let mut git = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["--no-pager", "--no-optional-locks", "-c", "core.fsmonitor=false"])
        .args(arguments)
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        // A list of transports that may be used, over every setting. None is called so.
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let out = git.stdout.take()?;
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        out.take(limit).read_to_end(&mut text).map(|_| text)
    });
    let started = Instant::now();
    let status = loop {
        match git.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if started.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(2)),
            _ => {
                let _ = git.kill();
                let _ = git.wait();
                break None;
            }
        }
    };
    let text = reader.join().ok()?.ok()?;
    // Without a code a signal ended it: what it wrote was cut off at the limit, and is longer than the file.
    Some(GitAnswer {
        code: status?
            .code()
            .unwrap_or(if text.len() as u64 >= limit { 0 } else { 128 }),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs git as its user does.
    fn git(folder: &Path, arguments: &[&str]) {
        let done = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(["-c", "user.name=Test", "-c", "user.email=test@app.example"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(done.is_ok_and(|status| status.success()), "{arguments:?}");
    }

    #[test]
    fn a_repository_is_known_by_where_it_was_cloned_from() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fleet.toml");
        assert_eq!(origin(&file), None, "no repository");
        git(folder.path(), &["init", "--quiet"]);
        assert_eq!(origin(&file), None, "no remote");
        let url = "https://token:s3cret@forge.example/acme/shop.git";
        git(folder.path(), &["remote", "add", "origin", url]);
        assert_eq!(origin(&file).as_deref(), Some("forge.example/acme/shop"));
        for (url, expected) in [
            ("https://Forge.example/acme/shop", "forge.example/acme/shop"),
            ("https://forge.example:443/acme/shop", "forge.example/acme/shop"),
            (
                "https://forge.example:8443/acme/shop",
                "forge.example:8443/acme/shop",
            ),
            ("git@forge.example:acme/shop.git", "forge.example/acme/shop"),
            ("ssh://git@forge.example:22/acme/shop/", "forge.example/acme/shop"),
            ("/srv/git/shop.git", "/srv/git/shop"),
            ("https://forge.example", "forge.example/"),
        ] {
            assert_eq!(host_and_path(url), expected);
        }
    }

    #[test]
    fn a_file_is_compared_with_the_last_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cvm.lock");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("one\ntwo\n");
        assert_eq!(unrecorded(&path), None, "outside of a repository");
        git(folder.path(), &["init", "--quiet"]);
        assert_eq!(unrecorded(&path), Some(Unrecorded::Untracked), "without a commit");
        git(folder.path(), &["add", "cvm.lock"]);
        assert_eq!(unrecorded(&path), Some(Unrecorded::Untracked), "staged alone");
        git(folder.path(), &["commit", "--quiet", "--message=One"]);
        assert_eq!(unrecorded(&path), None);
        write("one\r\ntwo\r\n");
        assert_eq!(unrecorded(&path), None, "line ends of the platform");
        for other in ["one\nthree\n", "one\n", ""] {
            write(other);
            assert_eq!(unrecorded(&path), Some(Unrecorded::Changed), "{other:?}");
        }
        // Longer than a pipe holds, in the commit and in the folder.
        let long = "a line of some length\n".repeat(20_000);
        write(&long);
        git(folder.path(), &["commit", "--quiet", "--all", "--message=Two"]);
        assert_eq!(unrecorded(&path), None);
        write("one\n");
        assert_eq!(unrecorded(&path), Some(Unrecorded::Changed));
    }

    /// Filters of a repository's settings are programs: `git status` runs them for a file whose time changed.
    #[test]
    fn no_program_of_the_repositorys_settings_is_started() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cvm.lock");
        let ran = folder.path().join("ran");
        std::fs::write(&path, "one\n").unwrap();
        git(folder.path(), &["init", "--quiet"]);
        git(folder.path(), &["add", "cvm.lock"]);
        git(folder.path(), &["commit", "--quiet", "--message=One"]);
        let program = format!("touch '{}'; cat", ran.display());
        for setting in [
            "filter.x.clean",
            "filter.x.smudge",
            "filter.x.process",
            "core.fsmonitor",
            "diff.x.textconv",
            "core.sshCommand",
            "core.pager",
        ] {
            git(folder.path(), &["config", setting, &program]);
        }
        std::fs::write(
            folder.path().join(".git/info/attributes"),
            "cvm.lock filter=x diff=x\n",
        )
        .unwrap();
        std::fs::write(&path, "two\n").unwrap();
        assert_eq!(unrecorded(&path), Some(Unrecorded::Changed));
        assert!(!ran.exists());
    }
}
