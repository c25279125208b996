//! The two sides of `cvm-verify diff`, each read from a lock, from recorded evidence or from a live deployment.

use std::path::Path;
use std::sync::Arc;

use crate::address::shown_text;
use crate::compare::{NoSide, Side, SideKind};
use crate::config::Settings;
use crate::engine::{AskedContracts, ContractHints, FurtherQuestions, TrustRoots, describe};
use crate::env::Env;
use crate::files;
use crate::plan::LiveSession;
use crate::plan::kms_and_contracts::probes;
use crate::plan::target::parse_target;
use crate::recorded::bundle::from_bundle;
use crate::recorded::evidence::Recorded;
use crate::recorded::loose::{self, LooseFiles};
use crate::runtime::runtime;
use crate::usage_error::{CommandError, UsageError};
use cvm_verify_core::lock::{Lock, LockError};
use cvm_verify_core::policy::{KmsHost, Policy, SourcePolicy};
use cvm_verify_core::report::rfc3339;

/// What is compared.
pub(crate) struct DiffRequest<'a> {
    /// A lock file, an evidence bundle, or the address of an app.
    pub before: &'a str,
    /// The same; without it, the loose files.
    pub after: Option<&'a str>,
    /// The side that is a live deployment, whatever its text is.
    pub address: Option<&'a str>,
    /// Which deployment is meant in a lock of several.
    pub target: Option<&'a str>,
    pub loose: LooseFiles,
    /// How the nonce lies in the report data.
    pub policy: Policy,
    /// Whom a live deployment is asked through.
    pub source: Settings,
    pub roots: TrustRoots,
    pub session: LiveSession<'a>,
}

/// Both sides, in the order of the request; or the name of the side that says nothing, and why.
///
/// # Errors
/// A file that cannot be read, or settings.
pub(crate) fn sides(
    request: &DiffRequest<'_>,
    env: &Env,
) -> Result<Result<[Side; 2], (String, NoSide)>, CommandError> {
    let whats = [Some(request.before), request.after];
    let mut sides = [None, None];
    // The side that is not live says whom the other one is asked about.
    let mut order = [(0, whats[0]), (1, whats[1])];
    order.sort_by_key(|(_, what)| what.is_some_and(|what| request.is_address(what)));
    let mut named = NamedServices::default();
    for (index, what) in order {
        let read = match what {
            Some(what) => side(what, request, &named, env)?,
            None => loose_side(request, env)?,
        };
        let side = match read {
            Ok(side) => side,
            Err(no_side) => return Ok(Err((what.map_or("the loose files", shown).to_owned(), no_side))),
        };
        if side.kind != SideKind::Live {
            named = NamedServices::of(&side);
        }
        if let Some(place) = sides.get_mut(index) {
            *place = Some(side);
        }
    }
    Ok(match sides {
        [Some(before), Some(after)] => Ok([before, after]),
        _ => Err((String::new(), NoSide::Unknown("a side is missing".to_owned()))),
    })
}

/// Whom one side names: the other one is asked about them.
#[derive(Default)]
struct NamedServices {
    /// Where its KMS answers.
    kms: Vec<KmsHost>,
    /// Its contracts.
    contracts: ContractHints,
}

impl NamedServices {
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

impl DiffRequest<'_> {
    /// Whether a side is the address of a live deployment.
    fn is_address(&self, what: &str) -> bool {
        what.contains("://") || self.address == Some(what)
    }
}

/// What a side is called: an address without its query.
fn shown(what: &str) -> &str {
    match what.contains("://") {
        true => shown_text(what),
        false => what,
    }
}

fn side(
    what: &str,
    request: &DiffRequest<'_>,
    named: &NamedServices,
    env: &Env,
) -> Result<Result<Side, NoSide>, CommandError> {
    if request.is_address(what) {
        return live(what, request, named, env);
    }
    let path = Path::new(what);
    let file = files::read(path, files::EVIDENCE_LIMIT)?;
    if file.trim_ascii_start().starts_with(b"{") {
        return Ok(bundle(path, request)?);
    }
    let refused = |error: LockError| UsageError::new(error.to_string());
    let several = Lock::read_file(&file, what).map_err(refused)?;
    let lock = several.of(request.target, what).map_err(refused)?;
    Ok(Ok(Side::of_lock(what.to_owned(), lock.clone())))
}

/// A bundle, at the time that it was captured.
fn bundle(path: &Path, request: &DiffRequest<'_>) -> Result<Result<Side, NoSide>, UsageError> {
    let recorded = from_bundle(path, None)?;
    let at = recorded.captured_at.unwrap_or_default();
    let name = format!("{}, of {}", path.display(), rfc3339(at));
    Ok(recorded_side(name, &recorded, at, request))
}

/// Loose files, judged now.
fn loose_side(request: &DiffRequest<'_>, env: &Env) -> Result<Result<Side, NoSide>, UsageError> {
    let Some(recorded) = loose::recorded(&request.loose)? else {
        return Ok(Err(NoSide::Unknown("there is no quote".to_owned())));
    };
    let (name, at) = (recorded.name.clone(), (env.now)());
    Ok(recorded_side(name, &recorded, at, request))
}

fn recorded_side(
    name: String,
    recorded: &Recorded,
    at: u64,
    request: &DiffRequest<'_>,
) -> Result<Side, NoSide> {
    let policy = &request.policy;
    let claims = recorded.describe(&request.roots, at, &SourcePolicy::default(), &policy.reference);
    Side::of_claims(name, SideKind::Bundle, &claims?, policy)
}

fn live(
    url: &str,
    request: &DiffRequest<'_>,
    named: &NamedServices,
    env: &Env,
) -> Result<Result<Side, NoSide>, CommandError> {
    let policy = &request.policy;
    let source = parse_target(url, &request.source)?.source;
    let session = Arc::new((request.session)(env)?);
    let questions = FurtherQuestions {
        kms: named.kms.clone(),
        hints: None,
        contracts: AskedContracts::Found {
            written: named.contracts,
            said: None,
            reference: Arc::clone(&policy.reference),
        },
        probes: probes(&request.source),
    };
    let described = runtime()?.block_on(Box::pin(describe(
        &session,
        &source,
        questions,
        &SourcePolicy::default(),
    )));
    let described = described.map_err(|several| {
        UsageError::new(format!(
            "{several}, and a side of a comparison must be one; write their evidence with `verify --evidence FOLDER` and \
             compare one bundle"
        ))
    })?;
    let side = |claims| Side::of_claims(shown(url).to_owned(), SideKind::Live, &claims, policy);
    Ok(described.claims.map_err(NoSide::from).and_then(side))
}
