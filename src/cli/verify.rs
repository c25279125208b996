//! `cvm-verify verify`: live deployments.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use tokio::task::JoinSet;
use url::Url;

use super::args::VerifyArgs;
use super::error::UsageError;
use super::judge::{judge, trust_root};
use super::live::{Ground, Live, gather};
use super::output;
use super::policy::expectations;
use super::progress::Progress;
use super::surroundings::Surroundings;
use super::{files, transport};
use crate::appraise::Subject;
use crate::checks::{EvidenceGap, EvidenceReason};
use crate::config::Policy;
use crate::evidence::Bundle;
use crate::net::retry::Schedule;
use crate::prove::TrustRoot;
use crate::report::{Mode, Report, TargetReport, rfc3339};
use crate::source::HostLabel;
use crate::source::app::AppEndpoints;

/// One address to verify.
pub(super) struct Target {
    pub name: String,
    pub endpoints: AppEndpoints,
}

impl Target {
    /// Parses an address.
    pub fn new(text: &str, attestation_path: &str, info_path: &str) -> Result<Self, UsageError> {
        let url = transport::parse_url("URL", text)?;
        let name = name_of(&url);
        let endpoints = AppEndpoints::with_paths(url, attestation_path, info_path)
            .map_err(|error| UsageError::option(text, error))?;
        Ok(Self { name, endpoints })
    }

    /// The id in the first label of the address.
    pub fn address_id(&self) -> Option<[u8; 20]> {
        HostLabel::of(self.endpoints.base()).map(|label| label.id.0)
    }
}

/// Host, port where it is given, and path: what tells targets apart.
fn name_of(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!(
        "{}{port}{}",
        url.host_str().unwrap_or_default(),
        url.path().trim_end_matches('/')
    )
}

pub(super) fn run(args: &VerifyArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let started = Instant::now();
    let started_at = (surroundings.now)();
    if args.url.is_empty() {
        return Err(UsageError::new(
            "there is nothing to verify; give the address of an app: cvm-verify verify https://…",
        )
        .into());
    }
    let targets = args
        .url
        .iter()
        .map(|url| Target::new(url, &args.source.attestation_path, &args.source.info_path))
        .collect::<Result<Vec<_>, _>>()?;
    let bundle_paths = bundle_paths(args.evidence.as_deref(), &targets)?;
    let expectations = expectations(&args.expect, started_at)?;
    let ground = Arc::new(Ground {
        network: transport::network(&args.transport)?,
        root: trust_root(&args.trust)?,
        now: surroundings.now,
        clock_floor: surroundings.clock_floor,
        compose_file: expectations.compose_file,
    });
    if let Some(mark) = surroundings.inside_a_cvm() {
        surroundings.complain(&format!(
            "note: this machine is itself a CVM ({mark} exists). A verifier that runs where its operator can change it \
             proves nothing to anyone else: run it from your CI."
        ));
    }
    let root = ground.root.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")?;
    let progress = Progress::new(surroundings, args.output.quiet, targets.len());
    let lives = runtime.block_on(gather_all(&ground, &targets, progress, surroundings));
    let Some(lives) = lives else {
        surroundings.complain("Interrupted: nothing was decided.");
        return Ok(super::INCONCLUSIVE);
    };
    let mut reports = Vec::new();
    for ((target, live), path) in targets.iter().zip(lives).zip(bundle_paths) {
        reports.push(conclude(
            target,
            live,
            &expectations.policy,
            &root,
            path.as_deref(),
        )?);
    }
    let duration = started.elapsed();
    let report = Report::new(
        output::tool(),
        Mode::Live,
        rfc3339(started_at),
        output::milliseconds(duration),
        reports,
    );
    output::emit(&report, &args.output, surroundings)
}

/// Judges one target and writes its bundle.
fn conclude(
    target: &Target,
    live: Live,
    policy: &Policy,
    root: &TrustRoot,
    bundle_path: Option<&Path>,
) -> Result<TargetReport, UsageError> {
    let bundle = match (bundle_path, &live.bundle) {
        (Some(path), Some(bundle)) => {
            write_bundle(path, bundle)?;
            Some(path.display().to_string())
        }
        _ => None,
    };
    let policy = Policy {
        address_id: target.address_id(),
        ..policy.clone()
    };
    let subject = Subject {
        name: target.name.clone(),
        url: Some(target.endpoints.base().to_string()),
        root: root.clone(),
        at: live.at,
        collateral_source: live.collateral_source,
        bundle,
    };
    Ok(judge(&live.facts, &policy, &subject))
}

pub(super) fn write_bundle(path: &Path, bundle: &Bundle) -> Result<(), UsageError> {
    let text = bundle
        .to_json()
        .map_err(|error| UsageError::file(path, format!("cannot be written: {error}")))?;
    files::write(path, &text)
}

/// Gathers all targets at once. `None` when the user interrupts.
async fn gather_all(
    ground: &Arc<Ground>,
    targets: &[Target],
    mut progress: Progress,
    surroundings: &mut Surroundings,
) -> Option<Vec<Live>> {
    let mut tasks = JoinSet::new();
    let mut indices = std::collections::HashMap::new();
    for (index, target) in targets.iter().enumerate() {
        let (ground, endpoints) = (Arc::clone(ground), target.endpoints.clone());
        let handle = tasks.spawn(async move { gather(&ground, &endpoints, Schedule::default()).await });
        indices.insert(handle.id(), index);
    }
    let mut lives: Vec<Option<Live>> = targets.iter().map(|_| None).collect();
    loop {
        tokio::select! {
            joined = tasks.join_next_with_id() => {
                let Some(joined) = joined else { break };
                let (id, live) = match joined {
                    Ok((id, live)) => (id, live),
                    Err(error) => (error.id(), crashed((ground.now)())),
                };
                if let Some(slot) = indices.get(&id).and_then(|index| lives.get_mut(*index)) {
                    *slot = Some(live);
                }
                progress.done();
            }
            () = progress.tick() => progress.show(surroundings),
            _ = tokio::signal::ctrl_c() => {
                progress.clear(surroundings);
                return None;
            }
        }
    }
    progress.clear(surroundings);
    Some(
        lives
            .into_iter()
            .map(|live| live.unwrap_or_else(|| crashed((ground.now)())))
            .collect(),
    )
}

/// One target's panic is that target's error; the others go on.
fn crashed(at: u64) -> Live {
    let gap = EvidenceGap {
        reason: EvidenceReason::Internal,
        detail: "The program met a state that it should not while it verified this target.".to_owned(),
    };
    Live {
        facts: Err(gap),
        at,
        collateral_source: None,
        bundle: None,
    }
}

/// Where each target's bundle goes: a file, or files in a folder where there are several targets.
fn bundle_paths(path: Option<&Path>, targets: &[Target]) -> Result<Vec<Option<PathBuf>>, UsageError> {
    let Some(path) = path else {
        return Ok(targets.iter().map(|_| None).collect());
    };
    if path.is_dir() {
        let file = |(index, target): (usize, &Target)| {
            let name: String = target
                .name
                .chars()
                .map(|c| {
                    if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
                        c
                    } else {
                        '_'
                    }
                })
                .collect();
            let number = if targets.len() > 1 {
                format!("{}-", index + 1)
            } else {
                String::new()
            };
            Some(path.join(format!("{number}{name}.evidence.json")))
        };
        return Ok(targets.iter().enumerate().map(file).collect());
    }
    if targets.len() > 1 {
        return Err(UsageError::option(
            "--evidence",
            "there are several URLs; name an existing folder",
        ));
    }
    Ok(vec![Some(path.to_owned())])
}
