//! `cvm-verify inspect`: every field of evidence, explained. Gives no verdict.

use std::path::Path;

use anyhow::Context as _;

use super::args::InspectArgs;
use super::error::UsageError;
use super::live::{Ground, gather};
use super::surroundings::Surroundings;
use super::target::Target;
use super::{files, replay, transport};
use crate::collateral;
use crate::evidence::{Attestation, Bundle, Evidence};
use crate::inspect::{Inspected, inspect};
use crate::net::retry::Schedule;
use crate::prove::TrustRoot;
use crate::render::escape;

pub(super) fn run(args: &InspectArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    if args.what.contains("://") {
        return live(args, surroundings);
    }
    let path = Path::new(&args.what);
    let file = files::read(path, files::EVIDENCE_LIMIT)?;
    if let Ok(bundle) = Bundle::parse(&file) {
        return of_bundle(path, &bundle, surroundings);
    }
    let evidence = match replay::bare_quote(&file) {
        Some(quote) => Evidence::of_quote(Attestation::bare(quote), None, None, None),
        None => Evidence::parse(&file, None, None, None),
    };
    let evidence = evidence.map_err(|error| UsageError::file(path, error))?;
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
        .map(|text| collateral::file::parse(text.get().as_bytes()))
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
    let target = Target::new(
        &args.what,
        args.source.attestation_path(),
        args.source.info_path(),
    )?;
    let ground = Ground {
        network: transport::network(&args.transport)?,
        root: TrustRoot::Intel,
        now: surroundings.now,
        clock_floor: 0,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")?;
    let live = runtime.block_on(gather(&ground, &target.endpoints, None, Schedule::default()));
    match (live.bundle, live.facts) {
        (Some(bundle), _) => of_bundle(Path::new(&args.what), &bundle, surroundings),
        (None, Err(gap)) => {
            let detail = escape::terminal(&gap.detail).into_owned();
            surroundings.complain(&format!("There is nothing to inspect: {detail}"));
            Ok(super::INCONCLUSIVE)
        }
        (None, Ok(_)) => {
            surroundings.complain("There is nothing to inspect: the answer cannot be kept as a bundle.");
            Ok(super::INCONCLUSIVE)
        }
    }
}
