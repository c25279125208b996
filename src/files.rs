//! Files that users name: read with a limit, written whole or not at all.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use rand::TryRng as _;
use rand::rngs::SysRng;

use crate::bounded_io;
use crate::usage_error::{CommandError, UsageError, WriteError};
use cvm_verify_core::lock::{AcceptName, Lock, LockFile, MAX_LOCK_BYTES, UnfoundedRemark, unfounded_remarks};
use cvm_verify_core::policy::LockOrigin;
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::toml_text::LineIndex;

/// Bytes of a bundle, of an endpoint's body or of collateral that are read.
pub(crate) const EVIDENCE_LIMIT: u64 = 32 * 1024 * 1024;
/// Bytes of a compose document that are read: dstack's own limit.
pub(crate) const COMPOSE_LIMIT: u64 = cvm_verify_core::evidence::MAX_COMPOSE_FILE_BYTES as u64;
/// Bytes of a docker compose file that are read: a document of such a text is read from a CVM.
const DOCKER_COMPOSE_LIMIT: u64 = cvm_verify_core::evidence::MAX_COMPOSE_BYTES as u64;
/// Bytes of a file of reference values that are read.
pub(crate) const REFERENCE_LIMIT: u64 = cvm_verify_core::reference::MAX_FILE_BYTES as u64;
/// Bytes of a certificate file that are read.
pub(crate) const CERTIFICATE_LIMIT: u64 = 1024 * 1024;

/// Makes a folder for results, and those above it.
pub(crate) fn make_folder(folder: &Path) -> Result<(), CommandError> {
    if folder.is_file() {
        return Err(UsageError::file(folder, "is a file; a folder is needed").into());
    }
    std::fs::create_dir_all(folder).map_err(|error| WriteError::file(folder, error).into())
}

/// Refuses what is the name of no file.
fn check_name(path: &Path) -> Result<(), UsageError> {
    if path.as_os_str().is_empty() {
        return Err(UsageError::new(
            "the name of a file is empty; is a variable unset?",
        ));
    }
    if path.to_string_lossy().contains("://") {
        return Err(UsageError::file(path, "is an address; a file is needed"));
    }
    Ok(())
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, UsageError> {
    check_name(path)?;
    if path.is_dir() {
        return Err(UsageError::file(path, "is a folder; a file is needed"));
    }
    let bytes = bounded_io::read(path, limit + 1)
        .map_err(|error| UsageError::file(path, format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > limit {
        return Err(UsageError::file(
            path,
            format!("is larger than {limit} bytes; this is not the right file"),
        ));
    }
    if bytes.is_empty() {
        return Err(UsageError::file(path, "is empty"));
    }
    Ok(bytes)
}

/// Reads standard input, at most `limit` bytes.
pub(crate) fn read_stdin(limit: u64) -> Result<Vec<u8>, UsageError> {
    let path = Path::new("standard input");
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| UsageError::file(path, format!("cannot be read: {error}")))?;
    match bytes.len() as u64 {
        0 => Err(UsageError::file(path, "is empty")),
        size if size > limit => Err(UsageError::file(path, format!("is larger than {limit} bytes"))),
        _ => Ok(bytes),
    }
}

/// Reads a docker compose file, whatever it says.
pub(crate) fn read_docker_compose(path: &Path) -> Result<String, UsageError> {
    String::from_utf8(read(path, DOCKER_COMPOSE_LIMIT)?)
        .map_err(|_| UsageError::file(path, "is not UTF-8 text, so it is not a docker compose file"))
}

/// A lock file that was read.
pub(crate) struct ReadLock {
    /// What it holds.
    pub lock: LockFile,
    origin: LockOrigin,
    /// What a person who reviews the file should know.
    pub notes: Vec<String>,
}

impl ReadLock {
    /// What a file of this name holds.
    pub fn of(name: &str, bytes: &[u8]) -> Result<Self, UsageError> {
        let lock = Lock::read_file(bytes, name).map_err(|error| UsageError::new(error.to_string()))?;
        // It was read, so it is text.
        let text = String::from_utf8_lossy(bytes);
        let origin = LockOrigin::with_text(name, &text);
        Ok(Self {
            lock,
            origin,
            notes: notes_on_remarks(name, &text),
        })
    }

    /// The same, where the lock is not in the file yet.
    pub fn not_written_yet(self) -> Self {
        Self {
            origin: self.origin.not_written_yet(),
            ..self
        }
    }

    /// It as the origin of what a target is expected to be.
    pub fn origin_of(&self, target: Option<&str>) -> LockOrigin {
        match (&self.lock, target) {
            (LockFile::Several(_), Some(name)) => self.origin.of_target(name),
            _ => self.origin.clone(),
        }
    }
}

/// A note for each line of `[accepted]` that accepts what is not there, by the tables that are in use.
pub(crate) fn notes_on_needless(
    lock: &Lock,
    origin: &LockOrigin,
    reference: &ReferenceValues,
) -> Vec<String> {
    let needless = lock.needless_acceptances(reference).into_iter();
    let note = |(name, why): (AcceptName, String)| {
        let key = origin.key(&["accepted", name.as_str()]);
        let place = key.location().map_or_else(
            || origin.path().to_owned(),
            |place| format!("{}:{}", place.file, place.line),
        );
        format!("{place}: the acceptance `{name}` does nothing: {why}. You may remove the line.")
    };
    needless.map(note).collect()
}

/// A note for each remark of a lock of another version that the tables of this version do not bear out. A remark of this version is
/// a mistake of the file.
fn notes_on_remarks(name: &str, text: &str) -> Vec<String> {
    let lines = LineIndex::of(text);
    let note = |remark: UnfoundedRemark| {
        format!(
            "{name}:{}: `{}` says `{}`; no table of this version contains this value under that name, and the lock says that \
             cvm-verify {} wrote it. Check the value, or pin again.",
            lines.position(remark.at).line,
            remark.key,
            remark.remark,
            remark.of_version.unwrap_or_default()
        )
    };
    unfounded_remarks(text).into_iter().map(note).collect()
}

/// Reads a lock file, of one target or of several.
pub(crate) fn read_lock_file(path: &Path) -> Result<ReadLock, UsageError> {
    check_name(path)?;
    if matches!(path.try_exists(), Ok(false)) {
        return Err(UsageError::file(
            path,
            "does not exist; write it with `cvm-verify pin`, and in CI check out the repository that contains it",
        ));
    }
    let bytes = read(path, MAX_LOCK_BYTES as u64)?;
    ReadLock::of(&path.display().to_string(), &bytes)
}

/// Writes a file whole or not at all: to a neighbour first, which then takes its place. What is there and is not a file, such as a
/// device or a pipe, is written to and never replaced.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), WriteError> {
    if bounded_io::is_special(path) {
        return bounded_io::write_special(path, text).map_err(|error| WriteError::file(path, error));
    }
    let neighbour = neighbour(path);
    // An existing file or link of that name is somebody else's.
    let written = File::options()
        .write(true)
        .create_new(true)
        .open(&neighbour)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&neighbour, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&neighbour);
        WriteError::file(path, error)
    })
}

