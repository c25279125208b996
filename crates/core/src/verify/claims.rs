//! Everything that was proven about one deployment, and why the rest was not.

use std::collections::BTreeMap;

use dcap_qvl::QuoteCollateralV3;

use super::age::{Age, judged_at};
use super::app_compose::{ComposeRefusal, MeasuredCompose};
use super::boot::{self, BootClaims, BootRefusal};
use super::chain::{self, ChainProblem, Governance, GovernanceSubject};
use super::early_tcb::EarlyTcb;
use super::event_log::{self, LogRefusal, MeasuredLog};
use super::gpu::{self, DeviceRoot, GpuFacts, NrasIntermediates};
use super::kms::KmsAnswer;
use super::not_proven::{COLLATERAL_LIMIT, NotProven, UnusableCollateral};
use super::os_image::{IdentifiedOs, ShownDocument, shown_document};
use super::phala_verdict::PhalaVerdict;
use super::provenance::SigstoreRoots;
use super::quote::{self, NotVerified, VerifiedQuote};
use super::report_data::right_padded;
use super::statements::{ImageStatements, verify_statements};
use super::tls_binding::Tls;
use super::{Prover, QuoteRefusal, SignatureCache, TrustRoot, app_compose, early_tcb, phala_verdict};
use crate::evidence::{
    AskedParty, Contracts, Evidence, EvidenceError, QuoteBytes, RecordedChain, RecordedNras,
    RecordedPhalaAnswer, RecordedStatements,
};
use crate::reference::ReferenceValues;
use crate::report::TrustRootKind;

/// What [`prove`] verifies evidence with. Time and root are arguments: no clock and no file is read.
#[derive(Clone)]
pub struct Inputs<'a> {
    /// The collateral for the quote in the evidence, or why there is none.
    pub collateral: Result<&'a QuoteCollateralV3, UnusableCollateral>,
    /// When the collateral was fetched, Unix seconds, where that is known. Without it the dates in it alone are judged.
    pub collateral_fetched_at: Option<u64>,
    /// Signatures that were found good before. No result depends on it: an empty one serves.
    pub signatures: &'a SignatureCache,
    /// Whose root certificate to chain up to.
    pub root: &'a TrustRoot,
    /// The time to judge at, Unix seconds.
    pub at: u64,
    /// A time that cannot be in the future of an honest clock, Unix seconds: the program's own commit. Zero
    /// for a replay, which may judge in the past.
    pub clock_floor: u64,
}

