//! What `cvm-verify inspect` shows: a file of any kind, or what a live deployment answers.

use std::path::Path;
use std::sync::Arc;

use crate::address::shown_text;
use crate::compose_document::{self, has_a_field_of_one};
use crate::config::Settings;
use crate::engine::{Collected, Deployment, Session, TimeLimits, ask_further, collect};
use crate::env::Env;
use crate::files::{self, is_lock};
use crate::inspect::{
    GpuFile, Inspected, begins_like_quote, inspect, inspect_document, inspect_document_json, inspect_gpu,
    inspect_gpu_json, inspect_json,
};
use crate::plan::LiveSession;
use crate::plan::kms_and_contracts::{further_questions, phala_hints, probes};
use crate::plan::target::{named_source, parse_target};
use crate::recorded::evidence::attestation_of_file;
use crate::render::{escape, phala_hint};
use crate::runtime::runtime;
use crate::source::app;
use crate::usage_error::{CommandError, UsageError};
use cvm_verify_core::evidence::{Bundle, BundleError, Evidence, EvidenceError};
use cvm_verify_core::policy::Policy;
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{TrustRootKind, Verdict};
use cvm_verify_core::verify::TrustRoot;

const NOT_INSPECTED: &str = "is not an evidence bundle, an /attestation body, a quote (binary, hex or base64), a versioned attestation, \
                             a certificate of the guest agent (PEM), a compose document (app-compose.json), GPU evidence or tokens of NVIDIA's \
                             remote attestation service";

const THIS_IS_A_LOCK: &str = "is a lock file, which holds what is expected and no evidence. It is text to read; `cvm-verify diff LOCK URL` compares \
                              it with what runs";

/// What is inspected, and how it is shown.
pub(crate) struct InspectRequest<'a> {
    /// A file, an address or an id.
    pub what: &'a str,
    /// Whom a live deployment is asked through.
    pub source: &'a Settings,
    /// The user's copy of the compose document.
    pub app_compose: Option<&'a Path>,
    /// Whether Phala Cloud's API is asked where the KMS and its contract are.
    pub phala_hints: bool,
    /// Whether JSON is printed.
    pub is_json: bool,
    /// The roots of trust of a quote.
    pub root: &'a TrustRoot,
    /// Who asks a live deployment.
    pub session: LiveSession<'a>,
}

/// Shows it. Inconclusive where nothing answered.
///
/// # Errors
/// It is nothing that can be inspected, or settings.
pub(crate) fn run(request: &InspectRequest<'_>, env: &mut Env) -> Result<Verdict, CommandError> {
    if request.what.contains("://") || named_source(request.source).name != app::ROW.name {
        return live(request, env);
    }
    if request.phala_hints {
        return Err(UsageError::option(
            "--phala-hints",
            "Phala Cloud's API is asked only about a live deployment, and this is a file",
        )
        .into());
    }
    let compose = compose(request)?;
    let path = Path::new(request.what);
    let file = files::read(path, files::EVIDENCE_LIMIT)?;
    match Bundle::parse(&file) {
        Ok(bundle) => return of_bundle(request, path, &bundle, compose.as_deref(), env),
        Err(error @ (BundleError::OtherKind { .. } | BundleError::OtherSchema { .. })) => {
            return Err(UsageError::file(path, error).into());
        }
        Err(_) => {}
    }
    if let Some(text) = compose_document(&file) {
        return of_document(request, path, text, env);
    }
    if str::from_utf8(&file).is_ok_and(is_lock) {
        return Err(UsageError::file(path, THIS_IS_A_LOCK).into());
    }
    let is_json = file.trim_ascii_start().starts_with(b"{");
    let read = attestation_of_file(&file);
    // A body of /attestation may hold GPU evidence, too.
    if (!is_json || read.is_err())
        && let Some(gpu) = GpuFile::of(&file)
    {
        env.print(&match request.is_json {
            false => inspect_gpu(&gpu, env.width()),
            true => inspect_gpu_json(&gpu),
        });
        return Ok(Verdict::Pass);
    }
    let attestation = read.map_err(|error| match error {
        EvidenceError::NotJson { .. } if !is_json => UsageError::file(path, NOT_INSPECTED),
        error => UsageError::file(path, error),
    })?;
    let evidence = Evidence::of_quote(attestation, None, compose.as_deref(), None)
        .map_err(|error| UsageError::file(path, error))?;
    if !is_json && !begins_like_quote(&evidence) {
        return Err(UsageError::file(path, NOT_INSPECTED).into());
    }
    print(
        request,
        &Inspected {
            evidence: &evidence,
            collateral: None,
            bundle: None,
            simulated: request.root.kind() == TrustRootKind::Custom,
        },
        env,
    )
}