/// Appends to a file that others write to as well.
pub(crate) fn append(path: &Path, text: &str) -> Result<(), WriteError> {
    if bounded_io::is_special(path) {
        return bounded_io::write_special(path, text).map_err(|error| WriteError::file(path, error));
    }
    File::options()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| WriteError::file(path, error))
}

/// The path of a file inside the repository that holds it: the folders above differ from one checkout to the next. As it was given if
/// there is no repository around it. A submodule is a repository of its own.
pub(crate) fn path_in_repository(path: &Path) -> PathBuf {
    in_repository(path).unwrap_or_else(|| path.to_owned())
}

fn in_repository(path: &Path) -> Option<PathBuf> {
    // The folder may be reached by a link, and the path may climb with `..`. The file's own name stays: two links are two names.
    let folder = std::path::absolute(path).ok()?.parent()?.canonicalize().ok()?;
    let repository = folder.ancestors().find(|folder| folder.join(".git").exists())?;
    Some(folder.strip_prefix(repository).ok()?.join(path.file_name()?))
}

/// A temporary name in the same folder, which nobody can foresee.
fn neighbour(path: &Path) -> PathBuf {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut random = [0; 8];
    // Without random numbers the name repeats, and a file that is there already is an error.
    let _ = SysRng.try_fill_bytes(&mut random);
    path.with_file_name(format!(".{name}.{}.part", hex::encode(random)))
}

/// A file that is written when the verdict is out.
pub(crate) struct PendingFile {
    pub path: PathBuf,
    pub text: String,
}

