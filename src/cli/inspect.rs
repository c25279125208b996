//! `cvm-verify inspect`: every field of evidence, explained. Gives no verdict.

use std::path::Path;

use anyhow::Context as _;

use super::args::{InspectArgs, SourceKind};
use super::error::UsageError;
use super::live::{Ground, Live, Time, gather};
use super::second_opinion::SecondOpinions;
use super::surroundings::Surroundings;
use super::target::Target;
use super::{files, replay, transport};
use crate::collateral::Store;
use crate::config::shown_text;
use crate::inspect::{Inspected, inspect};
use crate::render::escape;
use cvm_verify_core::evidence::{Bundle, Evidence};
use cvm_verify_core::verify::TrustRoot;

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
    let ground = Ground {
        network: transport::network(&args.transport)?,
        store: Store::in_memory(),
        keep_bundles: true,
        opinions: SecondOpinions::none(),
        root: TrustRoot::Intel,
        now: surroundings.now,
        clock_floor: 0,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")?;
    let gathering = runtime.block_on(gather(&ground, &target.source, None, Time::default()));
    let mut code = 0;
    for live in gathering.lives {
        if let Some(number) = live.instance {
            surroundings.print(&format!("INSTANCE {number} of Phala Cloud's list\n\n"));
        }
        code = code.max(show(shown_text(&args.what), live, surroundings)?);
    }
    if let Some(note) = gathering.note {
        surroundings.complain(&note);
    }
    Ok(code)
}

fn show(what: &str, live: Live, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let why = match (live.bundle, live.facts) {
        (Some(bundle), _) => return of_bundle(Path::new(what), &bundle, surroundings),
        (None, Err(gap)) => escape::terminal(&gap.detail).into_owned(),
        (None, Ok(_)) => "the answer cannot be kept as a bundle.".to_owned(),
    };
    surroundings.complain(&format!("There is nothing to inspect: {why}"));
    Ok(super::INCONCLUSIVE)
}
