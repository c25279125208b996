//! Which OS image runs, how it is known, and what speaks against it.

use std::sync::Arc;

use crate::lock::PinWarning;
use crate::policy::{FilesIdentity, KnownBy, PublishedImage};
use crate::reference::{Advisory, OsClass, ReferenceValues, ReleaseVersion};
use crate::verify::{Claims, IdentifiedBy};

/// How the image is known: by a row, by the document of a hash that the table has or the user named, or by files of the user's.
/// A document under another hash makes nothing known: anyone who made the image can make one.
pub(super) fn known_by(
    claims: &Claims,
    named: Option<&PublishedImage>,
    reference: &ReferenceValues,
) -> KnownBy {
    let files = named.and_then(|named| named.files.as_ref());
    match claims.os(reference) {
        // Whatever a table says of it: the files say that anybody can log in.
        _ if let Some(files) = files
            && files.image.is_development =>
        {
            KnownBy::DevelopmentFiles(FilesIdentity::of(&files.image))
        }
        Some(os) if os.by() == IdentifiedBy::Document => match &os.row().os_image_hash {
            Some(hash) => KnownBy::PublishedHash(hash.0),
            None => KnownBy::Unknown,
        },
        Some(os) if os.row().class != OsClass::Observed && !os.is_third_party() => KnownBy::Row,
        _ if let Some(files) = files => KnownBy::Files(FilesIdentity::of(&files.image)),
        // RTMR0 need not be computed: the lock holds it.
        _ => match claims.shown_document.booted_image() {
            Some(hash) if is_documented(claims, named) || reference.image_by_hash(hash).is_some() => {
                KnownBy::PublishedHash(*hash)
            }
            _ => KnownBy::Unknown,
        },
    }
}

/// Whether the guest shows the document of the named hash, from which MRTD, RTMR1 and RTMR2 follow.
fn is_documented(claims: &Claims, named: Option<&PublishedImage>) -> bool {
    let documented = claims.shown_document.booted_image();
    named.is_some_and(|named| documented == Some(&named.os_image_hash))
}

/// What shows that the VM did not boot the image that the user named, a phrase; absent if it did.
pub(super) fn other_image(
    named: &PublishedImage,
    claims: &Claims,
    reference: &ReferenceValues,
) -> Option<String> {
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
    (!is_row && !is_documented(claims, Some(named)))
        .then(|| format!("neither the table nor a measurement document says that the VM booted {named}"))
}

pub(super) fn of_image(
    claims: &Claims,
    named: Option<&PublishedImage>,
    reference: &ReferenceValues,
    known_by: &KnownBy,
) -> Vec<PinWarning> {
    let by_hash = match known_by {
        KnownBy::Row | KnownBy::Unknown => None,
        known_by => known_by.hash().and_then(|hash| reference.image_by_hash(hash)),
    };
    let by_hash = by_hash.map(|row| (Arc::clone(row), false));
    let by_registers = || {
        claims
            .os(reference)
            .map(|os| (Arc::clone(os.row()), os.is_third_party()))
    };
    let Some((row, is_third_party)) = by_hash.or_else(by_registers) else {
        let class = match known_by {
            KnownBy::Files(_) | KnownBy::PublishedHash(_) => None,
            KnownBy::DevelopmentFiles(files) => {
                Some(PinWarning::DevelopmentImage(hex::encode(files.os_image_hash)))
            }
            KnownBy::Row | KnownBy::Unknown => Some(PinWarning::UnknownImage),
        };
        let vulnerable = named.and_then(|named| {
            let name = format!("the image {named}");
            vulnerable(reference.advisories(), &name, named.version().as_deref())
        });
        return class.into_iter().chain(vulnerable).collect();
    };
    let name = row.name.to_string();
    let class = match row.class {
        OsClass::Production if is_third_party => Some(PinWarning::ObservedImage(name.clone())),
        OsClass::Production => None,
        OsClass::Development => Some(PinWarning::DevelopmentImage(name.clone())),
        OsClass::Prerelease | OsClass::Observed => Some(PinWarning::ObservedImage(name.clone())),
    };
    let of_files = named.and_then(PublishedImage::version);
    let version = row.version.as_ref().or(of_files.as_deref());
    let vulnerable = vulnerable(reference.advisories(), &name, version);
    class.into_iter().chain(vulnerable).collect()
}

/// The warning of an image of a version from which the host alone gains secrets or code.
pub(super) fn vulnerable(
    advisories: &[Advisory],
    name: &impl ToString,
    version: Option<&ReleaseVersion>,
) -> Option<PinWarning> {
    let vulnerabilities: Vec<Advisory> = Advisory::host_alone(advisories, version).cloned().collect();
    (!vulnerabilities.is_empty()).then(|| PinWarning::VulnerableImage {
        name: name.to_string(),
        vulnerabilities,
    })
}
