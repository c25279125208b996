//! `cvm-verify diff`: what changed between two deployments.

use std::path::Path;
use std::sync::Arc;

use super::args::{DiffArgs, Format};
use super::settings::of_source;
use super::trust_roots::trust_roots;
use super::{chain, transport};
use crate::compare::{NoSide, Side, SideKind, compare};
use crate::config::shown_text;
use crate::engine::{Around, AskedContracts, ContractHints, Session, TrustRoots, describe};
use crate::env::Env;
use crate::files;
use crate::plan::policy;
use crate::plan::target::Target;
use crate::recorded::bundle::from_bundle;
use crate::recorded::evidence::Recorded;
use crate::recorded::loose;
use crate::render::{self, escape};
use crate::runtime::runtime;
use crate::usage_error::UsageError;
use cvm_verify_core::lock::Lock;
use cvm_verify_core::policy::{KmsHost, Policy, ReportDataPolicy, SourcePolicy};
use cvm_verify_core::report::rfc3339;

pub(super) fn run(args: &DiffArgs, env: &mut Env) -> anyhow::Result<u8> {
    let roots = trust_roots(&args.trust)?;
    let layout = policy::layout(&args.report_data)?;
    let expectations = Policy {
        report_data: ReportDataPolicy {
            layout,
            ..ReportDataPolicy::default()
        },
        ..Policy::default()
    };
    let after = match (&args.after, args.loose.has_quote()) {
        (Some(after), false) => Some(after.as_str()),
        (None, true) => None,
        (Some(_), true) => {
            return Err(UsageError::new(
                "loose files are the second side, and B is another; give one of them",
            )
            .into());
        }
        (None, false) => {
            return Err(UsageError::new(
                "there is one side only; give the other one too: a lock file, a bundle, an address, or loose files \
                 (--attestation FILE …)",
            )
            .into());
        }
    };
    let mut sides = [None, None];
    let whats = [Some(args.before.as_str()), after];
    let is_live = |what: Option<&str>| what.is_some_and(is_address);
    // The side that is not live says whom the other one is asked about.
    let mut order = [0, 1];
    order.sort_by_key(|index| whats.get(*index).copied().is_some_and(is_live));
    let mut named = Named::default();
    for index in order {
        let what = whats.get(index).copied().flatten();
        let side = match what {
            Some(what) => side(what, args, &roots, &expectations, &named, env)?,
            None => loose_side(args, &roots, &expectations, env)?,
        };
        match side {
            Ok(side) => {
                if side.kind != SideKind::Live {
                    named = Named::of(&side);
                }
                if let Some(place) = sides.get_mut(index) {
                    *place = Some(side);
                }
            }
            Err(no_side) => {
                let name = what.map_or("the loose files", shown);
                let why = escape::terminal(&format!("{name}: {no_side}")).into_owned();
                env.complain(&format!("Nothing was compared: {why}"));
                return Ok(no_side.verdict().exit_code());
            }
        }
    }
    let [Some(before), Some(after)] = &sides else {
        return Ok(super::INCONCLUSIVE);
    };
    let comparison = compare(before, after);
    let is_evidence = |side: &Side| side.kind != SideKind::Lock;
    let simulated = roots.simulated().is_some() && (is_evidence(before) || is_evidence(after));
    let render = match args.format {
        Format::Text => render::difference_text,
        Format::Json => render::difference_json,
        Format::Markdown => render::difference_markdown,
    };
    if !args.quiet {
        env.print(&render(before, after, &comparison, simulated));
    }
    Ok(if comparison.changes.is_empty() {
        0
    } else {
        super::FAIL
    })
}

/// Whom one side names: the other one is asked about them.
#[derive(Default)]
struct Named {
    /// Where its KMS answers.
    kms: Vec<KmsHost>,
    /// Its contracts.
    contracts: ContractHints,
}

impl Named {
    fn of(side: &Side) -> Self {
        Self {
            kms: side.lock.kms.hosts.clone(),
            contracts: ContractHints {
                chain_id: side.lock.governance.chain_id,
                kms: side.lock.governance.kms_contract,
            },
        }
    }
}

/// Whether a side is the address of a live deployment.
fn is_address(what: &str) -> bool {
    what.contains("://")
}

/// What a side is called: an address without its query.
fn shown(what: &str) -> &str {
    if is_address(what) { shown_text(what) } else { what }
}

fn side(
    what: &str,
    args: &DiffArgs,
    roots: &TrustRoots,
    expectations: &Policy,
    named: &Named,
    env: &Env,
) -> anyhow::Result<Result<Side, NoSide>> {
    if is_address(what) {
        return live(what, args, roots, expectations, named, env);
    }
    let path = Path::new(what);
    let file = files::read(path, files::EVIDENCE_LIMIT)?;
    if file.trim_ascii_start().starts_with(b"{") {
        return bundle(path, roots, expectations);
    }
    let lock = Lock::read(&file, what).map_err(|error| UsageError::new(error.to_string()))?;
    Ok(Ok(Side::of_lock(what.to_owned(), lock)))
}

/// A bundle, at the time that it was captured.
fn bundle(path: &Path, roots: &TrustRoots, expectations: &Policy) -> anyhow::Result<Result<Side, NoSide>> {
    let recorded = from_bundle(path, None)?;
    let at = recorded.captured_at.unwrap_or_default();
    let name = format!("{}, of {}", path.display(), rfc3339(at));
    Ok(recorded_side(name, &recorded, at, roots, expectations))
}

/// Loose files, judged now.
fn loose_side(
    args: &DiffArgs,
    roots: &TrustRoots,
    expectations: &Policy,
    env: &Env,
) -> anyhow::Result<Result<Side, NoSide>> {
    let Some(recorded) = loose::recorded(&args.loose.files())? else {
        return Ok(Err(NoSide::Unknown("there is no quote".to_owned())));
    };
    let (name, at) = (recorded.name.clone(), (env.now)());
    Ok(recorded_side(name, &recorded, at, roots, expectations))
}

fn recorded_side(
    name: String,
    recorded: &Recorded,
    at: u64,
    roots: &TrustRoots,
    expectations: &Policy,
) -> Result<Side, NoSide> {
    let claims = recorded.describe(roots, at, &SourcePolicy::default(), &expectations.reference);
    Side::of_facts(name, SideKind::Bundle, &claims?, expectations)
}

fn live(
    url: &str,
    args: &DiffArgs,
    roots: &TrustRoots,
    expectations: &Policy,
    named: &Named,
    env: &Env,
) -> anyhow::Result<Result<Side, NoSide>> {
    let source = Target::new(url, &of_source(&args.source))?.source;
    let session = Session {
        roots: roots.clone(),
        nodes: chain::nodes(&args.chain)?,
        ..transport::session(&args.transport, env)?
    };
    let around = Around {
        kms: named.kms.clone(),
        hints: None,
        contracts: AskedContracts::Found {
            written: named.contracts,
            said: None,
            reference: Arc::clone(&expectations.reference),
        },
    };
    let described = runtime()?.block_on(describe(&session, &source, around, &SourcePolicy::default()));
    let described = described.map_err(|several| {
        UsageError::new(format!(
            "{several}, and a side of a comparison is one; write their evidence with `verify --evidence FOLDER` and compare one \
             bundle"
        ))
    })?;
    let side = |claims| Side::of_facts(shown(url).to_owned(), SideKind::Live, &claims, expectations);
    Ok(described.claims.map_err(NoSide::from).and_then(side))
}
