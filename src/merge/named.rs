//! The reports that a user names, read from their files. Some may be absent: a CI names the files of all shards, also of one whose job
//! died.

use std::path::{Path, PathBuf};

use super::{Joined, MAX_REPORT_BYTES, MergeError, ThisRun, merge, read};
use crate::files;
use crate::usage_error::UsageError;
use cvm_verify_core::report::Report;

/// Why a report that was named has no result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absence {
    NoFile,
    NotBegun,
}

impl Absence {
    const fn words(self) -> &'static str {
        match self {
            Self::NoFile => "does not exist",
            Self::NotBegun => "is of a run that did not begin",
        }
    }
}

/// The reports of the files that a user names.
pub(crate) struct NamedReports<'a> {
    /// Those with a result, each with its file.
    reports: Vec<(String, Report)>,
    /// The files without one.
    absent: Vec<(&'a Path, Absence)>,
}

impl<'a> NamedReports<'a> {
    /// Reads them.
    ///
    /// # Errors
    /// A file is no report, or has no result although no shard can be missing.
    pub fn read(paths: &'a [PathBuf]) -> Result<Self, UsageError> {
        let mut named = Self {
            reports: Vec::new(),
            absent: Vec::new(),
        };
        for path in paths {
            if !path.try_exists().unwrap_or(true) {
                named.absent.push((path, Absence::NoFile));
                continue;
            }
            let file = path.display().to_string();
            match read(&file, &files::read(path, MAX_REPORT_BYTES)?) {
                Ok(report) => named.reports.push((file, report)),
                Err(MergeError::NotBegun { .. }) => named.absent.push((path, Absence::NotBegun)),
                Err(error) => return Err(UsageError::new(error.to_string())),
            }
        }
        named.refuse_absent_without_shards().map(|()| named)
    }

    fn refuse_absent_without_shards(&self) -> Result<(), UsageError> {
        let Some((path, why)) = self.absent.first() else {
            return Ok(());
        };
        if self.reports.iter().any(|(_, report)| report.shard.is_some()) {
            return Ok(());
        }
        let problem = match self.reports.is_empty() && self.absent.len() > 1 {
            true => {
                "and no other report that was named has a result: the runs that should have written them left none. Look at \
                     their logs"
            }
            false => "without shards its targets would be missing unnoticed",
        };
        Err(UsageError::file(path, format!("{}; {problem}", why.words())))
    }
    /// Joins them.
    ///
    /// # Errors
    /// They cannot be joined. Or a report is of a run that did not begin, and no shard is missing that it could stand for: a newer
    /// attempt that did not begin must not leave the pass of an older one.
    pub fn join(self, this: &ThisRun<'_>) -> Result<Joined, UsageError> {
        let joined = merge(self.reports, this).map_err(|error| UsageError::new(error.to_string()))?;
        let mut not_begun = self.absent.iter().filter(|(_, why)| *why == Absence::NotBegun);
        match not_begun.nth(joined.missing) {
            None => Ok(joined),
            Some((path, why)) => {
                let problem =
                    "no shard is missing that it could be of; leave the file out, or run that job again";
                Err(UsageError::file(path, format!("{}; {problem}", why.words())))
            }
        }
    }
}
