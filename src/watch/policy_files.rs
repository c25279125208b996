//! The policy of a running `watch`: read again when one of its files changes.
//!
//! A change counts once two looks in a row see the same, so that a file which is being written is not read half. Once an
//! hour it is read anyway: some of what it says ends at a date.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::bounded_io::ReadsWithin;
use crate::plan::planner::{Plan, plan};
use crate::plan::selection::Selection;
use crate::usage_error::UsageError;

/// How long a policy that was refused is left alone: a file that it names may be mended, and nobody looks at that one.
const AFTER_REFUSAL: Duration = Duration::from_secs(10);

/// How long the policy is left alone if nothing changes.
const ANYWAY: Duration = Duration::from_secs(60 * 60);

/// How long all files of a policy that is read again may take: targets, alerts and signals wait meanwhile.
const READ_AGAIN_WITHIN: Duration = Duration::from_secs(10);

/// What a file looked like: when it was changed last, and its bytes; `None` if it is not there.
type Stamp = Option<(SystemTime, u64)>;

/// The files of the policy.
pub(crate) struct PolicyFiles<'a> {
    selection: &'a Selection,
    file: Option<PathBuf>,
    /// What they looked like when they were last read.
    read: BTreeMap<PathBuf, Stamp>,
    /// What they looked like at the last look.
    seen: BTreeMap<PathBuf, Stamp>,
    read_at: Instant,
    refused: Option<String>,
}

/// What came of a look.
pub(crate) enum Reading {
    /// There was nothing to read.
    Same,
    Read(Plan),
    Refused(UsageError),
}

impl<'a> PolicyFiles<'a> {
    /// Of a run with this policy file, if it has one.
    pub fn new(selection: &'a Selection, file: Option<PathBuf>) -> Self {
        Self {
            selection,
            file,
            read: BTreeMap::new(),
            seen: BTreeMap::new(),
            read_at: Instant::now(),
            refused: None,
        }
    }

    /// Reads the policy, to judge by it from a time on, Unix seconds.
    pub fn read(&mut self, now: u64) -> Result<Plan, UsageError> {
        self.read_at = Instant::now();
        let plan = plan(self.selection, now, self.file.as_deref())?;
        // What was looked at before it was read keeps that look: a change since then is one.
        let files = plan.files.iter();
        self.seen = files
            .map(|path| {
                let stamp = self.seen.get(path).copied();
                (path.clone(), stamp.unwrap_or_else(|| stamp_of(path)))
            })
            .collect();
        self.read = self.seen.clone();
        Ok(plan)
    }

    /// What was read is in use.
    pub fn used(&mut self) {
        self.refused = None;
    }

    /// What was read cannot be used, and is read again before long. Says whether that is for another reason than last time.
    pub fn refused_anew(&mut self, why: &str) -> bool {
        self.refused.replace(why.to_owned()).as_deref() != Some(why)
    }

    /// Looks whether the files changed, and reads the policy again if they did, or `anyway`.
    pub fn look(&mut self, anyway: bool, now: u64) -> Reading {
        let seen: BTreeMap<PathBuf, Stamp> = self
            .seen
            .keys()
            .map(|path| (path.clone(), stamp_of(path)))
            .collect();
        let settled = seen == self.seen;
        self.seen = seen;
        let patience = match self.refused {
            Some(_) => AFTER_REFUSAL,
            None => ANYWAY,
        };
        let changed = settled && self.seen != self.read;
        if !changed && !anyway && self.read_at.elapsed() < patience {
            return Reading::Same;
        }
        let _reads = ReadsWithin::new(READ_AGAIN_WITHIN);
        match self.read(now) {
            Ok(plan) => Reading::Read(plan),
            Err(error) => {
                self.read = self.seen.clone();
                Reading::Refused(error)
            }
        }
    }
}

fn stamp_of(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