fn print(request: &InspectRequest<'_>, what: &Inspected<'_>, env: &mut Env) -> Result<Verdict, CommandError> {
    let text = match request.is_json {
        false => inspect(what, env.width()),
        true => inspect_json(what),
    };
    env.print(&text);
    Ok(Verdict::Pass)
}

/// The text of a file that is a compose document.
fn compose_document(file: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(file).ok()?;
    if text.len() as u64 > files::COMPOSE_LIMIT {
        return None;
    }
    has_a_field_of_one(text).then_some(text)
}

fn of_document(
    request: &InspectRequest<'_>,
    path: &Path,
    text: &str,
    env: &mut Env,
) -> Result<Verdict, CommandError> {
    if request.app_compose.is_some() {
        let problem = format!(
            "{} is a compose document itself; give one of both",
            path.display()
        );
        return Err(UsageError::option("--app-compose", problem).into());
    }
    env.print(&match request.is_json {
        false => inspect_document(text, env.width()),
        true => inspect_document_json(text),
    });
    Ok(Verdict::Pass)
}

/// The user's copy of the compose document.
fn compose(request: &InspectRequest<'_>) -> Result<Option<Vec<u8>>, UsageError> {
    let path = request.app_compose;
    path.map(compose_document::read).transpose()
}

fn of_bundle(
    request: &InspectRequest<'_>,
    path: &Path,
    bundle: &Bundle,
    compose: Option<&[u8]>,
    env: &mut Env,
) -> Result<Verdict, CommandError> {
    let evidence = bundle
        .evidence()
        .and_then(|evidence| evidence.with_compose_copy(compose))
        .map_err(|error| UsageError::file(path, error))?;
    let collateral = bundle
        .collateral
        .as_ref()
        .map(|text| cvm_verify_core::evidence::collateral::parse(text.get().as_bytes()))
        .transpose()
        .map_err(|error| UsageError::file(path, format!("its `collateral` {error}")))?;
    print(
        request,
        &Inspected {
            evidence: &evidence,
            collateral: collateral.as_ref(),
            bundle: Some(bundle),
            simulated: request.root.kind() == TrustRootKind::Custom,
        },
        env,
    )
}

/// What a live deployment supplies: fetched like for `verify`, and only shown.
fn live(request: &InspectRequest<'_>, env: &mut Env) -> Result<Verdict, CommandError> {
    let mut settings = request.source.clone();
    let hints = request.phala_hints.then(|| phala_hints(&mut settings));
    let target = parse_target(request.what, &settings)?;
    let compose = compose(request)?;
    let session = Arc::new(Session {
        keep_bundles: true,
        clock_floor: 0,
        ..(request.session)(env)?
    });
    // Nothing is written of the contracts of what is only shown.
    let questions = further_questions(
        &Settings::default(),
        Vec::new(),
        hints.transpose()?,
        ReferenceValues::built_in(),
    );
    let mut deployment = Deployment::without_expectations(target.source, compose.map(Arc::from));
    deployment.policy = Arc::new(Policy {
        endpoint_probe: probes(&settings),
        ..Policy::default()
    });
    let asked = runtime()?.block_on(async {
        let collection = collect(&session, &deployment, TimeLimits::default()).await;
        ask_further(&session, collection, questions).await
    });
    if let Some(hint) = &asked.hint {
        env.complain(&phala_hint(hint));
    }
    let collection = asked.collection;
    let mut verdict = Verdict::Pass;
    for one in collection.instances {
        if let Some(number) = one.instance {
            let line = format!("INSTANCE {number} of Phala Cloud's list\n");
            match request.is_json {
                false => env.print(&format!("{line}\n")),
                true => env.complain(line.trim_end()),
            }
        }
        verdict = Verdict::worst([verdict, show(request, one, env)?]);
    }
    if let Some(note) = collection.note {
        env.note(&note);
    }
    Ok(verdict)
}

fn show(request: &InspectRequest<'_>, collected: Collected, env: &mut Env) -> Result<Verdict, CommandError> {
    let what = Path::new(shown_text(request.what));
    let why = match (collected.bundle, collected.claims) {
        // An answer of a server that cannot be read is not a usage error.
        (Some(bundle), Err(failure)) if bundle.evidence().is_err() => {
            escape::terminal(&failure.detail).into_owned()
        }
        // A document that the user gave is in the bundle already.
        (Some(bundle), _) => return of_bundle(request, what, &bundle, None, env),
        (None, Err(failure)) => escape::terminal(&failure.detail).into_owned(),
        (None, Ok(_)) => "the answer cannot be kept as a bundle.".to_owned(),
    };
    env.complain(&format!("There is nothing to inspect: {why}"));
    Ok(Verdict::Inconclusive)
}
