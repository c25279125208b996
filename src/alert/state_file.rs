//! The file that remembers what was reported (`--state`): read, locked against other runs, written whole.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::incident::{MAX_STATE_BYTES, State};
use crate::bounded_io;
use crate::env::Env;
use crate::files;
use crate::usage_error::{UsageError, WriteError};

/// How long to wait for another run with the same file: longer than its alerts may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long to wait for one that should be ending, where it would be held for good.
const PATIENCE_ALONE: Duration = Duration::from_secs(10);
/// Pause between two looks at the lock.
const PAUSE: Duration = Duration::from_millis(50);

/// What every state file begins with, of whatever version.
const BEGINNING: &[u8] = br#"{"schema":"cvm-verify/alert-state/"#;

/// The state, and the lock that keeps other runs from it as long as this value lives. While another run has the lock it is only read:
/// what that run has found since must not be overwritten.
pub(crate) struct StateFile {
    path: PathBuf,
    pub(crate) state: State,
    lock: LockState,
}

enum LockState {
    Held {
        _file: File,
    },
    /// The file system has no locks.
    NotThere,
    /// Another run may hold it.
    NotHeld,
}

impl StateFile {
    /// Makes the folder of the state, where it is not there. Refuses a file that is something else: it would be overwritten. An
    /// empty one, the beginning of a state file and the zeros that a crash leaves are none.
    pub(crate) fn prepare(path: &Path) -> Result<(), UsageError> {
        if let Some(folder) = path.parent()
            && !folder.as_os_str().is_empty()
            && !folder.is_dir()
        {
            std::fs::create_dir_all(folder).map_err(|error| {
                UsageError::file(
                    path,
                    format!(
                        "its folder does not exist and cannot be made ({error}), so no alert state can be kept. Name another file for \
                         --state"
                    ),
                )
            })?;
        }
        let found = match path.metadata() {
            Ok(found) => found,
            // It is made, or writing it says why not.
            Err(_) => return Ok(()),
        };
        if !found.is_file() {
            let what = if found.is_dir() {
                "is a folder"
            } else {
                "is no regular file"
            };
            return Err(UsageError::file(
                path,
                format!("{what}, so no alert state can be kept in it. Name a file for --state"),
            ));
        }
        let found = bounded_io::read(path, MAX_STATE_BYTES as u64 + 1)
            .map_err(|error| UsageError::file(path, format!("cannot be read ({error})")))?;
        match is_or_was_state(&found) {
            true => Ok(()),
            false => Err(UsageError::file(
                path,
                "exists and is not alert state of cvm-verify; it was not changed. Name another file for --state, or remove \
                 this one",
            )),
        }
    }

