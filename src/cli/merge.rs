//! `cvm-verify merge`: the reports of several runs as one.

use super::args::MergeArgs;
use super::output;
use crate::artifacts::{BundleFiles, refuse_to_overwrite, unfinished};
use crate::env::{Env, run_id};
use crate::merge::{NamedReports, ThisRun};
use crate::render::older_attempts;
use crate::run_alerts::merged_heartbeat;
use cvm_verify_core::report::Mode;

pub(super) fn run(args: &MergeArgs, env: &mut Env) -> anyhow::Result<u8> {
    refuse_to_overwrite(&args.output.files(), &args.report)?;
    let now = (env.now)();
    output::prepare(&args.output, &unfinished(Mode::Live, None, now), env)?;
    let named = NamedReports::read(&args.report)?;
    let run = run_id::of(args.run.run_id.as_ref(), env);
    let this = ThisRun {
        id: run.as_ref().map(|run| &run.id),
        attempt: run.as_ref().and_then(|run| run.attempt),
        max_age: args.max_age,
        now,
    };
    let joined = named.join(&this)?;
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
