//! A lock that is not given out yet: what speaks against it has to be accepted by name.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};

use super::image::vulnerable;
use super::known::joined;
use crate::lock::not_shown::{self, NotAsked, Unasked};
use crate::lock::pin_warning::accepted_sentences;
use crate::lock::{AcceptName, Accepting, Lock, Notes, PinWarning, Said, VULNERABLE_DAYS};
use crate::policy::{KeyProviders, KmsDocument, KnownBy, WrittenRule};
use crate::reference::{Advisory, ReferenceValues};
use crate::report::day;

/// A deployment that can be pinned, once its warnings are accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Pinned {
    pub(super) lock: Lock,
    pub(super) notes: Notes,
    pub(super) warnings: Vec<PinWarning>,
    /// Whether RTMR0 is that of a listed shape.
    pub(super) is_listed_shape: bool,
    /// Whether the key provider is a KMS of the reference values.
    pub(super) is_listed_kms: bool,
    /// The hash of the image whose measurement document has the registers of the quote, 32 bytes.
    pub(super) documented: Option<[u8; 32]>,
    /// The hash of the row that has the registers of the quote, 32 bytes.
    pub(super) row_hash: Option<[u8; 32]>,
    pub(super) not_asked: NotAsked,
    /// The vulnerabilities that an image may have of which no row says the version; empty where one does.
    pub(super) advisories: Vec<Advisory>,
    pub(super) at: u64,
}

impl Pinned {
    /// With who built the images, for review.
    #[must_use]
    pub fn with_sources(mut self, sources: Vec<WrittenRule>) -> Self {
        self.lock.sources = sources;
        self
    }

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
    pub fn with_origin(mut self, origin: Option<String>) -> Self {
        self.lock.origin = origin;
        self
    }

    /// What must be accepted before the lock is given out; empty if nothing speaks against it.
    #[must_use]
    pub fn warnings(&self) -> &[PinWarning] {
        &self.warnings
    }

    /// What was proven, whatever speaks against expecting it: to compare, not to write down.
    #[must_use]
    pub const fn observed(&self) -> &Lock {
        &self.lock
    }