/// Everything that was proven about one deployment, and for the rest why it is not. [`prove`] makes it. Its fields are
/// public to be read: a caller that writes one has no proof any more.
#[derive(Debug)]
#[non_exhaustive]
pub struct Claims {
    /// The quote.
    pub quote: Result<VerifiedQuote, NotProven<QuoteRefusal>>,
    /// Whether the collateral is usable; why not otherwise. Its first end: [`VerifiedQuote::expires_at`].
    pub collateral: Result<(), UnusableCollateral>,
    /// When it was fetched, Unix seconds, where that is known.
    pub collateral_fetched_at: Option<u64>,
    /// The event log.
    pub log: Result<MeasuredLog, NotProven<LogRefusal>>,
    /// Why the event log of `/info` was not taken for that of the quote, where the attestation has none.
    pub log_of_info: Option<LogRefusal>,
    /// What the measured OS recorded.
    pub boot: Result<BootClaims, NotProven<BootRefusal>>,
    /// The compose document.
    pub compose: Result<MeasuredCompose, NotProven<ComposeRefusal>>,
    /// Who handed over the evidence.
    pub asked: AskedParty,
    /// The nonce that the evidence was asked for with, 32 bytes. Whether it is signed is for the check `freshness`.
    pub nonce: Option<[u8; 32]>,
    /// Whether the report data next to the quote is the one inside it.
    pub echo: Echo,
    /// Whether `/info` came from the instance that made the quote.
    pub info: InfoOrigin,
    /// Whether `/info` was supplied, readable or not.
    pub has_info: bool,
    /// Why `/info` cannot be read, where it was supplied and cannot.
    pub info_problem: Option<EvidenceError>,
    /// Whether the user has no copy of the compose document, or only what `/info` shows.
    pub compose_is_of_info: bool,
    /// The SHA-256 of the compose document that `/info` shows, where it is another one than the measured one.
    pub other_document: Option<[u8; 32]>,
    /// Whether the compose document was supplied only as a JSON object, whose exact text and so whose hash is lost.
    pub compose_is_object: bool,
    /// Where the collateral came from, for people.
    pub collateral_source: Option<String>,
    /// What is proven of the GPUs.
    pub gpu: GpuFacts,
    /// What Phala's verification API says of the quote.
    pub phala_verdict: PhalaVerdict,
    /// What Intel's early set says of the platform.
    pub early: EarlyTcb,
    /// What became of the measurement document of the OS image that the guest shows.
    pub shown_document: ShownDocument,
    /// What the contracts that govern the app answer; absent where no chain was asked.
    pub chain: Option<Result<Governance, ChainProblem>>,
    /// What became of the KMSs that the policy names. Empty if none was asked.
    pub kms: Vec<KmsAnswer<Self>>,
    /// What was seen of TLS while the evidence was fetched, and what is proven of it.
    pub tls: Option<Tls>,
    /// What the evidence in a certificate of dstack proves, by itself.
    pub certificate: Option<Box<Self>>,
    /// What the evidence of an ingress proves, by itself.
    pub ingress: Option<Box<Self>>,
    /// What was found of who built each image, by `NAME@sha256:HEX`.
    pub statements: BTreeMap<String, ImageStatements>,
    /// The time that was judged at, Unix seconds.
    pub at: u64,
    /// Whose root certificate the quote was verified with.
    pub root: TrustRootKind,
}

/// Whether the report data next to the quote is the one inside it. Nobody signed the one next to it (T1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// None was sent.
    Absent,
    /// It is the same.
    Equal,
    /// It differs.
    Differs,
    /// The quote is not proven, so there is nothing to compare with.
    NotReached,
}

/// Whether `/info` came from the instance that made the quote. A gateway picks any instance for each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InfoOrigin {
    /// There is no `/info`, or it names nothing to compare.
    Unknown,
    /// The same instance.
    Same,
    /// Another one.
    Other,
    /// It names the same instance, and shows the registers of another boot: an answer that was kept.
    OtherBoot,
    /// Its event log, which the attestation lacks, is not that of the quote: another instance's, or one that was kept.
    OtherLog,
}

impl InfoOrigin {
    /// Whether none of it is of the TD that made the quote.
    #[must_use]
    pub const fn is_another(self) -> bool {
        matches!(self, Self::Other | Self::OtherBoot | Self::OtherLog)
    }
}

