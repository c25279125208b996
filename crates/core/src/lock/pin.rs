//! From proven facts to a lock. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate};
use dcap_qvl::TcbStatus;

use super::not_shown::{self, NotAsked, Unasked};
use super::pin_warning::accepted_sentences;
use super::{
    AcceptName, Accepting, DEFAULT_TD_ATTRIBUTES, Lock, LockedGovernance, LockedKms, LockedOs, LockedTls,
    MAX_LOCK_BYTES, Notes, PinWarning, Said, VULNERABLE_DAYS, gpus, places,
};
use crate::compose::launch_script;
use crate::evidence::EvidenceError;
use crate::policy::{KeyProviderPin, KmsDocument, KnownBy, PublishedImage, WrittenRule};
use crate::reference::{OsClass, ReferenceValues, RowOrigin};
use crate::report::TrustRootKind;
use crate::verify::gpu::GpuNonce;
use crate::verify::{
    BootRefusal, Claims, ComposeRefusal, IdentifiedBy, KeyProvider, LogRefusal, MeasuredCompose, NotProven,
    QuoteRefusal, ShownDocument, UnusableCollateral, VerifiedQuote,
};

/// Why a deployment cannot be pinned at all. Nothing that is not proven is ever written down as an expectation,
/// and nothing overrides that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinRefusal {
    /// There is no collateral that serves.
    #[error("the quote is not verified: {0}")]
    Collateral(UnusableCollateral),
    /// The quote is refused.
    #[error("the quote is not verified: {0}")]
    Quote(QuoteRefusal),
    /// The quote was not judged.
    #[error("the quote is not verified")]
    QuoteNotReached,
    /// There is no event log.
    #[error("there is no event log, so nothing says which app runs")]
    NoEventLog,
    /// The event log is refused.
    #[error("the event log does not replay to the quote: {0}")]
    EventLog(LogRefusal),
    /// The boot events are refused.
    #[error("the boot events are refused: {0}")]
    Boot(BootRefusal),
    /// A compose document that is not the measured one: it would mislead whoever reviews the lock.
    #[error("{0}")]
    Compose(ComposeRefusal),
    /// A measured compose document that can be read in more than one way.
    #[error("the measured compose document cannot be read in one way only: {0}")]
    UnreadableCompose(EvidenceError),
    /// Another OS image than the one that the user named.
    #[error("the VM runs another OS image than the named one, as far as anything shows: {0}")]
    OtherImage(String),
    /// A key provider that a lock cannot express.
    #[error("the VM's keys come from {0:?}, which this version of cvm-verify does not know")]
    KeyProvider(String),
    /// Contracts that two nodes were asked about and that a lock cannot hold.
    #[error("the contracts that govern the app are not known: {0}")]
    Governance(String),
    /// KMSs that were asked and that a lock cannot hold.
    #[error("the KMS of the app is not known: {0}")]
    Kms(String),
    /// A compose document whose fields do not fit into a lock.
    #[error("the lock would have {0} bytes; at most {MAX_LOCK_BYTES} are read")]
    TooLarge(usize),
}

/// A deployment that can be pinned, once its reservations are accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Pinned {
    lock: Lock,
    notes: Notes,
    reservations: Vec<PinWarning>,
    /// Whether RTMR0 is that of a listed shape.
    is_listed_shape: bool,
    /// The hash of the image whose measurement document has the registers of the quote, 32 bytes.
    documented: Option<[u8; 32]>,
    not_asked: NotAsked,
    at: u64,
}

impl Pinned {
    /// With who built the images, for review.
    #[must_use]
    pub fn with_sources(mut self, sources: Vec<WrittenRule>) -> Self {
        self.lock.sources = sources;
        self
    }
}

/// A lock that may be written.
#[derive(Debug, Clone, PartialEq)]
pub struct AcceptedPin {
    /// The lock.
    pub lock: Lock,
    /// The text of its file.
    pub text: String,
    /// What the file says beside the values.
    pub notes: Notes,
    /// What was accepted by name and is not there, or was accepted before.
    pub needless: Vec<AcceptName>,
    /// What stays as the lock that is there holds it, because the run did not ask for it.
    pub unasked: Vec<Unasked>,
}

/// Reservations that nobody accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this deployment is pinned only with --accept {}: {}", self.names(), sentences(.0))]
pub struct Unaccepted(pub Vec<PinWarning>);