    /// Gives the lock out, with what was accepted in its `[accepted]`. `before` is the lock that is there: what it holds
    /// already is not asked for again. A vulnerable image is accepted for [`VULNERABLE_DAYS`] from the time that was judged at, anew if
    /// that is accepted by its name.
    ///
    /// # Errors
    /// [`Unaccepted`]: what is new and not accepted.
    pub fn accept(self, accepting: &Accepting, before: Option<&Lock>) -> Result<AcceptedPin, Unaccepted> {
        let Self {
            mut lock,
            notes,
            mut warnings,
            is_listed_shape,
            is_listed_kms,
            documented,
            row_hash,
            not_asked,
            advisories,
            at,
        } = self;
        // The lock of another app says nothing of this one, and the host chooses which app answers.
        let other_app = before.and_then(|before| other_app(before, &lock));
        let before = before.filter(|_| other_app.is_none());
        warnings.extend(other_app);
        let mut unasked = Vec::new();
        if let Some(before) = before {
            unasked = not_asked.keep(&mut lock, before);
            warnings.extend(not_shown::no_longer_shown(before, &lock));
            warnings.extend(acpi_change(before, &lock).filter(|_| !is_listed_shape));
            warnings.extend(other_kms(before, &lock).filter(|_| !is_listed_kms));
        }
        let of_before = before.and_then(|before| known_before(before, &lock));
        if let Some(now) = lock.os_image.as_mut().and_then(|os| os.known_by.as_mut()) {
            let joined = joined(of_before, now, row_hash);
            *now = joined.known_by;
            if joined.is_kept {
                warnings.retain(|warning| *warning != PinWarning::UnknownImage);
                // Of a development image a verdict says so anyway.
                if !matches!(now, KnownBy::DevelopmentFiles(_)) && documented.as_ref() != now.hash() {
                    unasked.push(Unasked::ImageHash);
                }
            }
            warnings.extend(development(now).filter(|_| !has(&warnings, AcceptName::DevelopmentImage)));
            let vulnerable = vulnerable(&advisories, &image_of(now), now.version());
            warnings.extend(vulnerable.filter(|_| !has(&warnings, AcceptName::VulnerableImage)));
            let hashes = joined.other_hash;
            warnings.extend(hashes.map(|(before, now)| PinWarning::OtherImageHash { before, now }));
        }
        let is_new =
            |warning: &&PinWarning| before.is_none_or(|before| !warning.is_held_by(before, &lock, at));
        let new: Vec<PinWarning> = warnings.iter().filter(is_new).cloned().collect();
        let open = |warning: &&PinWarning| !accepting.accepts(warning.name());
        let open: Vec<PinWarning> = new.iter().filter(open).cloned().collect();
        if !open.is_empty() {
            return Err(Unaccepted(open));
        }
        // What is accepted for some days is accepted again by its name.
        let is_renewed = accepting.names.contains(&AcceptName::VulnerableImage);
        let is_needless = |name: &&AcceptName| {
            let counts = if **name == AcceptName::VulnerableImage {
                &warnings
            } else {
                &new
            };
            !counts.iter().any(|warning| warning.name() == **name)
        };
        let needless = accepting.names.iter().filter(is_needless).copied().collect();
        if let Some(os) = &mut lock.os_image {
            let accepted = if is_renewed { &warnings } else { &new };
            os.vulnerable_until = vulnerable_until(&warnings, accepted, before, at);
        }
        lock.accepted = accepted_sentences(&warnings);
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

/// A lock that may be written.
#[derive(Debug, Clone, PartialEq)]
pub struct AcceptedPin {
    /// The lock.
    pub lock: Lock,
    /// The text of its file.
    pub text: String,
    /// What the file says next to the values.
    pub notes: Notes,
    /// What was accepted by name and is not there, or was accepted before.
    pub needless: Vec<AcceptName>,
    /// What stays as the lock that is there holds it, because the run did not ask for it.
    pub unasked: Vec<Unasked>,
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

fn sentences(warnings: &[PinWarning]) -> String {
    let sentences: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    sentences.join(" ")
}

/// That the existing lock is of another app.
fn other_app(before: &Lock, now: &Lock) -> Option<PinWarning> {
    let (before, now) = before.app_id.zip(now.app_id)?;
    (before != now).then_some(PinWarning::OtherApp { before, now })
}

/// That another KMS takes the place of the key providers that the lock names.
fn other_kms(before: &Lock, now: &Lock) -> Option<PinWarning> {
    let (Some(old @ KeyProviders::Named(_)), Some(KeyProviders::Named(pins))) =
        (&before.key_provider, &now.key_provider)
    else {
        return None;
    };
    let other = pins.iter().find(|pin| {
        let id = pin.id.as_deref().unwrap_or_default();
        pin.name == "kms" && !old.names(&pin.name, id)
    })?;
    Some(PinWarning::OtherKms {
        before: old.to_string(),
        now: other.to_string(),
    })
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

/// How the lock that is there says that the same image was known.
fn known_before<'l>(before: &'l Lock, now: &Lock) -> Option<&'l KnownBy> {
    let os = before.os_image.as_ref().filter(|_| now.has_image_of(before))?;
    os.known_by.as_ref()
}

/// The warning of an image whose files say that it is a development image.
fn development(known_by: &KnownBy) -> Option<PinWarning> {
    match known_by {
        KnownBy::DevelopmentFiles(files) => {
            Some(PinWarning::DevelopmentImage(hex::encode(files.os_image_hash)))
        }
        _ => None,
    }
}

fn has(warnings: &[PinWarning], name: AcceptName) -> bool {
    warnings.iter().any(|warning| warning.name() == name)
}

fn is_vulnerable(warning: &PinWarning) -> bool {
    warning.name() == AcceptName::VulnerableImage
}

/// An image that only its files are known of, in a sentence.
fn image_of(known_by: &KnownBy) -> String {
    format!(
        "the image {}",
        known_by.hash().map(hex::encode).unwrap_or_default()
    )
}

/// Until when a vulnerable image is accepted: to the day that the lock says already, or for [`VULNERABLE_DAYS`] if that is accepted now.
fn vulnerable_until(
    warnings: &[PinWarning],
    accepted: &[PinWarning],
    before: Option<&Lock>,
    at: u64,
) -> Option<NaiveDate> {
    if accepted.iter().any(is_vulnerable) {
        return day(at)?.checked_add_days(Days::new(VULNERABLE_DAYS));
    }
    let held = before.filter(|_| warnings.iter().any(is_vulnerable))?;
    held.os_image.as_ref()?.vulnerable_until
}
