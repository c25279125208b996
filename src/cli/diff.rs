//! `cvm-verify diff`: what changed between two deployments.

use std::path::Path;

use super::alone::{Alone, facts_of_alone};
use super::args::{DiffArgs, Format};
use super::settings::of_source;
use super::trust_roots::{Roots, trust_roots};
use super::{chain, pin};
use crate::compare::{Side, SideKind, compare};
use crate::config::shown_text;
use crate::engine::AskedContracts;
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
use cvm_verify_core::policy::{Policy, ReportDataPolicy, SourcePolicy};
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
    let mut sides = Vec::new();
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
    for what in [Some(args.before.as_str()), after] {
        let side = match what {
            Some(what) => side(what, args, &roots, &expectations, env)?,
            None => loose_side(args, &roots, &expectations, env)?,
        };
        match side {
            Ok(side) => sides.push(side),
            Err(Unsaid(code, why)) => {
                let name = what.map_or("the loose files", named);
                let why = escape::terminal(&format!("{name}: {why}")).into_owned();
                env.complain(&format!("Nothing was compared: {why}"));
                return Ok(code);
            }
        }
    }
    let [before, after] = sides.as_slice() else {
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

/// What a side is called: an address without its query.
fn named(what: &str) -> &str {
    if what.contains("://") {
        shown_text(what)
    } else {
        what
    }
}

fn side(
    what: &str,
    args: &DiffArgs,
    roots: &Roots,
    expectations: &Policy,
    env: &Env,
) -> anyhow::Result<Result<Side, Unsaid>> {
    if what.contains("://") {
        return live(what, args, roots, expectations, env);
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
    env: &Env,
) -> anyhow::Result<Result<Side, Unsaid>> {
    let target = Target::new(url, &of_source(&args.source))?;
    let only_one = ["a side of a comparison is one", "compare one bundle"];
    let alone = Alone {
        source: &target.source,
        transport: &args.transport,
        roots,
        nodes: None,
        kms: Vec::new(),
        contracts: AskedContracts::None,
        only_one,
        sources: &SourcePolicy::default(),
    };
    let claims = facts_of_alone(alone, env)?;
    let claims = match claims {
        Ok(claims) => claims,
        Err(gap) => return Ok(Err(Unsaid(super::INCONCLUSIVE, gap.detail))),
    };
    Ok(of_facts(
        named(url).to_owned(),
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
