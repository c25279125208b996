//! `cvm-verify diff`: what its options say.

use super::args::{DiffArgs, Format};
use super::transport::session_of_one;
use super::trust_roots::trust_roots;
use crate::compare::{SideKind, compare};
use crate::diff::{DiffRequest, sides};
use crate::env::Env;
use crate::plan::report_data;
use crate::render::{self, escape};
use crate::usage_error::UsageError;
use cvm_verify_core::policy::{Policy, ReportDataPolicy};

pub(super) fn run(args: &DiffArgs, env: &mut Env) -> anyhow::Result<u8> {
    let roots = trust_roots(&args.trust)?;
    let loose = args.loose.files();
    let request = DiffRequest {
        before: &args.before,
        after: after(args, loose.has_quote())?,
        policy: Policy {
            report_data: ReportDataPolicy {
                layout: report_data::layout(&args.report_data)?,
                ..ReportDataPolicy::default()
            },
            ..Policy::default()
        },
        source: args.source.settings.clone(),
        loose,
        session: &|env| session_of_one(&args.transport, &roots, &args.chain, env),
        roots: roots.clone(),
    };
    let [before, after] = match sides(&request, env)? {
        Ok(sides) => sides,
        Err((name, no_side)) => {
            let why = escape::terminal(&format!("{name}: {no_side}")).into_owned();
            env.complain(&format!("Nothing was compared: {why}"));
            return Ok(no_side.verdict().exit_code());
        }
    };
    let comparison = compare(&before, &after);
    let of_evidence = [&before, &after].iter().any(|side| side.kind != SideKind::Lock);
    let simulated = roots.simulated().is_some() && of_evidence;
    let render = match args.format {
        Format::Text => render::difference_text,
        Format::Json => render::difference_json,
        Format::Markdown => render::difference_markdown,
    };
    if !args.quiet {
        env.print(&render(&before, &after, &comparison, simulated));
    }
    Ok(if comparison.changes.is_empty() {
        0
    } else {
        super::FAIL
    })
}

/// The second side, unless loose files are.
fn after(args: &DiffArgs, has_loose_files: bool) -> Result<Option<&str>, UsageError> {
    match (&args.after, has_loose_files) {
        (Some(after), false) => Ok(Some(after)),
        (None, true) => Ok(None),
        (Some(_), true) => Err(UsageError::new(
            "the loose files are the second side of the comparison, and so is B; give only one of them",
        )),
        (None, false) => Err(UsageError::new(
            "only one side is given; give the other one too: a lock file, a bundle, an address, or loose files \
             (--attestation FILE …)",
        )),
    }
}
