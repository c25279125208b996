//! Evidence in loose files: recognised, read, and put together as if it were a bundle.

use std::path::{Path, PathBuf};

use dcap_qvl::QuoteCollateralV3;
use serde_json::json;
use serde_json::value::RawValue;

use super::evidence::{
    Bodies, Recorded, attestation_of_file, file_name, is_certificate, not_a_file_mistake, read_collateral,
};
use crate::compose_document;
use crate::engine::{RecordedAnswers, RecordedEvidence};
use crate::files;
use crate::inspect::begins_like_quote;
use crate::usage_error::UsageError;
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::{
    AskedParty, Attestation, Bundle, BundleError, Evidence, EvidenceError, Info, parse_user_hex,
};
use cvm_verify_core::verify::UnusableCollateral;

/// Loose files, and what was typed next to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct LooseFiles {
    /// A body of `/attestation`, or a bare quote.
    pub attestation: Option<PathBuf>,
    /// A quote, hex.
    pub quote_hex: Option<String>,
    /// A body of `/info`.
    pub info: Option<PathBuf>,
    /// The compose document.
    pub app_compose: Option<PathBuf>,
    /// Intel's statements about the platform.
    pub collateral: Option<PathBuf>,
    /// The nonce that the evidence was asked for with, hex.
    pub nonce: Option<String>,
}

impl LooseFiles {
    /// Whether it says where a quote is.
    pub const fn has_quote(&self) -> bool {
        self.attestation.is_some() || self.quote_hex.is_some()
    }

    /// The first option that belongs to loose files alone: a bundle holds its own.
    pub fn needs_a_quote(&self) -> Option<&'static str> {
        [
            ("--info", self.info.is_some()),
            ("--app-compose", self.app_compose.is_some()),
            ("--nonce", self.nonce.is_some()),
        ]
        .into_iter()
        .find_map(|(option, is_given)| is_given.then_some(option))
    }
}

/// What standard input is called.
const STDIN: &str = "standard input";
/// The file that stands for standard input.
pub(crate) const DASH: &str = "-";

/// Reads a file, or standard input where it is `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, UsageError> {
    match path == Path::new(DASH) {
        true => files::read_stdin(files::EVIDENCE_LIMIT),
        false => files::read(path, files::EVIDENCE_LIMIT),
    }
}

/// What a file is called.
pub(crate) fn named(path: &Path) -> &Path {
    match path == Path::new(DASH) {
        true => Path::new(STDIN),
        false => path,
    }
}

/// Evidence that the options name, where they name a quote.
pub(crate) fn recorded(args: &LooseFiles) -> Result<Option<Recorded>, UsageError> {
    match (&args.attestation, &args.quote_hex) {
        (Some(path), _) => of_file(named(path), &read(path)?, args).map(Some),
        (None, Some(text)) => {
            let path = Path::new("--quote-hex");
            of_quote(path, text.trim().trim_start_matches("0x").as_bytes(), args).map(Some)
        }
        (None, None) => Ok(None),
    }
}

/// The file of `--attestation`. One of cvm-verify's own documents is the wrong file.
fn of_file(path: &Path, bytes: &[u8], args: &LooseFiles) -> Result<Recorded, UsageError> {
    match Bundle::parse(bytes) {
        Ok(_) => Err(UsageError::file(
            path,
            "is an evidence bundle; give it without --attestation",
        )),
        Err(BundleError::NotABundle | BundleError::Unreadable(_)) => match attestation_of_file(bytes) {
            Ok(_) if !bytes.trim_ascii_start().starts_with(b"{") => of_quote(path, bytes, args),
            _ => of_bytes(path, bytes, args),
        },
        Err(error) => Err(UsageError::file(path, error)),
    }
}

/// A file that holds no JSON: a quote or a versioned attestation, whole or damaged, or the wrong file.
fn of_quote(path: &Path, bytes: &[u8], args: &LooseFiles) -> Result<Recorded, UsageError> {
    let quote =
        attestation_of_file(bytes).and_then(|attestation| Evidence::of_quote(attestation, None, None, None));
    match quote {
        Ok(evidence) if begins_like_quote(&evidence) => of_bytes(path, bytes, args),
        Err(refused @ EvidenceError::Certificate { .. }) => Err(UsageError::file(path, refused)),
        // It begins like a versioned attestation: what is wrong with it is judged.
        Err(
            EvidenceError::Malformed { .. }
            | EvidenceError::Duplicate { .. }
            | EvidenceError::UnsupportedPlatform { .. }
            | EvidenceError::TpmQuote { .. },
        ) => of_bytes(path, bytes, args),
        _ => Err(UsageError::file(
            path,
            "is not an evidence bundle, an /attestation body, a quote (binary, hex or base64), a versioned attestation or a \
             certificate of the guest agent (PEM)",
        )),
    }
}

