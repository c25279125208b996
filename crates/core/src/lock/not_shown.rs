//! Parts of the existing lock that a new pin run did not ask for or did not find. The host decides what a deployment shows, so a
//! missing answer never drops an expectation: what was not asked for stays as it is, and what was asked for and not found must be
//! accepted by name.

use super::{Lock, PinWarning};
use crate::verify::Claims;

/// A section of the existing lock that stays as it is, because this run did not ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unasked {
    /// `[[sources]]`: the compose document with the images was not read.
    Sources,
    /// `[[gpus]]`: the evidence signs no nonce of this run.
    Gpus,
    /// `[kms]`: no host of a KMS was named.
    Kms,
    /// `[governance]`: no node of a chain was named.
    Governance,
    /// `[tls]`: there was no TLS connection to the app.
    Tls,
    /// `known_by` of `[os_image]`: neither the guest's measurement document nor files of the image confirm the hash.
    ImageHash,
}

impl Unasked {
    /// How the section is written.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::Sources => super::sources::HEADER,
            Self::Gpus => super::gpus::HEADER,
            Self::Kms => super::kms::SECTION,
            Self::Governance => super::governance::SECTION,
            Self::Tls => super::tls::SECTION,
            Self::ImageHash => "known_by of [os_image]",
        }
    }
}

/// Which of the sections that a deployment may lack a run did not ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NotAsked(Vec<Unasked>);

impl NotAsked {
    /// What a run with these claims asked for. `fresh` is whether its nonce is signed, `has_images` whether the images were read.
    pub(super) fn of(claims: &Claims, fresh: bool, has_images: bool) -> Self {
        let asked = [
            (Unasked::Sources, has_images),
            (Unasked::Gpus, fresh && claims.nonce.is_some()),
            (Unasked::Kms, !claims.kms.is_empty()),
            (Unasked::Governance, claims.chain.is_some()),
            (Unasked::Tls, claims.tls.is_some()),
        ];
        let not_asked = asked.into_iter().filter(|(_, is_asked)| !is_asked);
        Self(not_asked.map(|(section, _)| section).collect())
    }

    /// Takes over what the existing lock holds and this run did not ask for.
    pub(super) fn keep(&self, lock: &mut Lock, before: &Lock) -> Vec<Unasked> {
        let is_kept = |section: &&Unasked| match section {
            Unasked::Sources => kept(&mut lock.sources, &before.sources),
            Unasked::Gpus => kept(&mut lock.gpus, &before.gpus),
            Unasked::Kms => kept(&mut lock.kms, &before.kms),
            Unasked::Governance => kept(&mut lock.governance, &before.governance),
            Unasked::Tls => kept(&mut lock.tls, &before.tls),
            // Decided with the image: `Pinned::accept`.
            Unasked::ImageHash => false,
        };
        self.0.iter().filter(is_kept).copied().collect()
    }
}

/// Takes a section over if this lock has none of it; whether it did.
fn kept<T: Clone + Default + PartialEq>(now: &mut T, before: &T) -> bool {
    let none = T::default();
    let is_kept = *now == none && *before != none;
    if is_kept {
        now.clone_from(before);
    }
    is_kept
}

/// What the lock that is there expects and this one does not, although it was asked for.
pub(super) fn no_longer_shown(before: &Lock, now: &Lock) -> Option<PinWarning> {
    let keys = absent_keys(before, now);
    (!keys.is_empty()).then_some(PinWarning::NoLongerShown(keys))
}

/// Whether two locks lack the same keys, so that what is said of one holds for the other.
pub(super) fn lacks_the_same(before: &Lock, now: &Lock) -> bool {
    absent_keys(before, now).is_empty() && absent_keys(now, before).is_empty()
}

/// The keys, in the order of the file, that the lock before has and this one has not.
fn absent_keys(before: &Lock, now: &Lock) -> Vec<&'static str> {
    // Anyone who adds a section says here whether a deployment can leave it out.
    let Lock {
        // Informative, or what people write.
        tool: _,
        origin: _,
        accepted: _,
        // Every quote and every boot has them, and nothing is pinned without both.
        compose_hash: _,
        app_id: _,
        key_provider: _,
        os_image: _,
        td_attributes: _,
        mr_seam: _,
        fmspc: _,
        // Parts of the measured document: if it is not shown or not read, that is a warning of its own.
        images: _,
        compose_settings: _,
        places: _,
        sources,
        gpus,
        kms,
        governance,
        tls,
    } = before;
    let mut keys = Vec::new();
    if !sources.is_empty() && now.sources.is_empty() {
        keys.push("sources");
    }
    if !gpus.is_empty() && now.gpus.is_empty() {
        keys.push("gpus");
    }
    keys.extend(absent(&super::kms::KEYS, &kms.values(), &now.kms.values()));
    keys.extend(absent(
        &super::governance::KEYS,
        &governance.values(),
        &now.governance.values(),
    ));
    // Another way to bind the key has no KMS in its certificate: that is a change, and is shown as one.
    let is_other_binding = now.tls.binding.is_some() && now.tls.binding != tls.binding;
    if !is_other_binding {
        keys.extend(absent(&super::tls::KEYS, &tls.values(), &now.tls.values()));
    }
    keys
}

fn absent<'l>(
    keys: &'l [(&'static str, &'static str)],
    before: &'l [Option<String>],
    now: &'l [Option<String>],
) -> impl Iterator<Item = &'static str> + 'l {
    let values = before.iter().zip(now);
    let both = keys.iter().zip(values);
    both.filter(|(_, (before, now))| before.is_some() && now.is_none())
        .map(|((key, _), _)| *key)
}

#[cfg(test)]
mod tests {
    use super::super::{LockedGovernance, LockedKms, LockedTls, arbitrary};
    use super::*;
    use crate::policy::TlsBinding;

    /// The lock with these sections taken out.
    fn without(take: impl FnOnce(&mut Lock)) -> Lock {
        let mut lock = arbitrary::example();
        take(&mut lock);
        lock
    }

    #[test]
    fn each_key_that_a_deployment_can_leave_out_is_named() {
        let before = arbitrary::example();
        let absent = |take: fn(&mut Lock)| absent_keys(&before, &without(take));
        assert_eq!(absent(|_| ()), [""; 0]);
        assert_eq!(absent(|lock| lock.sources.clear()), ["sources"]);
        assert_eq!(absent(|lock| lock.gpus.clear()), ["gpus"]);
        assert_eq!(
            absent(|lock| lock.kms = LockedKms::default()),
            ["kms.host", "kms.compose_hash"]
        );
        assert_eq!(
            absent(|lock| lock.governance.app.owners.clear()),
            ["governance.app_owner"]
        );
        assert_eq!(
            absent(|lock| lock.tls = LockedTls::default()),
            ["tls.binding", "tls.kms"]
        );
        // The same binding without the KMS is less; another binding is a change.
        assert_eq!(absent(|lock| lock.tls.kms = None), ["tls.kms"]);
        let app_key = |lock: &mut Lock| {
            lock.tls = LockedTls {
                binding: Some(TlsBinding::AppKey),
                kms: None,
            };
        };
        assert_eq!(absent(app_key), [""; 0]);
        // What is new is not missing.
        let less = without(|lock| lock.governance = LockedGovernance::default());
        assert_eq!(absent_keys(&less, &before), [""; 0]);
        assert!(!lacks_the_same(&less, &before) && lacks_the_same(&less, &less));
    }
}
