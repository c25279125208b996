//! `cvm-verify diff`: what its options say.

use super::args::{DiffArgs, Format};
use super::transport::session_of_one;
use super::trust_roots::trust_roots;
use crate::compare::{SideKind, compare};
use crate::config::{Settings, path_of};
use crate::diff::{DiffRequest, sides};
use crate::env::Env;
use crate::plan::next_commands::LOCK_NAME;
use crate::plan::selection::address;
use crate::plan::{policy_file, report_data};
use crate::render::{self, escape};
use crate::usage_error::UsageError;
use cvm_verify_core::policy::{Policy, ReportDataPolicy};

pub(super) fn run(args: &DiffArgs, env: &mut Env) -> anyhow::Result<u8> {
    let roots = trust_roots(&args.trust)?;
    let loose = args.loose.files();
    let compared = match &args.before {
        Some(before) => given(args, before, loose.has_quote())?,
        None => of_target(args, loose.has_quote(), env)?,
    };
    let request = DiffRequest {
        before: &compared.before,
        after: compared.after.as_deref(),
        address: compared.address.as_deref(),
        target: args.config.target.as_deref(),
        policy: Policy {
            report_data: ReportDataPolicy {
                layout: report_data::layout(&compared.report_data)?,
                ..ReportDataPolicy::default()
            },
            ..Policy::default()
        },
        source: compared.source,
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
    if !args.quiet {
        let width = env.width();
        env.print(&match args.format {
            Format::Text => render::difference_text(&before, &after, &comparison, simulated, width),
            Format::Json => render::difference_json(&before, &after, &comparison, simulated),
            Format::Markdown => render::difference_markdown(&before, &after, &comparison, simulated),
        });
    }
    Ok(if comparison.changes.is_empty() {
        0
    } else {
        super::FAIL
    })
}

/// What the options compare.
struct Compared {
    before: String,
    after: Option<String>,
    /// The side that is a live deployment, whatever its text is.
    address: Option<String>,
    report_data: String,
    /// Whom a live deployment is asked through.
    source: Settings,
}

/// The two sides that were typed.
fn given(args: &DiffArgs, before: &str, has_loose_files: bool) -> Result<Compared, UsageError> {
    if args.config.config.is_some() {
        return Err(UsageError::option(
            "--config",
            "a policy file is read for a comparison without A and B, of the target that --target names",
        ));
    }
    Ok(Compared {
        before: before.to_owned(),
        after: after(args, has_loose_files)?.map(str::to_owned),
        address: None,
        report_data: args.report_data.clone(),
        source: args.source.settings.clone(),
    })
}

/// The lock of a target of the policy file, and what runs.
fn of_target(args: &DiffArgs, has_loose_files: bool, env: &mut Env) -> Result<Compared, UsageError> {
    if has_loose_files {
        return Err(UsageError::option(
            "--target",
            "without A it compares a target of the policy file with its lock, and loose files are another side; name the lock as A",
        ));
    }
    let Some(path) = policy_file::found(args.config.config.as_deref(), args.quiet, env) else {
        return Err(UsageError::option(
            "--target",
            "there is no policy file (cvm-verify.toml) in this folder; name one with --config, or give both sides: cvm-verify diff \
             LOCK URL --target NAME",
        ));
    };
    let (settings, _) =
        policy_file::of_one(Some(&path), args.config.target.as_deref(), &args.source.settings)?;
    let Some(address) = address(None, &settings) else {
        return Err(UsageError::option("--target", "the target has no address"));
    };
    let lock = settings.one("lock").map_or_else(|| LOCK_NAME.into(), path_of);
    let layout = settings.one("report-data").filter(|_| args.report_data == "auto");
    Ok(Compared {
        before: lock.display().to_string(),
        after: Some(address.text.clone()),
        address: Some(address.text),
        report_data: layout.map_or_else(|| args.report_data.clone(), |value| value.text.clone()),
        source: settings,
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