    /// Reads the state. One that is not there or cannot be read is none, and that is said: everything is reported again. `pause` waits
    /// between two looks at the lock of another run, and names the signal that ends the waiting.
    ///
    /// # Errors
    /// The signal.
    pub(crate) fn open(path: &Path, env: &mut Env, pause: Pause<'_>) -> Result<Self, &'static str> {
        let shown = path.display();
        let lock = match lock(path, PATIENCE, env, pause) {
            Ok(file) => LockState::Held { _file: file },
            Err(NotLocked::Ended(signal)) => return Err(signal),
            Err(NotLocked::NoLocks(why)) => {
                env.note(&format!(
                    "{shown}: not locked, because its file system has no locks ({why}): two runs at once may send the same alerts"
                ));
                LockState::NotThere
            }
            Err(why @ (NotLocked::Held | NotLocked::Because(_))) => {
                env.note(&format!(
                    "{shown}: not locked ({why}): it is not written, and no pass is reported as a recovery; another run with this \
                     file may send the same alerts"
                ));
                LockState::NotHeld
            }
        };
        Ok(Self::read(path, lock, env))
    }

    /// The same where no other run holds it now.
    pub(crate) fn open_now(path: &Path, env: &mut Env) -> Option<Self> {
        let file = lock(path, Duration::ZERO, env, &mut asleep).ok()?;
        Some(Self::read(path, LockState::Held { _file: file }, env))
    }

    /// Whether another run holds it now.
    pub(crate) fn is_held(path: &Path, env: &mut Env) -> bool {
        matches!(lock(path, Duration::ZERO, env, &mut asleep), Err(NotLocked::Held))
    }

    /// The same for a process that keeps it as long as it lives: two of those would take it from each other, again and
    /// again.
    pub(crate) fn open_alone(path: &Path, env: &mut Env) -> Result<Self, UsageError> {
        match lock(path, PATIENCE_ALONE, env, &mut asleep) {
            Ok(file) => Ok(Self::read(path, LockState::Held { _file: file }, env)),
            Err(not_locked) => Err(UsageError::file(
                path,
                format!(
                    "cannot be locked for this process alone ({not_locked}); give each process with --state a file of its own"
                ),
            )),
        }
    }

    fn read(path: &Path, lock: LockState, env: &mut Env) -> Self {
        let shown = path.display();
        let state = read(path).unwrap_or_else(|why| {
            env.note(&format!(
                "{shown}: {why}; every target that does not pass is reported now"
            ));
            State::default()
        });
        Self {
            path: path.to_owned(),
            state,
            lock,
        }
    }

    /// Whether no other run can change it meanwhile. Otherwise it may be older than what was found since: it ends no incident.
    pub(crate) fn is_locked(&self) -> bool {
        !matches!(self.lock, LockState::NotHeld)
    }

    /// Writes the state, if it is locked.
    pub(crate) fn save(&self) -> Result<(), WriteError> {
        if !self.is_locked() {
            return Ok(());
        }
        files::write(&self.path, &self.state.to_json())
    }

    /// Writes the state, if it is locked. Where it cannot be written the verdict stands, and the next run tells the same again.
    pub(crate) fn close(self, env: &mut Env) {
        if let Err(error) = self.save() {
            env.complain(&format!(
                "warning: {error}; the next run sends the same alerts again"
            ));
        }
    }
}

/// Whether a file is alert state, in whatever form a tool gave it, or what a crash left of some: a file system may keep the length of a file
/// and lose what was in it, so that it reads as zeros. Nothing else begins so, and it may be replaced.
fn is_or_was_state(found: &[u8]) -> bool {
    let lost = found.iter().take_while(|byte| **byte == 0).count();
    let kept = found.get(lost..).unwrap_or_default();
    let start: Vec<u8> = without_mark(kept)
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .take(BEGINNING.len())
        .copied()
        .collect();
    // Of a larger file the rest is not known.
    let is_whole = found.len() <= MAX_STATE_BYTES;
    start == BEGINNING || is_whole && BEGINNING.starts_with(&start)
}

/// Without the byte order mark that editors put in front.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

fn read(path: &Path) -> Result<State, String> {
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no alert state yet".to_owned(),
        _ => format!("cannot be read ({error})"),
    };
    let bytes = bounded_io::read(path, MAX_STATE_BYTES as u64 + 1).map_err(cannot)?;
    State::parse(without_mark(&bytes)).map_err(|error| format!("cannot be used ({error})"))
}

/// A pause that a signal may end: then it names the signal.
pub(crate) type Pause<'a> = &'a mut dyn FnMut(Duration) -> Option<&'static str>;

/// A pause of a process that signals end by themselves.
pub(crate) fn asleep(pause: Duration) -> Option<&'static str> {
    std::thread::sleep(pause);
    None
}