impl Unaccepted {
    /// The names to accept, as `--accept` takes them.
    #[must_use]
    pub fn names(&self) -> String {
        let names: BTreeSet<AcceptName> = self.0.iter().map(PinWarning::name).collect();
        names
            .iter()
            .map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(",")
    }
}

fn sentences(reservations: &[PinWarning]) -> String {
    let sentences: Vec<String> = reservations.iter().map(ToString::to_string).collect();
    sentences.join(" ")
}

/// Takes a lock from proven facts. `fresh` is what the `freshness` check found: whether this run's nonce is
/// signed. `root` says whose root certificate the proof rests on, `reference` what images are known, `named` which image the
/// user says that it is.
///
/// Instance ids and everything else that belongs to one start of the VM are not locked.
///
/// # Errors
/// [`PinRefusal`]: something that a lock would hold is not proven.
pub fn pin(
    claims: &Claims,
    fresh: bool,
    root: TrustRootKind,
    reference: &ReferenceValues,
    named: Option<&PublishedImage>,
) -> Result<Pinned, PinRefusal> {
    let quote = verified(claims)?;
    if let Err(gap) = &claims.log {
        return Err(match gap {
            NotProven::Refused(refusal) => PinRefusal::EventLog(refusal.clone()),
            NotProven::Absent | NotProven::NotReached => PinRefusal::NoEventLog,
        });
    }
    let boot = claims.boot.as_ref().map_err(|gap| match gap {
        NotProven::Refused(refusal) => PinRefusal::Boot(refusal.clone()),
        NotProven::Absent | NotProven::NotReached => PinRefusal::NoEventLog,
    })?;
    let [rtmr0, rtmr1, rtmr2, _] = quote.rtmrs();
    if let Some(other) = named.and_then(|named| other_image(named, claims, reference)) {
        return Err(PinRefusal::OtherImage(other));
    }
    let known_by = known_by(claims, named, reference);
    let mut lock = Lock {
        tool: Some(concat!("cvm-verify ", env!("CARGO_PKG_VERSION")).to_owned()),
        compose_hash: Some(*boot.compose_hash()),
        app_id: Some(*boot.app_id()),
        key_provider: Some(key_provider(boot.key_provider())?.into()),
        os_image: Some(LockedOs {
            mrtd: *quote.mrtd(),
            rtmr0: Some(*rtmr0),
            rtmr1: *rtmr1,
            rtmr2: *rtmr2,
            known_by: Some(known_by),
            vulnerable_until: None,
        }),
        td_attributes: Some(*quote.td_attributes()),
        mr_seam: Some(*quote.mr_seam()),
        fmspc: Some(*quote.fmspc()),
        gpus: match (&claims.gpu.devices, claims.gpu.nonce) {
            // GPUs that answered another run are not this deployment's.
            (Ok(devices), GpuNonce::ThisRun | GpuNonce::Derived) if fresh => gpus::of_devices(devices),
            _ => Vec::new(),
        },
        tls: LockedTls::of(claims),
        ..Lock::default()
    };
    lock.kms = LockedKms::of(&claims.kms, &boot.key_provider().id).map_err(PinRefusal::Kms)?;
    if let Some(chain) = &claims.chain {
        let found = chain
            .as_ref()
            .map_err(|problem| PinRefusal::Governance(problem.to_string()))?;
        lock.governance =
            LockedGovernance::of(found).map_err(|gap| PinRefusal::Governance(gap.to_string()))?;
    }
    let mut reservations = of_quote(claims, quote, fresh);
    let provider = &boot.key_provider().name;
    if provider != "kms" {
        reservations.push(PinWarning::KeyProvider(provider.clone()));
    }
    reservations.extend(of_image(claims, reference, known_by));
    let mut notes = Notes::default();
    match &claims.compose {
        Ok(compose) => reservations.extend(add_compose(compose, &mut lock, &mut notes)?),
        Err(NotProven::Refused(refusal)) => return Err(PinRefusal::Compose(refusal.clone())),
        Err(NotProven::Absent | NotProven::NotReached) => reservations.push(PinWarning::NoComposeDocument),
    }
    let has_images = reservations
        .iter()
        .all(|reservation| reservation.name() != AcceptName::UnreadCompose);
    // A row that was only observed is not a reference.
    let os = claims
        .os(reference)
        .filter(|os| os.row().class != OsClass::Observed && !os.is_third_party());
    let pinned = Pinned {
        not_asked: NotAsked::of(claims, fresh, has_images),
        notes: Notes {
            os_image: os.as_ref().map(|os| os.row().name.to_string()),
            own_rows: os
                .filter(|os| os.row().origin == RowOrigin::File)
                .map(|_| reference.file_name().unwrap_or_default().to_owned()),
            simulated: root == TrustRootKind::Custom,
            ..notes
        },
        lock,
        reservations,
        is_listed_shape: reference.shape_of(rtmr0).is_some(),
        documented: claims.shown_document.booted_image().copied(),
        at: claims.at,
    };
    match pinned.lock.to_toml(&pinned.notes).len() {
        // What is accepted and the end date, which are not written yet, need some bytes.
        size if size > MAX_LOCK_BYTES - 8 * 1024 => Err(PinRefusal::TooLarge(size)),
        _ => Ok(pinned),
    }
}

