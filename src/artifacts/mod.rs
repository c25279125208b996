//! The files of a run: where they go, what an earlier run left there, evidence bundles and statements.

mod earlier;
mod evidence;
mod places;
mod resource;
pub(crate) mod statements;

pub(crate) use earlier::unfinished;
pub(crate) use evidence::{BundleFiles, bundle_path_of, bundle_paths, refuse_foreign};
pub(crate) use places::ArtifactPaths;
pub(crate) use resource::SharedNames;
pub(crate) use statements::Attested;

use std::path::{Path, PathBuf};

use crate::files;
use crate::usage_error::{CommandError, UsageError};
use cvm_verify_core::report::{Mode, Report};
use earlier::EarlierFile;

/// Which files a run writes.
#[derive(Debug, Clone, Default)]
pub(crate) struct WantedFiles {
    /// The folder of all that is not named.
    pub output_dir: Option<PathBuf>,
    /// The report, JSON.
    pub report_json: Option<PathBuf>,
    /// The file of others that the summary is appended to.
    pub summary: Option<PathBuf>,
    /// The report as JUnit XML.
    pub junit: Option<PathBuf>,
    /// What later jobs of GitLab read.
    pub dotenv: Option<PathBuf>,
    /// The folder of the statements.
    pub statement: Option<PathBuf>,
}

/// Makes the folder, and lets the files of an earlier run say what this one would if it were killed.
pub(crate) fn prepare(wanted: &WantedFiles, unfinished: &Report) -> Result<(), CommandError> {
    for folder in [&wanted.output_dir, &wanted.statement].into_iter().flatten() {
        files::make_folder(folder)?;
    }
    replace_earlier(wanted, unfinished)
}

fn replace_earlier(wanted: &WantedFiles, unfinished: &Report) -> Result<(), CommandError> {
    statements::remove_earlier(wanted)?;
    earlier::overwrite(ArtifactPaths::of(wanted, &[]).files_by_kind(unfinished))
}

/// Lets the files of an earlier run say that this one has no verdict, and makes nothing. What cannot be written stays as it is.
pub(crate) fn forget_earlier(wanted: &WantedFiles, now: u64) {
    let _ = replace_earlier(wanted, &unfinished(Mode::Live, None, now));
}

/// The same of the variables for later jobs alone, with the exit code of a run that ended before a verdict. What cannot be written stays
/// as it is: the process has the code.
pub(crate) fn say_exit_code(wanted: &WantedFiles, code: u8, now: u64) {
    let report = Report {
        exit_code: code,
        ..unfinished(Mode::Live, None, now)
    };
    let mut files = ArtifactPaths::of(wanted, &[]).files_by_kind(&report);
    files.retain(|(kind, _)| *kind == EarlierFile::Dotenv);
    let _ = earlier::overwrite(files);
}

/// A file that is read must not be one that is written: it would say `inconclusive` before it is read.
pub(crate) fn refuse_to_overwrite(wanted: &WantedFiles, inputs: &[PathBuf]) -> Result<(), UsageError> {
    let places = ArtifactPaths::of(wanted, &[]);
    let outputs = [
        &places.report_json,
        &places.report_text,
        &places.summary,
        &places.junit,
        &places.dotenv,
    ];
    let real = |path: &Path| path.canonicalize().ok();
    let written: Vec<PathBuf> = outputs
        .into_iter()
        .flatten()
        .filter_map(|path| real(path))
        .collect();
    match inputs
        .iter()
        .find(|input| real(input).is_some_and(|input| written.contains(&input)))
    {
        Some(input) => Err(UsageError::file(
            input,
            "is an input of this run, and would be overwritten; name another file to write",
        )),
        None => Ok(()),
    }
}
