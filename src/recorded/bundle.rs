//! Evidence out of a bundle, and loose files written as one.

use std::path::Path;

use url::Url;

use super::evidence::{Recorded, file_name, or_unusable, read_collateral};
use crate::engine::{RecordedAnswers, RecordedEvidence, raw_collateral};
use crate::files;
use crate::source::{Source, tls_host};
use crate::usage_error::{CommandError, UsageError};
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::{Bundle, TlsSession};
use cvm_verify_core::verify::UnusableCollateral;

/// Reads an evidence bundle.
pub(crate) fn from_bundle(path: &Path, collateral: Option<&Path>) -> Result<Recorded, UsageError> {
    let bytes = files::read(path, files::EVIDENCE_LIMIT)?;
    let bundle = Bundle::parse(&bytes).map_err(|error| UsageError::file(path, error))?;
    of_bundle(path, &bundle, collateral)
}

/// The same for a bundle that is parsed.
pub(crate) fn of_bundle(
    path: &Path,
    bundle: &Bundle,
    collateral: Option<&Path>,
) -> Result<Recorded, UsageError> {
    let recorded_collateral = match (collateral, &bundle.collateral) {
        (Some(path), _) => read_collateral(path)?,
        (None, Some(text)) => or_unusable(cvm_verify_core::evidence::collateral::parse(
            text.get().as_bytes(),
        ))
        .map_err(|error| UsageError::file(path, format!("its `collateral`: {error}")))?,
        (None, None) => Err(UnusableCollateral::Missing),
    };
    Ok(Recorded {
        inputs: RecordedEvidence {
            evidence: bundle.evidence().map_err(EvidenceFailure::from),
            collateral: recorded_collateral,
            collateral_fetched_at: bundle.collateral_fetched_at.filter(|_| collateral.is_none()),
            tls: recorded_tls(bundle),
            asked: Source::party_of(&bundle.source.kind),
        },
        name: file_name(path),
        address_id: bundle
            .source
            .url
            .as_deref()
            .and_then(|url| Source::address_id_of(&bundle.source.kind, url)),
        origin: bundle
            .source
            .url
            .as_deref()
            .and_then(|url| Source::origin_of(&bundle.source.kind, url)),
        url: bundle.source.url.clone(),
        captured_at: Some(bundle.captured_at),
        collateral_source: bundle.collateral_source.clone().filter(|_| collateral.is_none()),
        bundle: Some(path.display().to_string()),
        answers: RecordedAnswers::of(bundle),
        bodies: None,
    })
}

/// Writes loose files as a bundle, judged at a time, Unix seconds; its path.
pub(crate) fn write_bundle(path: &Path, recorded: &mut Recorded, at: u64) -> Result<String, CommandError> {
    let Some(bodies) = recorded.bodies.take() else {
        return Err(UsageError::option(
            "--evidence",
            "only loose files are written as a bundle, and this evidence is a bundle already or cannot be one",
        )
        .into());
    };
    let collateral = recorded.inputs.collateral.as_ref().ok().and_then(raw_collateral);
    let bundle = bodies.bundle(at, collateral, recorded.collateral_source.clone());
    let text = bundle.to_json().map_err(|error| UsageError::file(path, error))?;
    files::write(path, &text)?;
    Ok(path.display().to_string())
}

/// What a bundle recorded of TLS at its address.
fn recorded_tls(bundle: &Bundle) -> Option<TlsSession> {
    let url = bundle.source.url.as_deref().and_then(|url| Url::parse(url).ok());
    let host = url.as_ref().map(tls_host).unwrap_or_default();
    bundle.tls.as_ref()?.session(host)
}