/// A lock has the line `schema = "cvm-verify/lock/…"`, whatever else was done to it.
pub(crate) fn is_lock(text: &str) -> bool {
    text.lines().any(|line| {
        line.split_once('=')
            .is_some_and(|(key, value)| key.trim() == "schema" && value.contains("cvm-verify/lock/"))
    })
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use cvm_verify_core::reference::OsClass;

    #[test]
    fn an_acceptance_that_does_nothing_is_noted_with_its_line() {
        let reference = ReferenceValues::built_in();
        let is_release = |row: &&std::sync::Arc<cvm_verify_core::reference::OsImageRow>| {
            row.class == OsClass::Production && row.registers.is_some() && !row.is_third_party()
        };
        let row = reference.images().iter().find(is_release).unwrap();
        let registers = row.registers.as_ref().unwrap();
        let image = format!(
            "mrtd = \"{}\"\nrtmr0 = \"{}\"\nrtmr1 = \"{}\"\nrtmr2 = \"{}\"\n",
            hex::encode(reference.mrtds_of(row)[0]),
            "ab".repeat(48),
            hex::encode(registers.rtmr1.0),
            hex::encode(registers.rtmr2.0),
        );
        let notes = |accepted: &str| {
            let text = format!(
                "schema = \"cvm-verify/lock/v1\"\n[os_image]\n{image}[accepted]\n{accepted} = \"Because.\"\n"
            );
            let read = ReadLock::of("cvm.lock", text.as_bytes()).unwrap();
            let lock = read.lock.of(None, "cvm.lock").unwrap();
            notes_on_needless(lock, &read.origin_of(None), reference)
        };
        assert_eq!(
            notes("unknown-image"),
            [format!(
                "cvm.lock:8: the acceptance `unknown-image` does nothing: the image is {}, a release. You may remove the line.",
                row.name
            )]
        );
        assert!(notes("tcb").is_empty());
        // The shape of the VM is in the table of the user's own file alone.
        assert!(notes("acpi-change").is_empty());
        let own = format!(
            "updated = \"2026-11-01\"\n[[rtmr0]]\nvalue = \"{}\"\nshape = \"ours\"\nsource \
             = \"ours\"\ndate = \"2026-11-01\"\n",
            "ab".repeat(48)
        );
        let own = reference.with_file("own.toml", own.as_bytes()).unwrap();
        let text = format!(
            "schema = \"cvm-verify/lock/v1\"\n[os_image]\n{image}[accepted]\nacpi-change = \"Because.\"\n"
        );
        let read = ReadLock::of("cvm.lock", text.as_bytes()).unwrap();
        let lock = read.lock.of(None, "cvm.lock").unwrap();
        assert_eq!(
            notes_on_needless(lock, &read.origin_of(None), &own),
            [
                "cvm.lock:8: the acceptance `acpi-change` does nothing: its rtmr0 is in the table of VM shapes: ours. You may remove the line."
            ]
        );
    }

    #[test]
    fn a_file_has_one_path_in_its_repository_wherever_that_is_checked_out() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("fleet.toml");
        assert_eq!(path_in_repository(&outside), outside);
        for checkout in ["runner-1/work", "runner-2/w"] {
            let root = folder.path().join(checkout);
            std::fs::create_dir_all(root.join("deploy/eu")).unwrap();
            std::fs::create_dir(root.join(".git")).unwrap();
            std::os::unix::fs::symlink(&root, root.join("deploy/back")).unwrap();
            for (path, expected) in [
                ("fleet.toml", "fleet.toml"),
                ("deploy/eu/fleet.toml", "deploy/eu/fleet.toml"),
                ("deploy/eu/../fleet.toml", "deploy/fleet.toml"),
                ("deploy/back/fleet.toml", "fleet.toml"),
            ] {
                let found = path_in_repository(&root.join(path));
                assert_eq!(found, Path::new(expected), "{checkout} {path}");
            }
        }
        // A working tree and a submodule have a file of that name.
        let tree = folder.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        std::fs::write(tree.join(".git"), "gitdir: elsewhere").unwrap();
        assert_eq!(
            path_in_repository(&tree.join("fleet.toml")),
            Path::new("fleet.toml")
        );
    }

    #[test]
    fn a_temporary_name_that_is_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (precious, file) = (folder.path().join("precious"), folder.path().join("report.json"));
        std::fs::write(&precious, "mine").unwrap();
        let guess = format!(".report.json.{}.part", std::process::id());
        std::os::unix::fs::symlink(&precious, folder.path().join(guess)).unwrap();
        write(&file, "{}").unwrap();
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "mine");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "{}");
        assert!(file.symlink_metadata().unwrap().is_file());
        assert_ne!(neighbour(&file), neighbour(&file));
    }
}