/// Why a state file is not locked.
#[derive(Debug, thiserror::Error)]
enum NotLocked {
    #[error("another run holds it")]
    Held,
    #[error("{0}")]
    Because(String),
    #[error("its file system has no locks: {0}")]
    NoLocks(String),
    #[error("{0} ended the waiting")]
    Ended(&'static str),
}

/// A neighbour of the file is locked: the file itself is replaced when it is written.
fn lock(path: &Path, patience: Duration, env: &mut Env, pause: Pause<'_>) -> Result<File, NotLocked> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let neighbour = path.with_file_name(format!("{name}.lock"));
    if bounded_io::is_special(&neighbour) {
        let said = format!("{} is a pipe or a device", neighbour.display());
        return Err(NotLocked::Because(said));
    }
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&neighbour)
        .map_err(|error| {
            NotLocked::Because(format!(
                "{}: {error}; make it writable for this user",
                neighbour.display()
            ))
        })?;
    let started = Instant::now();
    let mut said = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if !said && !patience.is_zero() => {
                said = true;
                env.note(&format!(
                    "{}: another run uses it; waiting at most {} s",
                    path.display(),
                    patience.as_secs()
                ));
            }
            Err(TryLockError::WouldBlock) if started.elapsed() < patience => {
                if let Some(signal) = pause(PAUSE) {
                    return Err(NotLocked::Ended(signal));
                }
            }
            Err(TryLockError::WouldBlock) => return Err(NotLocked::Held),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                return Err(NotLocked::NoLocks(error.to_string()));
            }
            Err(TryLockError::Error(error)) => return Err(NotLocked::Because(error.to_string())),
        }
    }
}

/// Whether a file system has no locks at all: `ENOTSUP`, `ENOSYS`, and `ENOLCK` of an NFS without its lock service.
fn has_no_locks(error: &std::io::Error) -> bool {
    const ENOLCK: i32 = 37;
    error.kind() == std::io::ErrorKind::Unsupported
        || (cfg!(target_os = "linux") && error.raw_os_error() == Some(ENOLCK))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `prepare` says of a file, and then `read`.
    fn found(bytes: &[u8]) -> (bool, Result<State, String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        std::fs::write(&path, bytes).unwrap();
        let is_taken = StateFile::prepare(&path).is_ok();
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "it is not changed yet");
        (is_taken, read(&path))
    }

    #[test]
    fn state_is_read_in_whatever_form_a_tool_gave_it() {
        let written = State::default().to_json();
        let value: serde_json::Value = serde_json::from_str(&written).unwrap();
        let indented = serde_json::to_string_pretty(&value).unwrap();
        for form in [
            written.clone(),
            indented.replace('\n', "\r\n"),
            format!("\n\t {written}\n"),
            format!("\u{feff}{indented}"),
            indented,
        ] {
            assert_eq!(found(form.as_bytes()), (true, Ok(State::default())), "{form:?}");
        }
    }

    #[test]
    fn what_a_crash_left_of_state_is_none_and_is_replaced() {
        let written = State::default().to_json();
        let zeros = "\0".repeat(written.len());
        for left in [
            String::new(),
            zeros.clone(),
            format!("{zeros}{written}"),
            format!("{written}{zeros}"),
            written[..20].to_owned(),
            format!("{{\n  {}", &written[1..40]),
        ] {
            let (is_taken, read) = found(left.as_bytes());
            assert!(is_taken, "{left:?}");
            assert!(
                read.as_ref().is_err_and(|why| why.contains("cannot be used")),
                "{left:?}: {read:?}"
            );
        }
    }

    #[test]
    fn what_is_not_state_is_never_replaced() {
        let archive = [&[0; 512][..], b"another file"].concat();
        let disk = vec![0; MAX_STATE_BYTES + 1];
        let others: [&[u8]; 7] = [
            b"{}",
            b"{\"schema\": \"cvm-verify/report/v1\"}",
            b"[{\"schema\":\"cvm-verify/alert-state/v1\"}]",
            b"\"schema\":\"cvm-verify/alert-state/v1\"",
            b"notes\n",
            &archive,
            &disk,
        ];
        for other in others {
            let (is_taken, _) = found(other);
            assert!(!is_taken, "{:?}", other.get(..40));
        }
    }

    #[test]
    fn a_file_system_without_locks_is_told_from_a_lock_that_another_run_holds() {
        for kind in [
            std::io::ErrorKind::Unsupported,
            std::io::ErrorKind::PermissionDenied,
        ] {
            assert_eq!(
                has_no_locks(&kind.into()),
                kind == std::io::ErrorKind::Unsupported
            );
        }
        #[cfg(target_os = "linux")]
        assert!(has_no_locks(&std::io::Error::from_raw_os_error(37)));
    }
}