/// Proves what can be proven, in this order: collateral, quote, event log, boot events, compose document. Each relies on the one
/// before it; what relies on something unproven is [`NotProven::NotReached`]. Pure: the same inputs give the same claims.
///
/// It never fails as a whole. Each field of [`Claims`] says what is proven, or why it is not.
#[must_use]
pub fn prove(evidence: &Evidence, inputs: &Inputs<'_>) -> Claims {
    let prover = Prover(());
    let (quote, collateral) = inputs
        .signatures
        .during(|| prove_quote(&evidence.attestation.quote, inputs));
    let mut log = match (&quote, &evidence.attestation.event_log) {
        (Err(_), _) => Err(NotProven::NotReached),
        (Ok(_), None) => Err(NotProven::Absent),
        (Ok(quote), Some(events)) => {
            event_log::replay(events, evidence.attestation.boot_events, quote, &prover)
                .map_err(NotProven::Refused)
        }
    };
    // A log that did not come with the quote can prove, and accuses nobody where it does not, whatever is wrong with it: it may be
    // the honest log of another instance, or of a moment before the app extended RTMR3, and whoever answered may have changed it.
    let mut log_of_info = None;
    if evidence.attestation.log_is_of_info && is_refused_log(&log) {
        log_of_info = log.err().and_then(NotProven::refusal);
        log = Err(NotProven::Absent);
    }
    let boot = match &log {
        Err(_) => Err(NotProven::NotReached),
        Ok(log) => boot::claims(log).map_err(NotProven::Refused),
    };
    let info = match info_origin(evidence, &quote, &boot, &prover) {
        InfoOrigin::Unknown | InfoOrigin::Same if log_of_info.is_some() => InfoOrigin::OtherLog,
        origin => origin,
    };
    // The text of another instance's document says nothing about this one.
    let shown = evidence.shown_compose().filter(|_| !info.is_another());
    let candidates = evidence.compose_copies.iter().chain(shown);
    let (compose, other_document) = match &boot {
        Err(_) => (Err(NotProven::NotReached), None),
        Ok(boot) => (
            app_compose::measured_of(candidates, boot, &prover),
            shown.and_then(|text| match app_compose::measure(text, boot, &prover) {
                Err(ComposeRefusal::HashMismatch { text, .. }) => Some(text),
                Ok(_) => None,
            }),
        ),
    };
    let compose_is_of_info = evidence.compose_copies.is_empty() || evidence.shows_the_copy();
    let compose_problem = evidence
        .info
        .as_ref()
        .and_then(|info| info.compose_problem.clone())
        // A copy of the user's is the measured one: nothing is missing.
        .filter(|_| compose.is_err());
    let echo = match (&quote, &evidence.attestation.report_data_echo) {
        (Err(_), _) => Echo::NotReached,
        (Ok(_), None) => Echo::Absent,
        (Ok(quote), Some(echo)) if right_padded(echo.open(&prover)) == *quote.report_data() => Echo::Equal,
        (Ok(_), Some(_)) => Echo::Differs,
    };
    let shown_document = shown_document(evidence, quote.as_ref().ok(), &prover);
    let gpu = gpu::prove(evidence, &boot, &compose, &DeviceRoot::Nvidia, &prover);
    Claims {
        quote,
        collateral,
        collateral_fetched_at: inputs.collateral_fetched_at,
        log,
        log_of_info,
        boot,
        compose,
        asked: AskedParty::default(),
        nonce: evidence.nonce,
        echo,
        info,
        has_info: evidence.info.is_some() || evidence.info_problem.is_some(),
        info_problem: evidence.info_problem.clone().or(compose_problem),
        compose_is_of_info,
        other_document,
        compose_is_object: evidence.compose_candidates().next().is_none()
            && evidence
                .info
                .as_ref()
                .is_some_and(|info| info.app_compose_is_object),
        collateral_source: None,
        gpu,
        phala_verdict: PhalaVerdict::NotAsked,
        early: EarlyTcb::Nothing,
        shown_document,
        chain: None,
        kms: Vec::new(),
        tls: None,
        certificate: None,
        ingress: None,
        statements: BTreeMap::new(),
        at: inputs.at,
        root: inputs.root.kind(),
    }
}

impl Claims {
    /// The SHA-256 of the compose document that `/info` shows, where it is another one than the measured one: an old answer
    /// of a cache, or a text that was written again. Nothing in it was read.
    #[must_use]
    pub const fn other_document_in_info(&self) -> Option<&[u8; 32]> {
        self.other_document.as_ref()
    }

