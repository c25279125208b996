//! What a CVM supplies: strict parsers of the wire formats, and the bundle format.
//!
//! Everything here is hostile input. Parsing proves nothing: a parsed value sits in [`Unproven`], which only
//! [`super::verify`] can open (and the `inspect` command, which gives no verdict).
//!
//! Begin with [`Evidence`]: what one instance supplied. [`Bundle`] is the file that records it, with what others answered next
//! to it.
//!
//! Sources of the formats: dstack (`sdk/curl/api.md`, `dstack-attest/src`, `cc-eventlog/src`, `dstack-types/src`) and the Phala
//! Cloud API.

mod attestation;
mod attestation_body;
mod bounded;
mod bundle;
mod bytes;
pub mod collateral;
mod error;
mod event_log;
mod excerpt;
mod gpu;
mod gpu_reports;
mod info;
mod ingress;
mod json;
mod json_budget;
mod kms_meta;
mod limits;
mod nras;
mod phala_cloud;
mod phala_kms;
mod phala_verifier;
mod quote;
mod recorded_chain;
mod recorded_gpu;
mod recorded_kms;
mod statements;
mod tls_chain;
mod tls_record;
mod tpm;
mod unproven;
mod versioned;
mod vm_config;

pub use attestation::{Attestation, BootEvents};
pub use bundle::{AskedParty, Bundle, BundleError, BundleSource};
pub(crate) use bytes::strip_prefix;
pub use bytes::{HexError, parse_user_hex};
pub use error::EvidenceError;
pub use event_log::{Event, EventVersion};
#[doc(hidden)]
pub use excerpt::{excerpt, json_problem};
pub use gpu::GpuEvidence;
pub(crate) use gpu::claimed_gpus;
pub use gpu_reports::GpuReport;
pub(crate) use gpu_reports::{MAX_GPU_CHAIN_BYTES, MAX_GPU_REPORT_BYTES};
pub use info::{Info, InfoRegisters};
pub(crate) use ingress::INGRESS_ACCOUNT;
#[doc(hidden)]
pub use json_budget::has_more_values_than;
pub(crate) use limits::MAX_COMPOSE_VALUES;
pub(crate) use phala_verifier::PhalaQuote;
pub(crate) use phala_verifier::{BODY_FIELDS, error_detail};
pub use quote::QuoteBytes;
pub use recorded_chain::Contracts;
pub(crate) use statements::MAX_LOOKED_UP;
pub use unproven::{OpensUnproven, Unproven};
pub(crate) use vm_config::VmConfig;

// For the program.
#[doc(hidden)]
pub use self::{
    bundle::{EarlyRecord, SCHEMA as BUNDLE_SCHEMA},
    bytes::parse_user_hex_up_to,
    collateral::MAX_BYTES,
    event_log::RUNTIME_EVENT_TYPE,
    gpu::{GpuProblem, MAX_GPU_DOCUMENT_BYTES},
    ingress::{
        INGRESS_MANIFEST, INGRESS_QUOTE, IngressEvidence, IngressManifest, IngressSeen,
        MAX_INGRESS_FILE_BYTES, MAX_INGRESS_MANIFEST_BYTES, MAX_INGRESS_QUOTE_BYTES, ManifestError,
    },
    json::Object,
    kms_meta::{KmsBootstrap, KmsMeta, KmsRules, MAX_KMS_META_BYTES},
    limits::{
        MAX_ATTESTATION_BYTES, MAX_COMPOSE_BYTES, MAX_COMPOSE_FILE_BYTES, MAX_EVENTS, MAX_INFO_BYTES,
        MAX_QUOTE_BYTES,
    },
    nras::{NrasAnswer, NrasKind, RecordedNras, keys_used},
    phala_cloud::{PhalaCloudAnswer, PhalaCloudInstance},
    phala_kms::PhalaKms,
    phala_verifier::{PhalaAnswer, RecordedPhalaAnswer},
    recorded_chain::{RecordedChain, RecordedExchange, RpcFault, RpcOutcome},
    recorded_gpu::RecordedGpu,
    recorded_kms::{
        BootstrapSource, MAX_BOOTSTRAPS, MAX_KMS, RecordedBootstrap, RecordedCollateral, RecordedKms,
    },
    statements::{
        LookupProblem, LookupProblemKind, MAX_STATEMENT_FILE, MAX_STATEMENTS, RecordedStatements,
        StatementFile, StatementSource,
    },
    tls_chain::{MAX_TLS_CERTIFICATE_BYTES, Probe, Seen, TlsChain, TlsHost, TlsSession},
    tls_record::TlsRecord,
};

/// Everything that one deployment supplied for one nonce, parsed but unproven.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The body of `/attestation`.
    pub attestation: Attestation,
    /// The body of `/info`, if there was one that can be read.
    pub info: Option<Info>,
    /// Why the body of `/info` cannot be read, if there was one that cannot. Nothing that is proven relies on it: it is
    /// as if absent.
    pub info_problem: Option<EvidenceError>,
    /// Copies of the compose document that the user has as files, exact texts. See [`Self::compose_candidates`].
    pub compose_copies: Vec<Unproven<String>>,
    /// The nonce that the evidence was asked for with. Null for evidence that names none.
    pub nonce: Option<[u8; 32]>,
    /// What it says of its GPUs, or why that cannot be read. Nothing else relies on it.
    pub gpu: Option<Result<GpuEvidence, GpuProblem>>,
}

