//! The evidence bundles of a run: where they go, and their files.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::earlier::{EarlierFile, is_earlier};
use super::statements::Attested;
use crate::files;
use crate::usage_error::{UsageError, WriteError};
use cvm_verify_core::evidence::Bundle;

/// Where each target's bundle goes, by the targets' names: a file, or files in a folder if there are several targets. Without
/// `--evidence` they go into the folder of `--output-dir`.
pub(crate) fn bundle_paths(
    evidence: Option<&Path>,
    output_dir: Option<&Path>,
    targets: &[&str],
) -> Result<Vec<Option<PathBuf>>, UsageError> {
    let paths = match (evidence, output_dir, targets) {
        (None, None, _) => targets.iter().map(|_| None).collect(),
        (None, Some(folder), [_]) => vec![Some(folder.join("evidence.json"))],
        (Some(folder), _, _) if folder.is_dir() => in_folder(folder, targets),
        (None, Some(folder), _) => in_folder(folder, targets),
        (Some(file), _, [_]) if !file.as_os_str().as_encoded_bytes().ends_with(b"/") => {
            vec![Some(file.to_owned())]
        }
        // A folder is made: several targets need one, and a slash at the end names one.
        (Some(folder), _, _) => match std::fs::create_dir_all(folder) {
            Ok(()) => in_folder(folder, targets),
            Err(error) => {
                let problem = format!("the folder {} cannot be made: {error}", folder.display());
                return Err(UsageError::option("--evidence", problem));
            }
        },
    };
    paths.iter().flatten().try_for_each(|path| refuse_foreign(path))?;
    Ok(paths)
}

/// Refuses to replace a file that is no bundle.
pub(crate) fn refuse_foreign(bundle: &Path) -> Result<(), UsageError> {
    is_earlier(EarlierFile::Evidence, bundle).map(|_| ())
}

fn in_folder(folder: &Path, targets: &[&str]) -> Vec<Option<PathBuf>> {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
            c
        } else {
            '_'
        }
    };
    let file = |(index, target): (usize, &&str)| {
        let name: String = target.chars().map(plain).collect();
        let number = if targets.len() > 1 {
            format!("{}-", index + 1)
        } else {
            String::new()
        };
        Some(folder.join(format!("{number}{name}.evidence.json")))
    };
    targets.iter().enumerate().map(file).collect()
}

/// Where the bundle of one of several instances goes: the number is before the ending.
pub(crate) fn bundle_path_of(path: &Path, instance: usize) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (stem, ending) = match name.strip_suffix(".evidence.json") {
        Some(stem) => (stem, ".evidence.json"),
        None => match name.rfind('.') {
            Some(dot) if dot > 0 => name.split_at(dot),
            _ => (name.as_ref(), ""),
        },
    };
    path.with_file_name(format!("{stem}-instance-{instance}{ending}"))
}

/// Evidence bundles, written as the evidence comes, so that they are not held until the end.
#[derive(Debug, Default)]
pub(crate) struct BundleFiles {
    /// Their files.
    pub paths: Vec<PathBuf>,
    /// What could not be written: said after the verdict.
    pub problems: Vec<WriteError>,
    /// What the statements about the targets that pass need.
    pub attested: Vec<Attested>,
}

impl BundleFiles {
    /// The files of another target, too.
    pub fn extend(&mut self, other: Self) {
        self.paths.extend(other.paths);
        self.problems.extend(other.problems);
        self.attested.extend(other.attested);
    }

    /// Writes a bundle, if there is one and somebody wants it; its SHA-256.
    pub fn write(&mut self, path: Option<&Path>, bundle: Option<&Bundle>) -> Option<[u8; 32]> {
        let (Some(path), Some(bundle)) = (path, bundle) else {
            return None;
        };
        // The numbers of instances are known only now.
        let written = is_earlier(EarlierFile::Evidence, path)
            .map_err(|refused| WriteError::new("the evidence", refused))
            .and_then(|_| bundle.to_json().map_err(|error| WriteError::file(path, error)))
            .and_then(|text| files::write(path, &text).map(|()| Sha256::digest(&text).into()));
        self.paths.push(path.to_owned());
        written.map_err(|error| self.problems.push(error)).ok()
    }
}