impl Pinned {
    /// With what it holds on the word of Phala Cloud's API.
    #[must_use]
    pub fn with_said(mut self, said: Said) -> Self {
        self.notes.said = said;
        self
    }

    /// With the images of the compose documents that its KMSs run, as far as the user has these documents.
    #[must_use]
    pub fn with_kms_documents(mut self, documents: &[KmsDocument], reference: &ReferenceValues) -> Self {
        let hashes = &self.lock.kms.compose_hashes;
        let running = documents
            .iter()
            .filter(|document| hashes.contains(&document.hash));
        self.notes.kms_images = running.map(|document| document.images_text(reference)).collect();
        self
    }

    /// With the address that the deployment was reached at: scheme, host and port.
    #[must_use]
    pub fn from_origin(mut self, origin: Option<String>) -> Self {
        self.lock.origin = origin;
        self
    }

    /// What must be accepted before the lock is given out; empty where nothing speaks against it.
    #[must_use]
    pub fn reservations(&self) -> &[PinWarning] {
        &self.reservations
    }

    /// What was proven, whatever speaks against expecting it: to compare, not to write down.
    #[must_use]
    pub const fn observed(&self) -> &Lock {
        &self.lock
    }

    /// Gives the lock out, with what was accepted in its `[accepted]`. `before` is the lock that is there: what it holds
    /// already is not asked for again. A vulnerable image is accepted for [`VULNERABLE_DAYS`] from the time that was judged at.
    ///
    /// # Errors
    /// [`Unaccepted`]: what is new and not accepted.
    pub fn accept(self, accepting: &Accepting, before: Option<&Lock>) -> Result<AcceptedPin, Unaccepted> {
        let Self {
            mut lock,
            notes,
            mut reservations,
            is_listed_shape,
            documented,
            not_asked,
            at,
        } = self;
        // The lock of another app says nothing of this one.
        let before = before.filter(|before| before.app_id.is_none() || before.app_id == lock.app_id);
        let mut kept = None;
        let mut unasked = Vec::new();
        if let Some(before) = before {
            unasked = not_asked.keep(&mut lock, before);
            reservations.extend(not_shown::no_longer_shown(before, &lock));
            reservations.extend(acpi_change(before, &lock).filter(|_| !is_listed_shape));
            kept = known_to_somebody(before, &lock);
        }
        if kept.is_some() {
            reservations.retain(|reservation| *reservation != PinWarning::UnknownImage);
        }
        let is_new = |reservation: &&PinWarning| {
            before.is_none_or(|before| !reservation.is_held_by(before, &lock, at))
        };
        let new: Vec<PinWarning> = reservations.iter().filter(is_new).cloned().collect();
        let open = |reservation: &&PinWarning| !accepting.accepts(reservation.name());
        let open: Vec<PinWarning> = new.iter().filter(open).cloned().collect();
        if !open.is_empty() {
            return Err(Unaccepted(open));
        }
        let is_needless = |name: &&AcceptName| !new.iter().any(|reservation| reservation.name() == **name);
        let needless = accepting.names.iter().filter(is_needless).copied().collect();
        if let Some(os) = &mut lock.os_image {
            let is_confirmed = |kept: &KnownBy| {
                matches!(kept, KnownBy::DevelopmentFiles(_))
                    || documented.as_ref() == kept.hash()
                    || os.known_by.is_some_and(|now| now != KnownBy::Unknown)
            };
            if kept.is_some_and(|kept| !is_confirmed(&kept)) {
                unasked.push(Unasked::ImageHash);
            }
            os.known_by = kept.or(os.known_by);
            os.vulnerable_until = vulnerable_until(&reservations, &new, before, at);
        }
        lock.accepted = accepted_sentences(&reservations);
        if let Some(before) = before {
            lock.keep_decisions(before);
        }
        Ok(AcceptedPin {
            text: lock.to_toml(&notes),
            lock,
            notes,
            needless,
            unasked,
        })
    }
}

