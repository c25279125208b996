//! `cvm-verify inspect`: every field of evidence, explained. Gives no verdict.

use std::path::Path;
use std::sync::Arc;

use super::args::{InspectArgs, InspectFormat};
use super::transport::session_of_one;
use super::trust_roots::trust_roots;
use crate::address::shown_text;
use crate::compose_document::{self, has_a_field_of_one};
use crate::config::Settings;
use crate::engine::{Collected, Deployment, Session, TimeLimits, ask_further, collect};
use crate::env::Env;
use crate::files;
use crate::inspect::{
    GpuFile, Inspected, begins_like_quote, inspect, inspect_document, inspect_document_json, inspect_gpu,
    inspect_gpu_json, inspect_json,
};
use crate::pin::is_lock;
use crate::plan::kms_and_contracts::{further_questions, phala_hints, probes};
use crate::plan::target::{named_source, parse_target};
use crate::recorded::evidence::attestation_of_file;
use crate::render::{escape, phala_hint};
use crate::runtime::runtime;
use crate::source::app;
use crate::usage_error::UsageError;
use cvm_verify_core::evidence::{Bundle, BundleError, Evidence, EvidenceError};
use cvm_verify_core::policy::Policy;
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::TrustRootKind;
use cvm_verify_core::verify::TrustRoot;

const NOT_INSPECTED: &str = "is not an evidence bundle, an /attestation body, a quote (binary, hex or base64), a versioned attestation, \
                             a certificate of the guest agent (PEM), a compose document (app-compose.json), GPU evidence or tokens of NVIDIA's \
                             remote attestation service";

const THIS_IS_A_LOCK: &str = "is a lock file, which holds what is expected and no evidence. It is text to read; `cvm-verify diff LOCK URL` compares \
                              it with what runs";

pub(super) fn run(args: &InspectArgs, env: &mut Env) -> anyhow::Result<u8> {
    if args.what.contains("://") || named_source(&args.source.settings).name != app::ROW.name {
        return live(args, env);
    }
    if args.phala_hints {
        return Err(UsageError::option(
            "--phala-hints",
            "Phala Cloud's API is asked only about a live deployment, and this is a file",
        )
        .into());
    }
    let root = trust_roots(&args.trust)?.quote;
    let compose = compose(args)?;
    let path = Path::new(&args.what);
    let file = files::read(path, files::EVIDENCE_LIMIT)?;
    match Bundle::parse(&file) {
        Ok(bundle) => return of_bundle(args, path, &bundle, compose.as_deref(), &root, env),
        Err(error @ (BundleError::OtherKind { .. } | BundleError::OtherSchema { .. })) => {
            return Err(UsageError::file(path, error).into());
        }
        Err(_) => {}
    }
    if let Some(text) = compose_document(&file) {
        return of_document(args, path, text, env);
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
        env.print(&match args.format {
            InspectFormat::Text => inspect_gpu(&gpu, env.width()),
            InspectFormat::Json => inspect_gpu_json(&gpu),
        });
        return Ok(0);
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
        args,
        &Inspected {
            evidence: &evidence,
            collateral: None,
            bundle: None,
            simulated: root.kind() == TrustRootKind::Custom,
        },
        env,
    )
}

fn print(args: &InspectArgs, what: &Inspected<'_>, env: &mut Env) -> anyhow::Result<u8> {
    let text = match args.format {
        InspectFormat::Text => inspect(what, env.width()),
        InspectFormat::Json => inspect_json(what),
    };
    env.print(&text);
    Ok(0)
}

/// The text of a file that is a compose document.
fn compose_document(file: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(file).ok()?;
    if text.len() as u64 > files::COMPOSE_LIMIT {
        return None;
    }
    has_a_field_of_one(text).then_some(text)
}

fn of_document(args: &InspectArgs, path: &Path, text: &str, env: &mut Env) -> anyhow::Result<u8> {
    if args.app_compose.is_some() {
        let problem = format!(
            "{} is a compose document itself; give one of both",
            path.display()
        );
        return Err(UsageError::option("--app-compose", problem).into());
    }
    env.print(&match args.format {
        InspectFormat::Text => inspect_document(text, env.width()),
        InspectFormat::Json => inspect_document_json(text),
    });
    Ok(0)
}

/// The user's copy of the compose document.
fn compose(args: &InspectArgs) -> Result<Option<Vec<u8>>, UsageError> {
    let path = args.app_compose.as_deref();
    path.map(compose_document::read).transpose()
}

fn of_bundle(
    args: &InspectArgs,
    path: &Path,
    bundle: &Bundle,
    compose: Option<&[u8]>,
    root: &TrustRoot,
    env: &mut Env,
) -> anyhow::Result<u8> {
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
        args,
        &Inspected {
            evidence: &evidence,
            collateral: collateral.as_ref(),
            bundle: Some(bundle),
            simulated: root.kind() == TrustRootKind::Custom,
        },
        env,
    )
}

/// What a live deployment supplies: fetched like for `verify`, and only shown.
fn live(args: &InspectArgs, env: &mut Env) -> anyhow::Result<u8> {
    let mut settings = args.source.settings.clone();
    let hints = args.phala_hints.then(|| phala_hints(&mut settings));
    let target = parse_target(&args.what, &settings)?;
    let compose = compose(args)?;
    let session = Arc::new(Session {
        keep_bundles: true,
        clock_floor: 0,
        ..session_of_one(&args.transport, &trust_roots(&args.trust)?, &args.chain, env)?
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
    let mut code = 0;
    for one in collection.instances {
        if let Some(number) = one.instance {
            let line = format!("INSTANCE {number} of Phala Cloud's list\n");
            match args.format {
                InspectFormat::Text => env.print(&format!("{line}\n")),
                InspectFormat::Json => env.complain(line.trim_end()),
            }
        }
        code = code.max(show(args, one, &session.roots.quote, env)?);
    }
    if let Some(note) = collection.note {
        env.note(&note);
    }
    Ok(code)
}

fn show(args: &InspectArgs, collected: Collected, root: &TrustRoot, env: &mut Env) -> anyhow::Result<u8> {
    let what = Path::new(shown_text(&args.what));
    let why = match (collected.bundle, collected.claims) {
        // An answer of a server that cannot be read is not a usage error.
        (Some(bundle), Err(failure)) if bundle.evidence().is_err() => {
            escape::terminal(&failure.detail).into_owned()
        }
        // A document that the user gave is in the bundle already.
        (Some(bundle), _) => return of_bundle(args, what, &bundle, None, root, env),
        (None, Err(failure)) => escape::terminal(&failure.detail).into_owned(),
        (None, Ok(_)) => "the answer cannot be kept as a bundle.".to_owned(),
    };
    env.complain(&format!("There is nothing to inspect: {why}"));
    Ok(super::INCONCLUSIVE)
}
