//! `cvm-verify diff`: what changed between two deployments.

use std::path::Path;
use std::sync::Arc;

use super::alone::{Alone, Around, facts_of_alone};
use super::args::{DiffArgs, Format};
use super::settings::of_source;
use super::trust_roots::{Roots, trust_roots};
use super::{chain, pin};
use crate::compare::{Side, SideKind, compare};
use crate::config::shown_text;
use crate::engine::{AskedContracts, ContractHints};
use crate::env::Env;
use crate::files;
use crate::plan::policy;
use crate::plan::target::Target;
use crate::recorded::bundle::from_bundle;
use crate::recorded::loose;
use crate::render::{self, escape};
use crate::usage_error::UsageError;
use cvm_verify_core::checks::Check;
use cvm_verify_core::lock::Lock;
use cvm_verify_core::policy::{KmsHost, Policy, ReportDataPolicy, SourcePolicy};
use cvm_verify_core::report::{CheckId, Status, rfc3339};
use cvm_verify_core::verify::Claims;

/// Why a side says nothing: the exit code, and a sentence that may hold a stranger's text.
struct Unsaid(u8, String);

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
            Err(Unsaid(code, why)) => {
                let name = what.map_or("the loose files", shown);
                let why = escape::terminal(&format!("{name}: {why}")).into_owned();
                env.complain(&format!("Nothing was compared: {why}"));
                return Ok(code);
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
    roots: &Roots,
    expectations: &Policy,
    named: &Named,
    env: &Env,
) -> anyhow::Result<Result<Side, Unsaid>> {
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
fn bundle(path: &Path, roots: &Roots, expectations: &Policy) -> anyhow::Result<Result<Side, Unsaid>> {
    let recorded = from_bundle(path, None)?;
    let at = recorded.captured_at.unwrap_or_default();
    let name = format!("{}, of {}", path.display(), rfc3339(at));
    Ok(match roots.prove(&recorded.gathered, at) {
        Ok(claims) => {
            let claims = chain::with_recorded_kms(claims, recorded.recalled.kms(), &roots.quote);
            let claims = chain::as_recorded(claims, recorded.recalled.chain(), &expectations.reference);
            of_facts(name, SideKind::Bundle, &claims, expectations)
        }
        Err(gap) => Err(Unsaid(super::INCONCLUSIVE, gap.detail)),
    })
}

/// Loose files, judged now.
fn loose_side(
    args: &DiffArgs,
    roots: &Roots,
    expectations: &Policy,
    env: &Env,
) -> anyhow::Result<Result<Side, Unsaid>> {
    let Some(recorded) = loose::recorded(&args.loose.files())? else {
        return Ok(Err(Unsaid(super::INCONCLUSIVE, "there is no quote".to_owned())));
    };
    let at = (env.now)();
    Ok(match roots.prove(&recorded.gathered, at) {
        Ok(claims) => of_facts(recorded.name, SideKind::Bundle, &claims, expectations),
        Err(gap) => Err(Unsaid(super::INCONCLUSIVE, gap.detail)),
    })
}

fn live(
    url: &str,
    args: &DiffArgs,
    roots: &Roots,
    expectations: &Policy,
    named: &Named,
    env: &Env,
) -> anyhow::Result<Result<Side, Unsaid>> {
    let target = Target::new(url, &of_source(&args.source))?;
    let only_one = ["a side of a comparison is one", "compare one bundle"];
    let alone = Alone {
        source: &target.source,
        transport: &args.transport,
        roots,
        nodes: chain::nodes(&args.chain)?,
        around: Around {
            kms: named.kms.clone(),
            hints: None,
            contracts: AskedContracts::Found {
                written: named.contracts,
                said: None,
                reference: Arc::clone(&expectations.reference),
            },
        },
        only_one,
        sources: &SourcePolicy::default(),
    };
    let claims = facts_of_alone(alone, env)?.claims;
    let claims = match claims {
        Ok(claims) => claims,
        Err(gap) => return Ok(Err(Unsaid(super::INCONCLUSIVE, gap.detail))),
    };
    Ok(of_facts(
        shown(url).to_owned(),
        SideKind::Live,
        &claims,
        expectations,
    ))
}

/// What was proven. Of a live deployment, what may be a recording says nothing.
fn of_facts(name: String, kind: SideKind, claims: &Claims, expectations: &Policy) -> Result<Side, Unsaid> {
    let freshness = (Check::of(CheckId::Freshness).run)(claims, expectations);
    let fresh = freshness.status == Status::Pass;
    let side = Side::of_facts(name, kind, claims, fresh)
        .map_err(|refusal| Unsaid(pin::exit_code_of_refusal(claims), format!("{refusal}.")))?;
    if kind == SideKind::Live && !fresh {
        let code = if freshness.status == Status::Fail {
            super::FAIL
        } else {
            super::INCONCLUSIVE
        };
        return Err(Unsaid(
            code,
            format!("what it shows may be a recording. {}", freshness.detail),
        ));
    }
    Ok(side)
}