/// That RTMR0 is another one than the locked one, under the same image.
fn acpi_change(before: &Lock, now: &Lock) -> Option<PinWarning> {
    let rtmr0 = |lock: &Lock| lock.os_image.as_ref().and_then(|os| os.rtmr0);
    let (old, new) = rtmr0(before).zip(rtmr0(now))?;
    (now.has_image_of(before) && old != new).then_some(PinWarning::AcpiChange {
        before: old,
        now: new,
    })
}

/// How the lock that is there says that the same image was known, if that is more than a table says.
fn known_to_somebody(before: &Lock, now: &Lock) -> Option<KnownBy> {
    let known = before.os_image.as_ref().and_then(|os| os.known_by)?;
    let is_written = matches!(
        known,
        KnownBy::PublishedHash(_) | KnownBy::Files(_) | KnownBy::DevelopmentFiles(_)
    );
    (is_written && now.has_image_of(before)).then_some(known)
}

/// Until when a vulnerable image is accepted: to the day that the lock says already, or for [`VULNERABLE_DAYS`] if that is new.
fn vulnerable_until(
    reservations: &[PinWarning],
    new: &[PinWarning],
    before: Option<&Lock>,
    at: u64,
) -> Option<NaiveDate> {
    let is_vulnerable = |reservation: &PinWarning| reservation.name() == AcceptName::VulnerableImage;
    if new.iter().any(is_vulnerable) {
        return day_of(at)?.checked_add_days(Days::new(VULNERABLE_DAYS));
    }
    let held = before.filter(|_| reservations.iter().any(is_vulnerable))?;
    held.os_image.as_ref()?.vulnerable_until
}

/// How the image is known: by a row, by the document of a hash that the table has or the user named, or by files of the user's.
/// A document under another hash makes nothing known: whoever made the image can make one.
fn known_by(claims: &Claims, named: Option<&PublishedImage>, reference: &ReferenceValues) -> KnownBy {
    let files = named.and_then(|named| named.files.as_ref());
    match (claims.os(reference), named) {
        // Whatever a table says of it: the files say that anybody can log in.
        (_, Some(named)) if files.is_some_and(|files| files.image.is_development) => {
            KnownBy::DevelopmentFiles(named.os_image_hash)
        }
        (Some(os), _) if os.by() == IdentifiedBy::Document => match &os.row().os_image_hash {
            Some(hash) => KnownBy::PublishedHash(hash.0),
            None => KnownBy::Unknown,
        },
        (Some(os), _) if os.row().class != OsClass::Observed && !os.is_third_party() => KnownBy::Row,
        (_, Some(named)) if files.is_some() => KnownBy::Files(named.os_image_hash),
        (_, Some(named)) if is_documented(claims, named) => KnownBy::PublishedHash(named.os_image_hash),
        _ => KnownBy::Unknown,
    }
}

/// Whether the guest shows the document of the named hash, and it reproduces the registers.
fn is_documented(claims: &Claims, named: &PublishedImage) -> bool {
    matches!(&claims.shown_document, ShownDocument::Reproduces(os) if *os.os_image_hash() == named.os_image_hash)
}

/// What shows that the VM did not boot the image that the user named, a phrase; absent if it did.
fn other_image(named: &PublishedImage, claims: &Claims, reference: &ReferenceValues) -> Option<String> {
    let quote = claims.quote.as_ref().ok()?;
    let [_, rtmr1, rtmr2, _] = quote.rtmrs();
    if let Some(files) = &named.files {
        let other = files.image.other_register(quote.mrtd(), rtmr1, rtmr2)?;
        return Some(format!(
            "{} is not that of the files in {}",
            other.name, files.path
        ));
    }
    let is_row = claims.os(reference).is_some_and(|os| {
        !os.is_third_party()
            && os.row().os_image_hash.as_ref().map(|hash| hash.0) == Some(named.os_image_hash)
    });
    (!is_row && !is_documented(claims, named))
        .then(|| format!("neither the table nor a measurement document says that the VM booted {named}"))
}

impl AcceptedPin {
    /// With the reasons that a lock which is there already gives for places that are the same.
    #[must_use]
    pub fn keeping_reasons(mut self, before: &Lock) -> Self {
        self.lock.keep_reasons(before);
        self.text = self.lock.to_toml(&self.notes);
        self
    }

    /// How many places decide code and are not reviewed.
    #[must_use]
    pub fn unreviewed(&self) -> usize {
        let places = self.lock.places.iter();
        places.filter(|place| !place.is_reviewed()).count()
    }
}