    /// Whether quote, event log, boot events or compose document are refused. What is only missing, or could not be determined, is
    /// not.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.quote, Err(NotProven::Refused(_)))
            || self.log_is_refused()
            || matches!(self.boot, Err(NotProven::Refused(_)))
            || matches!(self.compose, Err(NotProven::Refused(_)))
    }

    /// Whether the event log is refused, and not only incomplete.
    pub(super) fn log_is_refused(&self) -> bool {
        is_refused_log(&self.log)
    }

    /// With where the collateral came from, for people.
    #[must_use]
    pub fn with_collateral_from(mut self, source: Option<String>) -> Self {
        self.collateral_source = source;
        self
    }

    /// With who handed over the evidence: who is accused of bytes that are refused depends on it, and nothing else.
    #[must_use]
    pub fn asked_of(mut self, asked: AskedParty) -> Self {
        self.asked = asked;
        self
    }

    /// With the GPUs of the same evidence proven under this root, if it is not NVIDIA's.
    #[doc(hidden)]
    #[must_use]
    pub fn with_device_root(mut self, evidence: &Evidence, root: &DeviceRoot) -> Self {
        if *root != DeviceRoot::Nvidia {
            self.gpu = gpu::prove(evidence, &self.boot, &self.compose, root, &Prover(()));
        }
        self
    }

    /// With what NVIDIA's remote attestation service answered about the GPUs of this evidence.
    #[doc(hidden)]
    #[must_use]
    pub fn with_nras(mut self, recorded: &RecordedNras, intermediates: &NrasIntermediates) -> Self {
        if self.quote.is_ok() {
            self.gpu = self
                .gpu
                .with_nras(recorded, intermediates, judged_at(recorded.answered_at, self.at));
        }
        self
    }

    /// The OS image, where its registers are those of a row, or of the measurement document of a row's hash.
    #[must_use]
    pub fn os(&self, reference: &ReferenceValues) -> Option<IdentifiedOs> {
        IdentifiedOs::of(self.quote.as_ref().ok()?, &self.shown_document, reference)
    }

    /// What contracts are asked about the deployment; absent where its boot is not proven. `named` is the published hash of its OS
    /// image as the user names it, 32 bytes, where the image is the expected one. It is asked about where no row has one; without
    /// both, the hash that the guest's measurement document is bound to.
    #[doc(hidden)]
    #[must_use]
    pub fn chain_subject(
        &self,
        reference: &ReferenceValues,
        named: Option<[u8; 32]>,
    ) -> Option<GovernanceSubject> {
        let (quote, log, boot) = (
            self.quote.as_ref().ok()?,
            self.log.as_ref().ok()?,
            self.boot.as_ref().ok()?,
        );
        let os = self.os(reference);
        let of_row = os.and_then(|os| os.row().os_image_hash.as_ref().map(|hash| hash.0));
        let hash = of_row
            .or(named)
            .or_else(|| self.shown_document.booted_image().copied());
        let builds = self.kms.iter().filter_map(KmsAnswer::build).collect();
        Some(GovernanceSubject::of(quote, log, boot, hash).with_live_builds(builds))
    }

    /// With what two nodes answered about these contracts. Without a proven boot there is nothing that they were asked about.
    /// `named` as for [`Self::chain_subject`].
    #[doc(hidden)]
    #[must_use]
    pub fn with_chain(
        mut self,
        contracts: &Contracts,
        recorded: &RecordedChain,
        reference: &ReferenceValues,
        named: Option<[u8; 32]>,
    ) -> Self {
        if let Some(subject) = self.chain_subject(reference, named) {
            self.chain = Some(chain::read(contracts, &subject, recorded).0);
        }
        self
    }

    /// With what Phala's verification API answered about the quote of this evidence. A quote that is not proven has no
    /// second opinion.
    #[doc(hidden)]
    #[must_use]
    pub fn with_phala_verdict(mut self, evidence: &Evidence, recorded: &RecordedPhalaAnswer) -> Self {
        if self.quote.is_ok() {
            self.phala_verdict = phala_verdict::verdict_of(recorded, &evidence.attestation.quote);
        }
        self
    }

    /// With what was looked up of who built the images, each bundle verified at the time that is judged at.
    #[doc(hidden)]
    #[must_use]
    pub fn with_statements(mut self, recorded: &[RecordedStatements], roots: &SigstoreRoots) -> Self {
        self.statements = verify_statements(recorded, roots, self.at);
        self
    }

    /// With what Intel's early set was found to say of a quote that is rated by the same values (see
    /// [`VerifiedQuote::rated_by`]).
    #[doc(hidden)]
    #[must_use]
    pub fn with_early_of(mut self, other: EarlyTcb) -> Self {
        if self.quote.is_ok() {
            self.early = other;
        }
        self
    }

    /// With what Intel's early set says of the platform, or why it could not be had. Costs a second verification.
    #[doc(hidden)]
    #[must_use]
    pub fn with_early(
        mut self,
        evidence: &Evidence,
        set: Result<&QuoteCollateralV3, &str>,
        root: &TrustRoot,
        signatures: &SignatureCache,
    ) -> Self {
        if self.quote.is_ok() {
            let quote = &evidence.attestation.quote;
            self.early = signatures.during(|| early_tcb::early_of(quote, set, root, self.at));
        }
        self
    }
}