impl Evidence {
    /// Parses the bodies of the two endpoints. `app_compose` is a copy of the compose document that was supplied as a
    /// file. Without `info`, that in the body of the attestation is used.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the document and the field.
    pub fn parse(
        attestation: &[u8],
        info: Option<&[u8]>,
        app_compose: Option<&[u8]>,
        nonce: Option<[u8; 32]>,
    ) -> Result<Self, EvidenceError> {
        let parsed = Attestation::parse(attestation)?;
        let evidence = Self::of_quote(parsed, Self::info_of(attestation, info), app_compose, nonce)?;
        Ok(evidence.of_one_body_or_two(attestation, info))
    }

    /// The same for a body of `/attestation` that is parsed already, without a compose document.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the document and the field.
    pub fn of_bodies(
        parsed: Attestation,
        attestation: &[u8],
        info: Option<&[u8]>,
        nonce: Option<[u8; 32]>,
    ) -> Result<Self, EvidenceError> {
        let evidence = Self::of_quote(parsed, Self::info_of(attestation, info), None, nonce)?;
        Ok(evidence.of_one_body_or_two(attestation, info))
    }

    /// A log in the information came with the quote where both are one body.
    fn of_one_body_or_two(mut self, attestation: &[u8], info: Option<&[u8]>) -> Self {
        self.attestation.log_is_of_info &= info.is_some_and(|info| info != attestation);
        self
    }

    /// The information: its own body, or what is in that of the attestation.
    fn info_of<'b>(attestation: &'b [u8], info: Option<&'b [u8]>) -> Option<&'b [u8]> {
        info.or_else(|| attestation_body::info_within(attestation))
    }

    /// The same for an attestation that is parsed already.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the document and the field.
    pub fn of_quote(
        mut attestation: Attestation,
        info: Option<&[u8]>,
        app_compose: Option<&[u8]>,
        nonce: Option<[u8; 32]>,
    ) -> Result<Self, EvidenceError> {
        let log = attestation.event_log_text.take();
        let parsed = info.map(|body| Info::parse_beside(body, log.as_deref()));
        let (info, info_problem) = match parsed {
            None => (None, None),
            Some(Ok(info)) => (Some(info), None),
            Some(Err(problem)) => (None, Some(problem)),
        };
        if attestation.event_log.is_none() {
            attestation.log_is_of_info = true;
            attestation.event_log = info.as_ref().and_then(|info| info.event_log.clone());
        }
        if attestation.vm_config.is_none() {
            attestation.vm_config = info.as_ref().and_then(|info| info.vm_config.clone());
        }
        let evidence = Self {
            gpu: attestation.gpu.take().map(|gpu| gpu.map_err(GpuProblem::from)),
            attestation,
            info,
            info_problem,
            compose_copies: Vec::new(),
            nonce,
        };
        evidence.with_compose_copy(app_compose)
    }

    /// With what came in place of the information.
    #[must_use]
    pub fn without_info(mut self, problem: String) -> Self {
        if self.info.is_none() && self.info_problem.is_none() {
            self.info_problem = Some(EvidenceError::Unanswered { problem });
        }
        self
    }

    /// With the GPU evidence of a document of its own, which goes before that in the attestation.
    #[doc(hidden)]
    #[must_use]
    pub fn with_gpu(mut self, recorded: Option<&RecordedGpu>) -> Self {
        let own = match recorded.and_then(RecordedGpu::answer) {
            None => return self,
            Some(Ok(body)) => GpuEvidence::parse(body).map_err(GpuProblem::from),
            Some(Err(problem)) => Err(GpuProblem::Unreachable(problem.to_owned())),
        };
        self.gpu = Some(match (own, self.gpu) {
            (Ok(own), Some(Ok(beside))) => Ok(own.or(beside)),
            // What cannot be read is not the same as nothing.
            (Ok(own), Some(Err(problem))) => Ok(GpuEvidence {
                problem_beside: Some(problem),
                ..own
            }),
            (own, _) => own,
        });
        self
    }

    /// With the user's own copy of the compose document, before any that is there.
    ///
    /// # Errors
    /// The copy is too large or not UTF-8.
    pub fn with_compose_copy(mut self, copy: Option<&[u8]>) -> Result<Self, EvidenceError> {
        if let Some(bytes) = copy {
            self.compose_copies.insert(0, info::compose_text(bytes)?);
        }
        Ok(self)
    }

    /// The compose document that `/info` shows.
    #[must_use]
    pub fn shown_compose(&self) -> Option<&Unproven<String>> {
        self.info.as_ref()?.app_compose.as_ref()
    }

    /// The texts of which one may be the compose document: the user's copies, and what `/info` shows. Which one it is, the
    /// measured hash alone decides: no text is taken before another because of where it comes from.
    pub fn compose_candidates(&self) -> impl Iterator<Item = &Unproven<String>> {
        self.compose_copies.iter().chain(self.shown_compose())
    }

    /// Whether `/info` shows the text of the user's copy.
    #[doc(hidden)]
    #[must_use]
    pub fn shows_the_copy(&self) -> bool {
        self.shown_compose().is_some() && self.shown_compose() == self.compose_copies.first()
    }
}