fn verified(claims: &Claims) -> Result<&VerifiedQuote, PinRefusal> {
    claims
        .quote
        .as_ref()
        .map_err(|gap| match (gap, &claims.collateral) {
            (NotProven::Refused(refusal), _) => PinRefusal::Quote(refusal.clone()),
            (_, Err(gap)) => PinRefusal::Collateral(gap.clone()),
            (_, Ok(())) => PinRefusal::QuoteNotReached,
        })
}

/// A provider as a pin that means just this one. Only `none` has no id.
fn key_provider(actual: &KeyProvider) -> Result<KeyProviderPin, PinRefusal> {
    actual
        .to_string()
        .parse()
        .ok()
        .filter(|pin: &KeyProviderPin| pin.name == actual.name && (pin.id.is_some() || pin.name == "none"))
        .ok_or_else(|| PinRefusal::KeyProvider(actual.name.clone()))
}

fn of_quote(claims: &Claims, quote: &VerifiedQuote, fresh: bool) -> Vec<PinWarning> {
    let mut found = Vec::new();
    match claims.nonce {
        None => found.push(PinWarning::NoNonce),
        Some(_) if !fresh => found.push(PinWarning::NonceMismatch),
        Some(_) => {}
    }
    let tcb = quote.tcb();
    if tcb.status != TcbStatus::UpToDate {
        found.push(PinWarning::Tcb {
            status: tcb.status,
            advisories: tcb.advisory_ids.clone(),
        });
    }
    if *quote.td_attributes() != DEFAULT_TD_ATTRIBUTES {
        found.push(PinWarning::TdAttributes(*quote.td_attributes()));
    }
    found
}

fn of_image(claims: &Claims, reference: &ReferenceValues, known_by: KnownBy) -> Vec<PinWarning> {
    let by_hash = match known_by {
        KnownBy::Files(hash) | KnownBy::DevelopmentFiles(hash) => {
            reference.image_by_hash(&hash).map(|row| (Arc::clone(row), false))
        }
        _ => None,
    };
    let by_registers = || {
        claims
            .os(reference)
            .map(|os| (Arc::clone(os.row()), os.is_third_party()))
    };
    let Some((row, is_third_party)) = by_hash.or_else(by_registers) else {
        return match known_by {
            KnownBy::Files(_) | KnownBy::PublishedHash(_) => Vec::new(),
            KnownBy::DevelopmentFiles(hash) => vec![PinWarning::DevelopmentImage(hex::encode(hash))],
            KnownBy::Row | KnownBy::Unknown => vec![PinWarning::UnknownImage],
        };
    };
    let name = row.name.to_string();
    let class = match row.class {
        OsClass::Production if is_third_party => Some(PinWarning::ObservedImage(name.clone())),
        OsClass::Production => None,
        OsClass::Development => Some(PinWarning::DevelopmentImage(name.clone())),
        OsClass::Prerelease | OsClass::Observed => Some(PinWarning::ObservedImage(name.clone())),
    };
    let vulnerabilities: Vec<String> = reference
        .host_alone(&row)
        .iter()
        .map(|advisory| advisory.id.to_string())
        .collect();
    let vulnerable = (!vulnerabilities.is_empty()).then_some(PinWarning::VulnerableImage {
        name,
        vulnerabilities,
    });
    class.into_iter().chain(vulnerable).collect()
}

fn add_compose(
    compose: &MeasuredCompose,
    lock: &mut Lock,
    notes: &mut Notes,
) -> Result<Vec<PinWarning>, PinRefusal> {
    lock.envelope = compose.envelope().map_err(PinRefusal::UnreadableCompose)?;
    let mut found = Vec::new();
    if lock.envelope.is_empty() {
        found.push(PinWarning::NoEnvelope);
    }
    match compose.compose_file(launch_script(compose)) {
        Ok(file) => {
            let file = file.unwrap_or_default();
            lock.places = places::unreviewed(&file);
            notes.places = places::remarks(&file);
            lock.images = file.images;
        }
        Err(problem) => found.push(PinWarning::UnreadableImages(problem.to_string())),
    }
    Ok(found)
}

fn day_of(seconds: u64) -> Option<NaiveDate> {
    let seconds = i64::try_from(seconds).ok()?;
    Some(DateTime::from_timestamp(seconds, 0)?.date_naive())
}

#[cfg(test)]
#[path = "pin_tests.rs"]
mod tests;
