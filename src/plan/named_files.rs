//! Files that settings name: locks, reference values, OS images. Many targets share one, so each is read once.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use crate::config::{Settings, path_of};
use crate::files::ReadLock;
use crate::usage_error::UsageError;
use crate::{files, image_source};
use cvm_verify_core::policy::MeasuredFiles;
use cvm_verify_core::reference::ReferenceValues;

/// The files that were read: many targets share one.
#[derive(Default)]
pub(crate) struct FilesOfPlan {
    locks: HashMap<PathBuf, Result<Rc<ReadLock>, String>>,
    references: HashMap<PathBuf, Result<Arc<ReferenceValues>, String>>,
    images: HashMap<PathBuf, Result<MeasuredFiles, String>>,
    notes: Vec<String>,
    needless: BTreeMap<LockOfTarget, Vec<String>>,
}

/// The path of a lock, and the target in it whose part is read.
type LockOfTarget = (PathBuf, Option<String>);

impl FilesOfPlan {
    /// With a lock that is not written yet, as if it were read from this path.
    pub(crate) fn with_lock(path: &Path, lock: ReadLock) -> Self {
        Self {
            locks: HashMap::from([(path.to_owned(), Ok(Rc::new(lock)))]),
            ..Self::default()
        }
    }

    pub(super) fn read(&mut self, path: &Path) -> Result<Rc<ReadLock>, String> {
        let read = || match files::read_lock_file(path) {
            Ok(file) => Ok(Rc::new(file)),
            Err(error) => Err(error.to_string()),
        };
        self.locks.entry(path.to_owned()).or_insert_with(read).clone()
    }

    /// Keeps what the user should know of the settings.
    pub(super) fn note(&mut self, sentence: String) {
        self.notes.push(sentence);
    }

    /// Keeps what is needless in a lock by the tables that a target has: of several targets with one lock, what is needless by the tables
    /// of each.
    pub(super) fn needless(&mut self, lock: LockOfTarget, notes: Vec<String>) {
        match self.needless.entry(lock) {
            Entry::Vacant(vacant) => {
                vacant.insert(notes);
            }
            Entry::Occupied(mut before) => before.get_mut().retain(|note| notes.contains(note)),
        }
    }

    /// What a person who reviews settings and locks should know; of locks in the order of their paths.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut locks: Vec<(&PathBuf, &Rc<ReadLock>)> = self
            .locks
            .iter()
            .filter_map(|(path, read)| Some((path, read.as_ref().ok()?)))
            .collect();
        locks.sort_by_key(|(path, _)| *path);
        let of_locks = locks.iter().flat_map(|(_, lock)| lock.notes.clone());
        let needless = self.needless.values().flatten().cloned();
        self.notes
            .iter()
            .cloned()
            .chain(of_locks)
            .chain(needless)
            .collect()
    }

    /// Files of an image, which take a while to be measured.
    pub(super) fn image_files(&mut self, path: &Path) -> Result<MeasuredFiles, String> {
        let read = || image_files(path).map_err(|error| error.to_string());
        self.images.entry(path.to_owned()).or_insert_with(read).clone()
    }

    pub(super) fn reference(&mut self, path: &Path) -> Result<Arc<ReferenceValues>, String> {
        let read = || {
            reference_values(path)
                .map(Arc::new)
                .map_err(|error| error.to_string())
        };
        self.references
            .entry(path.to_owned())
            .or_insert_with(read)
            .clone()
    }
}

/// The files of an image, measured.
pub(crate) fn image_files(path: &Path) -> Result<MeasuredFiles, UsageError> {
    Ok(MeasuredFiles {
        image: image_source::measure(path).map_err(|error| UsageError::file(path, error))?,
        path: path.display().to_string(),
    })
}

/// The built-in reference values and those of a file.
fn reference_values(path: &Path) -> Result<ReferenceValues, UsageError> {
    let bytes = files::read(path, files::REFERENCE_LIMIT)?;
    let name = path.display().to_string();
    ReferenceValues::built_in()
        .with_file(&name, &bytes)
        .map_err(|error| UsageError::new(error.to_string()))
}

/// The reference values that settings name, or the built-in ones.
pub(crate) fn reference_of(settings: &Settings) -> Result<Arc<ReferenceValues>, UsageError> {
    reference_of_file(settings.one("reference-values").map(path_of).as_deref())
}

/// The built-in reference values, and those of a file.
pub(crate) fn reference_of_file(path: Option<&Path>) -> Result<Arc<ReferenceValues>, UsageError> {
    match path {
        None => Ok(Arc::clone(ReferenceValues::built_in())),
        Some(path) => reference_values(path).map(Arc::new),
    }
}