/// A file that is no bundle: a body of `/attestation` or a quote. None where it is a JSON document of another kind.
pub(crate) fn recognised(
    path: &Path,
    bytes: &[u8],
    args: &LooseFiles,
) -> Result<Option<Recorded>, UsageError> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return of_quote(path, bytes, args).map(Some);
    }
    match Attestation::parse(bytes) {
        Ok(_) => of_bytes(path, bytes, args).map(Some),
        Err(_) => Ok(None),
    }
}

fn of_bytes(path: &Path, attestation: &[u8], args: &LooseFiles) -> Result<Recorded, UsageError> {
    let info = args.info.as_deref().map(read_info).transpose()?;
    let compose = args
        .app_compose
        .as_deref()
        .map(compose_document::read)
        .transpose()?;
    let nonce = args
        .nonce
        .as_deref()
        .map(|text| {
            parse_user_hex(text).map_err(|error| UsageError::option("--nonce", format!("the value {error}")))
        })
        .transpose()?;
    if nonce.is_some() && is_certificate(attestation) {
        return Err(UsageError::option(
            "--nonce",
            format!(
                "the quote in a certificate signs the certificate's key and no nonce ({}); leave the nonce out, and accept that the \
                 evidence may be old (--freshness unchecked)",
                path.display()
            ),
        ));
    }
    let collateral: Result<QuoteCollateralV3, UnusableCollateral> = match &args.collateral {
        Some(path) => read_collateral(path)?,
        None => Err(UnusableCollateral::Missing),
    };
    let evidence = attestation_of_file(attestation)
        .and_then(|attestation| Evidence::of_quote(attestation, info.as_deref(), compose.as_deref(), nonce));
    let evidence: Result<Evidence, EvidenceFailure> = not_a_file_mistake(path, evidence)?;
    Ok(Recorded {
        bodies: bodies(attestation, info.as_deref(), compose, nonce),
        inputs: RecordedEvidence {
            evidence,
            collateral,
            collateral_fetched_at: None,
            tls: None,
            asked: AskedParty::App,
        },
        name: file_name(path),
        url: None,
        address_id: None,
        captured_at: None,
        origin: None,
        collateral_source: args.collateral.as_ref().map(|path| path.display().to_string()),
        bundle: None,
        answers: RecordedAnswers::default(),
    })
}

/// A body of `/info`, from a file. What holds nothing of one is the wrong file; what is wrong in one is judged.
fn read_info(path: &Path) -> Result<Vec<u8>, UsageError> {
    let bytes = files::read(path, files::EVIDENCE_LIMIT)?;
    compose_document::refuse_own_document(path, &bytes)?;
    match Info::parse(&bytes) {
        Err(error @ EvidenceError::NotJson { .. }) => Err(UsageError::file(path, error)),
        Ok(info) if info.is_empty() => Err(UsageError::file(
            path,
            "is not an answer of /info: it has nothing of what the dstack SDK's info() returns (`tcb_info`, `app_compose`, `instance_id`)",
        )),
        _ => Ok(bytes),
    }
}

/// The bodies as JSON, where they can be written as such.
fn bodies(
    attestation: &[u8],
    info: Option<&[u8]>,
    compose: Option<Vec<u8>>,
    nonce: Option<[u8; 32]>,
) -> Option<Bodies> {
    let raw = |bytes: &[u8]| RawValue::from_string(std::str::from_utf8(bytes).ok()?.trim().to_owned()).ok();
    let attestation = match attestation.trim_ascii_start().starts_with(b"{") {
        true => raw(attestation)?,
        false => raw(as_json(attestation)?.as_bytes())?,
    };
    Some(Bodies {
        attestation,
        info: info.and_then(raw),
        app_compose: compose.and_then(|compose| String::from_utf8(compose).ok()),
        nonce,
    })
}

/// A bare quote or a versioned attestation as the guest agent's JSON has it.
fn as_json(file: &[u8]) -> Option<String> {
    let wanted = Attestation::of_bytes(file)?.ok()?;
    let text = match std::str::from_utf8(file) {
        Ok(text) => text.trim().trim_start_matches("0x").to_owned(),
        Err(_) => hex::encode(file),
    };
    ["quote", "attestation"]
        .into_iter()
        .map(|member| json!({ member: text }).to_string())
        .find(|body| {
            Attestation::parse(body.as_bytes()).is_ok_and(|read| {
                read.quote == wanted.quote && read.event_log.is_some() == wanted.event_log.is_some()
            })
        })
}
