//! The lock that is there, what changes in it, and the lock that is written.

use std::collections::BTreeSet;
use std::path::Path;

use super::is_printed;
use super::selection::PinTarget;
use crate::env::Env;
use crate::files::{self, is_lock};
use crate::plan::next_commands::{Commands, knowing, word};
use crate::render::escape;
use crate::usage_error::{CommandError, UsageError};
use cvm_verify_core::lock::{self, AcceptedPin, Lock, LockError, LockFile, MAX_LOCK_BYTES};
use cvm_verify_core::report::{is_name, rfc3339};

/// The lock file that is there.
pub(super) struct There {
    path: String,
    text: Option<Vec<u8>>,
    file: Option<LockFile>,
}

impl There {
    /// What is printed replaces nothing. With `force`, a lock that cannot be read is replaced as if it were not there; another file
    /// is not.
    pub(super) fn read(target: &PinTarget, force: bool) -> Result<Self, UsageError> {
        let path = target.output.display().to_string();
        let there = target.output.metadata().ok();
        let text = match there.filter(|_| !is_printed(&target.output)) {
            Some(file) if file.is_file() && file.len() == 0 => Some(Vec::new()),
            Some(_) => Some(files::read(&target.output, MAX_LOCK_BYTES as u64)?),
            None => None,
        };
        let file = text
            .as_deref()
            .map(|text| Lock::read_file(text, &path))
            .transpose();
        let others = other_targets(text.as_deref().unwrap_or_default(), target.name.as_deref());
        let file = match file {
            Ok(file) => file,
            Err(error) => match what_it_was(text.as_deref().unwrap_or_default()) {
                WasLock::Yes | WasLock::Conflict if !others.is_empty() => {
                    return Err(UsageError::new(format!(
                        "{error}\nNothing was written: {path} also has the values of {}, which pin does not replace, not even with --force. \
                         Correct what is named above, or take the file of an earlier commit (git checkout COMMIT -- {path}); then pin a \
                         target again with --target NAME.",
                        others.join(", ")
                    )));
                }
                WasLock::Yes | WasLock::Conflict | WasLock::Empty if force => None,
                was => {
                    return Err(UsageError::new(format!(
                        "{error}\nNothing was written. {}",
                        was.what_to_do(&path)
                    )));
                }
            },
        };
        Ok(Self { path, text, file })
    }

    /// The lock of the deployment that is pinned.
    pub(super) fn lock(&self, target: &PinTarget) -> Option<&Lock> {
        match (&self.file, target.name.as_deref()) {
            (Some(LockFile::Several(targets)), Some(name)) => targets.get(name),
            // A file of one lock takes no block of a target beside it: nothing in it is replaced.
            (Some(LockFile::One(lock)), name) if name.is_none() || !target.shared => Some(lock.as_ref()),
            _ => None,
        }
    }

    /// The text that the file has afterwards, and the lock that it replaces.
    fn replaced_by(
        &self,
        accepted: &AcceptedPin,
        target: &PinTarget,
    ) -> Result<(Option<&Lock>, String), UsageError> {
        let path = &self.path;
        let with_target = |name: &str| {
            let before = match self.file {
                Some(_) => self.text.as_deref().map(String::from_utf8_lossy),
                None => None,
            };
            lock::with_target(before.as_deref(), path, name, &accepted.lock, &accepted.notes).map_err(refused)
        };
        match (&self.file, target.name.as_deref()) {
            (Some(LockFile::Several(_)), None) => {
                // Says that the file holds several, and which.
                let error = self.file.as_ref().and_then(|file| file.of(None, path).err());
                Err(error.map_or_else(|| UsageError::new(path.clone()), refused))
            }
            (Some(LockFile::Several(targets)), Some(name)) => Ok((targets.get(name), with_target(name)?)),
            (Some(LockFile::One(_)) | None, Some(name)) if target.shared => Ok((None, with_target(name)?)),
            (Some(LockFile::One(lock)), _) => Ok((Some(lock.as_ref()), accepted.text.clone())),
            (None, _) => Ok((None, accepted.text.clone())),
        }
    }
}

/// What a file that cannot be read as a lock was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WasLock {
    /// A lock that something happened to.
    Yes,
    /// A lock of two branches that git could not merge.
    Conflict,
    /// Nothing is in it.
    Empty,
    /// Another file, which is never replaced.
    No,
}

/// The names of the blocks `[target.NAME]` in a file that may be unreadable, without this one.
fn other_targets(text: &[u8], name: Option<&str>) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let heading = |line: &str| {
        let behind = line.trim_start().strip_prefix("[target.")?;
        // A name with dots is in quotation marks; a dot behind the name begins that of a section.
        let named = match behind.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => behind.split(['.', ']']).next(),
        };
        named.filter(|name| is_name(name)).map(str::to_owned)
    };
    let names: BTreeSet<String> = text.lines().filter_map(heading).collect();
    names.into_iter().filter(|found| name != Some(found)).collect()
}

