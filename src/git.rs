//! What git says of a file in the working folder. Where there is no git, or no repository, it says nothing.

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

/// How long git may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of its answer that are read: one line about one file.
const MAX_ANSWER: u64 = 4096;

/// Asks git about a file. A commit that holds the file as it is says nothing, and so does a git that does not answer.
pub(crate) fn unrecorded(path: &Path) -> Option<Unrecorded> {
    let mut git = Command::new("git")
        // Programs that a repository's settings name are not started.
        .args(["--no-optional-locks", "-c", "core.fsmonitor=false"])
        .args([
            "status",
            "--porcelain=v1",
            "--ignored=matching",
            "--untracked-files=all",
            "--",
        ])
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let started = Instant::now();
    let status = loop {
        match git.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if started.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = git.kill();
                let _ = git.wait();
                return None;
            }
        }
    };
    let mut answer = String::new();
    git.stdout
        .take()?
        .take(MAX_ANSWER)
        .read_to_string(&mut answer)
        .ok()?;
    status.success().then(|| of_answer(&answer)).flatten()
}

/// Reads an answer of `git status --porcelain`: two letters, a blank and the file.
fn of_answer(answer: &str) -> Option<Unrecorded> {
    match answer.get(..2)? {
        "??" | "!!" => Some(Unrecorded::Untracked),
        _ => Some(Unrecorded::Changed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_git_is_read() {
        assert_eq!(of_answer(""), None);
        assert_eq!(of_answer("?? cvm.lock\n"), Some(Unrecorded::Untracked));
        assert_eq!(of_answer("!! cvm.lock\n"), Some(Unrecorded::Untracked));
        assert_eq!(of_answer(" M cvm.lock\n"), Some(Unrecorded::Changed));
        assert_eq!(of_answer("A  cvm.lock\n"), Some(Unrecorded::Changed));
    }
}
