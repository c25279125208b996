//! `cvm-verify merge`: the reports of several runs as one.

use super::args::MergeArgs;
use super::{merged_heartbeat, output};
use crate::artifacts::{BundleFiles, refuse_to_overwrite, unfinished};
use crate::env::{Env, run_id};
use crate::files;
use crate::merge::{MAX_REPORT_BYTES, MergeError, ThisRun, merge, read};
use crate::render::older_attempts;
use crate::usage_error::UsageError;
use cvm_verify_core::report::Mode;

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

pub(super) fn run(args: &MergeArgs, env: &mut Env) -> anyhow::Result<u8> {
    refuse_to_overwrite(&args.output.files(), &args.report)?;
    let now = (env.now)();
    output::prepare(&args.output, &unfinished(Mode::Live, None, now), env)?;
    let refused = |error: MergeError| UsageError::new(error.to_string());
    let mut reports = Vec::new();
    let mut absent = Vec::new();
    for path in &args.report {
        // A CI names the files of all shards, also of one whose job died.
        if !path.try_exists().unwrap_or(true) {
            absent.push((path, Absence::NoFile));
            continue;
        }
        let file = path.display().to_string();
        match read(&file, &files::read(path, MAX_REPORT_BYTES)?) {
            Ok(report) => reports.push((file, report)),
            Err(MergeError::NotBegun { .. }) => absent.push((path, Absence::NotBegun)),
            Err(error) => return Err(refused(error).into()),
        }
    }
    if let Some((path, why)) = absent.first()
        && reports.iter().all(|(_, report)| report.shard.is_none())
    {
        let problem = match reports.is_empty() && absent.len() > 1 {
            true => {
                "and no other report that was named has a result: the runs that should have written them left none. Look at \
                     their logs"
            }
            false => "without shards its targets would be missing unnoticed",
        };
        return Err(UsageError::file(path, format!("{}; {problem}", why.words())).into());
    }
    let run = run_id::of(args.run.run_id.as_ref(), env);
    let this = ThisRun {
        id: run.as_ref().map(|run| &run.id),
        attempt: run.as_ref().and_then(|run| run.attempt),
        max_age: args.max_age,
        now,
    };
    let joined = merge(reports, &this).map_err(refused)?;
    // Such a report stands for a shard that is missing, and for nothing else: a newer attempt that did not begin must not leave the
    // pass of an older one.
    let mut not_begun = absent.iter().filter(|(_, why)| *why == Absence::NotBegun);
    if let Some((path, why)) = not_begun.nth(joined.missing) {
        let problem = "no shard is missing that it could be of; leave the file out, or run that job again";
        return Err(UsageError::file(path, format!("{}; {problem}", why.words())).into());
    }
    for note in &joined.notes {
        env.note(note);
    }
    for line in older_attempts::lines(&joined.report) {
        env.note(&line);
    }
    let code = output::emit(&joined.report, BundleFiles::default(), &args.output, env)?;
    merged_heartbeat::ping(&joined.report, env);
    Ok(code)
}
