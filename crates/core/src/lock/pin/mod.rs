//! From claims to a lock. Pure.

mod image;
mod known;
mod pinned;
mod refusal;

#[cfg(test)]
mod tests;

use dcap_qvl::TcbStatus;

use super::not_shown::NotAsked;
use super::{
    AcceptName, DEFAULT_TD_ATTRIBUTES, Lock, LockedGovernance, LockedKms, LockedOs, LockedTls,
    MAX_LOCK_BYTES, Notes, PinWarning, gpus, places,
};
use crate::compose::launch_script;
use crate::policy::{KeyProviderPin, KnownBy, PublishedImage};
use crate::reference::{OsClass, ReferenceValues, RowOrigin};
use crate::report::TrustRootKind;
use crate::verify::gpu::GpuNonce;
use crate::verify::{BootClaims, Claims, KeyProvider, Layout, MeasuredCompose, NotProven, VerifiedQuote};
use image::{known_by, of_image, other_image};
pub use pinned::{AcceptedPin, Pinned, Unaccepted};
pub use refusal::PinRefusal;

/// Takes a lock from claims. `fresh` is what the `freshness` check found: whether this run's nonce is
/// signed. `root` says whose root certificate the proof relies on, `reference` what images are known, `named` which image the
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
    match &claims.compose {
        Err(NotProven::Refused(refusal)) if verified(claims).is_ok() && booted(claims).is_ok() => {
            Err(PinRefusal::Compose(refusal.clone()))
        }
        _ => observed(claims, fresh, root, reference, named),
    }
}

/// The same to compare it, never to write it down: a compose document that is not the measured one counts as not shown. Nothing in it
/// is read, and the hash is proven without it.
///
/// # Errors
/// As [`pin`].
pub fn observed(
    claims: &Claims,
    fresh: bool,
    root: TrustRootKind,
    reference: &ReferenceValues,
    named: Option<&PublishedImage>,
) -> Result<Pinned, PinRefusal> {
    let quote = verified(claims)?;
    let boot = booted(claims)?;
    if let Some(other) = named.and_then(|named| other_image(named, claims, reference)) {
        return Err(PinRefusal::OtherImage(other));
    }
    let known_by = known_by(claims, named, reference);
    let mut lock = lock_of(claims, quote, boot, fresh, &known_by)?;
    let mut warnings = of_quote(claims, quote, fresh);
    let provider = boot.key_provider();
    if provider.name != "kms" {
        warnings.push(PinWarning::KeyProvider(provider.name.clone()));
    }
    warnings.extend(of_image(claims, named, reference, &known_by));
    let mut notes = Notes::default();
    match &claims.compose {
        Ok(compose) => warnings.extend(add_compose(compose, &mut lock, &mut notes)?),
        Err(_) => warnings.push(PinWarning::NoComposeDocument),
    }
    let has_images = warnings
        .iter()
        .all(|warning| warning.name() != AcceptName::UnreadCompose);
    let os = claims.os(reference);
    // A row that was only observed is not a reference.
    let known_os = os
        .as_ref()
        .filter(|os| os.row().class != OsClass::Observed && !os.is_third_party());
    let pinned = Pinned {
        not_asked: NotAsked::of(claims, fresh, has_images),
        notes: Notes {
            os_image: known_os.map(|os| os.row().name.to_string()),
            own_rows: known_os
                .filter(|os| os.row().origin == RowOrigin::File)
                .map(|_| reference.file_name().unwrap_or_default().to_owned()),
            simulated: root == TrustRootKind::Custom,
            ..notes
        },
        lock,
        warnings,
        is_listed_shape: reference.shape_of(quote.rtmrs()[0]).is_some(),
        is_listed_kms: reference.kms_by_id(&provider.id).is_some(),
        documented: claims.shown_document.booted_image().copied(),
        row_hash: os
            .as_ref()
            .and_then(|os| os.row().os_image_hash.map(|hash| hash.0)),
        advisories: match &os {
            Some(os) if os.row().version.is_some() => Vec::new(),
            _ => reference.advisories().to_vec(),
        },
        at: claims.at,
    };
    match pinned.lock.to_toml(&pinned.notes).len() {
        // What is accepted and the end date, which are not written yet, need some bytes.
        size if size > MAX_LOCK_BYTES - 16 * 1024 => Err(PinRefusal::TooLarge(size)),
        _ => Ok(pinned),
    }
}

/// What claims prove, without what the compose document says.
fn lock_of(
    claims: &Claims,
    quote: &VerifiedQuote,
    boot: &BootClaims,
    fresh: bool,
    known_by: &KnownBy,
) -> Result<Lock, PinRefusal> {
    let [rtmr0, rtmr1, rtmr2, _] = quote.rtmrs();
    let provider = boot.key_provider();
    Ok(Lock {
        tool: Some(concat!("cvm-verify ", env!("CARGO_PKG_VERSION")).to_owned()),
        compose_hash: Some(*boot.compose_hash()),
        app_id: Some(*boot.app_id()),
        key_provider: Some(key_provider(provider)?.into()),
        os_image: Some(LockedOs {
            mrtd: *quote.mrtd(),
            rtmr0: Some(*rtmr0),
            rtmr1: *rtmr1,
            rtmr2: *rtmr2,
            known_by: Some(known_by.clone()),
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
        kms: LockedKms::of(&claims.kms, &provider.id).map_err(PinRefusal::Kms)?,
        governance: governance(claims)?,
        ..Lock::default()
    })
}

fn governance(claims: &Claims) -> Result<LockedGovernance, PinRefusal> {
    let Some(chain) = &claims.chain else {
        return Ok(LockedGovernance::default());
    };
    let found = chain
        .as_ref()
        .map_err(|problem| PinRefusal::Governance(problem.to_string()))?;
    LockedGovernance::of(found).map_err(|why| PinRefusal::Governance(why.to_string()))
}

fn booted(claims: &Claims) -> Result<&BootClaims, PinRefusal> {
    if let Err(why) = &claims.log {
        return Err(refusal_of(why, PinRefusal::EventLog));
    }
    let boot = claims.boot.as_ref();
    boot.map_err(|why| refusal_of(why, PinRefusal::Boot))
}

fn refusal_of<R: Clone>(why: &NotProven<R>, refused: fn(R) -> PinRefusal) -> PinRefusal {
    match why {
        NotProven::Refused(refusal) => refused(refusal.clone()),
        NotProven::Absent | NotProven::NotReached => PinRefusal::NoEventLog,
    }
}

fn verified(claims: &Claims) -> Result<&VerifiedQuote, PinRefusal> {
    claims
        .quote
        .as_ref()
        .map_err(|why| match (why, &claims.collateral) {
            (NotProven::Refused(refusal), _) => PinRefusal::Quote(refusal.clone()),
            (_, Err(why)) => PinRefusal::Collateral(why.clone()),
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
        Some(nonce) if !fresh => found.push(match Layout::that_gives(quote.report_data(), &nonce) {
            Some(layout) => PinWarning::OtherLayout(layout),
            None => PinWarning::NonceMismatch,
        }),
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

fn add_compose(
    compose: &MeasuredCompose,
    lock: &mut Lock,
    notes: &mut Notes,
) -> Result<Vec<PinWarning>, PinRefusal> {
    let settings = compose.compose_settings();
    lock.compose_settings = settings.map_err(PinRefusal::UnreadableCompose)?.clone();
    let mut found = Vec::new();
    if lock.compose_settings.is_empty() {
        found.push(PinWarning::NoComposeSettings);
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
