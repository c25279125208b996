//! `cvm-verify inspect`: every field of evidence, explained. Gives no verdict.

use std::path::Path;

use anyhow::Context as _;

use super::alone::of_source;
use super::args::{InspectArgs, SourceKind};
use super::error::UsageError;
use super::surroundings::Surroundings;
use super::target::Target;
use super::{files, replay, transport};
use crate::config::shown_text;
use crate::engine::{Collected, Session, Time, collect};
use crate::inspect::{Inspected, inspect};
use crate::render::escape;
use cvm_verify_core::evidence::{Bundle, Evidence};

pub(super) fn run(args: &InspectArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    if args.what.contains("://") || args.source.source.is_some_and(|source| source != SourceKind::App) {
        return live(args, surroundings);
    }
    let path = Path::new(&args.what);
    let file = files::read(path, files::EVIDENCE_LIMIT)?;
    if let Ok(bundle) = Bundle::parse(&file) {
        return of_bundle(path, &bundle, surroundings);
    }
    let evidence = replay::attestation_of_file(&file)
        .and_then(|attestation| Evidence::of_quote(attestation, None, None, None))
        .map_err(|error| UsageError::file(path, error))?;
    let text = inspect(&Inspected {
        evidence: &evidence,
        collateral: None,
        bundle: None,
    });
    surroundings.print(&text);
    Ok(0)
}

fn of_bundle(path: &Path, bundle: &Bundle, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let evidence = bundle.evidence().map_err(|error| UsageError::file(path, error))?;
    let collateral = bundle
        .collateral
        .as_ref()
        .map(|text| cvm_verify_core::evidence::collateral::parse(text.get().as_bytes()))
        .transpose()
        .map_err(|error| UsageError::file(path, format!("its `collateral` {error}")))?;
    let text = inspect(&Inspected {
        evidence: &evidence,
        collateral: collateral.as_ref(),
        bundle: Some(bundle),
    });
    surroundings.print(&text);
    Ok(0)
}

/// What a live deployment hands over: fetched like for `verify`, and only shown.
fn live(args: &InspectArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let target = Target::new(&args.what, &args.source)?;
    let session = Session {
        keep_bundles: true,
        clock_floor: 0,
        ..transport::session(&args.transport, surroundings)?
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")?;
    let collection = runtime.block_on(collect(&session, &of_source(&target.source), Time::default()));
    let mut code = 0;
    for one in collection.instances {
        if let Some(number) = one.instance {
            surroundings.print(&format!("INSTANCE {number} of Phala Cloud's list\n\n"));
        }
        code = code.max(show(shown_text(&args.what), one, surroundings)?);
    }
    if let Some(note) = collection.note {
        surroundings.complain(&note);
    }
    Ok(code)
}

fn show(what: &str, collected: Collected, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let why = match (collected.bundle, collected.facts) {
        (Some(bundle), _) => return of_bundle(Path::new(what), &bundle, surroundings),
        (None, Err(gap)) => escape::terminal(&gap.detail).into_owned(),
        (None, Ok(_)) => "the answer cannot be kept as a bundle.".to_owned(),
    };
    surroundings.complain(&format!("There is nothing to inspect: {why}"));
    Ok(super::INCONCLUSIVE)
}
