//! What a lock adds: the platform and the compose document that it was taken from.

use super::encoding::Encoding;
use crate::policy::appraisal::{LockedCompose, LockedPlatform};

impl Encoding {
    pub(super) fn locked_platform(&mut self, locked: &LockedPlatform) {
        let LockedPlatform {
            td_attributes,
            mr_seam,
            fmspc,
            lock: _,
        } = locked;
        self.optional("lock.td-attributes", td_attributes.as_ref());
        self.optional("lock.mr-seam", mr_seam.as_ref());
        self.optional("lock.fmspc", fmspc.as_ref());
    }

    pub(super) fn locked_compose(&mut self, locked: &LockedCompose) {
        let LockedCompose {
            compose_settings,
            images,
            places,
            lock: _,
        } = locked;
        let fields = compose_settings.iter().map(|(name, value)| {
            let mut field = Self(Vec::new());
            field.bytes(name.as_bytes());
            field.json(value);
            field.0
        });
        self.set("lock.compose-settings", fields);
        let pairs = images.iter();
        let pairs = pairs.flat_map(|(service, image)| [service.as_bytes(), image.as_bytes()]);
        self.entry("lock.images", pairs);
        if !places.is_empty() {
            let parts = places.iter();
            let parts =
                parts.flat_map(|place| [place.path.as_bytes(), &place.sha256, place.reason.as_bytes()]);
            self.entry("lock.places", parts);
        }
    }
}