fn what_it_was(text: &[u8]) -> WasLock {
    let text = String::from_utf8_lossy(text);
    match is_lock(&text) {
        true if text.lines().any(|line| line.starts_with("<<<<<<<")) => WasLock::Conflict,
        true => WasLock::Yes,
        false if text.trim().is_empty() => WasLock::Empty,
        false => WasLock::No,
    }
}

impl WasLock {
    fn what_to_do(self, path: &str) -> String {
        match self {
            Self::Yes | Self::Empty => {
                "To replace the file with what runs now: cvm-verify pin --force …".to_owned()
            }
            Self::Conflict => format!(
                "Take the lock of one branch, and pin again: git checkout --ours {path} (or --theirs). With --force the file is \
                 replaced, and everything that it accepted must be accepted again."
            ),
            Self::No => format!(
                "{path} has no line schema = \"cvm-verify/lock/…\", so pin does not replace it, not even with --force. Name another \
                 file with --output, or remove this one."
            ),
        }
    }
}

fn refused(error: LockError) -> UsageError {
    UsageError::new(error.to_string())
}

/// Shows what changes, then writes.
pub(super) fn write(
    target: &PinTarget,
    there: &There,
    accepted: &AcceptedPin,
    next: &NextStep<'_>,
    env: &mut Env,
) -> Result<(), CommandError> {
    let path = &escape::terminal(&there.path).into_owned();
    let accepted = &match there.lock(target) {
        Some(locked) => accepted.clone().keeping_reasons(locked),
        None => accepted.clone(),
    };
    let (previous, text) = there.replaced_by(accepted, target)?;
    if is_printed(&target.output) {
        env.print(&text);
        return Ok(());
    }
    match previous.map(|previous| lock::difference(previous, &accepted.lock)) {
        None => {}
        // The version of the program is not a change of what runs.
        Some(changes) if changes.iter().all(|change| change.key == "tool") => {
            env.say(&format!(
                "{path} already has exactly these values. Nothing was written.\n"
            ));
            return Ok(());
        }
        Some(changes) => {
            env.say(&format!(
                "Changes in {path}:\n\n{}\n",
                lock::difference_text(&changes)
            ));
        }
    }
    let text = match there.text.as_deref().map(std::str::from_utf8) {
        Some(Ok(before)) => lock::keep_comments(before, &text),
        _ => text,
    };
    if let Some(folder) = target.output.parent().filter(|folder| !folder.exists()) {
        files::make_folder(folder)?;
    }
    files::write(&target.output, &text)?;
    let unreviewed = match accepted.unreviewed() {
        0 => String::new(),
        1 => "1 place decides what runs from outside the compose document: fill in its `reason`, or change it and deploy \
              again. "
            .to_owned(),
        count => format!(
            "{count} places decide what runs from outside the compose document: fill in the `reason` of each, or change them \
             and deploy again. "
        ),
    };
    env.say(&format!(
        "Wrote {path}. {unreviewed}Review it line by line and commit it. {}\n",
        next.said(target, accepted, path)
    ));
    Ok(())
}

/// What to run then.
pub(super) struct NextStep<'a> {
    /// The bundle that was pinned from.
    pub bundle: Option<&'a Path>,
    /// When it was judged, if not at the time of capture.
    pub at: Option<u64>,
    /// The commands for the target, where it is known how it is reached.
    pub commands: Option<&'a Commands>,
    /// What the lock does not accept, as options.
    pub waiver: String,
    /// Whether the root of trust was replaced. No command that is printed does that.
    pub is_simulated: bool,
}

impl NextStep<'_> {
    fn said(&self, target: &PinTarget, accepted: &AcceptedPin, path: &str) -> String {
        let root = match self.is_simulated {
            true => "\nAdd the --insecure-trust-root of this run to it.",
            false => "",
        };
        format!("{}{root}", self.step(target, accepted, path))
    }

    /// `verify` with the lock, or `replay` of the bundle: only that shows what was pinned.
    fn step(&self, target: &PinTarget, accepted: &AcceptedPin, path: &str) -> String {
        let waiver = &self.waiver;
        if let Some(bundle) = self.bundle {
            let name = target.name.as_ref().filter(|_| target.shared);
            let name = name.map(|name| format!(" --target {name}")).unwrap_or_default();
            let at = self
                .at
                .map(|at| format!(" --at {}", rfc3339(at)))
                .unwrap_or_default();
            return format!(
                "Then: cvm-verify replay {} --lock {}{name}{at}{}{waiver}",
                word(&bundle.display().to_string()),
                word(path),
                knowing(&target.settings)
            );
        }
        let Some(commands) = self.commands else {
            return format!("Then verify with --lock {path}{waiver}");
        };
        let is_found = accepted.lock.origin.is_some() && target.name.is_none();
        let command = commands.verify(Path::new(path), is_found, waiver);
        let left_out = commands.left_out(&[command.trim_start_matches("cvm-verify ")]);
        let left_out = left_out.map(|said| format!("\n{said}")).unwrap_or_default();
        format!("Then: {command}{left_out}")
    }
}
