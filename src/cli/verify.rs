//! `cvm-verify verify`: live deployments.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;

use super::alerts::Alerting;
use super::args::VerifyArgs;
use super::error::UsageError;
use super::judge::{judge, trust_root};
use super::live::{Ground, Live};
use super::policy::expectations;
use super::progress::Progress;
use super::round::gather_all;
use super::surroundings::Surroundings;
use super::target::{Target, bundle_paths};
use super::{files, output, transport, wait};
use crate::alert::state::Fingerprint;
use crate::appraise::Subject;
use crate::config::Policy;
use crate::report::{Mode, Report, TargetReport, Verdict, rfc3339};

pub(super) fn run(args: &VerifyArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let started = Instant::now();
    let started_at = (surroundings.now)();
    let targets = targets(args)?;
    let alerting = Alerting::new(&args.memory, surroundings)?;
    output::prepare(&args.output)?;
    let bundle_paths = bundle_paths(
        args.evidence.as_deref(),
        args.output.output_dir.as_deref(),
        &targets,
    )?;
    let wait = args
        .wait
        .as_deref()
        .map(wait::parse)
        .transpose()?
        .unwrap_or_default();
    let expectations = expectations(&args.expect, started_at)?;
    let ground = Arc::new(Ground {
        network: transport::network(&args.transport)?,
        root: trust_root(&args.trust)?,
        now: surroundings.now,
        clock_floor: surroundings.clock_floor,
        compose_file: expectations.compose_file,
    });
    note_a_run_inside_a_cvm(surroundings);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")?;
    let (lives, reports) = loop {
        let progress = Progress::new(surroundings, args.output.quiet, targets.len());
        let Some(lives) = runtime.block_on(gather_all(&ground, &targets, progress, surroundings)) else {
            return Ok(interrupted(surroundings));
        };
        let reports: Vec<TargetReport> = targets
            .iter()
            .zip(&lives)
            .zip(&bundle_paths)
            .map(|((target, live), path)| {
                conclude(target, live, &expectations.policy, &ground, path.as_deref())
            })
            .collect();
        let verdict = Verdict::worst(reports.iter().map(|report| report.verdict));
        let left = wait.saturating_sub(started.elapsed());
        if verdict == Verdict::Pass || left.is_zero() {
            break (lives, reports);
        }
        surroundings.complain(&wait::still_different(&reports, left));
        if !runtime.block_on(wait::pause(surroundings.pause.min(left))) {
            return Ok(interrupted(surroundings));
        }
    };
    let mut report = Report::new(
        output::tool(),
        Mode::Live,
        rfc3339(started_at),
        output::milliseconds(started.elapsed()),
        reports,
    );
    if alerting.any() {
        let policies = vec![Fingerprint::of(&expectations.policy); report.targets.len()];
        alerting.deliver(
            &mut report,
            &policies,
            &runtime,
            &ground.network.client,
            surroundings,
        );
    }
    output::emit(
        &report,
        bundles(&lives, &bundle_paths)?,
        &args.output,
        surroundings,
    )
}

fn targets(args: &VerifyArgs) -> Result<Vec<Target>, UsageError> {
    if args.url.is_empty() {
        return Err(UsageError::new(
            "there is nothing to verify; give the address of an app: cvm-verify verify https://…",
        ));
    }
    args.url
        .iter()
        .map(|url| Target::new(url, &args.source.attestation_path, &args.source.info_path))
        .collect()
}

fn note_a_run_inside_a_cvm(surroundings: &mut Surroundings) {
    if let Some(mark) = surroundings.inside_a_cvm() {
        surroundings.complain(&format!(
            "note: this machine is itself a CVM ({mark} exists). A verifier that runs where its operator can change it \
             proves nothing to anyone else: run it from your CI."
        ));
    }
}

fn interrupted(surroundings: &mut Surroundings) -> u8 {
    surroundings.complain("Interrupted: nothing was decided.");
    super::INCONCLUSIVE
}

/// Judges one target.
fn conclude(
    target: &Target,
    live: &Live,
    policy: &Policy,
    ground: &Ground,
    bundle_path: Option<&Path>,
) -> TargetReport {
    let policy = Policy {
        address_id: target.address_id(),
        ..policy.clone()
    };
    let subject = Subject {
        name: target.name.clone(),
        url: Some(target.endpoints.base().to_string()),
        root: ground.root.clone(),
        at: live.at,
        collateral_source: live.collateral_source.clone(),
        bundle: bundle_path
            .filter(|_| live.bundle.is_some())
            .map(|path| path.display().to_string()),
    };
    judge(&live.facts, &policy, &subject)
}

/// The texts of the bundles and where they go.
fn bundles(lives: &[Live], paths: &[Option<PathBuf>]) -> anyhow::Result<Vec<files::Pending>> {
    let mut pending = Vec::new();
    for (live, path) in lives.iter().zip(paths) {
        if let (Some(bundle), Some(path)) = (&live.bundle, path) {
            let text = bundle.to_json().context("the evidence bundle")?;
            pending.push(files::Pending {
                path: path.clone(),
                text,
            });
        }
    }
    Ok(pending)
}