fn is_refused_log(log: &Result<MeasuredLog, NotProven<LogRefusal>>) -> bool {
    match log {
        Err(NotProven::Refused(refusal)) => !matches!(refusal, LogRefusal::NoBootEvents { .. }),
        _ => false,
    }
}

type QuoteAndCollateral = (
    Result<VerifiedQuote, NotProven<QuoteRefusal>>,
    Result<(), UnusableCollateral>,
);

fn prove_quote(bytes: &QuoteBytes, inputs: &Inputs<'_>) -> QuoteAndCollateral {
    let collateral = if inputs.at < inputs.clock_floor {
        Err(UnusableCollateral::Clock { now: inputs.at })
    } else {
        inputs.collateral.clone()
    };
    let too_old = inputs
        .collateral_fetched_at
        .filter(|fetched| Age::of(*fetched, inputs.at).exceeds(COLLATERAL_LIMIT));
    match collateral {
        Err(unusable) => without_collateral(bytes, inputs.root, unusable),
        Ok(collateral) => match (quote::verify(bytes, collateral, inputs.root, inputs.at), too_old) {
            // That a part of it has ended says more than its age.
            (Err(NotVerified::Collateral(unusable)), _) => (Err(NotProven::NotReached), Err(unusable)),
            // What convicts is authentic, and is not taken back.
            (Err(NotVerified::Refused(refusal)), _) => (Err(NotProven::Refused(refusal)), Ok(())),
            // Of what Intel has revoked since, it says nothing.
            (Ok(_), Some(fetched)) => {
                let at = inputs.at;
                let unusable = match Age::of(fetched, at).is_known() {
                    true => UnusableCollateral::TooOld { fetched, at },
                    false => UnusableCollateral::FetchedAhead { fetched, at },
                };
                without_collateral(bytes, inputs.root, unusable)
            }
            (Ok(quote), None) => (Ok(quote), Ok(())),
        },
    }
}

/// Without collateral nothing can be accepted, but a forged quote can be refused.
fn without_collateral(
    bytes: &QuoteBytes,
    root: &TrustRoot,
    unusable: UnusableCollateral,
) -> QuoteAndCollateral {
    let quote = quote::refuse_alone(bytes, root).map_or_else(NotProven::Refused, |()| NotProven::NotReached);
    (Err(quote), Err(unusable))
}

fn info_origin(
    evidence: &Evidence,
    quote: &Result<VerifiedQuote, NotProven<QuoteRefusal>>,
    boot: &Result<BootClaims, NotProven<BootRefusal>>,
    prover: &Prover,
) -> InfoOrigin {
    let (Some(info), Ok(quote)) = (&evidence.info, quote) else {
        return InfoOrigin::Unknown;
    };
    let same_registers = info.registers.as_ref().map(|registers| {
        let registers = registers.open(prover);
        let [rtmr0, rtmr1, rtmr2, _] = quote.rtmrs();
        registers.mrtd == *quote.mrtd() && registers.rtmr == [*rtmr0, *rtmr1, *rtmr2]
    });
    let same_instance = match (&info.instance_id, boot) {
        (Some(claimed), Ok(boot)) => Some(boot.instance_id() == Some(claimed.open(prover))),
        _ => None,
    };
    match (same_registers, same_instance) {
        (Some(false), Some(true)) => InfoOrigin::OtherBoot,
        (Some(false), _) | (_, Some(false)) => InfoOrigin::Other,
        (None, None) => InfoOrigin::Unknown,
        _ => InfoOrigin::Same,
    }
}
